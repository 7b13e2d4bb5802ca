package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	appsv1client "k8s.io/client-go/kubernetes/typed/apps/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/refloat-dev/refloat/test/cluster"
)

const (
	workers = 48
	// oneEventIn is how many healthy pods have one event each that the API server still keeps.
	oneEventIn = 100
	marker     = "bench"
)

// filler fills a lab with pods.
type filler struct {
	lab      *cluster.Lab
	core     *corev1client.CoreV1Client
	apps     *appsv1client.AppsV1Client
	progress io.Writer

	mu     sync.Mutex
	owners map[[2]int]metav1.OwnerReference // by workload and revision

	healthy, failing int // so many pod numbers are made of each kind
}

// clientsOf is a filler of a lab that knows nothing of what is in it.
func clientsOf(lab *cluster.Lab, progress io.Writer) (*filler, error) {
	config := lab.RESTConfig()
	config.ContentType = "application/vnd.kubernetes.protobuf"
	f := &filler{lab: lab, progress: progress, owners: map[[2]int]metav1.OwnerReference{}}
	var err error
	if f.core, err = corev1client.NewForConfig(config); err != nil {
		return nil, err
	}
	if f.apps, err = appsv1client.NewForConfig(config); err != nil {
		return nil, err
	}
	return f, nil
}

// newFiller also takes up where a run before this one ended.
func newFiller(ctx context.Context, lab *cluster.Lab, progress io.Writer) (*filler, error) {
	f, err := clientsOf(lab, progress)
	if err != nil {
		return nil, err
	}
	mark, err := f.core.ConfigMaps(defaultName).Get(ctx, marker, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		mark, err = f.core.ConfigMaps(defaultName).Create(ctx, &v1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: marker}}, metav1.CreateOptions{})
	case err == nil && mark.Data == nil:
		err = fmt.Errorf("the lab %q was left half filled; take it down: test/cluster/lab down --name %s", lab.Name(), lab.Name())
	}
	if err != nil {
		return nil, err
	}
	f.healthy, _ = strconv.Atoi(mark.Data["healthy"])
	f.failing, _ = strconv.Atoi(mark.Data["failing"])
	return f, f.surroundings(ctx)
}

// fill makes the pods that are still missing of the first so many, healthy ones and failing ones.
func (f *filler) fill(ctx context.Context, healthy, failing int) error {
	if f.healthy > healthy || f.failing > failing {
		return fmt.Errorf("the lab %q already has more pods; take it down: test/cluster/lab down --name %s", f.lab.Name(), f.lab.Name())
	}
	// A mark without data stays behind if this is interrupted.
	if err := f.mark(ctx, nil); err != nil {
		return err
	}
	if err := f.each(ctx, "nodes", nodes(f.healthy), nodes(healthy), f.node); err != nil {
		return err
	}
	if err := f.each(ctx, "deployments", workloads(f.healthy), workloads(healthy), f.deployment); err != nil {
		return err
	}
	var missing []pod
	for i := range healthy {
		p := pod{i}
		if p.fails() && i >= f.failing && i < failing || !p.fails() && i >= f.healthy {
			missing = append(missing, p)
		}
	}
	err := f.each(ctx, "pods", 0, len(missing), func(ctx context.Context, i int) error { return f.pod(ctx, missing[i]) })
	if err != nil {
		return err
	}
	f.healthy, f.failing = healthy, failing
	return f.mark(ctx, map[string]string{"healthy": strconv.Itoa(healthy), "failing": strconv.Itoa(failing)})
}

func (f *filler) mark(ctx context.Context, data map[string]string) error {
	m := &v1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: marker}, Data: data}
	_, err := f.core.ConfigMaps(defaultName).Update(ctx, m, metav1.UpdateOptions{})
	return err
}

func (f *filler) pod(ctx context.Context, p pod) error {
	w := p.workload()
	owner, err := f.owner(ctx, w, p.revision())
	if err != nil {
		return err
	}
	made, err := f.core.Pods(w.namespace()).Create(ctx, p.object(owner), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	now := time.Now()
	made.Status = p.status(now)
	if _, err := f.core.Pods(w.namespace()).UpdateStatus(ctx, made, metav1.UpdateOptions{}); err != nil {
		return err
	}
	if !p.fails() && p.n%oneEventIn != 0 {
		return nil
	}
	for _, e := range p.events(made, now) {
		if _, err := f.core.Events(w.namespace()).Create(ctx, e, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	return nil
}

func (f *filler) owned(n, revision int, ref metav1.OwnerReference) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.owners[[2]int{n, revision}] = ref
}

// owner is the ReplicaSet of a revision, which a run before this one may have made.
func (f *filler) owner(ctx context.Context, w workload, revision int) (metav1.OwnerReference, error) {
	f.mu.Lock()
	ref, ok := f.owners[[2]int{w.n, revision}]
	f.mu.Unlock()
	if ok {
		return ref, nil
	}
	rs, err := f.apps.ReplicaSets(w.namespace()).Get(ctx, w.name()+"-"+templateHash(revision), metav1.GetOptions{})
	if err != nil {
		return ref, err
	}
	ref = controller("ReplicaSet", &rs.ObjectMeta)
	f.owned(w.n, revision, ref)
	return ref, nil
}

// each calls do with every number of a range, many at a time, and shows how far it is.
func (f *filler) each(ctx context.Context, what string, from, to int, do func(context.Context, int) error) error {
	if from >= to {
		return nil
	}
	var done atomic.Int64
	begin := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers)
	stop := f.show(what, to-from, begin, &done)
	for i := from; i < to && ctx.Err() == nil; i++ {
		g.Go(func() error {
			defer done.Add(1)
			if err := do(ctx, i); err != nil {
				return fmt.Errorf("making %s: %w", what, err)
			}
			return nil
		})
	}
	err := g.Wait()
	stop()
	fmt.Fprintf(f.progress, "bench: %d %s made in %s\n", done.Load(), what, time.Since(begin).Round(time.Second))
	return err
}

// show prints a line every few seconds until it is stopped.
func (f *filler) show(what string, total int, begin time.Time, done *atomic.Int64) (stop func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-end:
				return
			case <-time.After(5 * time.Second):
				n := done.Load()
				fmt.Fprintf(f.progress, "bench: %d of %d %s, %.0f a second\n", n, total, what, float64(n)/time.Since(begin).Seconds())
			}
		}
	}()
	return func() { close(end); <-ended }
}

// fresh takes an object that is there already for one that was made.
func fresh(_ any, err error) error {
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
