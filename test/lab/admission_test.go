package lab

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	authv1 "k8s.io/api/authentication/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/refloat-dev/refloat/api/v1alpha1"
	"github.com/refloat-dev/refloat/test/cluster"
)

const admissionNamespace = "agent-admission"

// TestAgentAdmission tries what RBAC cannot forbid: to answer for another node, to forge an answer, to probe freely.
func TestAgentAdmission(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	if err := lab.MakeNamespace(ctx, admissionNamespace); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lab.DropNamespace(cleanup(t), admissionNamespace); err != nil {
			t.Error(err)
		}
	})
	admin := probesAs(t, nil)
	nodes := lab.Nodes()
	own, other := nodes[0].Name, nodes[1].Name
	policyActs(t, admin, own)
	agent, unbound := agentOf(t, own), probesAs(t, func(c *rest.Config) { bear(c, agentToken(t, "")) })
	grant(t, "prober", "refloat-probe", false)
	grant(t, "nearly", "refloat-probe-free", false)
	grant(t, "free", "refloat-probe-free", true)

	answers := []struct {
		name, of string
		as       dynamic.ResourceInterface
		want     string // in the refusal; empty is none
	}{
		{name: "its own node", of: own, as: agent},
		{name: "another node", of: other, as: agent, want: "this token is of node"},
		{name: "a token of no node", of: own, as: unbound, want: "this token is of node"},
		{name: "a user without rights", of: own, as: user(t, "nobody"), want: "cannot patch resource"},
		{name: "a user who may probe", of: own, as: user(t, "prober"), want: "cannot patch resource"},
		{name: "an administrator", of: own, as: admin, want: "only refloat's agent"},
	}
	for _, tt := range answers {
		t.Run("answer: "+tt.name, func(t *testing.T) {
			p := ask(t, admin, podProbe(tt.of))
			_, err := tt.as.Patch(ctx, p, types.MergePatchType, []byte(`{"status":{"message":"seen"}}`), metav1.PatchOptions{}, "status")
			refused(t, err, tt.want)
			if tt.as == admin {
				return
			}
			want := tt.want
			if strings.Contains(want, "patch") {
				want = "cannot delete resource"
			}
			if tt.name == "a user who may probe" {
				want = "" // who asks may take a question back
			}
			refused(t, tt.as.Delete(ctx, p, metav1.DeleteOptions{}), want)
		})
	}
	questions := []struct {
		name string
		as   dynamic.ResourceInterface
		spec v1alpha1.NodeProbeSpec
		want string
	}{
		{name: "a pod", as: user(t, "prober"), spec: podProbe(own)},
		{name: "free", as: user(t, "prober"), spec: v1alpha1.NodeProbeSpec{NodeName: own, Image: "open.lab/app:1.0"}, want: "nodeprobes/free"},
		{name: "free, allowed in one namespace", as: user(t, "nearly"), spec: v1alpha1.NodeProbeSpec{NodeName: own}, want: "nodeprobes/free"},
		{name: "free, allowed", as: user(t, "free"), spec: v1alpha1.NodeProbeSpec{NodeName: own}},
		{name: "the agent asks", as: agent, spec: podProbe(own), want: "cannot create resource"},
		{name: "a pod and an image", as: admin, spec: with(podProbe(own), func(s *v1alpha1.NodeProbeSpec) { s.Image = "open.lab/app:1.0" }), want: "the image is the pod's own"},
		{name: "a container and a volume", as: admin, spec: with(podProbe(own), func(s *v1alpha1.NodeProbeSpec) { s.Pod.Volume = "data" }), want: "one of the two"},
		{name: "neither", as: admin, spec: with(podProbe(own), func(s *v1alpha1.NodeProbeSpec) { s.Pod.Container = "" }), want: "one of the two"},
		{name: "an unknown check", as: admin, spec: with(podProbe(own), func(s *v1alpha1.NodeProbeSpec) { s.Checks = []string{"everything"} }), want: "Unsupported value"},
		{name: "an endless name", as: admin, spec: with(podProbe(own), func(s *v1alpha1.NodeProbeSpec) { s.Pod.Name = strings.Repeat("x", 300) }), want: "Too long"},
	}
	for _, tt := range questions {
		t.Run("ask: "+tt.name, func(t *testing.T) {
			_, err := tt.as.Create(ctx, object(t, tt.spec), create)
			refused(t, err, tt.want)
		})
	}
	t.Run("no question brings its answer", func(t *testing.T) {
		o := object(t, podProbe("no-such-node"))
		o.Object["status"] = map[string]any{"phase": string(v1alpha1.ProbeDone), "message": "forged"}
		made, err := admin.Create(ctx, o, create)
		if err != nil {
			t.Fatal(err)
		}
		if status := made.Object["status"]; status != nil {
			t.Errorf("the API server took %v", status)
		}
	})
	t.Run("never changes", func(t *testing.T) {
		p := ask(t, admin, podProbe(own))
		_, err := admin.Patch(ctx, p, types.MergePatchType, []byte(`{"spec":{"nodeName":"`+other+`"}}`), metav1.PatchOptions{})
		refused(t, err, "a NodeProbe never changes")
	})
}

