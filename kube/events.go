package kube

import (
	"context"
	"sort"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/kube/podscan"
	"github.com/refloat-dev/refloat/kube/stuck"
)

// podEvents leaves out what every pod's life is full of.
const podEvents = "involvedObject.kind=Pod,reason!=Scheduled,reason!=Created,reason!=Started,reason!=Killing,reason!=Unhealthy"

// maxEvents bounds the events kept for one pod, the newest ones.
const maxEvents = 20

// events reads the events of the candidates: once a namespace, however many pods fail in it.
func (f *finder) events(ctx context.Context) error {
	byUID := make(map[string]*candidate, len(f.found))
	spaces := map[string][]*candidate{}
	for _, c := range f.found {
		byUID[c.pull.UID] = c
		spaces[c.pull.Namespace] = append(spaces[c.pull.Namespace], c)
	}
	names := make([]string, 0, len(spaces))
	for ns := range spaces {
		names = append(names, ns)
	}
	sort.Strings(names)
	kept := make([]map[string][]stuck.Event, len(names))
	failed := make([]error, len(names))
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(requests)
	for i, ns := range names {
		group.Go(func() error {
			selector := podEvents
			if one := spaces[ns]; len(one) == 1 {
				selector += "," + fields.OneTermEqualSelector("involvedObject.uid", one[0].pull.UID).String()
			}
			kept[i] = map[string][]stuck.Event{}
			failed[i] = f.eachEvent(gctx, ns, selector, func(e *corev1.Event) {
				uid := string(e.InvolvedObject.UID)
				if byUID[uid] != nil && useful[e.Reason] {
					kept[i][uid] = newest(append(kept[i][uid], readEvent(e)))
				}
			})
			return nil
		})
	}
	_ = group.Wait() // no member fails
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for i, ns := range names {
		if failed[i] != nil {
			f.noEvents(ns, spaces[ns], failed[i])
		}
		for _, c := range spaces[ns] {
			c.events = kept[i][c.pull.UID]
			for j := range c.events {
				c.events[j].Text = f.clean.text(c.events[j].Text)
			}
		}
	}
	return nil
}

// useful are the reasons that tell of pulls, and that a pull has ended.
var useful = map[string]bool{
	"Pulling": true, "Pulled": true, "Failed": true, "BackOff": true, "InspectFailed": true, "ErrImageNeverPull": true,
	"FailedToRetrieveImagePullSecret": true, "FailedCreatePodSandBox": true,
}

// eachEvent pages through the events that a selector leaves.
func (c *Client) eachEvent(ctx context.Context, ns, selector string, visit func(*corev1.Event)) error {
	opts := metav1.ListOptions{FieldSelector: selector, Limit: podscan.PageSize}
	for {
		list, err := c.core.Events(ns).List(ctx, opts)
		if err != nil {
			return err
		}
		for i := range list.Items {
			visit(&list.Items[i])
		}
		if opts.Continue = list.Continue; opts.Continue == "" {
			return nil
		}
	}
}

// noEvents notes which verdicts hang on events that could not be read.
func (f *finder) noEvents(ns string, cands []*candidate, err error) {
	g := gap("events in namespace "+ns, err, "kubectl get events -n "+evidence.Quote(ns))
	for _, cand := range cands {
		for _, c := range cand.containers {
			// A kubelet of 1.32 or later says the cause in the status; a silent one may hide a stuck pull.
			g.Deciding = g.Deciding || c.State == stuck.Silent || c.State == stuck.Failing && !tellsCause(c.Message)
		}
	}
	f.out.Gaps = append(f.out.Gaps, g)
}

func readEvent(e *corev1.Event) stuck.Event {
	first, last := eventTime(e)
	out := stuck.Event{Name: e.Name, Message: evidence.Message{
		Origin: evidence.Event, Reason: e.Reason, Type: e.Type, Text: e.Message, Count: int(e.Count), First: first, Last: last,
	}}
	if e.Series != nil {
		out.Count = int(e.Series.Count)
	}
	out.Container = containerOf(e.InvolvedObject.FieldPath)
	return out
}

// newest keeps the newest events, in the order of time.
func newest(events []stuck.Event) []stuck.Event {
	sort.SliceStable(events, func(i, j int) bool { return events[i].Last.Before(events[j].Last) })
	if len(events) > maxEvents {
		events = append(events[:0], events[len(events)-maxEvents:]...)
	}
	return events
}
