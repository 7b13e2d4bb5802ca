package node

import (
	"sync"
	"time"
)

const (
	// refusedFor is how long a refused credential of the node is not tried again: an agent looks often, and a registry that counts failed
	// logins may lock an account out.
	refusedFor = 10 * time.Minute
	maxRefused = 1000
)

// refused remembers, in memory alone, which of the node's own credentials registries refused. It is a probe.Refusals.
type refused struct {
	now func() time.Time
	mu  sync.Mutex
	at  map[string]time.Time
}

// Refused tells when a key was remembered last.
func (r *refused) Refused(key string) (time.Time, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, ok := r.at[key]
	return at, ok && r.now().Sub(at) < refusedFor
}

// Remember keeps a key with the time of now, and forgets what is old.
func (r *refused) Remember(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if len(r.at) >= maxRefused {
		for k, at := range r.at {
			if now.Sub(at) >= refusedFor {
				delete(r.at, k)
			}
		}
	}
	if r.at == nil || len(r.at) >= maxRefused {
		r.at = map[string]time.Time{}
	}
	r.at[key] = now
}
