package plan

// Relocations is the one table of them. The page of name.repository-not-found is made from it, by
// `go test ./plan -run TestRelocationsPage -update`.
var Relocations = []Relocation{
	{
		From: []string{"docker.io/minio/minio", "docker.io/minio/mc"}, To: []string{"quay.io/minio/*"}, When: "2026-09-09",
		Source: "https://github.com/makeplane/plane/pull/9829", Note: "frozen in the new place, source only since 2025-10",
	},
	{
		From: []string{"docker.io/minio/console"}, When: "2026-09-09",
		Source: "https://github.com/makeplane/plane/pull/9829", Note: "left Docker Hub with minio's other images",
	},
	{
		From: []string{"docker.io/bitnami/*"}, To: []string{"docker.io/bitnamilegacy/*"}, Same: true, When: "2025-09-29",
		Source: "https://github.com/bitnami/containers/issues/83267", Note: "the same tags without updates, and none for Debian 8 to 10, CentOS 7 and OL 7",
	},
	{
		From: []string{"docker.io/bitnami/*"}, To: []string{"docker.io/bitnamisecure/*"}, When: "2025-08-28",
		Source: "https://github.com/bitnami/charts/issues/36229", Note: "the tag latest only",
	},
	{
		From: []string{"gcr.io/istio-release/*", "registry.istio.io/release/*"}, To: []string{"docker.io/istio/*"}, When: "2026-12",
		Source: "https://istio.io/latest/blog/2026/retirement-of-gcp/", Note: "the old place closes then; test outages of hours since 2026-09-15",
	},
	{
		From: []string{"gcr.io/tekton-releases/*"}, To: []string{"ghcr.io/tektoncd/*"}, Same: true, When: "2025-07",
		Source: "https://github.com/tektoncd/pipeline/issues/8870", Note: "the same paths and digests",
	},
	{
		From: []string{"gcr.io/kubebuilder/kube-rbac-proxy"}, To: []string{"quay.io/brancz/kube-rbac-proxy"}, When: "2025-03-18",
		Source: "https://github.com/kserve/kserve/issues/3734",
	},
	{
		From: []string{"gcr.io/kubebuilder/kube-rbac-proxy"}, To: []string{"registry.k8s.io/kubebuilder/kube-rbac-proxy"}, When: "2026",
		Source: "https://github.com/amygdala-labs/cosmos-operator/pull/519", Unverified: true,
	},
	{
		From: []string{"gcr.io/paketo-buildpacks/*"}, To: []string{"docker.io/paketobuildpacks/*"}, When: "2025-07",
		Source: "https://blog.paketo.io/posts/paketo-gcr-registry-sunset/",
	},
	{
		From: []string{"gcr.io/kaniko-project/executor"}, When: "2025-06-03",
		Source: "https://github.com/woodpecker-ci/plugin-kaniko/issues/70", Note: "archived, no new tags; forks go on under other names",
	},
	{
		From: []string{"k8s.gcr.io/*", "us.gcr.io/k8s-artifacts-prod/*", "eu.gcr.io/k8s-artifacts-prod/*", "asia.gcr.io/k8s-artifacts-prod/*"}, To: []string{"registry.k8s.io/*"}, Same: true, When: "2023-04-03",
		Source: "https://kubernetes.io/blog/2023/03/10/image-registry-redirect/", Note: "the old name is frozen, and redirected since 2023-03-20",
	},
	{
		From: []string{"gcr.io/google-containers/*", "gcr.io/google_containers/*"}, To: []string{"registry.k8s.io/*"}, When: "2023-04-03",
		Source: "https://kubernetes.io/blog/2023/03/10/image-registry-redirect/",
	},
	{
		From: []string{"gcr.io/*", "us.gcr.io/*", "eu.gcr.io/*", "asia.gcr.io/*"}, When: "2025-03-18",
		Source: "https://cloud.google.com/artifact-registry/docs/transition/setup-gcr-repo", Note: "projects not moved to Artifact Registry are gone; its names gcr.io and LOCATION-docker.pkg.dev serve the others",
	},
	{
		From: []string{"quay.io/kubernetes-ingress-controller/nginx-ingress-controller"}, To: []string{"registry.k8s.io/ingress-nginx/controller"}, When: "2020",
		Source: "https://kubernetes.io/blog/2025/11/11/ingress-nginx-retirement/", Note: "retired 2026-03, its images stay",
	},
	{
		From: []string{"quay.io/coreos/prometheus-operator", "quay.io/coreos/prometheus-config-reloader"}, To: []string{"quay.io/prometheus-operator/*"}, When: "2020-11",
		Source: "https://github.com/prometheus-operator/prometheus-operator/issues/3672", Note: "only there since v0.43",
	},
	{
		From: []string{"quay.io/weaveworks/*"}, To: []string{"docker.io/weaveworks/*"}, When: "2019",
		Source: "https://github.com/fluxcd/flux/issues/1948", Note: "flux has gone on to ghcr.io/fluxcd since",
	},
	{
		From: []string{"docker.io/openshift/origin-*"}, To: []string{"quay.io/openshift/origin-*"}, When: "2023-10",
		Source: "https://github.com/openshift/origin/issues/28339",
	},
	{From: []string{"quay.io/k8scsi/*"}, To: []string{"registry.k8s.io/sig-storage/*"}, When: "2021", Unverified: true},
	{From: []string{"quay.io/coreos/kube-state-metrics"}, To: []string{"registry.k8s.io/kube-state-metrics/kube-state-metrics"}, When: "2021", Unverified: true},
	{From: []string{"quay.io/coreos/flannel"}, To: []string{"ghcr.io/flannel-io/flannel", "docker.io/flannel/flannel"}, When: "2023", Unverified: true},
	{From: []string{"quay.io/external_storage/nfs-client-provisioner"}, To: []string{"registry.k8s.io/sig-storage/nfs-subdir-external-provisioner"}, When: "2021", Unverified: true},
	{From: []string{"gcr.io/kubernetes-helm/tiller"}, To: []string{"ghcr.io/helm/tiller"}, When: "2021", Unverified: true},
	{From: []string{"docker.io/library/openjdk"}, To: []string{"docker.io/library/eclipse-temurin", "docker.io/library/amazoncorretto"}, When: "2022", Note: "old tags stay, other builds of the JDK", Unverified: true},
	{From: []string{"docker.io/library/centos"}, To: []string{"quay.io/centos/centos"}, When: "2021-12-31", Note: "end of life; tags stay, the new place has the streams", Unverified: true},
	{From: []string{"docker.io/microsoft/*"}, When: "2020", Note: "mcr.microsoft.com has them under paths of its own", Unverified: true},
	{From: []string{"docker.pkg.github.com/*"}, When: "2025", Note: "ghcr.io/OWNER/NAME, without the repository in between", Unverified: true},
}
