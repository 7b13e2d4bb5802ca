package agent

import (
	"context"
	"reflect"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/refloat-dev/refloat/kube/wire"
)

// entry is one NodeProbe that exists.
type entry struct {
	record
	// look is the one that will answer it; nil before its pod was looked at and after it was answered.
	look   *look
	cancel context.CancelFunc
	// long says that it is worked on, where that takes a while; expiry removes it after it was answered.
	long, expiry *time.Timer
	// open is set until it is answered; finished is when it was; round is the last list that had it.
	open     bool
	finished time.Time
	round    int
	// writing has a place for the one who writes its status; answered, which he owns, says that nothing more is written.
	writing  chan struct{}
	answered bool
}

// see takes up a NodeProbe that is new, and has one that is answered removed later.
func (a *agent) see(ctx context.Context, r *record) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.known[r.Metadata.UID]
	if e != nil && !reflect.DeepEqual(e.Spec, r.Spec) {
		a.drop(e) // the API server lets nobody change a spec; what was asked is not what is written here
		e = nil
	}
	if e == nil {
		e = &entry{record: *r, cancel: func() {}, writing: make(chan struct{}, 1), open: r.Status.Finished == nil && r.Metadata.Deleted == nil}
		if !a.admit(e) {
			return
		}
		if e.open {
			var own context.Context
			own, e.cancel = context.WithCancel(ctx)
			a.tasks.Go(func() { a.take(ctx, own, e) })
		}
	}
	e.round = a.round
	if r.Status.Finished != nil && e.expiry == nil && r.Metadata.Deleted == nil {
		e.finished = *r.Status.Finished
		e.expiry = a.later(ctx, e, a.keepFor(e), a.expire)
	}
}

// forget ends the work for a NodeProbe that is gone.
func (a *agent) forget(uid string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if e := a.known[uid]; e != nil {
		a.drop(e)
	}
}

// nextRound begins a list.
func (a *agent) nextRound() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.round++
	a.relist = false
	return a.round
}

// forgetOthers forgets what the list of a round did not have.
func (a *agent) forgetOthers(round int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range a.known {
		if e.round < round {
			a.drop(e)
		}
	}
}

// drop forgets an entry and ends its look, unless somebody else waits for that too.
func (a *agent) drop(e *entry) {
	a.leave(e)
	e.cancel()
	for _, t := range []*time.Timer{e.long, e.expiry} {
		if t != nil {
			t.Stop()
		}
	}
	l := e.look
	if l == nil {
		return
	}
	e.look = nil
	if l.waiting = slices.DeleteFunc(l.waiting, func(w *entry) bool { return w == e }); len(l.waiting) == 0 {
		l.cancel()
		if a.next[l.key] == l {
			delete(a.next, l.key)
		}
	}
}

// later runs f for an entry after a while, unless it is gone by then or the agent ends. The lock is held.
func (a *agent) later(ctx context.Context, e *entry, after time.Duration, f func(context.Context, *entry)) *time.Timer {
	return time.AfterFunc(after, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if ctx.Err() == nil && a.known[e.Metadata.UID] == e {
			a.tasks.Go(func() { f(ctx, e) })
		}
	})
}

// expire removes an answered NodeProbe. Where that fails it is tried again later.
func (a *agent) expire(ctx context.Context, e *entry) {
	var wait backoff
	for ctx.Err() == nil {
		err := a.request(ctx, wire.Deletion(e.path(), e.Metadata.UID), nil)
		if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
			return
		}
		a.Log.Warn("cannot remove an answered NodeProbe", "probe", e.name(), "error", err)
		if final(err) {
			return
		}
		wait.sleep(ctx, err)
	}
}

func (e *entry) name() string { return e.Metadata.Namespace + "/" + e.Metadata.Name }
