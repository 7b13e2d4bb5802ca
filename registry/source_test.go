package registry_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"go.uber.org/goleak"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/internal/registrytest/imagetest"
	"github.com/refloat-dev/refloat/registry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// secrets are those of a cluster; reads counts how often each was got.
type secrets struct {
	data  map[string]string // namespace/name → docker config; "" is Forbidden
	mu    sync.Mutex
	reads map[string]int
}

func (s *secrets) PullSecret(_ context.Context, namespace, name string) (string, map[string][]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := namespace + "/" + name
	if s.reads == nil {
		s.reads = map[string]int{}
	}
	s.reads[key]++
	data := s.data[key]
	if data == "" {
		return "", nil, errors.New("forbidden")
	}
	return "kubernetes.io/dockerconfigjson", map[string][]byte{".dockerconfigjson": []byte(data)}, nil
}

func config(host, user, password string) string {
	data, err := json.Marshal(map[string]any{"auths": map[string]any{
		host: map[string]string{"auth": base64.StdEncoding.EncodeToString([]byte(user + ":" + password))}}})
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(data)
}

// serve starts a registry on a loopback address, which is asked over plain HTTP, as containerd does. It holds team/app at 1 and 1.27.1.
func serve(t *testing.T, style registrytest.Style) (*registrytest.Registry, string) {
	t.Helper()
	r := registrytest.New("loopback", style)
	r.SetUser(registrytest.User{Name: "alice", Password: "right", Pull: []string{"*"}})
	img, err := imagetest.Image(imagetest.Spec{Platform: v1.Platform{OS: "linux", Architecture: "amd64"},
		Layers: [][]imagetest.File{{imagetest.Big("a", 2048, 1)}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range []string{"1", "1.27.1"} {
		if _, err := r.Push("team/app", tag, img); err != nil {
			t.Fatal(err)
		}
	}
	s := httptest.NewServer(r)
	t.Cleanup(s.Close)
	return r, strings.TrimPrefix(s.URL, "http://")
}

// pull is a pod's container that cannot get an image.
func pull(namespace, pod, image string, names ...string) *evidence.Case {
	return &evidence.Case{
		Pull: evidence.Pull{Namespace: namespace, Pod: pod, Container: "app", Kind: evidence.App, Image: image, Node: "node-1"},
		Facts: []*evidence.Fact{
			{Pod: &evidence.Pod{PullSecrets: names}},
			{NodeState: &evidence.NodeState{Name: "node-1", OS: "linux", Arch: "amd64"}},
		},
	}
}

func keyringOf(t *testing.T, c *evidence.Case) *evidence.Keyring {
	t.Helper()
	f := c.First(func(f *evidence.Fact) bool { return f.Keyring != nil })
	if f == nil {
		t.Fatal("no Keyring fact")
	}
	return f.Keyring
}

func probeOf(c *evidence.Case) *evidence.Probe {
	if f := c.First(func(f *evidence.Fact) bool { return f.Probe != nil }); f != nil {
		return f.Probe
	}
	return nil
}

func observe(t *testing.T, s *registry.Source, cases ...*evidence.Case) {
	t.Helper()
	if err := s.Observe(t.Context(), cases); err != nil {
		t.Fatal(err)
	}
}

// TestManyPodsAskOnce: pods that ask the same share the asking, the secret and the facts.
func TestManyPodsAskOnce(t *testing.T) {
	t.Parallel()
	r, host := serve(t, registrytest.BasicECR)
	got := &secrets{data: map[string]string{}}
	var cases []*evidence.Case
	for ns := range 3 { // one credential in three namespaces
		name := fmt.Sprintf("shop-%d", ns)
		got.data[name+"/regcred"] = config(host, "alice", "wrong")
		for i := range 100 {
			cases = append(cases, pull(name, fmt.Sprintf("web-%d", i), host+"/team/app:1", "regcred"))
		}
	}
	observe(t, &registry.Source{Secrets: got}, cases...)
	// ping, HEAD and GET with the credential, then HEAD and GET without: one pair and its comparison.
	if n := len(r.Log.Entries()); n > 7 {
		t.Errorf("%d requests for one image and one credential: %v", n, r.Log.Entries())
	}
	for key, n := range got.reads {
		if n != 1 {
			t.Errorf("secret %s was read %d times", key, n)
		}
	}
	first, second, other := probeOf(cases[0]), probeOf(cases[1]), probeOf(cases[150])
	if first == nil || first != second {
		t.Error("two pods of one secret do not share their fact")
	}
	if other == nil || other.Attempts[0].Login.Secret != "shop-1/regcred" {
		t.Errorf("a pod is told of another namespace's secret: %+v", other)
	}
}

// TestSecretsStayHidden: nothing of a credential but its user is in any fact or gap.
func TestSecretsStayHidden(t *testing.T) {
	t.Parallel()
	_, host := serve(t, registrytest.BearerHub)
	c := pull("shop", "web", host+"/team/app:1", "regcred")
	observe(t, &registry.Source{Secrets: &secrets{data: map[string]string{"shop/regcred": config(host, "alice", "s3cr3t-horse")}}}, c)
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if probeOf(c) == nil || !strings.Contains(string(text), "alice") {
		t.Fatalf("the case does not tell who asked: %s", text)
	}
	for _, s := range []string{"s3cr3t-horse", base64.StdEncoding.EncodeToString([]byte("alice:s3cr3t-horse"))} {
		if strings.Contains(string(text), s) {
			t.Errorf("the case holds %q: %s", s, text)
		}
	}
}

func TestObserve(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		style  registrytest.Style
		image  string // without its host
		data   map[string]string
		named  []string
		source *registry.Source
		check  func(t *testing.T, c *evidence.Case, log []registrytest.Entry)
	}{
		{name: "served with the second secret", style: registrytest.BasicECR, image: "team/app:1", named: []string{"stale", "good"},
			data: map[string]string{"shop/stale": config("HOST", "alice", "old"), "shop/good": config("HOST", "alice", "right")},
			check: func(t *testing.T, c *evidence.Case, _ []registrytest.Entry) {
				p := probeOf(c)
				if n := len(p.Attempts); n != 2 || p.Attempts[0].Served || !p.Attempts[1].Served || p.Attempts[1].Login.Secret != "shop/good" {
					t.Errorf("attempts: %+v", p.Attempts)
				}
			}},
		{name: "a secret that may not be read", style: registrytest.BasicECR, image: "team/app:1", named: []string{"hidden"},
			check: func(t *testing.T, c *evidence.Case, _ []registrytest.Entry) {
				if k := keyringOf(t, c); !slices.Equal(k.Unread, []string{"shop/hidden"}) {
					t.Errorf("unread: %v", k.Unread)
				}
			}},
		{name: "a secret that breaks every pull", style: registrytest.Open, image: "team/app:1", named: []string{"bad"},
			data: map[string]string{"shop/bad": `{"auths":{"x":{"auth":"!"}}}`},
			check: func(t *testing.T, c *evidence.Case, log []registrytest.Entry) {
				if k := keyringOf(t, c); k.BrokenBy != "shop/bad" || len(log) != 0 || probeOf(c) != nil {
					t.Errorf("broken by %q; %d requests, none of which the kubelet would make", k.BrokenBy, len(log))
				}
			}},
		{name: "a login that may be locked out", style: registrytest.BasicECR, image: "team/app:1", named: []string{"good"},
			data:   map[string]string{"shop/good": config("HOST", "alice", "right")},
			source: &registry.Source{Withhold: func(*evidence.Case) string { return "locked out" }},
			check: func(t *testing.T, c *evidence.Case, log []registrytest.Entry) {
				if p := probeOf(c); p.Withheld != "locked out" {
					t.Errorf("withheld: %q", p.Withheld)
				}
				for _, e := range log {
					if e.User != "" || e.Scheme != "" {
						t.Errorf("a credential was sent: %+v", e)
					}
				}
			}},
		{name: "a tag that is nearly there", style: registrytest.Open, image: "team/app:1.27.l",
			check: func(t *testing.T, c *evidence.Case, _ []registrytest.Entry) {
				f := c.First(func(f *evidence.Fact) bool { return f.Alternatives != nil })
				if f == nil || !strings.HasSuffix(f.Alternatives.Items[0].Image, "/team/app:1.27.1") {
					t.Errorf("it offers %+v", f)
				}
			}},
		{name: "a docker config by hand", style: registrytest.BasicECR, image: "team/app:1", named: []string{"good"},
			data:   map[string]string{"shop/good": config("HOST", "alice", "wrong")},
			source: &registry.Source{Config: []byte(config("HOST", "alice", "right")), ConfigName: "file config.json"},
			check: func(t *testing.T, c *evidence.Case, _ []registrytest.Entry) {
				if p := probeOf(c); !p.Attempts[0].Served || p.Attempts[0].Login.Secret != "file config.json" {
					t.Errorf("attempts: %+v", p.Attempts)
				}
			}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, host := serve(t, tt.style)
			s := tt.source
			if s == nil {
				s = &registry.Source{}
			}
			s.Secrets = &secrets{data: inHost(tt.data, host)}
			if s.Config != nil {
				s.Config = []byte(strings.ReplaceAll(string(s.Config), "HOST", host)) // the address is known only now
			}
			c := pull("shop", "web", host+"/"+tt.image, tt.named...)
			observe(t, s, c)
			tt.check(t, c, r.Log.Entries())
		})
	}
}

func inHost(data map[string]string, host string) map[string]string {
	out := map[string]string{}
	for k, v := range data {
		out[k] = strings.ReplaceAll(v, "HOST", host)
	}
	return out
}

// TestWatchAsksSeldom: a second look within a minute asks nothing, and one after it asks again.
func TestWatchAsksSeldom(t *testing.T) {
	t.Parallel()
	r, host := serve(t, registrytest.Open)
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	s := &registry.Source{Now: func() time.Time { return now }}
	look := func() int {
		r.Log.Reset()
		c := pull("shop", "web", host+"/team/gone:1")
		observe(t, s, c)
		if p := probeOf(c); p == nil || len(p.Attempts) != 1 || p.Attempts[0].Served {
			t.Fatalf("probe: %+v", p)
		}
		return len(r.Log.Entries())
	}
	first := look()
	now = now.Add(30 * time.Second)
	if n := look(); first == 0 || n != 0 {
		t.Errorf("%d requests at first, %d half a minute later", first, n)
	}
	now = now.Add(time.Minute)
	if n := look(); n == 0 {
		t.Error("no requests after a minute and a half: a fix would never show")
	}
}

// TestBudget: a registry that says nothing does not keep a person waiting.
func TestBudget(t *testing.T) {
	t.Parallel()
	r, host := serve(t, registrytest.Open)
	if err := r.Faults.Add(registrytest.Fault{ID: "silent", Answer: registrytest.Answer{Break: registrytest.BreakStall}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Faults.Clear("*") })
	c := pull("shop", "web", host+"/team/app:1")
	observe(t, &registry.Source{Budget: 50 * time.Millisecond}, c)
	p := probeOf(c)
	if p == nil || len(p.Attempts) == 0 || p.Attempts[0].Served {
		t.Fatalf("probe: %+v", p)
	}
	if s := p.Attempts[0].Steps; len(s) == 0 || s[len(s)-1].Failure != evidence.FailedTimeout {
		t.Errorf("steps: %+v", s)
	}
}

// TestLimitedLast: an image whose pull was limited is asked for after the others of its registry, which would go unanswered.
func TestLimitedLast(t *testing.T) {
	t.Parallel()
	r, host := serve(t, registrytest.Open)
	where := registrytest.Where{Repository: "team/limited", Step: registrytest.StepManifest}
	if err := r.Faults.Add(registrytest.Fault{ID: "limit", Where: where, Answer: registrytest.Answer{Preset: "rate-limited"}}); err != nil {
		t.Fatal(err)
	}
	limited := pull("shop", "a", host+"/team/limited:1")
	limited.Facts = append(limited.Facts, &evidence.Fact{Message: &evidence.Message{Origin: evidence.Waiting, Text: "429 Too Many Requests"}})
	typo := pull("shop", "b", host+"/team/app:1.27.l")
	observe(t, &registry.Source{}, limited, typo)
	if typo.First(func(f *evidence.Fact) bool { return f.Alternatives != nil }) == nil {
		t.Error("the limit of one image kept another from being looked for")
	}
	if p := probeOf(limited); p == nil || p.Attempts[0].Served {
		t.Errorf("the limited image: %+v", p)
	}
}
