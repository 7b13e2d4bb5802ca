package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/refloat-dev/refloat/api/v1alpha1"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/kube/wire"
)

// status is a NodeProbeStatus whose evidence is JSON already: many share it.
type status struct {
	Phase    v1alpha1.NodeProbePhase `json:"phase"`
	Message  string                  `json:"message,omitempty"`
	Agent    string                  `json:"agent,omitempty"`
	Started  *time.Time              `json:"started,omitempty"`
	Finished *time.Time              `json:"finished,omitempty"`
	Evidence json.RawMessage         `json:"evidence,omitempty"`
}

// maxMessage is the CRD's bound.
const maxMessage = 4 << 10

// second is a time as the API server keeps times.
func second(t time.Time) *time.Time {
	t = t.UTC().Truncate(time.Second)
	return &t
}

// running tells who asked that his question was heard.
func (a *agent) running(ctx context.Context, e *entry) {
	e.writing <- struct{}{}
	defer func() { <-e.writing }()
	if e.answered {
		return
	}
	err := a.write(ctx, e, status{Phase: v1alpha1.ProbeRunning, Agent: a.Version, Started: second(time.Now())})
	if err != nil && ctx.Err() == nil && !apierrors.IsNotFound(err) {
		a.Log.Warn("cannot say that a NodeProbe is worked on", "probe", e.name(), "error", err)
	}
}

// done writes what was seen to everybody who waits for it: all of it where the question was free, and what is about the pod's
// image where it was about a pod.
func (a *agent) done(ctx context.Context, l *look, began time.Time, facts []*evidence.Fact, gaps []evidence.Gap) {
	took, finished := time.Since(began), second(time.Now())
	packed := map[string]json.RawMessage{} // by namespace; free ones have none
	waiting := a.waiters(l)
	for _, e := range waiting {
		to, seen := e.audience(), facts
		if packed[to] != nil {
			continue
		}
		if to != "" {
			seen = narrow(facts, l.question.Image, to)
		}
		raw, err := json.Marshal(a.pack(seen, gaps))
		if err != nil {
			a.Log.Error("cannot write evidence", "error", err)
			return
		}
		packed[to] = raw
	}
	a.each(waiting, func(e *entry) {
		raw := packed[e.audience()]
		s := status{Phase: v1alpha1.ProbeDone, Agent: a.Version, Started: second(began), Finished: finished, Evidence: raw}
		a.finish(ctx, e, s, "image", evidence.CleanReference(l.question.Image), "facts", len(facts), "gaps", len(gaps), "bytes", len(raw),
			"took", took.Round(time.Millisecond), "shared", len(waiting))
	})
}

// audience is the namespace of a NodeProbe about a pod; empty for a free one.
func (e *entry) audience() string {
	if e.Spec.Pod == nil {
		return ""
	}
	return e.Metadata.Namespace
}

func (a *agent) refuse(ctx context.Context, e *entry, why string) {
	now := second(time.Now())
	a.finish(ctx, e, status{Phase: v1alpha1.ProbeRefused, Message: strings.ToValidUTF8(why[:min(len(why), maxMessage)], ""), Agent: a.Version, Started: now, Finished: now}, "refused", why)
}

// finish writes an answer until it stands, the NodeProbe is gone, or ctx ends; and logs the NodeProbe's one line.
func (a *agent) finish(ctx context.Context, e *entry, s status, about ...any) {
	e.writing <- struct{}{}
	defer func() { <-e.writing }()
	e.answered = true
	var wait backoff
	for ctx.Err() == nil {
		err := a.write(ctx, e, s)
		if err == nil || apierrors.IsNotFound(err) {
			a.Log.Info("NodeProbe", append([]any{"probe", e.name(), "gone", err != nil}, about...)...)
			break
		}
		if final(err) {
			a.Log.Error("the API server does not take an answer", "probe", e.name(), "error", err)
			break
		}
		wait.sleep(ctx, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	e.look = nil
	if a.known[e.Metadata.UID] == e {
		a.closed(e)
	}
}

// write replaces a NodeProbe's status, if it is still the one that was asked.
func (a *agent) write(ctx context.Context, e *entry, s status) error {
	return a.request(ctx, wire.Request{
		Method: "PATCH", Path: e.path() + "/status", Type: "application/json-patch+json",
		Body: []map[string]any{
			{"op": "test", "path": "/metadata/uid", "value": e.Metadata.UID},
			{"op": "add", "path": "/status", "value": s},
		},
	}, nil)
}

// final tells a refusal that will not change by asking again.
func final(err error) bool {
	return apierrors.IsNotFound(err) || apierrors.IsInvalid(err) || apierrors.IsForbidden(err) || apierrors.IsBadRequest(err) ||
		apierrors.IsRequestEntityTooLargeError(err) || apierrors.IsMethodNotSupported(err)
}

// each runs f for all entries at once; the requests in it wait for their turn.
func (a *agent) each(entries []*entry, f func(*entry)) {
	var all sync.WaitGroup
	for _, e := range entries {
		all.Go(func() { f(e) })
	}
	all.Wait()
}

// request makes a request when it is its turn, and reads the answer into out, unless that is nil.
func (a *agent) request(ctx context.Context, r wire.Request, out any) error {
	select {
	case a.turns <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("waiting for a turn: %w", ctx.Err())
	}
	defer func() { <-a.turns }()
	return a.api.Do(ctx, r, out)
}
