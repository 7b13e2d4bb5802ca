package deploy

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

// TestAgentMayNoMore lists all that the agent may do in the API: no secrets, no nodes, no exec, nothing created.
func TestAgentMayNoMore(t *testing.T) {
	t.Parallel()
	want := []rbacv1.PolicyRule{
		{APIGroups: []string{"refloat.dev"}, Resources: []string{"nodeprobes"}, Verbs: []string{"get", "list", "watch", "delete"}},
		{APIGroups: []string{"refloat.dev"}, Resources: []string{"nodeprobes/status"}, Verbs: []string{"patch", "update"}},
		{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"get"}},
	}
	data, err := files.ReadFile("agent/rbac.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var got []rbacv1.PolicyRule
	var bindings int
	for doc := range bytes.SplitSeq(data, []byte("\n---\n")) {
		var o struct {
			Kind  string
			Rules []rbacv1.PolicyRule
		}
		if err := yaml.Unmarshal(doc, &o); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(o.Kind, "Binding") {
			bindings++
		}
		got = append(got, o.Rules...)
	}
	if diff := cmp.Diff(want, got); diff != "" || bindings != 1 {
		t.Errorf("%d bindings, want 1: %s", bindings, diff)
	}
}