// policyActs waits for the policy: the API server goes by a new one only after a moment.
func policyActs(t *testing.T, admin dynamic.ResourceInterface, node string) {
	t.Helper()
	p := ask(t, admin, podProbe(node))
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		_, err := admin.Patch(t.Context(), p, types.MergePatchType, []byte(`{"status":{"message":"forged"}}`), metav1.PatchOptions{}, "status")
		if apierrors.IsForbidden(err) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the policy does not act: %v", err)
		}
	}
}

// podProbe asks about a pod that is not there: the agent of a node that has it refuses, and no test waits for that.
func podProbe(node string) v1alpha1.NodeProbeSpec {
	return v1alpha1.NodeProbeSpec{NodeName: node, Pod: &v1alpha1.PodReference{Name: "web", UID: "0", Container: "app"}}
}

func with(s v1alpha1.NodeProbeSpec, change func(*v1alpha1.NodeProbeSpec)) v1alpha1.NodeProbeSpec {
	change(&s)
	return s
}

func object(t *testing.T, spec v1alpha1.NodeProbeSpec) *unstructured.Unstructured {
	t.Helper()
	p := v1alpha1.NodeProbe{Spec: spec}
	p.APIVersion, p.Kind, p.GenerateName = v1alpha1.Group+"/"+v1alpha1.Version, v1alpha1.NodeProbeKind, "t-"
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	u := &unstructured.Unstructured{}
	if err := json.Unmarshal(data, &u.Object); err != nil {
		t.Fatal(err)
	}
	return u
}

func ask(t *testing.T, as dynamic.ResourceInterface, spec v1alpha1.NodeProbeSpec) string {
	t.Helper()
	made, err := as.Create(t.Context(), object(t, spec), create)
	if err != nil {
		t.Fatal(err)
	}
	return made.GetName()
}

// refused expects a refusal that says want, or none where that is empty.
func refused(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Errorf("want a refusal with %q, got: %v", want, err)
	}
}

// probesAs is the tests' NodeProbes with the administrator's connection, changed.
func probesAs(t *testing.T, change func(*rest.Config)) dynamic.ResourceInterface {
	t.Helper()
	c := lab.RESTConfig()
	if change != nil {
		change(c)
	}
	client, err := dynamic.NewForConfig(c)
	if err != nil {
		t.Fatal(err)
	}
	gvr := schema.GroupVersionResource{Group: v1alpha1.Group, Version: v1alpha1.Version, Resource: v1alpha1.NodeProbeResource}
	return client.Resource(gvr).Namespace(admissionNamespace)
}

func user(t *testing.T, name string) dynamic.ResourceInterface {
	return probesAs(t, func(c *rest.Config) { c.Impersonate.UserName = name })
}

// bear replaces the administrator's certificate by a token.
func bear(c *rest.Config, token string) {
	*c = *rest.AnonymousClientConfig(c)
	c.BearerToken = token
}

// agentOf is the agent of a node, with a token as the kubelet gets it for the agent's pod there.
func agentOf(t *testing.T, node string) dynamic.ResourceInterface {
	t.Helper()
	token := agentToken(t, node)
	return probesAs(t, func(c *rest.Config) { bear(c, token) })
}

// agentToken is one that is bound to the agent's pod on a node; without a node to nothing.
func agentToken(t *testing.T, node string) string {
	t.Helper()
	req := &authv1.TokenRequest{}
	if node != "" {
		pods, err := lab.Client().CoreV1().Pods(cluster.AgentNamespace).List(t.Context(), metav1.ListOptions{
			LabelSelector: "app.kubernetes.io/name=refloat-agent", FieldSelector: "spec.nodeName=" + node})
		if err != nil || len(pods.Items) == 0 {
			t.Fatalf("no agent on %s: %v", node, err)
		}
		p := pods.Items[0]
		req.Spec.BoundObjectRef = &authv1.BoundObjectReference{Kind: "Pod", APIVersion: "v1", Name: p.Name, UID: p.UID}
	}
	made, err := lab.Client().CoreV1().ServiceAccounts(cluster.AgentNamespace).CreateToken(t.Context(), "refloat-agent", req, create)
	if err != nil {
		t.Fatal(err)
	}
	return made.Status.Token
}

// grant binds a ClusterRole to a user, in the tests' namespace or everywhere, and waits until that counts.
func grant(t *testing.T, name, role string, everywhere bool) {
	t.Helper()
	ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role}
	who := []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: name}}
	meta := metav1.ObjectMeta{Name: admissionNamespace + "-" + name}
	var err error
	if everywhere {
		api := lab.Client().RbacV1().ClusterRoleBindings()
		_, err = api.Create(t.Context(), &rbacv1.ClusterRoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: who}, create)
		t.Cleanup(func() { _ = api.Delete(cleanup(t), meta.Name, metav1.DeleteOptions{}) })
	} else {
		_, err = lab.Client().RbacV1().RoleBindings(admissionNamespace).Create(t.Context(),
			&rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: who}, create)
	}
	if err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for as := user(t, name); ; time.Sleep(50 * time.Millisecond) {
		if _, err = as.List(ctx, metav1.ListOptions{}); err == nil {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("%s may not list: %v", name, err)
		}
	}
}
