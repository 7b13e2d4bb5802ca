package probe

import (
	"context"
	"sync"
)

// memo keeps answers, and lets nobody ask what somebody else is just asking.
type memo[K comparable, V any] struct {
	mu    sync.Mutex
	calls map[K]*call[V]
}

type call[V any] struct {
	done chan struct{}
	v    V
	kept bool
}

// do returns what is kept under key, or asks. What ask does not want kept is its caller's alone; those who waited ask for themselves.
// A kept answer that is stale is asked for again. ok is false where ctx ended while somebody else was asking.
func (m *memo[K, V]) do(ctx context.Context, key K, stale func(V) bool, ask func() (v V, keep bool)) (v V, ok bool) {
	for {
		c, mine := m.claim(key, stale)
		if mine {
			return m.answer(key, c, ask), true
		}
		select {
		case <-c.done:
			if c.kept {
				return c.v, true
			}
		case <-ctx.Done():
			return v, false
		}
	}
}

// claim finds the call under key, or starts one that the caller must answer.
func (m *memo[K, V]) claim(key K, stale func(V) bool) (c *call[V], mine bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.calls[key]; c != nil && !c.old(stale) {
		return c, false
	}
	if m.calls == nil {
		m.calls = map[K]*call[V]{}
	}
	c = &call[V]{done: make(chan struct{})}
	m.calls[key] = c
	return c, true
}

func (c *call[V]) old(stale func(V) bool) bool {
	select {
	case <-c.done:
		return stale != nil && stale(c.v)
	default:
		return false // still being asked
	}
}

func (m *memo[K, V]) answer(key K, c *call[V], ask func() (V, bool)) V {
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if !c.kept && m.calls[key] == c {
			delete(m.calls, key)
		}
		close(c.done)
	}()
	c.v, c.kept = ask()
	return c.v
}
