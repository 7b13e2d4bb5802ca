// Package verdicts asks each of the world's registries, as far as they are known, for what goes wrong there, as the
// kubelet would ask, and holds the verdict to what can honestly be concluded.
package verdicts

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/registry/keyring"
	"github.com/refloat-dev/refloat/registry/probe"
	"github.com/refloat-dev/refloat/registry/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const platform = "linux/amd64"

// answered is a situation after it was asked about.
type answered struct {
	registrytest.Situation
	ring  evidence.Keyring
	probe evidence.Probe
}

func (a *answered) facts() []*evidence.Fact {
	return []*evidence.Fact{
		{Text: "keyring", Vantage: evidence.Registry, Where: "this machine", Keyring: &a.ring},
		{Text: "probe", Vantage: evidence.Registry, Where: "this machine", Probe: &a.probe},
	}
}

// wants reports whether c is one of the honest conclusions.
func (a *answered) wants(c diagnose.Code) bool { return slices.Contains(a.Want, string(c)) }

func ask(t *testing.T, p registrytest.Profile, s registrytest.Situation) *answered {
	t.Helper()
	running, err := p.Start(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := running.Close(); err != nil {
			t.Error(err)
		}
	})
	client := &wire.Client{Transport: running.Transport, Timeout: 10 * time.Second}
	t.Cleanup(client.CloseIdleConnections)
	var secrets []keyring.Secret
	if s.User != "" {
		secrets = append(secrets, secretFor(t, p.Host, s.Account))
	}
	creds, ring := keyring.Lookup(secrets, s.Image)
	if s.User != "" && len(creds) != 1 {
		t.Fatalf("%d credentials match %s", len(creds), s.Image)
	}
	w := &probe.Walker{Wire: client}
	return &answered{s, ring, w.Ask(t.Context(), probe.Question{Image: s.Image, Credentials: creds, Platform: platform, Layers: s.Layers})}
}

func secretFor(t *testing.T, host string, a registrytest.Account) keyring.Secret {
	t.Helper()
	key := host
	if host == "docker.io" {
		key = "https://index.docker.io/v1/"
	}
	data, err := json.Marshal(map[string]any{"auths": map[string]any{key: map[string]string{"username": a.User, "password": a.Password}}})
	if err != nil {
		t.Fatal(err)
	}
	return keyring.Secret{Namespace: "shop", Name: "regcred", Type: "kubernetes.io/dockerconfigjson", Data: map[string][]byte{".dockerconfigjson": data}}
}

// cloud are the registries whose nodes usually pull with an identity of their own.
func cloud(host string) bool {
	return strings.Contains(host, ".dkr.ecr.") || strings.HasSuffix(host, ".pkg.dev") || host == "gcr.io" || strings.HasSuffix(host, ".azurecr.io")
}

// fromHere are causes that say nothing about another address.
func fromHere(want []string) bool {
	return slices.Contains(want, string(diagnose.RateLimited)) || slices.Contains(want, string(diagnose.ClientBlocked)) || slices.Contains(want, string(diagnose.LockedOut))
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	for _, p := range registrytest.Profiles() {
		for _, s := range p.Situations {
			t.Run(p.Name+"/"+s.Name, func(t *testing.T) {
				t.Parallel()
				a := ask(t, p, s)
				alone(t, p, a)
				joined(t, p, a)
				if t.Failed() {
					for _, x := range a.probe.Attempts {
						t.Logf("login %v, compared %v, served %v, skipped %q, found %+v", x.Login, x.Compared, x.Served, x.Skipped, x.Found)
						for _, st := range x.Steps {
							t.Logf("  %s %s %s: %d %v %s %q %s %v", st.Name, st.Method, st.URL, st.Status, st.Codes, st.Failure, st.Text, st.Challenge, st.Redirects)
						}
					}
				}
			})
		}
	}
}

// alone is the verdict of the registry's answer by itself, as `check` gives it.
func alone(t *testing.T, p registrytest.Profile, a *answered) {
	t.Helper()
	c := &evidence.Case{Pull: evidence.Pull{Namespace: "shop", Kind: evidence.Planned, Image: a.Image, Platform: platform}, Facts: a.facts()}
	d := diagnose.Diagnose(c, time.Now())
	switch {
	case d.Confidence == diagnose.Confirmed:
		t.Errorf("one vantage point confirms nothing: %s", d.Summary)
	case len(a.Want) == 0:
		if !d.Served {
			t.Errorf("%s (%s), want it served: %s", d.Cause, d.Confidence, d.Summary)
		}
	case d.Cause == diagnose.Unknown:
		if !fromHere(a.Want) && (a.User != "" || !cloud(p.Host)) && !slices.Contains(a.Want, string(diagnose.Unknown)) {
			t.Errorf("unknown, want %v: %s", a.Want, d.Summary)
		}
	case !a.wants(d.Cause):
		t.Errorf("%s (%s), want %v: %s", d.Cause, d.Confidence, a.Want, d.Summary)
	}
}

