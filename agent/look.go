package agent

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node"
)

// A look that is asked for again while it has not begun answers everybody: it waits a moment for others who ask the same, and
// longer once somebody does, while NodeProbes are being listed, and while the one before it is under way. Nobody gets an
// answer that was begun before the question was seen: the next question may come after a repair.
const (
	settle    = 20 * time.Millisecond
	settleFor = 250 * time.Millisecond
	settleMax = 10 * time.Second
	// runningAfter is when who asked is told that his question was heard.
	runningAfter = 2 * time.Second
)

// look is one look and who waits for it.
type look struct {
	key      string
	question node.Question
	// tenant is the namespace of who asked first.
	tenant *tenant
	cancel context.CancelFunc
	joined chan struct{}
	ended  chan struct{}
	// waiting is guarded by the agent's lock.
	waiting []*entry
}

// join has an entry answered by the look for its question that has not begun, or by a new one, which ends with ctx.
func (a *agent) join(ctx context.Context, e *entry, q node.Question) {
	key := fmt.Sprintf("%#v", q)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known[e.Metadata.UID] != e {
		return
	}
	l := a.next[key]
	if l == nil {
		l = &look{key: key, question: q, tenant: a.tenants[e.Metadata.Namespace], joined: make(chan struct{}, 1), ended: make(chan struct{})}
		own, cancel := context.WithCancel(ctx)
		l.cancel = cancel
		a.next[key] = l
		a.tasks.Go(func() {
			defer cancel()
			a.answer(own, l)
		})
	}
	l.waiting = append(l.waiting, e)
	e.look = l
	e.long = a.later(ctx, e, runningAfter, a.running)
	select {
	case l.joined <- struct{}{}:
	default:
	}
}

// gather waits until nobody has joined for a moment.
func (a *agent) gather(ctx context.Context, l *look) {
	<-l.joined // the first, who is there already
	end := time.Now().Add(settleMax)
	quiet := time.NewTimer(settle)
	defer quiet.Stop()
	for {
		select {
		case <-l.joined:
			quiet.Reset(min(settleFor, time.Until(end)))
		case <-quiet.C:
			before := a.before(l.key)
			switch {
			case time.Now().After(end):
				return
			case before != nil:
				select {
				case <-before.ended:
				case <-time.After(time.Until(end)): // beside one that takes so long
				case <-ctx.Done():
				}
				return
			case !a.listing.Load():
				return
			}
			quiet.Reset(settle)
		case <-ctx.Done():
			return
		}
	}
}

// before is a look at the same that is under way; nil where there is none.
func (a *agent) before(key string) *look {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.now[key]
}

// answer makes a look and tells everybody who waits for it.
func (a *agent) answer(ctx context.Context, l *look) {
	a.gather(ctx, l)
	release, ok := a.place(ctx, l)
	if !ok {
		return
	}
	a.begin(l)
	began := time.Now()
	var facts []*evidence.Fact
	var gaps []evidence.Gap
	if ctx.Err() == nil {
		facts, gaps = a.examine(ctx, l)
	}
	release()
	a.end(l)
	if ctx.Err() != nil {
		return // nobody waits any more, or the agent ends
	}
	a.done(ctx, l, began, facts, gaps)
}

// begin lets nobody join from here on.
func (a *agent) begin(l *look) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.next[l.key] == l {
		delete(a.next, l.key)
	}
	a.now[l.key] = l
}

func (a *agent) end(l *look) {
	a.mu.Lock()
	defer a.mu.Unlock()
	close(l.ended)
	if a.now[l.key] == l {
		delete(a.now, l.key)
	}
}

// examine looks, within the time that there is.
func (a *agent) examine(ctx context.Context, l *look) (facts []*evidence.Fact, gaps []evidence.Gap) {
	budget := a.Budget
	if l.question.Verify {
		budget = a.VerifyBudget
	}
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	defer func() {
		if r := recover(); r != nil {
			a.Log.Error("a look failed", "image", evidence.CleanReference(l.question.Image), "panic", r, "stack", string(debug.Stack()))
			gaps = append(gaps, evidence.Gap{Vantage: evidence.Node, What: "the rest of node " + a.Node, Why: "the agent failed while it looked: see its log", Deciding: true})
		}
	}()
	facts, gaps = a.Looker.Look(ctx, l.question)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		gaps = append(gaps, evidence.Gap{Vantage: evidence.Node, What: "the rest of node " + a.Node, Why: fmt.Sprintf("looking took more than %s", budget), Deciding: true})
	}
	return facts, gaps
}

// waiters are those who wait now.
func (a *agent) waiters(l *look) []*entry {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(l.waiting)
}
