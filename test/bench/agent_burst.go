package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refloat-dev/refloat/api/v1alpha1"
	"github.com/refloat-dev/refloat/kube/wire"
	"github.com/refloat-dev/refloat/test/cluster"
)

// atOnce creates NodeProbes as fast as the API server takes them, and waits until the agent has answered each.
func (b agentBench) atOnce(ctx context.Context, r *burst) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	r.load = loadAverage()
	before, err := b.requests(ctx)
	if err != nil {
		return err
	}
	var list struct {
		Metadata struct{ ResourceVersion string }
	}
	if err := b.api.Do(ctx, wire.Request{Path: probes, Query: url.Values{"limit": {"1"}}}, &list); err != nil {
		return err
	}
	began := time.Now()
	made := make(chan error, 1)
	go func() {
		err := b.createAll(ctx)
		r.created = time.Since(began)
		made <- err
	}()
	answered := map[string]bool{}
	version := list.Metadata.ResourceVersion
	for err == nil && ctx.Err() == nil { // the API server ends the watch of who is slow to read
		err = b.api.Watch(ctx, probes, url.Values{"watch": {"true"}, "resourceVersion": {version}}, func(e wire.Event) error {
			var p struct {
				Metadata struct{ UID, ResourceVersion string }
				Status   struct{ Phase v1alpha1.NodeProbePhase }
			}
			if err := json.Unmarshal(e.Object, &p); err != nil {
				return err
			}
			version = p.Metadata.ResourceVersion
			if p.Status.Phase == v1alpha1.ProbeDone && e.Type == "MODIFIED" {
				answered[p.Metadata.UID] = true
			}
			if len(answered) == probesAtOnce {
				return errAll
			}
			return nil
		})
	}
	if !errors.Is(err, errAll) {
		return fmt.Errorf("%d of %d were answered: %w", len(answered), probesAtOnce, cmp.Or(err, ctx.Err()))
	}
	r.done = time.Since(began)
	if err := <-made; err != nil {
		return err
	}
	after, err := b.requests(ctx)
	if err != nil {
		return err
	}
	r.requests = after - before
	r.looks, err = b.looks(ctx, began)
	return err
}

var errAll = errors.New("all are answered")

func (b agentBench) createAll(ctx context.Context) error {
	var left atomic.Int32
	left.Store(probesAtOnce)
	errs := make([]error, burstWorkers)
	var all sync.WaitGroup
	for i := range burstWorkers {
		all.Go(func() {
			for errs[i] == nil && left.Add(-1) >= 0 {
				errs[i] = b.api.Do(ctx, wire.Request{Method: "POST", Path: probes, Body: map[string]any{
					"apiVersion": v1alpha1.Group + "/" + v1alpha1.Version, "kind": v1alpha1.NodeProbeKind,
					"metadata": map[string]any{"generateName": "burst-"}, "spec": question(b.node).Spec,
				}}, nil)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

var sharedBy = regexp.MustCompile(`msg=NodeProbe .*probe=` + agentNamespace + `/burst-.* shared=([0-9]+)`)

// looks counts them by the agent's log, which says of each NodeProbe how many shared its look.
func (b agentBench) looks(ctx context.Context, since time.Time) (int, error) {
	api := b.lab.Client().CoreV1().Pods(cluster.AgentNamespace)
	pods, err := api.List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=refloat-agent", FieldSelector: "spec.nodeName=" + b.node})
	if err != nil {
		return 0, err
	}
	if len(pods.Items) != 1 {
		return 0, fmt.Errorf("%d agents on %s", len(pods.Items), b.node)
	}
	from := metav1.NewTime(since.Add(-time.Second))
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		log, err := api.GetLogs(pods.Items[0].Name, &v1.PodLogOptions{SinceTime: &from}).DoRaw(ctx)
		if err != nil {
			return 0, err
		}
		lines, sum := 0, 0.0
		for s := bufio.NewScanner(bytes.NewReader(log)); s.Scan(); {
			if m := sharedBy.FindStringSubmatch(s.Text()); m != nil {
				lines++
				sum += 1 / number(m[1])
			}
		}
		if lines == probesAtOnce {
			return int(math.Round(sum)), nil
		}
		if time.Now().After(end) {
			return 0, fmt.Errorf("the agent's log tells of %d answers, not of %d", lines, probesAtOnce)
		}
	}
}
