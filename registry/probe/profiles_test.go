package probe_test

import (
	"net"
	"testing"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/registry/keyring"
	"github.com/refloat-dev/refloat/registry/probe"
)

// Every registry of the world is walked through: what a pull would get is served, and nothing else is; no more than four
// requests are made for the manifests.
func TestProfiles(t *testing.T) {
	t.Parallel()
	for _, p := range registrytest.Profiles() {
		for _, s := range p.Situations {
			t.Run(p.Name+"/"+s.Name, func(t *testing.T) {
				t.Parallel()
				g, err := p.Serve(s)
				if err != nil {
					t.Fatal(err)
				}
				var hosts []string
				for _, h := range append(p.Hosts, g.Storage) {
					if name, _, err := net.SplitHostPort(h); err == nil {
						h = name
					}
					hosts = append(hosts, h)
				}
				b := serve(t, g, hosts...)
				var offered []keyring.Credential
				if s.User != "" {
					offered = creds(cred(s.User, s.Password))
				}
				got := b.walker().Ask(t.Context(), probe.Question{Image: s.Image, Credentials: offered, Platform: "linux/amd64", Layers: s.Layers})
				if len(got.Attempts) == 0 {
					t.Fatal("nothing was asked")
				}
				if a := got.Attempts[0]; a.Served != (len(s.Want) == 0) {
					t.Errorf("served: %v, want %v: %v %s", a.Served, s.Want, trail(a), a.Skipped)
				}
				for _, a := range got.Attempts {
					n := 0
					for _, step := range a.Steps {
						if step.Name == evidence.StepManifest || step.Name == evidence.StepChild {
							n++
						}
					}
					if n > 4 {
						t.Errorf("%d requests: %v", n, trail(a))
					}
				}
			})
		}
	}
}
