package plan

import "strings"

// relocation is a public repository that is known to have moved or gone.
type relocation struct{ prefix, to string }

// The sources stand in docs/causes/name.repository-not-found.md.
var relocations = []relocation{
	{"docker.io/minio/", "minio's images left Docker Hub in September 2026; quay.io/minio/… has the last ones, frozen."},
	{"docker.io/bitnami/", "bitnami's versioned tags left docker.io/bitnami in September 2025; docker.io/bitnamilegacy/… has them, without updates."},
	{"gcr.io/istio-release/", "istio leaves gcr.io (December 2026, test outages before); its images are at docker.io/istio/…"},
	{"gcr.io/tekton-releases/", "tekton's images moved to ghcr.io/tektoncd/… with the same paths and digests."},
	{"gcr.io/kubebuilder/kube-rbac-proxy", "kube-rbac-proxy moved to quay.io/brancz/kube-rbac-proxy."},
	{"gcr.io/paketo-buildpacks/", "paketo's images moved to docker.io/paketobuildpacks/…"},
	{"k8s.gcr.io/", "k8s.gcr.io is frozen since April 2023; registry.k8s.io has the same paths."},
	{"gcr.io/google-containers/", "these moved to registry.k8s.io."},
	{"gcr.io/google_containers/", "these moved to registry.k8s.io."},
	{"quay.io/coreos/prometheus-operator", "it moved to quay.io/prometheus-operator/prometheus-operator."},
	{"quay.io/coreos/prometheus-config-reloader", "it moved to quay.io/prometheus-operator/prometheus-config-reloader."},
	{"docker.io/openshift/origin-", "OpenShift's origin images moved to quay.io/openshift/…"},
}

// relocated says where a repository went; the new place is a lead to check, not an answer.
func relocated(r reference) string {
	name := r.host + "/" + r.repo
	for _, x := range relocations {
		if strings.HasPrefix(name, x.prefix) {
			return x.to
		}
	}
	return ""
}