// joined is the verdict beside what containerd says of the same answers.
func joined(t *testing.T, p registrytest.Profile, a *answered) {
	t.Helper()
	text := containerd(a)
	if text == "" || len(a.Want) == 0 {
		return
	}
	pod := &evidence.Fact{Pod: &evidence.Pod{}}
	if a.User != "" {
		pod.Pod.PullSecrets = []string{"regcred"}
	}
	message := &evidence.Fact{Text: text, Message: &evidence.Message{Origin: evidence.Waiting, Reason: "ImagePullBackOff", Text: text}}
	c := &evidence.Case{Pull: evidence.Pull{Namespace: "shop", Pod: "api-0", UID: "u", Container: "api", Kind: evidence.App, Image: a.Image, Node: "node-2", Reason: "ImagePullBackOff"},
		Facts: append(a.facts(), message, pod)}
	if a.User != "" {
		c.Facts = append(c.Facts, &evidence.Fact{Secret: &evidence.Secret{Namespace: "shop", Name: "regcred", Exists: evidence.Yes, Type: "kubernetes.io/dockerconfigjson", Registries: []string{key(p.Host)}}})
	}
	d := diagnose.Diagnose(c, time.Now())
	open := a.User == "" && cloud(p.Host) && slices.Contains([]diagnose.Code{diagnose.ProviderFailed, diagnose.DeniedOrMissing, diagnose.Forbidden}, d.Cause)
	if !a.wants(d.Cause) && !open && (d.Confidence != diagnose.Possible || !fromHere(a.Want)) {
		t.Errorf("beside %q: %s (%s), want %v: %s", text, d.Cause, d.Confidence, a.Want, d.Summary)
	}
	if d.Confidence == diagnose.Confirmed && (fromHere(a.Want) && d.Cause != diagnose.LockedOut || !a.wants(d.Cause)) {
		t.Errorf("%s is confirmed from another address, or wrongly", d.Cause)
	}
	if len(a.Want) == 1 && !fromHere(a.Want) && !open && d.Confidence != diagnose.Confirmed {
		t.Errorf("beside %q: %s is only %s; candidates %v; %s", text, d.Cause, d.Confidence, d.Candidates, d.Summary)
	}
}

func key(host string) string {
	if host == "docker.io" {
		return "https://index.docker.io/v1/"
	}
	return host
}

// containerd is what containerd 2.x prints of the last answer that the kubelet's attempt got (C24 core/remotes/docker).
func containerd(a *answered) string {
	i := slices.IndexFunc(a.probe.Attempts, func(x evidence.Attempt) bool { return !x.Compared })
	if i < 0 || len(a.probe.Attempts[i].Steps) == 0 {
		return ""
	}
	at := a.probe.Attempts[i]
	s := at.Steps[len(at.Steps)-1]
	status := fmt.Sprintf("%d %s", s.Status, statusText(s.Status))
	head := fmt.Sprintf("failed to pull and unpack image %q: failed to resolve image: ", a.probe.Image)
	switch {
	case s.Failure != "" || s.Status < 400:
		return ""
	case s.Name == evidence.StepToken && at.Login != nil:
		return head + "failed to authorize: failed to fetch oauth token: unexpected status from GET request to " + s.URL + ": " + status
	case s.Name == evidence.StepToken:
		return head + "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to " + s.URL + ": " + status
	case s.Name == evidence.StepLayer && s.Status == 404:
		digest := s.URL[strings.LastIndexByte(s.URL, '/')+1:]
		return head + "failed to copy: httpReadSeeker: failed open: could not fetch content descriptor " + digest + " (application/vnd.oci.image.layer.v1.tar+gzip) from remote: not found"
	case s.Name != evidence.StepManifest:
		return head + "failed to copy: httpReadSeeker: failed open: unexpected status from GET request to " + s.URL + ": " + status
	case s.Status == 404:
		return head + a.probe.Image + ": not found"
	case s.Status == 401 && strings.Contains(s.Challenge, "insufficient_scope"):
		return head + "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed"
	case s.Status == 401 && strings.HasPrefix(s.Challenge, "Basic") && at.Login == nil:
		return head + "pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials"
	}
	u, err := url.Parse(s.URL)
	if err != nil {
		return ""
	}
	return head + "unexpected status from HEAD request to " + u.String() + ": " + status
}

func statusText(code int) string {
	return map[int]string{400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found", 412: "Precondition Failed", 429: "Too Many Requests",
		500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable"}[code]
}
