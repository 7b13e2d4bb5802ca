// Package nodeprobe asks the agents on nodes: it creates NodeProbes, waits for
// their answers, and joins them to cases.
//
// It writes nothing else, polls nothing, and leaves nothing that nobody waits
// for. What an agent answers is taken as hostile: bounded, redacted again, and
// said to be seen by that node whatever it claims. It says nothing about causes.
package nodeprobe

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/refloat-dev/refloat/api/v1alpha1"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/kube/wire"
)

// Asker asks agents. The zero value of all but API is useful.
type Asker struct {
	API *wire.Client
	// Silence is how long an agent may say nothing at all, 0 is 30 s; Wait how long it may take, 0 is 3 minutes.
	Silence, Wait time.Duration
}

// Question is one NodeProbe to be made.
type Question struct {
	Namespace string
	Spec      v1alpha1.NodeProbeSpec
}

// Answer is what a node saw.
type Answer struct {
	Facts []*evidence.Fact
	Gaps  []evidence.Gap
	Cut   int
	Agent string // its version
}

// ErrNotInstalled says that the cluster has no NodeProbes.
var ErrNotInstalled = errors.New("the cluster has no refloat-agent")

// RefusedError is an agent's refusal to answer.
type RefusedError struct{ Message string }

func (e *RefusedError) Error() string { return "the agent refuses: " + e.Message }

// SilentError says that a node's agent does not answer.
type SilentError struct {
	Node  string
	After time.Duration
	// Began is set where it said that it looks, and did not end.
	Began bool
	// Seen is a clause about when it was last seen; empty where nothing tells.
	Seen string
}

func (e *SilentError) Error() string {
	text := fmt.Sprintf("the agent on %s has not answered for %s", e.Node, e.After)
	if e.Began {
		text = fmt.Sprintf("the agent on %s began to look, and has not ended within %s", e.Node, e.After)
	}
	if e.Seen != "" {
		text += ", " + e.Seen
	}
	return text
}

// Ask makes a NodeProbe and waits for its answer. The errors are ErrNotInstalled, RefusedError, SilentError, an APIStatus such
// as Forbidden, or that of a broken connection. A NodeProbe that nobody waits for any more is removed.
func (a *Asker) Ask(ctx context.Context, q Question) (*Answer, error) {
	p, err := a.create(ctx, q)
	if err != nil {
		return nil, err
	}
	return a.await(ctx, p)
}

// probe is what this package reads and writes of a NodeProbe.
type probe struct {
	APIVersion string                   `json:"apiVersion"`
	Kind       string                   `json:"kind"`
	Metadata   metadata                 `json:"metadata"`
	Spec       v1alpha1.NodeProbeSpec   `json:"spec"`
	Status     v1alpha1.NodeProbeStatus `json:"status,omitzero"`
}

// errUnreadable says that an answer is there that this version cannot read: waiting for another would be in vain.
var errUnreadable = errors.New("the node's answer cannot be read: refloat-agent and this program may be of different versions")

// probeOf reads a NodeProbe.
func probeOf(raw json.RawMessage) (*probe, error) {
	p := new(probe)
	if err := json.Unmarshal(raw, p); err != nil {
		return nil, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	return p, nil
}

type metadata struct {
	Name            string                  `json:"name,omitempty"`
	Namespace       string                  `json:"namespace,omitempty"`
	UID             string                  `json:"uid,omitempty"`
	ResourceVersion string                  `json:"resourceVersion,omitempty"`
	Labels          map[string]string       `json:"labels,omitempty"`
	Owners          []metav1.OwnerReference `json:"ownerReferences,omitempty"`
}

func (p *probe) path() string { return wire.NodeProbes(p.Metadata.Namespace) + "/" + p.Metadata.Name }

// create makes a NodeProbe; the pod that it names owns it, so that it goes when the pod does.
func (a *Asker) create(ctx context.Context, q Question) (*probe, error) {
	in := probe{
		APIVersion: v1alpha1.Group + "/" + v1alpha1.Version, Kind: v1alpha1.NodeProbeKind, Spec: q.Spec,
		Metadata: metadata{Name: "refloat-" + strings.ToLower(rand.Text()[:16]), Labels: map[string]string{"app.kubernetes.io/managed-by": "refloat"}},
	}
	if pod := q.Spec.Pod; pod != nil {
		in.Metadata.Owners = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: types.UID(pod.UID)}}
	}
	out := new(probe)
	err := a.API.Do(ctx, wire.Request{Method: "POST", Path: wire.NodeProbes(q.Namespace), Body: in}, out)
	switch {
	case notInstalled(err):
		return nil, ErrNotInstalled
	case err != nil:
		var said apierrors.APIStatus
		if !errors.As(err, &said) { // it may have been made: nobody would know of it
			in.Metadata.Namespace = q.Namespace
			a.remove(ctx, &in)
		}
		return nil, err
	}
	return out, nil
}

