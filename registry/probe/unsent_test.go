package probe_test

import (
	"fmt"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/registry/probe"
)

// A public image, or a missing one, is answered before any credential is sent: that proves none, and the wrong password that goes
// with it is still one failed login.
func TestPublicImageProvesNoCredential(t *testing.T) {
	t.Parallel()
	for _, style := range []registrytest.Style{registrytest.BearerForbidding, registrytest.BasicNexus, registrytest.BearerHub} {
		b := newLab(t)
		r := b.registry(t, "reg.lab", style)
		r.Private = []string{"team/*"}
		r.LockAfter = 50
		push(t, r, "open/app", "1", v1.Platform{OS: "linux", Architecture: "amd64"})
		w := b.walker()
		w.Ask(t.Context(), probe.Question{Image: "reg.lab/open/app:1", Credentials: creds(stale), Platform: "linux/amd64"})
		w.Ask(t.Context(), probe.Question{Image: "reg.lab/open/app:gone", Credentials: creds(stale), Platform: "linux/amd64"})
		before := offers(b, "alice")
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				w.Ask(t.Context(), probe.Question{Image: fmt.Sprintf("reg.lab/team/app-%d:1", i), Credentials: creds(stale), Platform: "linux/amd64"})
			})
		}
		wg.Wait()
		if n := offers(b, "alice"); n > 2 || before > 2 { // by POST and by GET, as containerd
			t.Errorf("%v: the password was sent %d times", style, n)
		}
	}
}
