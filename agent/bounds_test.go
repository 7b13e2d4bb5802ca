package agent

import (
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/refloat-dev/refloat/agent/agenttest"
	"github.com/refloat-dev/refloat/api/v1alpha1"
)

// TestOneNamespaceLeavesRoom: whoever asks for more looks than may be under way, or for hashing, keeps nobody else waiting.
func TestOneNamespaceLeavesRoom(t *testing.T) {
	t.Parallel()
	l := &looker{takes: time.Minute}
	bubble(t, l, func(t *testing.T, s *agenttest.Server) {
		for i := range 40 {
			spec := free(fmt.Sprint("image-", i))
			spec.Verify = i%2 == 0
			s.Create("greedy", fmt.Sprint("p", i), spec)
		}
		time.Sleep(5 * time.Second)
		l.mu.Lock()
		hashing := 0
		for _, q := range l.asked {
			if q.Verify {
				hashing++
			}
		}
		if l.most != 3 || hashing > 1 {
			t.Errorf("%d looks at once, %d of them hash", l.most, hashing)
		}
		l.mu.Unlock()
		s.Create("shop", "a", free("one"))
		time.Sleep(62 * time.Second)
		wantText(t, read(t, s, "a"), "asked for one")
	})
}

// TestMoreThanAreTaken: what finds no room is answered when there is some, and another namespace's is not kept waiting.
func TestMoreThanAreTaken(t *testing.T) {
	t.Parallel()
	const many = maxOpenOf + 1000
	l := &looker{takes: time.Second}
	synctest.Test(t, func(t *testing.T) {
		s := agenttest.New()
		defer s.Close()
		for i := range many {
			s.Create("a-greedy", fmt.Sprint("p", i), free("many"))
		}
		s.Create("shop", "a", free("one"))
		defer start(t, s, l)()
		time.Sleep(3 * time.Second)
		wantText(t, read(t, s, "a"), "asked for one")
		time.Sleep(30 * time.Second)
		for i := range many {
			var p v1alpha1.NodeProbe
			if s.Get("a-greedy", fmt.Sprint("p", i), &p) && p.Status.Phase != v1alpha1.ProbeDone { // the others were removed soon
				t.Fatalf("%d is not answered: %+v", i, p.Status)
			}
		}
		if n := s.Calls("status"); n < many+1 {
			t.Errorf("%d answers for %d", n, many+1)
		}
	})
}

// TestRoom holds the counts to what is known.
func TestRoom(t *testing.T) {
	t.Parallel()
	a := &agent{Config: Config{Looks: 4, Keep: time.Minute, Log: slog.New(slog.DiscardHandler)}, known: map[string]*entry{}, tenants: map[string]*tenant{}}
	again := 0
	a.again = func(error) { again++ }
	var all []*entry
	for i := range 3 * maxKnown {
		e := &entry{open: i%3 == 0}
		e.Metadata.UID, e.Metadata.Namespace = fmt.Sprint(i), fmt.Sprint("ns-", i%4)
		if a.admit(e) {
			all = append(all, e)
		}
	}
	if len(a.known) != maxKnown || len(all) != maxKnown || a.open > maxOpen || !a.missed {
		t.Fatalf("%d are known, %d of them open", len(a.known), a.open)
	}
	for _, e := range all {
		if e.open {
			a.closed(e)
		}
		a.leave(e)
	}
	if len(a.known) != 0 || a.open != 0 || len(a.tenants) != 0 || again == 0 || a.missed {
		t.Errorf("%d known, %d open, %d namespaces, listed again %d times", len(a.known), a.open, len(a.tenants), again)
	}
}
