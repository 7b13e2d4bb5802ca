package owner

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The managers that own an object's source.
const (
	ArgoCD   = "argocd"
	Flux     = "flux"
	Helm     = "helm"
	OLM      = "olm"
	Operator = "operator"
)

// Manager tells from an object's marks which tool writes it, and that tool's own
// object; both are empty where nothing tells. Marks of a GitOps tool come before
// Helm's: Argo CD and Flux render charts too.
func Manager(m metav1.Object) (manager, by string) {
	l, a := m.GetLabels(), m.GetAnnotations()
	if id := a["argocd.argoproj.io/tracking-id"]; id != "" {
		app, _, _ := strings.Cut(id, ":")
		return ArgoCD, "Application " + app
	}
	if n := l["argocd.argoproj.io/instance"]; n != "" {
		return ArgoCD, "Application " + n
	}
	if n := l["kustomize.toolkit.fluxcd.io/name"]; n != "" {
		return Flux, "Kustomization " + join(l["kustomize.toolkit.fluxcd.io/namespace"], n)
	}
	if n := l["helm.toolkit.fluxcd.io/name"]; n != "" {
		return Flux, "HelmRelease " + join(l["helm.toolkit.fluxcd.io/namespace"], n)
	}
	if wrote(m, "argocd-controller", "argocd-application-controller") {
		if n := l["app.kubernetes.io/instance"]; n != "" {
			return ArgoCD, "Application " + n
		}
		return ArgoCD, ""
	}
	if wrote(m, "kustomize-controller", "helm-controller") {
		return Flux, ""
	}
	if n := a["meta.helm.sh/release-name"]; n != "" {
		return Helm, "release " + join(a["meta.helm.sh/release-namespace"], n)
	}
	if l["app.kubernetes.io/managed-by"] == "Helm" {
		return Helm, strings.TrimSpace("release " + l["app.kubernetes.io/instance"])
	}
	if n := l["olm.owner"]; n != "" {
		kind := l["olm.owner.kind"]
		if kind == "" {
			kind = "ClusterServiceVersion"
		}
		return OLM, kind + " " + join(l["olm.owner.namespace"], n)
	}
	return "", ""
}

// Managed is the manager of a whole chain, the topmost mark first. A custom
// resource on top is an operator's.
func Managed(objects []*Object) (manager, by string) {
	for i := len(objects) - 1; i >= 0; i-- {
		if objects[i].Manager != "" {
			return objects[i].Manager, objects[i].ManagedBy
		}
	}
	if n := len(objects); n > 0 && !builtIn(objects[n-1].Ref.APIVersion) {
		return Operator, objects[n-1].Ref.Kind + " " + objects[n-1].Ref.Name
	}
	return "", ""
}

func builtIn(apiVersion string) bool {
	group, _, ok := strings.Cut(apiVersion, "/")
	return !ok || group == "apps" || group == "batch"
}

func wrote(m metav1.Object, names ...string) bool {
	for _, f := range m.GetManagedFields() {
		for _, n := range names {
			if f.Manager == n {
				return true
			}
		}
	}
	return false
}

func join(namespace, name string) string {
	if namespace == "" {
		return name
	}
	return namespace + "/" + name
}
