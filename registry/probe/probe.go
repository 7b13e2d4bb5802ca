package probe

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/keyring"
	"github.com/refloat-dev/refloat/registry/probe/platform"
	"github.com/refloat-dev/refloat/registry/wire"
)

// Walker asks registries, for one run: what it was told it does not ask again, so a run that looks anew takes a new Walker.
// The zero value works; many goroutines may use one.
type Walker struct {
	// Wire is the client; nil is one with its defaults.
	Wire *wire.Client
	// Refusals remembers refused credentials beyond the run; nil remembers none.
	Refusals Refusals
	// Now is the clock for Retry-After and for refusals; nil is time.Now.
	Now func() time.Time

	mu       sync.Mutex
	hosts    map[string]*host
	logins   map[loginKey]*login
	sessions map[sessionKey]*session
	asked    memo[askKey, answer]
	content  memo[contentKey, content]
}

// Refusals remembers which credentials registries refused. Keys are hashes, and tell nothing of the credential.
type Refusals interface {
	// Refused tells when, if it is remembered.
	Refused(key string) (time.Time, bool)
	Remember(key string)
}

// Question is one image and who asks for it.
type Question struct {
	// Image is the reference as the pod has it.
	Image string
	// Credentials are those that match, in the kubelet's order; none means that the kubelet asks without.
	Credentials []keyring.Credential
	// Platform is the node's: linux/arm64, linux/arm/v7, windows/amd64:10.0.20348.1. Empty looks for no child manifest.
	Platform string
	// Layers asks for the config and every layer too, and not only for what the runtime asks first.
	Layers bool
	// Withhold is why no credential may be offered, such as a lock-out; empty offers them.
	Withhold string
}

// Ask walks through what a pull needs, with each credential until one is served, and where none is once without any. It always
// returns, with what it has, when ctx ends.
func (w *Walker) Ask(ctx context.Context, q Question) evidence.Probe {
	p := evidence.Probe{Image: evidence.CleanReference(q.Image), Platform: q.Platform, Withheld: q.Withhold}
	t, err := resolve(q.Image)
	if err != nil {
		return p // what does not parse cannot be asked for
	}
	offered := q.Credentials
	if q.Withhold != "" {
		offered = nil
	}
	p.Image = t.image
	k := walk{w: w, target: t, node: platform.Parse(q.Platform), platform: q.Platform, layers: q.Layers, reasons: true, compare: true, probe: &p}
	k.all(ctx, offered, len(q.Credentials) > 0)
	return p
}

func (w *Walker) now() time.Time {
	if w.Now != nil {
		return w.Now()
	}
	return time.Now()
}

func (w *Walker) wire() *wire.Client {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Wire = cmp.Or(w.Wire, &wire.Client{})
	return w.Wire
}
