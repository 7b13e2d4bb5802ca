package probe

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/wire"
)

// layersAtOnce is how many layers are asked for at a time, as many as containerd downloads (its max_concurrent_downloads is 3).
const layersAtOnce = 3

// enoughFailed is how many layers that are not there say enough about an image.
const enoughFailed = 5

// parts are the config and the layers. Without layers to ask for, the config is read where nothing else names the platform: it is
// a blob as they are.
func (a *attempt) parts(ctx context.Context, doc *document) {
	a.probe.Size, a.probe.Layers = doc.size, doc.count
	if doc.artifact != "" {
		a.Found.Artifact, a.settled = doc.artifact, true
		return
	}
	if (a.layers || a.Found.Child == "") && !a.config(ctx, doc.config) {
		return
	}
	a.Served = !a.layers || a.allLayers(ctx, doc.layers)
}

// config is read whole, as it is small and costs no quota: a HEAD would need a second request for the reason.
func (a *attempt) config(ctx context.Context, d v1.Descriptor) bool {
	q := wire.Ask{Step: evidence.StepConfig, Method: http.MethodGet, Path: a.target.blob(d.Digest), Accept: accept(d.MediaType), MaxBody: maxConfig}
	got := a.session.ask(ctx, q, func(r *answer, w wire.Answer) { r.platform = readPlatform(w.Body) })
	if got.platform != "" && a.Found.Child == "" {
		a.Found.Platforms = []string{got.platform}
	}
	return a.take(got)
}

// allLayers asks for every layer, and where the registry sends on to, for that host too. Those that fail come last.
func (a *attempt) allLayers(ctx context.Context, layers []v1.Descriptor) bool {
	var todo []v1.Descriptor
	for _, l := range layers {
		if len(l.URLs) == 0 && len(todo) < maxLayers { // others come from addresses that anybody may have written there
			todo = append(todo, l)
		}
	}
	a.session.widen(ctx)
	answers := make([]answer, len(todo))
	stop := make(chan struct{})
	var (
		once   sync.Once
		failed atomic.Int32
	)
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(layersAtOnce, len(todo)) {
		wg.Go(func() {
			for i := range next {
				answers[i] = a.layer(ctx, todo[i])
				last := answers[i].last()
				dead := answers[i].skipped != "" || last.Failure != "" && last.Status == 0 // the others would wait for the same host
				if dead || !answers[i].ok && failed.Add(1) >= enoughFailed {
					once.Do(func() { close(stop) })
				}
			}
		})
	}
feed:
	for i := range todo {
		select {
		case next <- i:
		case <-stop:
			break feed
		}
	}
	close(next)
	wg.Wait()
	return a.takeLayers(answers)
}

func (a *attempt) takeLayers(answers []answer) bool {
	all := true
	for _, ok := range []bool{true, false} {
		for _, got := range answers {
			if got.ok == ok && (got.skipped != "" || len(got.steps) > 0) {
				a.take(got)
			}
			all = all && got.ok
		}
	}
	return all
}

func (a *attempt) layer(ctx context.Context, l v1.Descriptor) answer {
	return a.look(ctx, wire.Ask{Step: evidence.StepLayer, Path: a.target.blob(l.Digest), Accept: accept(l.MediaType)})
}
