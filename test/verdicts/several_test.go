package verdicts

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/registry/keyring"
	"github.com/refloat-dev/refloat/registry/probe"
	"github.com/refloat-dev/refloat/registry/wire"
)

const (
	loginRefused = `failed to pull and unpack image "docker.io/acme/shop:1.4": failed to resolve image: failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://auth.docker.io/token: 401 Unauthorized`
	loginLimited = `failed to pull and unpack image "docker.io/acme/shop:1.4": failed to resolve image: failed to authorize: failed to fetch oauth token: unexpected status from POST request to https://auth.docker.io/token: 429 Too Many Requests`
)

func hub(t *testing.T) registrytest.Profile {
	t.Helper()
	all := registrytest.Profiles()
	i := slices.IndexFunc(all, func(p registrytest.Profile) bool { return p.Host == "docker.io" })
	if i < 0 {
		t.Fatal("no profile of Docker Hub")
	}
	return all[i]
}

// TestSecrets are pods with several secrets, or with one that harms.
func TestSecrets(t *testing.T) {
	t.Parallel()
	p := hub(t)
	old := p.Bad
	tests := []struct {
		name, image, message string
		accounts             []registrytest.Account
		withhold             string
		memory               bool // of an earlier run that was refused
		cause                diagnose.Code
		sure                 diagnose.Confidence
		says                 string
	}{
		{"the first of two is stale", p.Private, loginRefused, []registrytest.Account{old, p.Good}, "", false, diagnose.InvalidCredentials, diagnose.Possible, "served now"},
		{"both are stale", p.Private, loginRefused, []registrytest.Account{old, {User: "other", Password: "wrong"}}, "", false, diagnose.InvalidCredentials, diagnose.Confirmed, "refused the credentials"},
		{"stale, on a public image", p.Public, loginRefused, []registrytest.Account{old}, "", false, diagnose.InvalidCredentials, diagnose.Confirmed, "the image is public and the secret breaks it"},
		{"stale, and tried a moment ago", p.Private, loginRefused, []registrytest.Account{old}, "", true, diagnose.InvalidCredentials, diagnose.Likely, "refused the credentials"},
		{"locked out", p.Private, loginLimited, []registrytest.Account{p.Good}, "the registry locked this login out", false, diagnose.LockedOut, diagnose.Confirmed, "locked the account"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			running, err := p.Start(registrytest.Situation{})
			if err != nil {
				t.Fatal(err)
			}
			client := &wire.Client{Transport: running.Transport, Timeout: 10 * time.Second}
			t.Cleanup(func() {
				client.CloseIdleConnections()
				if err := running.Close(); err != nil {
					t.Error(err)
				}
			})
			var secrets []keyring.Secret
			var names []string
			for i, a := range tt.accounts {
				s := secretFor(t, p.Host, a)
				s.Name += strings.Repeat("-more", i)
				secrets, names = append(secrets, s), append(names, s.Name)
			}
			creds, ring := keyring.Lookup(secrets, tt.image)
			q := probe.Question{Image: tt.image, Credentials: creds, Platform: platform, Withhold: tt.withhold}
			w := &probe.Walker{Wire: client}
			if tt.memory {
				w.Refusals = always{}
			}
			a := &answered{ring: ring, probe: w.Ask(t.Context(), q)}
			message := &evidence.Fact{Text: "x", Message: &evidence.Message{Origin: evidence.Waiting, Reason: "ImagePullBackOff", Text: tt.message}}
			c := &evidence.Case{Pull: evidence.Pull{Namespace: "shop", Pod: "api-0", UID: "u", Container: "api", Kind: evidence.App, Image: tt.image, Node: "node-2"},
				Facts: append(a.facts(), message, &evidence.Fact{Pod: &evidence.Pod{PullSecrets: names}})}
			for _, n := range names {
				c.Facts = append(c.Facts, &evidence.Fact{Secret: &evidence.Secret{Namespace: "shop", Name: n, Exists: evidence.Yes, Registries: []string{key(p.Host)}}})
			}
			d := diagnose.Diagnose(c, time.Now())
			if d.Cause != tt.cause || d.Confidence != tt.sure || !strings.Contains(d.Summary, tt.says) {
				t.Errorf("%s (%s): %s; candidates %v", d.Cause, d.Confidence, d.Summary, d.Candidates)
			}
		})
	}
}

// always remembers that everything was refused a moment ago.
type always struct{}

func (always) Refused(string) (time.Time, bool) { return time.Now().Add(-3 * time.Minute), true }
func (always) Remember(string)                  {}
