package registrytest

import (
	"crypto/rand"
	"net/http"
	"sync"
	"time"
)

// Registry is one registry host. Create it with [New] or [Group.Add]; set the
// exported fields before it serves.
type Registry struct {
	// Name is the host as image references spell it, such as "hub.lab". Faults
	// and the request log use it, whatever address the request came in on.
	Name string
	// Style decides who may pull and how a refusal reads.
	Style Style
	// Private lists repositories that need a permission; "team/*" covers a
	// prefix and "*" everything. Under BasicECR everything is private anyway.
	Private []string
	// Public lists repositories that anybody may pull, if they exist; what is
	// missing among them is said to be missing.
	Public []string
	// Elsewhere is a URL that requests for manifests and tags are sent on to
	// (307), with what follows /v2 appended; empty: none are.
	Elsewhere string
	// Shown are headers of every manifest that is served, such as the caller's
	// limit.
	Shown map[string]string
	// Realm is the token endpoint named in challenges. When empty it is /token
	// on the host and scheme that the request used.
	Realm string
	// Service is the token service's name; when empty, Name.
	Service string
	// LockAfter locks a user out of the token endpoint after that many wrong
	// passwords in a row. Zero never locks.
	LockAfter int
	// Now is the clock that expiry is measured with; nil is time.Now.
	Now func() time.Time
	// Faults holds what goes wrong; shared by the registries of a Group.
	Faults *Faults
	// Log holds what was asked; shared by the registries of a Group.
	Log *Log

	key      []byte
	mu       sync.RWMutex
	repos    map[string]*repository
	users    map[string]User
	failures map[string]int
}

// New returns an empty registry that is called name in image references.
func New(name string, style Style) *Registry {
	key := make([]byte, 32)
	rand.Read(key) // never fails, by its documentation
	return &Registry{
		Name:     name,
		Style:    style,
		Faults:   &Faults{},
		Log:      &Log{},
		key:      key,
		repos:    map[string]*repository{},
		users:    map[string]User{},
		failures: map[string]int{},
	}
}

// ServeHTTP answers one request, as the registry would or as a fault says.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	a := readAsk(w, req)
	a.host = r.Name
	r.locate(a)
	rep, fault := r.respond(a)
	r.Log.add(a, r.userOf(a), rep, fault)
	send(w, req, rep, fault)
}

// respond decides the answer. A fault replaces it before or after the
// registry has checked who asks, since a firewall does not know and a quota
// does.
func (r *Registry) respond(a *ask) (reply, *active) {
	if f := r.Faults.match(a, true); f != nil {
		return f.Answer.over(a, r.genuine(a)), f
	}
	if rep, refused := r.authorize(a); refused {
		return rep, nil
	}
	if f := r.Faults.match(a, false); f != nil {
		return f.Answer.over(a, r.serve(a)), f
	}
	return r.serve(a), nil
}

// genuine is the answer without faults.
func (r *Registry) genuine(a *ask) reply {
	if rep, refused := r.authorize(a); refused {
		return rep
	}
	return r.serve(a)
}

func (r *Registry) now() time.Time {
	if r.Now != nil {
		return r.Now()
	}
	return time.Now()
}
