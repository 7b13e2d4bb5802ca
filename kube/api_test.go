package kube_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/kube"
)

// observed finds and observes one pod or workload of a server.
func observed(t *testing.T, s *server, target string) *evidence.Case {
	t.Helper()
	c := s.client(t)
	got, err := kube.Find(t.Context(), c, evidence.Scope{Namespace: "shop", Target: target})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Cases) == 0 {
		t.Fatal("no case")
	}
	api := kube.API{Client: c}
	if err := api.Observe(t.Context(), got.Cases); err != nil {
		t.Fatal(err)
	}
	return got.Cases[0]
}

func texts(c *evidence.Case) string {
	var out []string
	for _, f := range c.Facts {
		out = append(out, f.Text)
	}
	return strings.Join(out, "\n")
}

func TestObserve(t *testing.T) {
	t.Parallel()
	c := observed(t, shop(), "deploy/web")
	want := `container "app" waits: ImagePullBackOff: ` + cause + `
pod "web-2-a" names the pull secrets regcred
image "reg.lab/app:1" runs on node-2, node-3 and cannot be pulled on node-1
secret "regcred" in namespace "shop" does not exist
service account "default" in namespace "shop" names no pull secret
node "node-1" is linux/amd64 with containerd 2.4.2, kubelet v1.36.3
image "reg.lab/app:1" is stored on node-1
deployment "web" in namespace "shop": 1 of 3 replicas available; 1 still on the revision before; its source belongs to argocd Application shop; the image before was "reg.lab/app:0", which still runs`
	if diff := cmp.Diff(want, texts(c)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if len(c.Gaps) > 0 {
		t.Errorf("gaps %+v", c.Gaps)
	}
	if top := c.Pull.Workload; top.Kind != "Deployment" || top.UID != "uid-web" {
		t.Errorf("workload %+v", top)
	}
}

func TestObserveForbidden(t *testing.T) {
	t.Parallel()
	s := shop()
	s.refuse = []string{"/secrets/", "/serviceaccounts/", "/nodes/", "/replicasets/web-2", "/jobs/"}
	c := observed(t, s, "web-2-a")
	deciding := map[string]bool{}
	for _, g := range c.Gaps {
		if !strings.HasPrefix(g.Why, "Forbidden: ") {
			t.Errorf("gap %+v", g)
		}
		deciding[g.What] = g.Deciding
	}
	want := map[string]bool{
		"secret regcred in namespace shop": true, "service account default in namespace shop": false, "node node-1": false,
		`replicaset "web-2" in namespace "shop"`: false,
	}
	if diff := cmp.Diff(want, deciding); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if strings.Contains(texts(c), "does not exist") {
		t.Errorf("says missing for Forbidden:\n%s", texts(c))
	}
}

func TestObserveSecret(t *testing.T) {
	t.Parallel()
	s := shop()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "regcred"}, Type: corev1.SecretTypeDockerConfigJson}
	secret.Data = map[string][]byte{".dockerconfigjson": []byte(`{"auths":{"reg.lab":{"username":"bob","password":"hunter2hunter2"}}}`)}
	s.add(secret)
	c := observed(t, s, "bare")
	if !strings.Contains(texts(c), `secret "regcred" in namespace "shop" has credentials for reg.lab`) {
		t.Errorf("facts:\n%s", texts(c))
	}
	var out strings.Builder
	if err := evidence.Save(&out, &evidence.Collection{Cases: []*evidence.Case{c}}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "hunter2") {
		t.Error("the password is in the case")
	}
}

func TestObserveDisk(t *testing.T) {
	t.Parallel()
	s := shop()
	s.raw["/api/v1/nodes/node-1/proxy/stats/summary"] = `{"node":{"runtime":{"imageFs":{"availableBytes":4,"capacityBytes":100}}}}`
	s.refuse = []string{"/proxy/configz"}
	s.add(pod("full", nil, "ErrImagePull", "failed to copy: write x: no space left on device"))
	e := event("n1", "Node", "node-1", "", "ImageGCFailed", "failed to garbage collect", 0)
	e.Namespace = "default"
	s.add(e)
	c := observed(t, s, "full")
	if f := c.First(func(f *evidence.Fact) bool { return f.NodeState != nil }); f == nil || f.NodeState.ImageFS == nil || f.NodeState.ImageFS.Available != 4 {
		t.Errorf("node fact %+v", f)
	}
	if !strings.Contains(texts(c), `node "node-1": ImageGCFailed`) {
		t.Errorf("facts:\n%s", texts(c))
	}
	if len(c.Gaps) != 1 || c.Gaps[0].What != "the kubelet configuration of node node-1" {
		t.Errorf("gaps %+v", c.Gaps)
	}
}

func TestObserveCustomOwner(t *testing.T) {
	t.Parallel()
	s := shop()
	s.raw["/apis/db.lab/v1/namespaces/shop/postgreses/main"] = `{"apiVersion":"db.lab/v1","kind":"Postgres","metadata":{"name":"main","namespace":"shop","uid":"uid-main"}}`
	s.add(pod("db", controller("db.lab/v1", "Postgres", "main", "uid-main"), "ImagePullBackOff", cause))
	f := observed(t, s, "db").First(func(f *evidence.Fact) bool { return f.Workload != nil })
	if f == nil || f.Workload.Manager != "operator" || f.Workload.ManagedBy != "Postgres main" {
		t.Errorf("workload fact %+v", f)
	}
}

func TestObserveCanceled(t *testing.T) {
	t.Parallel()
	c := shop().client(t)
	got, err := kube.Find(t.Context(), c, evidence.Scope{Namespace: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	api := kube.API{Client: c}
	if err := api.Observe(ctx, got.Cases); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