// notInstalled tells a path that the API server does not serve from an object, such as the namespace, that is not there.
func notInstalled(err error) bool {
	var s apierrors.APIStatus
	return apierrors.IsNotFound(err) && errors.As(err, &s) && (s.Status().Details == nil || s.Status().Details.Name == "")
}

// await waits for the answer to a NodeProbe that was just made.
func (a *Asker) await(ctx context.Context, p *probe) (*Answer, error) {
	silence, wait := a.Silence, a.Wait
	if silence == 0 {
		silence = 30 * time.Second
	}
	if wait == 0 {
		wait = 3 * time.Minute
	}
	own, cancel := context.WithTimeoutCause(ctx, wait, &SilentError{Node: p.Spec.NodeName, After: wait, Began: true})
	defer cancel()
	own, stop := context.WithCancelCause(own)
	defer stop(nil)
	quiet := time.AfterFunc(silence, func() { stop(&SilentError{Node: p.Spec.NodeName, After: silence}) })
	defer quiet.Stop()
	answer, err := a.follow(own, p, func() { quiet.Stop() })
	if own.Err() != nil && answer == nil {
		err = context.Cause(own)
		a.remove(ctx, p)
	}
	var silent *SilentError
	if errors.As(err, &silent) && ctx.Err() == nil {
		silent.Seen = a.lastSeen(ctx, p)
	}
	return answer, err
}

// errGone says that the NodeProbe is not there any more.
var errGone = errors.New("the NodeProbe was removed while its answer was awaited")

// follow watches a NodeProbe until it is answered; began is called once its agent has been heard of.
func (a *Asker) follow(ctx context.Context, p *probe, began func()) (*Answer, error) {
	var answer *Answer
	var refused error
	take := func(now *probe) bool {
		if now.Status.Phase != "" {
			began()
		}
		answer, refused = now.answer()
		return answer != nil || refused != nil
	}
	version := p.Metadata.ResourceVersion
	for pause := 250 * time.Millisecond; ; pause = min(2*pause, 4*time.Second) {
		err := a.watch(ctx, p, version, take)
		switch {
		case answer != nil || refused != nil:
			return answer, refused
		case errors.Is(err, errGone), errors.Is(err, errUnreadable):
			return nil, err
		}
		select { // the watch broke, or its version is too old: look, and watch again from there
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
		var raw json.RawMessage
		var now *probe
		if err = a.API.Do(ctx, wire.Request{Path: p.path()}, &raw); err == nil {
			now, err = probeOf(raw)
		}
		switch {
		case errors.Is(err, errUnreadable):
			return nil, err
		case err == nil && now.Metadata.UID == p.Metadata.UID:
			if take(now) {
				return answer, refused
			}
			version = now.Metadata.ResourceVersion
		case err == nil, apierrors.IsNotFound(err):
			return nil, errGone
		case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
			return nil, err
		}
	}
}

var errEnough = errors.New("the answer is there")

// watch hands the NodeProbe to take whenever it changes, until take has what it wants; that and a watch that ends are no errors.
func (a *Asker) watch(ctx context.Context, p *probe, version string, take func(*probe) bool) error {
	q := url.Values{"watch": {"true"}, "fieldSelector": {"metadata.name=" + p.Metadata.Name}, "resourceVersion": {version}}
	err := a.API.Watch(ctx, wire.NodeProbes(p.Metadata.Namespace), q, func(e wire.Event) error {
		now, err := probeOf(e.Object)
		switch {
		case err != nil:
			return err
		case e.Type == "DELETED":
			return errGone
		case take(now):
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// removeWithin bounds the removal of a NodeProbe that nobody waits for any more.
const removeWithin = 3 * time.Second

func (a *Asker) remove(ctx context.Context, p *probe) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeWithin)
	defer cancel()
	// Best effort: the agent removes it a while after it has answered, and the pod's removal takes it along.
	_ = a.API.Do(ctx, wire.Deletion(p.path(), p.Metadata.UID), nil)
}
