package kube_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"

	"github.com/refloat-dev/refloat/kube"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

var listKinds = map[string]string{
	"pods": "PodList", "events": "EventList", "replicasets": "ReplicaSetList", "jobs": "JobList",
	"deployments": "DeploymentList", "namespaces": "NamespaceList", "controllerrevisions": "ControllerRevisionList",
	"nodes": "NodeList",
}

// server is an API server over a map: enough of lists, selectors and refusals to be asked by the real client.
type server struct {
	objects map[string]runtime.Object // by path
	raw     map[string]string         // answers that are no objects
	refuse  []string                  // parts of request URIs that are Forbidden
	refusal string                    // the text of a refusal; empty for one that names no resource

	refuseEnds []string // ends of paths that are Forbidden: lists, without the objects below them

	mu   sync.Mutex
	asks []string
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asks = append(s.asks, r.URL.Path)
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if s.refuses(r.URL.Path) {
		text := s.refusal
		if text == "" {
			text = r.URL.Path + " is forbidden: User \"dev\" cannot do that"
		}
		s.status(w, http.StatusForbidden, metav1.StatusReasonForbidden, text)
		return
	}
	if text, ok := s.raw[r.URL.Path]; ok {
		_, _ = w.Write([]byte(text))
		return
	}
	if o, ok := s.objects[r.URL.Path]; ok {
		_ = json.NewEncoder(w).Encode(typed(o))
		return
	}
	if items, ok := s.list(r); ok {
		parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
		version := parts[1]
		if parts[0] == "apis" {
			version += "/" + parts[2]
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"apiVersion": version, "kind": listKinds[parts[len(parts)-1]], "items": items})
		return
	}
	s.status(w, http.StatusNotFound, metav1.StatusReasonNotFound, r.URL.Path+" not found")
}

func (s *server) refuses(path string) bool {
	for _, p := range s.refuse {
		if strings.Contains(path, p) {
			return true
		}
	}
	for _, p := range s.refuseEnds {
		if strings.HasSuffix(path, p) {
			return true
		}
	}
	return false
}

func (s *server) status(w http.ResponseWriter, code int32, reason metav1.StatusReason, text string) {
	w.WriteHeader(int(code))
	_ = json.NewEncoder(w).Encode(metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Code: code, Reason: reason, Message: text,
	})
}

// list gives the objects below a path of a collection, across namespaces where it names none.
func (s *server) list(r *http.Request) ([]runtime.Object, bool) {
	path := r.URL.Path
	i := strings.LastIndex(path, "/")
	base, plural := path[:i], path[i+1:]
	if !strings.HasPrefix(path, "/api") || listKinds[plural] == "" {
		return nil, false
	}
	label, _ := labels.Parse(r.URL.Query().Get("labelSelector"))
	field, _ := fields.ParseSelector(r.URL.Query().Get("fieldSelector"))
	var paths []string
	for p := range s.objects {
		if strings.HasPrefix(p, base+"/") && strings.Contains(p, "/"+plural+"/") {
			paths = append(paths, p)
		}
	}
	sort.Strings(paths)
	out := []runtime.Object{}
	for _, p := range paths {
		m, _ := meta.Accessor(s.objects[p])
		if label.Matches(labels.Set(m.GetLabels())) && field.Matches(fieldsOf(s.objects[p])) {
			out = append(out, typed(s.objects[p]))
		}
	}
	return out, true
}

func fieldsOf(o runtime.Object) fields.Set {
	switch o := o.(type) {
	case *corev1.Event:
		return fields.Set{"involvedObject.kind": o.InvolvedObject.Kind, "involvedObject.uid": string(o.InvolvedObject.UID), "reason": o.Reason, "type": o.Type}
	case *corev1.Pod:
		return fields.Set{"status.phase": string(o.Status.Phase)}
	}
	return fields.Set{}
}

// typed writes an object's kind into it, as the wire has it.
func typed(o runtime.Object) runtime.Object {
	o = o.DeepCopyObject()
	if kinds, _, err := scheme.Scheme.ObjectKinds(o); err == nil {
		o.GetObjectKind().SetGroupVersionKind(kinds[0])
	}
	return o
}

// add puts objects where the API has them.
func (s *server) add(objects ...runtime.Object) *server {
	if s.objects == nil {
		s.objects = map[string]runtime.Object{}
	}
	for _, o := range objects {
		kinds, _, err := scheme.Scheme.ObjectKinds(o)
		if err != nil {
			panic(err)
		}
		plural, _ := meta.UnsafeGuessKindToResource(kinds[0])
		m, _ := meta.Accessor(o)
		path := "/api/v1"
		if plural.Group != "" {
			path = "/apis/" + plural.Group + "/" + plural.Version
		}
		if m.GetNamespace() != "" {
			path += "/namespaces/" + m.GetNamespace()
		}
		s.objects[path+"/"+plural.Resource+"/"+m.GetName()] = o
	}
	return s
}

// asked is how many requests went to paths that contain a part.
func (s *server) asked(part string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, p := range s.asks {
		if strings.Contains(p, part) {
			n++
		}
	}
	return n
}

func (s *server) client(t *testing.T) *kube.Client {
	t.Helper()
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	c, err := kube.New(&rest.Config{Host: h.URL})
	if err != nil {
		t.Fatal(err)
	}
	c.Now = func() time.Time { return noon }
	return c
}
