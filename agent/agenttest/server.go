// Package agenttest is an API server in memory that serves NodeProbes, as an
// agent and its askers use them, and the pods they name; it fails on request.
//
// It speaks HTTP over pipes, so that it works inside a synctest bubble. It
// checks no schema and no permissions: the lab does.
package agenttest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/rest"
)

// Object is an object as JSON has it.
type Object = map[string]any

// Server is one API server. Make it with New.
type Server struct {
	http *http.Server
	pipe *pipe

	mu      sync.Mutex
	version int
	uids    int
	probes  map[string]Object // by namespace/name
	pods    map[string]Object
	events  []event
	oldest  int // the version from which events are kept
	changed chan struct{}
	cut     chan struct{}
	calls   map[string]int
	fail    func(*http.Request) int
}

type event struct {
	version int
	kind    string
	object  Object
}

// New starts a server.
func New() *Server {
	s := &Server{
		probes: map[string]Object{}, pods: map[string]Object{}, version: 100,
		changed: make(chan struct{}), cut: make(chan struct{}), calls: map[string]int{}, pipe: newPipe(),
	}
	s.http = &http.Server{Handler: s}
	go func() { _ = s.http.Serve(s.pipe) }()
	return s
}

// Close ends it.
func (s *Server) Close() { _ = s.http.Close() }

// Config is how to reach it.
func (s *Server) Config() *rest.Config {
	return &rest.Config{Host: "http://api.test", Dial: func(ctx context.Context, _, _ string) (net.Conn, error) { return s.pipe.dial(ctx) }}
}

// Away makes it unreachable, or reachable again: connections break, and new ones are refused.
func (s *Server) Away(away bool) { s.pipe.refuse(away) }

// Fail has requests answered with the code that f returns; 0 is none.
func (s *Server) Fail(f func(*http.Request) int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = f
}

// Cut ends all watches.
func (s *Server) Cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.cut)
	s.cut = make(chan struct{})
}

// Compact forgets what happened: a watch from an older version is Gone.
func (s *Server) Compact() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	s.oldest, s.events = s.version, nil
}

// Calls counts requests by what they do: list, watch, get, create, status, delete, pod.
func (s *Server) Calls(kind string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[kind]
}

// AddPod adds a pod.
func (s *Server) AddPod(namespace, name string, pod Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pods[namespace+"/"+name] = pod
}

// Create adds a NodeProbe and gives it back with its metadata.
func (s *Server) Create(namespace, name string, spec any) Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.create(namespace, Object{"metadata": Object{"name": name}, "spec": plain(spec)})
}

// Delete removes a NodeProbe.
func (s *Server) Delete(namespace, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(namespace + "/" + name)
}

// SetStatus writes a NodeProbe's status, as an agent would.
func (s *Server) SetStatus(namespace, name string, status any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.probes[namespace+"/"+name]; p != nil {
		p = maps.Clone(p)
		p["status"] = plain(status)
		s.change("MODIFIED", namespace+"/"+name, p)
	}
}

// Get reads a NodeProbe into out; false where there is none.
func (s *Server) Get(namespace, name string, out any) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.probes[namespace+"/"+name]
	if !ok {
		return false
	}
	raw, err := json.Marshal(p)
	return err == nil && json.Unmarshal(raw, out) == nil
}

// Names are the NodeProbes that exist, as namespace/name.
func (s *Server) Names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.probes))
}

// plain turns any value into what JSON makes of it.
func plain(v any) any {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	var out any
	if err := json.Unmarshal(raw, &out); err != nil {
		panic(err)
	}
	return out
}

func (s *Server) create(namespace string, o Object) Object {
	s.uids++
	m, _ := o["metadata"].(Object)
	m = maps.Clone(m)
	if prefix, _ := m["generateName"].(string); m["name"] == nil {
		m["name"] = fmt.Sprintf("%s%05d", prefix, s.uids)
	}
	m["namespace"], m["uid"] = namespace, fmt.Sprintf("uid-%d", s.uids)
	m["creationTimestamp"] = time.Now().UTC().Format(time.RFC3339)
	o = maps.Clone(o)
	o["metadata"] = m
	delete(o, "status")
	return s.change("ADDED", namespace+"/"+m["name"].(string), o)
}

func (s *Server) remove(key string) bool {
	o, ok := s.probes[key]
	if ok {
		s.change("DELETED", key, o)
	}
	return ok
}

// change notes an event and wakes the watches. Objects are never changed in place.
func (s *Server) change(kind, key string, o Object) Object {
	s.version++
	m := maps.Clone(o["metadata"].(Object))
	m["resourceVersion"] = strconv.Itoa(s.version)
	o = maps.Clone(o)
	o["metadata"] = m
	s.probes[key] = o
	if kind == "DELETED" {
		delete(s.probes, key)
	}
	s.events = append(s.events, event{s.version, kind, o})
	close(s.changed)
	s.changed = make(chan struct{})
	return o
}

func matches(o Object, selector string) bool {
	for _, field := range strings.FieldsFunc(selector, func(r rune) bool { return r == ',' }) {
		path, want, _ := strings.Cut(field, "=")
		var v any = o
		for _, part := range strings.Split(path, ".") {
			m, _ := v.(Object)
			v = m[part]
		}
		if v != want {
			return false
		}
	}
	return true
}

// pipe is a listener whose connections are made in memory.
type pipe struct {
	mu    sync.Mutex
	away  bool
	conns []net.Conn
	queue chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipe() *pipe { return &pipe{queue: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipe) dial(ctx context.Context) (net.Conn, error) {
	near, far := net.Pipe()
	p.mu.Lock()
	away := p.away
	p.conns = append(p.conns, far)
	p.mu.Unlock()
	if away {
		return nil, errors.New("connection refused")
	}
	select {
	case p.queue <- far:
		return near, nil
	case <-p.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipe) refuse(away bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away = away
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

// Accept implements net.Listener.
func (p *pipe) Accept() (net.Conn, error) {
	select {
	case c := <-p.queue:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (p *pipe) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

// Addr implements net.Listener.
func (p *pipe) Addr() net.Addr { return &net.UnixAddr{Name: "api.test", Net: "pipe"} }
