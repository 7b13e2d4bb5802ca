package registrytest

import (
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// Group serves several registries, and the storage host of their blobs, from
// one handler. They share one set of faults and one log.
type Group struct {
	// Storage is the host that serves blobs to whom a fault's Redirect sends
	// there, without asking for credentials; empty: none.
	Storage string
	Faults  Faults
	Log     Log

	mu         sync.RWMutex
	registries map[string]*Registry // by host, aliases included
}

// Add creates a registry in the group. Aliases are further hosts it answers
// on, such as that of its token endpoint.
func (g *Group) Add(name string, style Style, aliases ...string) *Registry {
	r := New(name, style)
	r.Faults, r.Log = &g.Faults, &g.Log
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.registries == nil {
		g.registries = map[string]*Registry{}
	}
	for _, host := range append(aliases, name) {
		g.registries[host] = r
	}
	return r
}

// Registry returns the registry that answers on host, or nil.
func (g *Group) Registry(host string) *Registry {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.registries[host]
}

// ServeHTTP passes the request to the registry its Host header names, with or
// without the port, and answers 421 for hosts it does not know.
func (g *Group) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	host := req.Host
	if r := g.Registry(host); r != nil {
		r.ServeHTTP(w, req)
		return
	}
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	switch r := g.Registry(host); {
	case r != nil:
		r.ServeHTTP(w, req)
	case host == g.Storage && host != "":
		g.serveStorage(w, req)
	default:
		http.Error(w, "no registry here by the name of "+host, http.StatusMisdirectedRequest)
	}
}

// serveStorage answers as an object store: no tokens, errors in XML.
func (g *Group) serveStorage(w http.ResponseWriter, req *http.Request) {
	a := readAsk(w, req)
	a.host, a.step = g.Storage, StepStorage
	rest := strings.TrimPrefix(req.URL.Path, "/")
	registry, rest, _ := strings.Cut(rest, "/")
	i := max(strings.LastIndex(rest, "/"), 0)
	a.repo, a.object = rest[:i], strings.TrimPrefix(rest[i:], "/")
	rep := reply{status: http.StatusNotFound, header: http.Header{"Content-Type": {"application/xml"}}, body: []byte(noSuchKeyBody)}
	if r := g.Registry(registry); r != nil {
		r.locate(a)
		if b, ok := r.blob(a.repo, a.object); ok {
			rep = blobReply(a, b)
		}
	}
	f := g.Faults.match(a, true)
	if f != nil {
		rep = f.Answer.over(a, rep)
	}
	g.Log.add(a, "", rep, f)
	send(w, req, rep, f)
}

// storageURL is where a redirect leads: base/registry/repository/digest.
func storageURL(base string, a *ask) string {
	u, err := url.Parse(base)
	if err != nil {
		return base // a malformed Location is a fault too
	}
	return u.JoinPath(a.host, a.repo, a.object).String()
}
