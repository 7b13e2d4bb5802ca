package probe

import (
	"context"
	"sync"
	"time"

	"github.com/refloat-dev/refloat/evidence"
)

// inFlight is how many requests one registry gets at a time from one run.
const inFlight = 8

// host is one registry, and what this run knows of it.
type host struct {
	slots chan struct{}

	mu      sync.Mutex
	limited bool
	until   time.Time // zero: it did not say how long
}

func newHost() *host { return &host{slots: make(chan struct{}, inFlight)} }

// enter waits for a slot; false means that ctx ended first.
func (h *host) enter(ctx context.Context) bool {
	select {
	case h.slots <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (h *host) leave() { <-h.slots }

// limit takes note of a 429: the registry is left alone until it wants to be asked again.
func (h *host) limit(s evidence.Step) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.limited || h.until.Before(s.RetryAfter) {
		h.until = s.RetryAfter
	}
	h.limited = true
}

// closed says why the registry must not be asked now; empty where it may be.
func (h *host) closed(now time.Time) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case !h.limited:
		return ""
	case h.until.IsZero():
		return "the registry answered 429 before and did not say for how long"
	case now.Before(h.until):
		return "the registry answered 429 before and wants to be left alone until " + h.until.UTC().Format(time.RFC3339)
	}
	h.limited = false
	return ""
}
