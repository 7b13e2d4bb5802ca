package registrytest

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Fault is one thing that goes wrong, until it is cleared.
type Fault struct {
	// ID names the fault, usually after the case that sets it; several faults
	// may share one and are then cleared together.
	ID     string `json:"id"`
	Where  Where  `json:"where"`
	Answer Answer `json:"answer"`
}

// Where selects requests. Empty fields match everything; so does "*".
type Where struct {
	// Host is the registry's or storage host's name.
	Host string `json:"host,omitempty"`
	// Repository is a name, or a prefix that ends in "*".
	Repository string `json:"repository,omitempty"`
	Step       Step   `json:"step,omitempty"`
	// Method is GET, HEAD or POST.
	Method string `json:"method,omitempty"`
	// Object is a tag, a digest, or a role: "index" (any index), "child" (a
	// manifest listed by an index), "config", "layer".
	Object string `json:"object,omitempty"`
	// Client is the caller's IP address, so that one node fails and others do not.
	Client string `json:"client,omitempty"`
	// Early lets the fault act before the registry checks credentials, as a
	// firewall does. Ping and token requests are always early.
	Early bool `json:"early,omitempty"`
}

// Break is how the transfer itself fails.
type Break string

// The ways a transfer fails. Each sends as much of the body as After allows.
const (
	BreakNone    Break = ""
	BreakClose   Break = "close"   // then the connection is closed
	BreakReset   Break = "reset"   // then the connection is reset (RST)
	BreakStall   Break = "stall"   // then nothing more comes, and nothing closes
	BreakWrong   Break = "wrong"   // one byte is changed, the length kept
	BreakEndless Break = "endless" // the body never ends; After is not used
)

// How much a broken transfer sends, besides a positive count of body bytes.
// Both count from the start of the object, whatever range was asked for.
const (
	AfterNothing = 0  // not even the status line
	AfterHalf    = -1 // the header and half of the body
	AfterHeader  = -2 // the header alone
)

// Answer is what the caller gets. With neither Preset, Status nor Body it is
// the genuine answer, changed by Header and broken by Break.
type Answer struct {
	// Preset starts from a named answer (see [Presets]); the other fields
	// override it.
	Preset string            `json:"preset,omitempty"`
	Status int               `json:"status,omitempty"`
	Header map[string]string `json:"header,omitempty"` // an empty value removes the header
	Body   string            `json:"body,omitempty"`
	// Redirect answers 307 to this URL with registry, repository and digest
	// appended to its path.
	Redirect    string `json:"redirect,omitempty"`
	DelayMillis int    `json:"delayMillis,omitempty"`
	Break       Break  `json:"break,omitempty"`
	After       int64  `json:"after,omitempty"`
	// BytesPerSecond slows the body down; 0 does not.
	BytesPerSecond int64 `json:"bytesPerSecond,omitempty"`
	// Times ends the fault after that many requests; 0 keeps it.
	Times int `json:"times,omitempty"`
}

// active is a fault that is set; gone closes when it is cleared, which lets
// stalled requests go.
type active struct {
	Fault
	left int
	gone chan struct{}
}

// Faults is a set of faults that may change while requests run. The zero
// value is empty and ready.
type Faults struct {
	mu  sync.Mutex
	set []*active
}

// Add sets f. Where several faults match a request, the latest acts.
func (s *Faults) Add(f Fault) error {
	a, err := f.Answer.resolved()
	if err != nil {
		return fmt.Errorf("fault %q: %w", f.ID, err)
	}
	f.Answer = a
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set = append(s.set, &active{Fault: f, left: a.Times, gone: make(chan struct{})})
	return nil
}

// Clear removes the faults called id ("*": all), releases the requests they
// hold, and returns how many there were.
func (s *Faults) Clear(id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.set)
	s.set = slices.DeleteFunc(s.set, func(f *active) bool {
		drop := id == "*" || f.ID == id
		if drop {
			close(f.gone)
		}
		return drop
	})
	return n - len(s.set)
}

// List returns the faults in the order they were set, presets resolved.
func (s *Faults) List() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Fault, 0, len(s.set))
	for _, f := range s.set {
		list = append(list, f.Fault)
	}
	return list
}

// match returns the fault for a, and counts it as used.
func (s *Faults) match(a *ask, early bool) *active {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range slices.Backward(s.set) {
		if !f.Where.matches(a, early) {
			continue
		}
		if f.left--; f.left == 0 {
			// Not closed here: the request that used it up may still stall on it.
			s.set = slices.Delete(s.set, i, i+1)
		}
		return f
	}
	return nil
}

func (w Where) matches(a *ask, early bool) bool {
	if early != (w.Early || a.step == StepPing || a.step == StepToken || a.step == StepStorage) {
		return false
	}
	is := func(want, got string) bool { return want == "" || want == "*" || want == got }
	repo := cmp.Or(w.Repository, "*")
	return is(w.Host, a.host) && covers([]string{repo}, a.repo) && is(string(w.Step), string(a.step)) &&
		is(strings.ToUpper(w.Method), a.method) && is(w.Client, a.client) &&
		(is(w.Object, a.object) || w.Object == a.digest || w.Object == a.role)
}

var errUnknownPreset = errors.New("unknown preset")

// resolved lays a over its preset.
func (a Answer) resolved() (Answer, error) {
	switch a.Break {
	case BreakNone, BreakClose, BreakReset, BreakStall, BreakWrong, BreakEndless:
	default:
		return a, fmt.Errorf("unknown break %q", a.Break)
	}
	if a.Preset == "" {
		return a, nil
	}
	p, ok := Presets()[a.Preset]
	if !ok {
		return a, fmt.Errorf("%w %q", errUnknownPreset, a.Preset)
	}
	header := p.Header
	for k, v := range a.Header {
		if header == nil {
			header = map[string]string{}
		}
		header[k] = v
	}
	return Answer{
		Preset:         a.Preset,
		Status:         cmp.Or(a.Status, p.Status),
		Header:         header,
		Body:           cmp.Or(a.Body, p.Body),
		Redirect:       cmp.Or(a.Redirect, p.Redirect),
		DelayMillis:    cmp.Or(a.DelayMillis, p.DelayMillis),
		Break:          cmp.Or(a.Break, p.Break),
		After:          cmp.Or(a.After, p.After),
		BytesPerSecond: cmp.Or(a.BytesPerSecond, p.BytesPerSecond),
		Times:          a.Times,
	}, nil
}

// over returns what is sent in place of the genuine answer.
func (a Answer) over(q *ask, genuine reply) reply {
	rep := genuine.clone()
	switch {
	case a.Redirect != "":
		rep = reply{status: http.StatusTemporaryRedirect, header: http.Header{"Location": {storageURL(a.Redirect, q)}}}
	case a.Status != 0 || a.Body != "":
		rep = reply{status: cmp.Or(a.Status, http.StatusOK), header: http.Header{}, body: []byte(a.Body)}
		rep.header.Set("Content-Type", guessType(a.Body))
	}
	for k, v := range a.Header {
		if v == "" {
			// A nil value also keeps net/http from guessing a type.
			rep.header[http.CanonicalHeaderKey(k)] = nil
			continue
		}
		rep.header.Set(k, v)
	}
	return rep
}

func guessType(body string) string {
	switch {
	case strings.HasPrefix(body, "{"):
		return "application/json"
	case strings.HasPrefix(body, "<?xml"):
		return "application/xml"
	case strings.HasPrefix(body, "<"):
		return "text/html; charset=utf-8"
	}
	return "text/plain; charset=utf-8"
}
