package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/refloat-dev/refloat/api/v1alpha1"
	"github.com/refloat-dev/refloat/kube/wire"
)

// record is a NodeProbe as far as the agent reads one: not its evidence, which may be large.
type record struct {
	Metadata struct {
		Namespace       string     `json:"namespace"`
		Name            string     `json:"name"`
		UID             string     `json:"uid"`
		ResourceVersion string     `json:"resourceVersion"`
		Deleted         *time.Time `json:"deletionTimestamp"`
	} `json:"metadata"`
	Spec   v1alpha1.NodeProbeSpec `json:"spec"`
	Status struct {
		Finished *time.Time `json:"finished"`
	} `json:"status"`
}

// pageSize is how many come at once; one of them is held at a time.
const pageSize = "50"

func (r *record) path() string { return wire.NodeProbes(r.Metadata.Namespace) + "/" + r.Metadata.Name }

func (a *agent) own() url.Values { return url.Values{"fieldSelector": {"spec.nodeName=" + a.Node}} }

// follow lists, watches, and takes up the watch where it broke, until ctx ends.
func (a *agent) follow(ctx context.Context) {
	var wait backoff
	version := ""
	for ctx.Err() == nil {
		began := time.Now()
		err := a.step(ctx, &version)
		if time.Since(began) > time.Minute {
			wait = 0
		}
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && time.Since(began) > time.Second:
			continue // the server ended the watch, as it does every few minutes
		case err == nil:
		case apierrors.IsGone(err), apierrors.IsResourceExpired(err):
			version = ""
		default:
			a.Log.Warn("cannot watch NodeProbes", "error", err)
		}
		wait.sleep(ctx, err)
	}
}

// step lists where no version is known, and then watches from it.
func (a *agent) step(ctx context.Context, version *string) error {
	if *version == "" {
		v, err := a.list(ctx)
		if err != nil {
			return fmt.Errorf("listing NodeProbes: %w", err)
		}
		*version = v
	}
	watching, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	a.mu.Lock()
	a.again = stop
	relist := a.relist
	a.mu.Unlock()
	if relist { // there was room before the watch began
		*version = ""
		return nil
	}
	q := a.own()
	q.Set("watch", "true")
	q.Set("allowWatchBookmarks", "true")
	q.Set("resourceVersion", *version)
	q.Set("timeoutSeconds", strconv.Itoa(300+rand.IntN(300))) // agents do not come back all at once
	err := a.api.Watch(watching, wire.NodeProbes(""), q, func(e wire.Event) error {
		var r record
		if err := json.Unmarshal(e.Object, &r); err != nil {
			return fmt.Errorf("reading an event: %w", err)
		}
		if r.Metadata.ResourceVersion == "" {
			return errors.New("an event has no version")
		}
		*version = r.Metadata.ResourceVersion
		switch e.Type {
		case "ADDED", "MODIFIED":
			a.see(ctx, &r)
		case "DELETED":
			a.forget(r.Metadata.UID)
		}
		return nil
	})
	if ctx.Err() == nil && errors.Is(context.Cause(watching), errAgain) {
		*version = ""
		return nil
	}
	return err
}

// list sees what is there and forgets what is not, and gives the version to watch from.
func (a *agent) list(ctx context.Context) (string, error) {
	q := a.own()
	q.Set("limit", pageSize)
	a.listing.Store(true)
	defer a.listing.Store(false)
	round := a.nextRound()
	for {
		page, err := a.api.List(ctx, wire.NodeProbes(""), q, func(raw json.RawMessage) error {
			var r record
			if err := json.Unmarshal(raw, &r); err != nil {
				return fmt.Errorf("reading a NodeProbe: %w", err)
			}
			a.see(ctx, &r)
			return nil
		})
		if err != nil {
			return "", err
		}
		if page.Continue == "" {
			a.forgetOthers(round)
			return page.ResourceVersion, nil
		}
		q.Set("continue", page.Continue)
	}
}

// backoff is the next pause after a failure: from a quarter of a second, doubled up to eight, each with jitter.
type backoff time.Duration

// sleep waits, or until ctx ends; at least as long as the API server asks for.
func (b *backoff) sleep(ctx context.Context, err error) {
	*b = min(max(2**b, backoff(250*time.Millisecond)), backoff(8*time.Second))
	pause := time.Duration(*b)/2 + rand.N(time.Duration(*b))
	if after, ok := apierrors.SuggestsClientDelay(err); ok {
		pause = max(pause, time.Duration(min(after, 60))*time.Second)
	}
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
