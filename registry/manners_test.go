package registry_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/registry"
	"github.com/refloat-dev/refloat/registry/wire"
)

// TestLockedForEveryPod: a login that one pod's message says is locked out is not tried for another pod that has it, of another
// namespace or image, nor for what may be served instead.
func TestLockedForEveryPod(t *testing.T) {
	t.Parallel()
	r, host := serve(t, registrytest.BasicECR)
	got := &secrets{data: map[string]string{"a/regcred": config(host, "alice", "right"), "b/regcred": config(host, "alice", "right")}}
	locked, other, gone := pull("a", "web", host+"/team/app:1", "regcred"), pull("b", "web", host+"/team/app:1", "regcred"), pull("b", "web-2", host+"/team/app:l", "regcred")
	s := &registry.Source{Secrets: got, Withhold: func(c *evidence.Case) string {
		if c == locked {
			return "locked out"
		}
		return ""
	}}
	observe(t, s, other, locked, gone)
	for _, e := range r.Log.Entries() {
		if e.User != "" || e.Scheme != "" {
			t.Errorf("a credential was sent: %+v", e)
		}
	}
	for _, c := range []*evidence.Case{locked, other, gone} {
		if p := probeOf(c); p == nil || p.Withheld != "locked out" {
			t.Errorf("%s/%s: %+v", c.Pull.Namespace, c.Pull.Pod, p)
		}
	}
}

// TestSlowRegistry: one registry whose manifests never come keeps no other registry's images waiting.
func TestSlowRegistry(t *testing.T) {
	t.Parallel()
	_, host := serve(t, registrytest.Open)
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v2/" {
			<-r.Context().Done()
		}
	}))
	t.Cleanup(slow.Close)
	var cases []*evidence.Case
	for i := range 40 {
		cases = append(cases, pull("shop", fmt.Sprintf("slow-%d", i), fmt.Sprintf("%s/team/app-%d:1", strings.TrimPrefix(slow.URL, "http://"), i)))
	}
	var fine []*evidence.Case
	for i := range 40 {
		fine = append(fine, pull("shop", fmt.Sprintf("web-%d", i), fmt.Sprintf("%s/team/app-%d:1", host, i)))
	}
	client := &wire.Client{Timeout: time.Hour}
	t.Cleanup(client.CloseIdleConnections)
	observe(t, &registry.Source{Wire: client, Budget: 2 * time.Second}, slices.Concat(cases, fine)...)
	for _, c := range fine {
		if p := probeOf(c); p.Attempts[0].Skipped != "" {
			t.Fatalf("%s: %s", c.Pull.Image, p.Attempts[0].Skipped)
		}
	}
}

// TestCutShortIsNotKept: what the end of one look cut short is asked again by the next.
func TestCutShortIsNotKept(t *testing.T) {
	t.Parallel()
	r, host := serve(t, registrytest.Open)
	if err := r.Faults.Add(registrytest.Fault{ID: "silent", Answer: registrytest.Answer{Break: registrytest.BreakStall}}); err != nil {
		t.Fatal(err)
	}
	s := &registry.Source{Budget: 50 * time.Millisecond}
	observe(t, s, pull("shop", "web", host+"/team/app:1"))
	r.Faults.Clear("*")
	s.Budget = time.Minute
	c := pull("shop", "web", host+"/team/app:1")
	observe(t, s, c)
	if p := probeOf(c); !p.Attempts[0].Served {
		t.Errorf("the second look: %+v", p)
	}
}

// TestAnswerFromBeforeNamesOwnSecret: an answer that serves again names the secret of the pod that asks now.
func TestAnswerFromBeforeNamesOwnSecret(t *testing.T) {
	t.Parallel()
	_, host := serve(t, registrytest.BasicECR)
	s := &registry.Source{Secrets: &secrets{data: map[string]string{"a/old": config(host, "alice", "right"), "b/new": config(host, "alice", "right")}}}
	observe(t, s, pull("a", "web", host+"/team/app:1", "old"))
	c := pull("b", "web", host+"/team/app:1", "new")
	observe(t, s, c)
	if l := probeOf(c).Attempts[0].Login; l.Secret != "b/new" {
		t.Errorf("a pod of namespace b is told of %s", l.Secret)
	}
}

// TestNoWorkloadNoOthers: images that belong to no workload, such as those on a command line, are not looked for at one another's registries.
func TestNoWorkloadNoOthers(t *testing.T) {
	t.Parallel()
	r, host := serve(t, registrytest.Open)
	other, otherHost := serve(t, registrytest.Open)
	observe(t, &registry.Source{}, pull("", "", host+"/team/nothing:1"), pull("", "", otherHost+"/team/app:1"))
	if len(r.Log.Entries()) == 0 {
		t.Error("the registry was not asked")
	}
	for _, e := range other.Log.Entries() {
		if strings.Contains(e.Path, "nothing") {
			t.Errorf("asked at another image's registry: %+v", e)
		}
	}
}

// TestNodeMay: where a kubelet brings credentials of its own, the keyring says so.
func TestNodeMay(t *testing.T) {
	t.Parallel()
	nowhere := &wire.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no network")
	}}}
	for image, want := range map[string]bool{
		"1.dkr.ecr.eu-west-1.amazonaws.com/a:1":          true,
		"1.dkr.ecr-fips.us-gov-west-1.amazonaws.com/a:1": true,
		"1.dkr-ecr.eu-west-1.on.aws/a:1":                 true,
		"acme.azurecr.io/a:1":                            true,
		"acme.azurecr.us/a:1":                            true,
		"acme.azurecr.cn/a:1":                            true,
		"eu-docker.pkg.dev/p/r/a:1":                      true,
		"registry.example/a:1":                           false,
	} {
		c := pull("shop", "web", image)
		observe(t, &registry.Source{Wire: nowhere}, c)
		if got := keyringOf(t, c).NodeMay; (got != "") != want {
			t.Errorf("%s: %q", image, got)
		}
	}
	c := pull("shop", "web", "registry.redhat.io/ubi9:1")
	c.Facts[1].NodeState.Home = evidence.HomeOpenShift
	observe(t, &registry.Source{Wire: nowhere}, c)
	if keyringOf(t, c).NodeMay == "" {
		t.Error("an OpenShift node has the cluster's pull secret")
	}
}

// TestNamesThatDoNotParse: each is told its own name's trouble.
func TestNamesThatDoNotParse(t *testing.T) {
	t.Parallel()
	one, two := pull("shop", "a", "reg.lab/One:1"), pull("shop", "b", "reg.lab/Two:1")
	observe(t, &registry.Source{}, one, two)
	if k := keyringOf(t, two); !strings.Contains(k.Broken, "Two") {
		t.Errorf("it is told %q", k.Broken)
	}
}
