package agenttest

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const group = "/apis/refloat.dev/v1alpha1/"

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	kind, namespace, name := route(r)
	s.mu.Lock()
	s.calls[kind]++
	fail := s.fail
	s.mu.Unlock()
	if fail != nil {
		if code := fail(r); code != 0 {
			refuse(w, code)
			return
		}
	}
	if kind == "watch" {
		s.watch(w, r, namespace)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := namespace + "/" + name
	switch kind {
	case "list":
		s.list(w, r, namespace)
	case "pod":
		reply(w, s.pods[key])
	case "get":
		reply(w, s.probes[key])
	case "create":
		var o Object
		if json.NewDecoder(r.Body).Decode(&o) != nil {
			refuse(w, http.StatusBadRequest)
			return
		}
		reply(w, s.create(namespace, o))
	case "delete":
		s.delete(w, r, key)
	case "status":
		s.status(w, r, key)
	default:
		refuse(w, http.StatusNotFound)
	}
}

// route says what a request is for.
func route(r *http.Request) (kind, namespace, name string) {
	if rest, ok := strings.CutPrefix(r.URL.Path, "/api/v1/namespaces/"); ok {
		if p := strings.Split(rest, "/"); len(p) == 3 && p[1] == "pods" {
			return "pod", p[0], p[2]
		}
		return "", "", ""
	}
	p := strings.Split(strings.TrimPrefix(r.URL.Path, group), "/")
	if p[0] == "namespaces" && len(p) >= 3 {
		namespace, p = p[1], p[2:]
	}
	switch {
	case p[0] != "nodeprobes":
		return "", "", ""
	case len(p) == 1 && r.Method == http.MethodPost:
		return "create", namespace, ""
	case len(p) == 1 && r.URL.Query().Get("watch") == "true":
		return "watch", namespace, ""
	case len(p) == 1:
		return "list", namespace, ""
	case len(p) == 3 && p[2] == "status" && r.Method == http.MethodPatch:
		return "status", namespace, p[1]
	case r.Method == http.MethodDelete:
		return "delete", namespace, p[1]
	}
	return "get", namespace, p[1]
}

func reply(w http.ResponseWriter, o Object) {
	if o == nil {
		refuse(w, http.StatusNotFound)
		return
	}
	_ = json.NewEncoder(w).Encode(o)
}

var reasons = map[int]string{403: "Forbidden", 404: "NotFound", 409: "Conflict", 410: "Expired", 422: "Invalid", 429: "TooManyRequests"}

func refusal(code int) Object {
	return Object{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reasons[code], "message": http.StatusText(code)}
}

func refuse(w http.ResponseWriter, code int) {
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(refusal(code))
}

// list pages by name.
func (s *Server) list(w http.ResponseWriter, r *http.Request, namespace string) {
	q := r.URL.Query()
	limit, err := strconv.Atoi(q.Get("limit"))
	if err != nil {
		limit = len(s.probes)
	}
	items, last, more := []Object{}, "", false
	for _, key := range slices.Sorted(maps.Keys(s.probes)) {
		o := s.probes[key]
		if namespace != "" && !strings.HasPrefix(key, namespace+"/") || !matches(o, q.Get("fieldSelector")) || key <= q.Get("continue") {
			continue
		}
		if len(items) == limit {
			more = true
			break
		}
		items, last = append(items, o), key
	}
	meta := Object{"resourceVersion": strconv.Itoa(s.version)}
	if more {
		meta["continue"] = last
	}
	reply(w, Object{"metadata": meta, "items": items})
}

func (s *Server) delete(w http.ResponseWriter, r *http.Request, key string) {
	var o struct {
		Preconditions struct {
			UID string `json:"uid"`
		} `json:"preconditions"`
	}
	_ = json.NewDecoder(r.Body).Decode(&o)
	p := s.probes[key]
	switch {
	case p == nil:
		refuse(w, http.StatusNotFound)
	case o.Preconditions.UID != "" && o.Preconditions.UID != uid(p):
		refuse(w, http.StatusConflict)
	default:
		s.remove(key)
		reply(w, p)
	}
}

func uid(p Object) string {
	m, _ := p["metadata"].(Object)
	u, _ := m["uid"].(string)
	return u
}

// status takes a JSON patch of the shape that the agent sends: a test of the UID, then the whole status.
func (s *Server) status(w http.ResponseWriter, r *http.Request, key string) {
	var ops []struct {
		Op, Path string
		Value    any
	}
	p := s.probes[key]
	err := json.NewDecoder(r.Body).Decode(&ops)
	switch {
	case p == nil:
		refuse(w, http.StatusNotFound)
		return
	case err != nil || len(ops) != 2 || r.Header.Get("Content-Type") != "application/json-patch+json" ||
		ops[0].Op != "test" || ops[0].Path != "/metadata/uid" || ops[1].Op != "add" || ops[1].Path != "/status":
		refuse(w, http.StatusBadRequest)
		return
	case ops[0].Value != uid(p):
		refuse(w, http.StatusUnprocessableEntity)
		return
	}
	p = maps.Clone(p)
	p["status"] = ops[1].Value
	reply(w, s.change("MODIFIED", key, p))
}

func (s *Server) watch(w http.ResponseWriter, r *http.Request, namespace string) {
	q := r.URL.Query()
	from, _ := strconv.Atoi(q.Get("resourceVersion"))
	send := json.NewEncoder(w)
	w.WriteHeader(http.StatusOK)
	flush := http.NewResponseController(w).Flush
	for {
		s.mu.Lock()
		events, changed, cut, gone := s.since(from), s.changed, s.cut, from < s.oldest
		s.mu.Unlock()
		if gone {
			_ = send.Encode(Object{"type": "ERROR", "object": refusal(http.StatusGone)})
			return
		}
		for _, e := range events {
			from = e.version
			m, _ := e.object["metadata"].(Object)
			if namespace != "" && m["namespace"] != namespace || !matches(e.object, q.Get("fieldSelector")) {
				continue
			}
			if send.Encode(Object{"type": e.kind, "object": e.object}) != nil {
				return
			}
		}
		if flush() != nil {
			return
		}
		select {
		case <-changed:
		case <-cut:
			return
		case <-r.Context().Done():
			return
		}
	}
}

func (s *Server) since(version int) []event {
	i, _ := slices.BinarySearchFunc(s.events, version+1, func(e event, v int) int { return e.version - v })
	return s.events[i:]
}
