package kube

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/kube/owner"
)

// maxHistories is how many workloads may be in scope for their history to be read: it costs a list each.
const maxHistories = 10

// climb is the way from a pod's controller to the top.
type climb struct {
	chain   []evidence.Ref
	objects []*owner.Object
	err     error
}

func workloadKeys(c *evidence.Case) []evidence.Ref {
	if c.Pull.Workload.Name == "" || c.Pull.Workload.Kind == "Pod" {
		return nil
	}
	return []evidence.Ref{c.Pull.Workload}
}

// addWorkloads climbs to the top of each case's owners.
func (o *observer) addWorkloads(ctx context.Context) {
	climbs := each(ctx, distinct(o.cases, workloadKeys), func(ctx context.Context, ref evidence.Ref) climb {
		chain, objects, err := o.owners.Chain(ctx, ref)
		return climb{chain, objects, err}
	})
	if ctx.Err() != nil {
		return
	}
	histories := map[history]past{}
	tops := map[evidence.Ref]bool{}
	for _, c := range climbs {
		tops[c.chain[len(c.chain)-1]] = true
	}
	if len(tops) <= maxHistories {
		keys := distinct(o.cases, func(c *evidence.Case) []history { return historyOf(c, climbs) })
		histories = each(ctx, keys, func(ctx context.Context, h history) past { return o.past(ctx, h) })
	}
	facts := map[history]*evidence.Fact{}
	for _, c := range o.cases {
		if len(workloadKeys(c)) == 0 {
			if c.Pull.Workload.Kind == "Pod" {
				c.Facts = append(c.Facts, o.barePod(c))
			}
			continue
		}
		o.addWorkload(c, climbs[c.Pull.Workload], histories, facts)
	}
}

func (o *observer) addWorkload(c *evidence.Case, up climb, histories map[history]past, facts map[history]*evidence.Fact) {
	key := history{ref: c.Pull.Workload}
	var before past
	if h := historyOf(c, map[evidence.Ref]climb{c.Pull.Workload: up}); len(h) == 1 {
		found := histories[h[0]]
		if found.image != "" {
			before = found
			key.container, key.image = h[0].container, h[0].image
		}
		if found.err != nil {
			top := h[0].top.Ref
			how := "kubectl rollout history " + evidence.Quote(strings.ToLower(top.Kind)+"/"+top.Name) + " -n " + evidence.Quote(top.Namespace)
			c.Gaps = append(c.Gaps, gap("the history of "+show(top), found.err, how))
		}
	}
	fact := facts[key]
	if fact == nil {
		fact = o.workloadFact(up, before)
		facts[key] = fact
	}
	c.Facts = append(c.Facts, fact)
	if up.err != nil && !apierrors.IsNotFound(up.err) {
		c.Gaps = append(c.Gaps, gap(show(up.chain[len(up.chain)-1]), up.err, ""))
	}
	c.Pull.Workload = up.chain[len(up.chain)-1]
}

func (o *observer) workloadFact(up climb, before past) *evidence.Fact {
	top := up.chain[len(up.chain)-1]
	w := &evidence.Workload{Ref: top, Chain: up.chain, Previous: before.image, PreviousAvailable: before.up}
	manager, by := owner.Managed(up.objects)
	w.Manager, w.ManagedBy = manager, evidence.Clean(by)
	text := show(top)
	switch {
	case apierrors.IsNotFound(up.err):
		text += " does not exist any more"
	case up.err != nil:
		text += " owns the pod; it could not be read"
	default:
		w.Rollout = up.objects[len(up.objects)-1].Rollout
		if w.Rollout != "" {
			text += ": " + w.Rollout
		} else {
			text += " owns the pod"
		}
	}
	if w.Manager != "" {
		text += strings.TrimRight(fmt.Sprintf("; its source belongs to %s %s", w.Manager, w.ManagedBy), " ")
	}
	if w.Previous != "" {
		text += fmt.Sprintf("; the image before was %q", w.Previous)
		if w.PreviousAvailable {
			text += ", which still runs"
		}
	}
	return o.fact(evidence.Clean(text), strings.ToLower(top.Kind)+" "+top.Namespace+"/"+top.Name, evidence.Fact{Workload: w})
}

func (o *observer) barePod(c *evidence.Case) *evidence.Fact {
	text := fmt.Sprintf("pod %q has no owner: nothing makes it anew once it is deleted", c.Pull.Pod)
	if p := podOf(c); p != nil && p.Mirror {
		text = fmt.Sprintf("pod %q comes from a file on its node", c.Pull.Pod)
	}
	return o.fact(text, "pod "+c.Pull.Namespace+"/"+c.Pull.Pod, evidence.Fact{Workload: &evidence.Workload{Ref: c.Pull.Workload}})
}

// history asks for the image that a container of a workload had before.
type history struct {
	ref              evidence.Ref // the pod's own controller
	top              *owner.Object
	container, image string
}

type past struct {
	image string
	up    bool
	err   error
}

func historyOf(c *evidence.Case, climbs map[evidence.Ref]climb) []history {
	up, ok := climbs[c.Pull.Workload]
	if !ok || up.err != nil || len(up.objects) == 0 || c.Pull.Container == "" || c.Pull.Kind == evidence.VolumeImage || c.Pull.Kind == evidence.Ephemeral {
		return nil
	}
	top := up.objects[len(up.objects)-1]
	if top.Selector == nil {
		return nil
	}
	return []history{{c.Pull.Workload, top, c.Pull.Container, c.Pull.Image}}
}

func (o *observer) past(ctx context.Context, h history) past {
	image, up, err := o.owners.Previous(ctx, h.top, h.container, h.image)
	if err != nil { // history is a help: a verdict never needs it
		return past{err: err}
	}
	return past{image: image, up: up}
}

func show(r evidence.Ref) string {
	return fmt.Sprintf("%s %q in namespace %q", strings.ToLower(r.Kind), r.Name, r.Namespace)
}
