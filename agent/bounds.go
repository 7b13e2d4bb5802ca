package agent

import (
	"context"
	"errors"
	"time"
)

// How many NodeProbes are known at once, of all namespaces and of one, and how many of them may be unanswered. Whoever may
// create one may create as many as the API server takes: the others wait there until there is room, and no namespace takes
// all of it.
const (
	maxKnown, maxKnownOf = 6144, 3072
	maxOpen, maxOpenOf   = 2048, 1024
	// keepFull is how long an answered one is left while others wait for room.
	keepFull = 30 * time.Second
)

// tenant is a namespace with NodeProbes.
type tenant struct {
	known, open int
	// missed is set where one of its NodeProbes found no room.
	missed bool
	// looks and hashes have places for its looks: one is always left to others.
	looks, hashes chan struct{}
}

// errAgain ends a watch when there is room for those that were not taken up.
var errAgain = errors.New("there is room for more NodeProbes")

// admit counts a NodeProbe in, or has it wait. The lock is held.
func (a *agent) admit(e *entry) bool {
	t := a.tenants[e.Metadata.Namespace]
	if t == nil {
		t = &tenant{looks: make(chan struct{}, max(1, a.Looks-1)), hashes: make(chan struct{}, 1)}
	}
	full := len(a.known) >= maxKnown || e.open && a.open >= maxOpen
	if full || t.known >= maxKnownOf || e.open && t.open >= maxOpenOf {
		a.miss(e.Metadata.Namespace, t, full)
		return false
	}
	a.tenants[e.Metadata.Namespace] = t
	a.known[e.Metadata.UID] = e
	t.known++
	if e.open {
		t.open++
		a.open++
	}
	return true
}

// miss remembers that there was no room, and has answered NodeProbes removed sooner.
func (a *agent) miss(namespace string, t *tenant, full bool) {
	first := full && !a.missed || !full && !t.missed
	a.missed, t.missed = a.missed || full, t.missed || !full
	if !first {
		return
	}
	a.Log.Warn("there are more NodeProbes than are taken up at once", "known", len(a.known), "namespace", namespace, "of", t.known)
	for _, e := range a.known {
		if e.expiry != nil && (full || e.Metadata.Namespace == namespace) && e.expiry.Stop() {
			e.expiry.Reset(a.keepFor(e))
		}
	}
}

// keepFor is how long an answered NodeProbe is left from now on.
func (a *agent) keepFor(e *entry) time.Duration {
	keep := a.Keep
	if t := a.tenants[e.Metadata.Namespace]; a.missed || t != nil && t.missed {
		keep = min(keep, keepFull)
	}
	// After a change of the clock the time may be in the future: it is not kept for longer.
	return max(0, min(time.Until(e.finished.Add(keep)), keep))
}

// closed counts a NodeProbe that is answered, or gone, out of the unanswered. The lock is held.
func (a *agent) closed(e *entry) {
	if !e.open {
		return
	}
	e.open = false
	a.open--
	a.tenants[e.Metadata.Namespace].open--
	a.room(e.Metadata.Namespace)
}

// leave counts a NodeProbe out.
func (a *agent) leave(e *entry) {
	delete(a.known, e.Metadata.UID)
	a.closed(e)
	t := a.tenants[e.Metadata.Namespace]
	t.known--
	a.room(e.Metadata.Namespace)
	if t.known == 0 {
		delete(a.tenants, e.Metadata.Namespace)
	}
}

// room has all listed again where some found no room before and half of it is free.
func (a *agent) room(namespace string) {
	t := a.tenants[namespace]
	all := a.missed && len(a.known) <= maxKnown/2 && a.open <= maxOpen/2
	own := t.missed && t.known <= maxKnownOf/2 && t.open <= maxOpenOf/2
	if all {
		a.missed = false
	}
	if own {
		t.missed = false
	}
	if all || own {
		a.relist = true
		a.again(errAgain)
	}
}

// place waits until a look may begin: its namespace has its turn, and so have all.
func (a *agent) place(ctx context.Context, l *look) (release func(), ok bool) {
	t := l.tenant
	places := []chan struct{}{t.looks, a.looks}
	if l.question.Verify {
		places = []chan struct{}{t.hashes, a.hashes, t.looks, a.looks}
	}
	taken := 0
	release = func() {
		for _, p := range places[:taken] {
			<-p
		}
	}
	for _, p := range places {
		select {
		case p <- struct{}{}:
			taken++
		case <-ctx.Done():
			release()
			return nil, false
		}
	}
	return release, true
}
