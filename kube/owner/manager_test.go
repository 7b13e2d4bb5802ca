package owner_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/kube/owner"
)

func TestManager(t *testing.T) {
	t.Parallel()
	type set = map[string]string
	tests := []struct {
		name        string
		labels      set
		annotations set
		field       string
		manager, by string
	}{
		{"nobody", set{"app.kubernetes.io/instance": "shop"}, nil, "kubectl-client-side-apply", "", ""},
		{"argo by id", nil, set{"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/web"}, "", owner.ArgoCD, "Application shop"},
		{"argo by label and field manager", set{"app.kubernetes.io/instance": "shop"}, nil, "argocd-controller", owner.ArgoCD, "Application shop"},
		{"argo that renders a chart", nil, set{"argocd.argoproj.io/tracking-id": "shop:x", "meta.helm.sh/release-name": "web"}, "", owner.ArgoCD, "Application shop"},
		{"flux kustomization", set{"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}, nil, "", owner.Flux, "Kustomization flux-system/apps"},
		{"flux helm release", set{"helm.toolkit.fluxcd.io/name": "web"}, set{"meta.helm.sh/release-name": "web"}, "", owner.Flux, "HelmRelease web"},
		{"helm", nil, set{"meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "shop"}, "", owner.Helm, "release shop/web"},
		{"helm by label", set{"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "web"}, nil, "", owner.Helm, "release web"},
		{"olm", set{"olm.owner": "etcd.v1", "olm.owner.namespace": "ops"}, nil, "", owner.OLM, "ClusterServiceVersion ops/etcd.v1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := &metav1.ObjectMeta{Labels: tt.labels, Annotations: tt.annotations, ManagedFields: []metav1.ManagedFieldsEntry{{Manager: tt.field}}}
			if manager, by := owner.Manager(m); manager != tt.manager || by != tt.by {
				t.Errorf("Manager = %q, %q", manager, by)
			}
		})
	}
}

func TestManaged(t *testing.T) {
	t.Parallel()
	set := &owner.Object{Ref: evidence.Ref{APIVersion: "apps/v1", Kind: "StatefulSet", Name: "db"}}
	custom := &owner.Object{Ref: evidence.Ref{APIVersion: "db.example.com/v1", Kind: "Postgres", Name: "main"}}
	if m, by := owner.Managed([]*owner.Object{set, custom}); m != owner.Operator || by != "Postgres main" {
		t.Errorf("Managed = %q, %q", m, by)
	}
	custom.Manager, custom.ManagedBy = owner.Flux, "Kustomization apps"
	if m, _ := owner.Managed([]*owner.Object{set, custom}); m != owner.Flux {
		t.Errorf("Managed = %q", m)
	}
	if m, _ := owner.Managed([]*owner.Object{set}); m != "" {
		t.Errorf("Managed = %q", m)
	}
}
