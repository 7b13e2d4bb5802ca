package registrytest

import (
	"slices"
	"sync"
	"time"
)

const logSize = 10_000 // entries kept; the oldest go first

// Entry is one request as the log keeps it. Passwords, tokens and queries are
// not in it.
type Entry struct {
	Time       time.Time `json:"time"`
	Host       string    `json:"host"`
	Client     string    `json:"client"`
	Agent      string    `json:"agent,omitempty"`
	Method     string    `json:"method"`
	Path       string    `json:"path"`
	Step       Step      `json:"step"`
	Repository string    `json:"repository,omitempty"`
	Object     string    `json:"object,omitempty"`
	// Scheme is Basic or Bearer when an Authorization header was sent.
	Scheme string `json:"scheme,omitempty"`
	User   string `json:"user,omitempty"`
	// Status is the one decided on; a broken transfer may not have sent it.
	Status int    `json:"status"`
	Fault  string `json:"fault,omitempty"` // the ID of the fault that acted
}

// Log keeps the latest requests. The zero value is empty and ready.
type Log struct {
	mu      sync.Mutex
	entries []Entry
}

// Entries returns the requests so far, oldest first.
func (l *Log) Entries() []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.entries)
}

// Reset forgets them.
func (l *Log) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = nil
}

func (l *Log) add(a *ask, user string, rep reply, f *active) {
	e := Entry{
		Time: time.Now(), Host: a.host, Client: a.client, Agent: a.agent, Method: a.method, Path: a.path,
		Step: a.step, Repository: a.repo, Object: a.object, Scheme: a.scheme, User: user, Status: rep.status,
	}
	if f != nil {
		e.Fault = f.ID
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.entries) >= logSize {
		l.entries = slices.Delete(l.entries, 0, logSize/10)
	}
	l.entries = append(l.entries, e)
}
