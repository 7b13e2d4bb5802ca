package probe

import (
	"context"
	"net/http"
	"sync"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/wire"
)

// layersAtOnce is how many layers are asked for at a time, as many as containerd downloads (its max_concurrent_downloads is 3).
const layersAtOnce = 3

// ping asks the registry's root, once for all its images, so that an address which does not answer is not tried again for each.
func (a *attempt) ping(ctx context.Context) bool {
	root := a.w.session(target{domain: a.target.domain}, nil)
	got := root.ask(ctx, wire.Ask{Step: evidence.StepPing, Method: http.MethodGet, Path: "/v2/", MaxBody: 64 << 10}, nil)
	a.take(got)
	last := got.last()
	// Any answer will do. The runtime does not ask here, and what the registry says to everybody need not hold for the image: one that
	// challenges here may serve public images without, and a stale credential then harms nobody.
	return got.skipped == "" && last.Status != 0 && last.Status != http.StatusTooManyRequests
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
	var once sync.Once
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(layersAtOnce, len(todo)) {
		wg.Go(func() {
			for i := range next {
				answers[i] = a.layer(ctx, todo[i])
				if last := answers[i].last(); answers[i].skipped != "" || last.Failure != "" && last.Status == 0 {
					once.Do(func() { close(stop) }) // the others would wait for the same dead host
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
