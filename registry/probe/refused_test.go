package probe_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/registry/probe"
)

func TestRefused(t *testing.T) {
	t.Parallel()
	b := newLab(t)
	for _, host := range []string{"hub.lab", "ecr.lab", "strict.lab"} {
		style := map[string]registrytest.Style{"hub.lab": registrytest.BearerHub, "ecr.lab": registrytest.BasicECR, "strict.lab": registrytest.BearerStrict}[host]
		r := b.registry(t, host, style)
		r.Private = []string{"*"}
		push(t, r, "team/two", "1", linux)
	}
	now := time.Now()
	m := &memory{now: func() time.Time { return now }}
	for _, tc := range []struct {
		host    string
		after   string // where the way ends
		asEvery bool   // whether the refusal holds for every repository
	}{
		{"hub.lab", "GET token Unauthorized", true},
		{"ecr.lab", "HEAD manifest Unauthorized", true},
		{"strict.lab", "POST token Forbidden", false},
	} {
		b.Log.Reset()
		w := &probe.Walker{Wire: b.client, Refusals: m, Now: m.now}
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				a := w.Ask(t.Context(), probe.Question{Image: tc.host + "/team/app:1", Credentials: creds(stale), Platform: "linux/amd64"}).Attempts[0]
				if steps := trail(a); steps[len(steps)-1] != tc.after {
					t.Errorf("%s: %v", tc.host, steps)
				}
			})
		}
		wg.Wait()
		tried := offers(b, "alice")
		a := w.Ask(t.Context(), probe.Question{Image: tc.host + "/team/two:1", Credentials: creds(stale), Platform: "linux/amd64"}).Attempts[0]
		if a.Skipped != "" || len(a.Steps) < 2 {
			t.Errorf("%s: the refusal of this run is no evidence: %+v", tc.host, a)
		}
		if again := offers(b, "alice") != tried; again == tc.asEvery {
			t.Errorf("%s: tried again for another repository: %v", tc.host, again)
		}
		// Another run, three minutes later; and one after eleven.
		now = now.Add(3*time.Minute + time.Second)
		tried = offers(b, "alice")
		p := (&probe.Walker{Wire: b.client, Refusals: m, Now: m.now}).Ask(t.Context(), probe.Question{Image: tc.host + "/team/app:1", Credentials: creds(stale), Platform: "linux/amd64"})
		if got := p.Attempts[0].Skipped; got != "the registry refused it 3 minutes ago" || len(p.Attempts[0].Steps) > 0 || offers(b, "alice") != tried {
			t.Errorf("%s: %q, %v", tc.host, got, trail(p.Attempts[0]))
		}
		if len(p.Attempts) != 2 || !p.Attempts[1].Compared {
			t.Errorf("%s: not compared: %+v", tc.host, p.Attempts)
		}
		now = now.Add(8 * time.Minute)
		p = (&probe.Walker{Wire: b.client, Refusals: m, Now: m.now}).Ask(t.Context(), probe.Question{Image: tc.host + "/team/app:1", Credentials: creds(stale, alice), Platform: "linux/amd64"})
		if p.Attempts[0].Skipped != "" || !p.Attempts[1].Served {
			t.Errorf("%s: after eleven minutes: %+v", tc.host, p.Attempts)
		}
	}
	for _, k := range m.keys() {
		if len(k) != 64 || strings.Contains(k, "wrong") || strings.Contains(k, "alice") {
			t.Errorf("key %q", k)
		}
	}
}

// offers counts the requests that carried a user's password.
func offers(b *lab, user string) int {
	n := 0
	for _, e := range b.Log.Entries() {
		if e.User == user && (e.Step == registrytest.StepToken || e.Scheme == "Basic") {
			n++
		}
	}
	return n
}

// Twenty images that share a wrong password are one failed login.
func TestWrongPasswordIsTriedOnce(t *testing.T) {
	t.Parallel()
	b := newLab(t)
	r := b.registry(t, "reg.lab", registrytest.BearerHub)
	r.LockAfter = 3
	w := b.walker()
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			w.Ask(t.Context(), probe.Question{Image: fmt.Sprintf("reg.lab/team/app-%d:1", i), Credentials: creds(stale), Platform: "linux/amd64"})
		})
	}
	wg.Wait()
	if n := offers(b, "alice"); n != 2 { // by POST and by GET, as containerd
		t.Errorf("the password was sent %d times", n)
	}
}

func TestWithhold(t *testing.T) {
	t.Parallel()
	b := newLab(t)
	b.registry(t, "reg.lab", registrytest.BearerHub)
	p := b.walker().Ask(t.Context(), probe.Question{Image: "reg.lab/team/app:1", Credentials: creds(alice), Platform: "linux/amd64", Withhold: "locked out"})
	if p.Withheld != "locked out" || len(p.Attempts) != 1 || p.Attempts[0].Login != nil || !p.Attempts[0].Compared || !p.Attempts[0].Served {
		t.Errorf("got %+v", p)
	}
	if offers(b, "alice") != 0 {
		t.Error("the credential was offered")
	}
}
