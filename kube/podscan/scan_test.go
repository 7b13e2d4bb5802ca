package podscan_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes/scheme"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"

	"github.com/refloat-dev/refloat/kube/podscan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cluster serves pods in pages, in protobuf unless it is told not to.
type cluster struct {
	pods    []corev1.Pod
	asJSON  bool
	expire  string // the token that has expired
	garbage bool
}

func (c cluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	limit, _ := strconv.Atoi(q.Get("limit"))
	from, _ := strconv.Atoi(strings.TrimPrefix(q.Get("continue"), "fresh-"))
	if c.expire != "" && q.Get("continue") == c.expire {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusGone)
		_ = json.NewEncoder(w).Encode(metav1.Status{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Code: http.StatusGone,
			Reason: metav1.StatusReasonExpired, ListMeta: metav1.ListMeta{Continue: "fresh-" + c.expire},
		})
		return
	}
	list := &corev1.PodList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PodList"}}
	to := min(from+limit, len(c.pods))
	list.Items = c.pods[from:to]
	if to < len(c.pods) {
		list.Continue = strconv.Itoa(to)
	}
	if c.asJSON {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(list)
		return
	}
	w.Header().Set("Content-Type", "application/vnd.kubernetes.protobuf")
	if c.garbage {
		_, _ = w.Write([]byte("k8s\x00\x12\xff\xff\x03abc"))
		return
	}
	var enc runtime.Encoder = protobuf.NewSerializer(scheme.Scheme, scheme.Scheme)
	_ = enc.Encode(list, w)
}

func restOf(t *testing.T, h http.Handler) rest.Interface {
	t.Helper()
	s := httptest.NewServer(h)
	transport := &http.Transport{}
	t.Cleanup(func() { transport.CloseIdleConnections(); s.Close() })
	c, err := corev1client.NewForConfigAndClient(&rest.Config{Host: s.URL}, &http.Client{Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	return c.RESTClient()
}

// manyPods has a waiting pod in every hundred.
func manyPods(n int) []corev1.Pod {
	pods := make([]corev1.Pod, n)
	for i := range pods {
		p := &pods[i]
		p.Name, p.Namespace = fmt.Sprintf("pod-%d", i), "shop"
		p.Spec.NodeName = fmt.Sprintf("node-%d", i%3)
		p.Spec.Containers = []corev1.Container{{Name: "app", Image: "reg.lab/app:1"}, {Name: "side", Image: "reg.lab/side:1"}}
		p.Status.ContainerStatuses = []corev1.ContainerStatus{
			{Name: "app", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}},
			{Name: "side", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}},
		}
		if i%100 == 0 {
			p.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "i", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{}}}}
		}
	}
	return pods
}

func TestEach(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		cluster cluster
	}{
		{"protobuf", cluster{pods: manyPods(1201)}},
		{"JSON", cluster{pods: manyPods(1201), asJSON: true}},
		{"a token that has expired", cluster{pods: manyPods(1201), expire: "500"}},
		{"one page", cluster{pods: manyPods(500)}},
		{"none", cluster{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var pods, running int
			var waiting, want []string
			err := podscan.Scan{REST: restOf(t, tt.cluster)}.Each(t.Context(), func(g *podscan.Glance) error {
				pods++
				for _, image := range g.Running {
					if string(image) == "reg.lab/app:1" && strings.HasPrefix(string(g.Node), "node-") {
						running++
					}
				}
				if g.Waiting {
					pod, err := g.Pod()
					if err != nil {
						return err
					}
					waiting = append(waiting, pod.Name)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for i := 0; i < len(tt.cluster.pods); i += 100 {
				want = append(want, fmt.Sprintf("pod-%d", i))
			}
			if pods != len(tt.cluster.pods) || running != pods {
				t.Errorf("%d pods, %d running, of %d", pods, running, len(tt.cluster.pods))
			}
			if diff := cmp.Diff(want, waiting); diff != "" {
				t.Errorf("waiting (-want +got)\n%s", diff)
			}
		})
	}
}

func TestEachFails(t *testing.T) {
	t.Parallel()
	stop := errors.New("stop")
	forbidden := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	html := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") })
	tests := []struct {
		name  string
		ended bool
		serve http.Handler
		visit error
		want  func(error) bool
	}{
		{"forbidden", false, forbidden, nil, apierrors.IsForbidden},
		{"broken protobuf", false, cluster{garbage: true}, nil, func(err error) bool { return strings.Contains(err.Error(), "well-formed") }},
		{"not a list", false, html, nil, func(err error) bool { return strings.Contains(err.Error(), "neither protobuf nor JSON") }},
		{"visit ends it", false, cluster{pods: manyPods(1500)}, stop, func(err error) bool { return errors.Is(err, stop) }},
		{"canceled", true, cluster{pods: manyPods(5)}, nil, func(err error) bool { return errors.Is(err, context.Canceled) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if tt.ended {
				cancel()
			}
			err := podscan.Scan{REST: restOf(t, tt.serve)}.Each(ctx, func(*podscan.Glance) error { return tt.visit })
			if err == nil || !tt.want(err) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func FuzzEach(f *testing.F) {
	pods := manyPods(1)
	raw, err := (&corev1.PodList{Items: pods}).Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(_ *testing.T, list []byte) {
		_ = podscan.Bytes(list, func(g *podscan.Glance) error {
			_, err := g.Pod()
			return err
		})
	})
}
