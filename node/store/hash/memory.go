package hash

import (
	"sync"
	"time"
)

// maxRemembered bounds a Memory: some 40 MiB if all of it is used.
const maxRemembered = 200_000

// Memory is how far hashing came, so that what is cut off goes on where it was. It holds for one pass: bytes that rot on a disk
// leave a file's times as they are, so what a finished pass has read must be read again by the next one.
type Memory struct {
	mu    sync.Mutex
	files map[identity]progress
	since time.Time
}

// passAge is after how long a pass that was cut off begins anew.
const passAge = time.Hour

// identity is a file as it was when it was opened: with any other size, time or inode it is another one.
type identity struct {
	name           string
	size           int64
	modified       int64
	device, number uint64
}

// progress is of one file: its sum, or the state of the hash at an offset.
type progress struct {
	offset int64
	state  []byte
	sum    string
}

// Begin starts or goes on with a pass.
func (m *Memory) Begin(now time.Time) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.files == nil || now.Sub(m.since) > passAge {
		m.files, m.since = map[identity]progress{}, now
	}
}

// End forgets a pass that is complete.
func (m *Memory) End() {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.files = nil
}

func (m *Memory) recall(id identity) (p progress, done bool) {
	if m == nil {
		return progress{}, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	p = m.files[id]
	return p, p.sum != ""
}

func (m *Memory) keep(id identity, p progress) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, had := m.files[id]; m.files != nil && (had || len(m.files) < maxRemembered) {
		m.files[id] = p
	}
}
