package plan_test

import (
	"strings"
	"testing"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/plan"
)

// TestCommandsFit looks for what makes a plan fit its case, and for what must not be in it.
func TestCommandsFit(t *testing.T) {
	t.Parallel()
	regcred := func(change func(*evidence.Secret)) []*evidence.Secret {
		s := &evidence.Secret{Namespace: "shop", Name: "regcred", Exists: evidence.Yes, Type: "kubernetes.io/dockerconfigjson", Registries: []string{"https://registry.example.com/v1/"}}
		if change != nil {
			change(s)
		}
		return []*evidence.Secret{s}
	}
	named := evidence.Pod{PullSecrets: []string{"regcred"}, ServiceAccount: "web"}
	home := func(h evidence.Home, runtime string) evidence.NodeState {
		return evidence.NodeState{Home: h, Runtime: runtime, OS: "linux", Arch: "arm64"}
	}
	for _, tt := range []struct {
		name   string
		in     world
		want   []string // in commands
		says   []string // in prose
		absent []string // in commands
	}{
		{"no credentials, Deployment", world{cause: diagnose.NoCredentials}, []string{"kubectl -n shop create secret generic refloat-pull", "patch deployment/web -p '{\"spec\":{\"template\":{\"spec\":{\"imagePullSecrets\""}, nil, []string{"delete"}},
		{"no credentials, three workloads, one secret", world{cause: diagnose.NoCredentials, owners: 3}, []string{"patch deployment/webxx"}, nil, []string{"create secret generic refloat-pull x"}},
		{"no credentials, StatefulSet", world{cause: diagnose.NoCredentials, kind: "StatefulSet"}, []string{"patch statefulset/web", "delete pod/web-1"}, []string{"OrderedReady"}, nil},
		{"no credentials, Job", world{cause: diagnose.NoCredentials, kind: "Job"}, []string{"patch serviceaccount/default", "delete pod/web-1"}, nil, []string{"patch job"}},
		{"no credentials, CronJob", world{cause: diagnose.NoCredentials, kind: "CronJob", chain: []evidence.Ref{{Kind: "Job", Name: "web-28"}}}, []string{`"jobTemplate"`, "delete job/web-28"}, nil, nil},
		{"no credentials, bare pod", world{cause: diagnose.NoCredentials, kind: "Pod"}, []string{"replace --force -f ./pod.yaml"}, []string{"imagePullSecrets: [{name: refloat-pull}]"}, []string{"delete pod", "patch serviceaccount"}},
		{"no credentials, static pod", world{cause: diagnose.NoCredentials, kind: "Pod", pod: evidence.Pod{Mirror: true}}, []string{"/var/lib/kubelet/config.json"}, []string{"node"}, []string{"create secret"}},
		{"no credentials, Helm", world{cause: diagnose.NoCredentials, manager: "helm", by: "release web"}, []string{"helm -n shop upgrade web"}, []string{"at its source"}, []string{"patch deployment"}},
		{"no credentials, pause image on k3s", world{cause: diagnose.NoCredentials, part: evidence.Sandbox, node: home(evidence.HomeK3s, "containerd")}, []string{"pause-image"}, nil, []string{"create secret"}},
		{"secret came after the pod", world{cause: diagnose.NoCredentials, account: &evidence.ServiceAccount{Namespace: "shop", Name: "web", PullSecrets: []string{"regcred"}}}, []string{"delete pod/web-1"}, []string{"never later"}, []string{"create secret"}},
		{"secret for another registry came after the pod", world{cause: diagnose.NoCredentials, account: &evidence.ServiceAccount{PullSecrets: []string{"regcred"}},
			secrets: regcred(func(s *evidence.Secret) { s.Registries = []string{"quay.io"} })}, []string{"create secret generic refloat-pull"}, nil, nil},
		{"expired, its own secret", world{cause: diagnose.ExpiredCredentials, secrets: regcred(nil), pod: named}, []string{"get secret/regcred -o jsonpath", "--server-side"}, nil, []string{"refloat-pull", "delete secret"}},
		{"expired, unreadable secret", world{cause: diagnose.ExpiredCredentials, secrets: regcred(func(s *evidence.Secret) { s.Exists, s.Type = "", "" }), pod: named}, []string{"get secret/regcred"}, nil, []string{"refloat-pull"}},
		{"expired, External Secrets", world{cause: diagnose.ExpiredCredentials, secrets: regcred(func(s *evidence.Secret) { s.Owner = "ExternalSecret shop/reg" }), pod: named}, []string{"annotate externalsecret/reg force-sync"}, []string{"writes over it"}, []string{"apply"}},
		{"expired, ECR", world{cause: diagnose.ExpiredCredentials, image: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/a:1", kind: "Pod"}, []string{"aws ecr get-login-password --region eu-west-1 | podman login"}, []string{"12 hours"}, nil},
		{"missing secret keeps its name", world{cause: diagnose.SecretMissing, secrets: regcred(func(s *evidence.Secret) { s.Exists = evidence.No }), pod: named}, []string{"create secret generic regcred"}, nil, []string{"patch"}},
		{"wrong type", world{cause: diagnose.SecretMalformed, secrets: regcred(func(s *evidence.Secret) { s.Type, s.Problem = "Opaque", "of type Opaque" }), pod: named}, []string{"delete secret/regcred", "podman login --authfile ./pull-secret.json registry.example.com"}, nil, nil},
		{"no entry for this registry", world{cause: diagnose.SecretMalformed, secrets: regcred(func(s *evidence.Secret) { s.Registries = []string{"quay.io"} }), pod: named}, []string{"get secret/regcred"}, []string{"Add an entry for registry.example.com"}, []string{"delete secret"}},
		{"tag, Deployment with history", world{cause: diagnose.TagNotFound, prev: "registry.example.com/shop/web:v1"}, []string{"rollout undo deployment/web", `set image deployment/web app="$IMAGE"`, "skopeo list-tags"}, []string{"no tag is guessed"}, nil},
		{"tag, image volume", world{cause: diagnose.TagNotFound, part: evidence.VolumeImage}, []string{`"volumes":[{"name":"assets"`}, nil, []string{"set image"}},
		{"tag, ephemeral container", world{cause: diagnose.TagNotFound, kind: "Pod", part: evidence.Ephemeral}, []string{"debug -it pod/web-1"}, nil, []string{"set image"}},
		{"tag, Argo CD", world{cause: diagnose.TagNotFound, manager: "argocd", by: "Application shop"}, []string{"argocd app sync shop"}, nil, []string{"set image", "rollout undo"}},
		{"tag, Flux", world{cause: diagnose.TagNotFound, manager: "flux", by: "HelmRelease flux-system/shop"}, []string{"flux reconcile helmrelease shop"}, nil, []string{"set image"}},
		{"tag, custom resource", world{cause: diagnose.TagNotFound, kind: "Widget"}, []string{"edit widget/web"}, nil, []string{"set image"}},
		{"relocated", world{cause: diagnose.DeniedOrMissing, image: "minio/minio:latest"}, nil, []string{"quay.io/minio"}, nil},
		{"digest is kept", world{cause: diagnose.DigestNotFound, image: "registry.example.com/a:v1@sha256:0a"}, []string{"docker://registry.example.com/a@sha256:0a"}, nil, nil},
		{"bare pod, gone cause", world{cause: diagnose.DNS, kind: "Pod", image: "nginx:1.29"}, []string{"set image pod/web-1 app=docker.io/library/nginx:1.29"}, nil, []string{"delete pod"}},
		{"resolver is named", world{cause: diagnose.DNS, reading: diagnose.Reading{Host: "registry.example.com", Detail: "lookup registry.example.com on 10.0.0.10:53: no such host"}}, []string{"nslookup registry.example.com 10.0.0.10"}, nil, nil},
		{"CA, containerd", world{cause: diagnose.TLSUntrusted, node: home("", "containerd")}, []string{"/etc/containerd/certs.d/registry.example.com/hosts.toml"}, []string{"no restart"}, []string{"systemctl restart"}},
		{"CA, CRI-O", world{cause: diagnose.TLSUntrusted, node: home("", "cri-o")}, []string{"/etc/containers/certs.d/registry.example.com/ca.crt"}, nil, []string{"containerd"}},
		{"CA, k3s", world{cause: diagnose.TLSUntrusted, node: home(evidence.HomeK3s, "containerd")}, []string{"/etc/rancher/k3s/registries.yaml", "systemctl restart k3s"}, nil, []string{"/etc/containerd"}},
		{"CA, RKE2", world{cause: diagnose.TLSUntrusted, node: home(evidence.HomeRKE2, "containerd")}, []string{"/etc/rancher/rke2/registries.yaml", "rke2-agent"}, nil, []string{"/etc/containerd"}},
		{"CA, Bottlerocket", world{cause: diagnose.TLSUntrusted, node: home(evidence.HomeBottlerocket, "containerd")}, []string{"apiclient set pki."}, nil, []string{"/etc/containerd"}},
		{"CA, Talos", world{cause: diagnose.TLSUntrusted, node: home(evidence.HomeTalos, "containerd")}, []string{"TrustedRootsConfig", "talosctl --nodes node-2 patch machineconfig"}, nil, []string{"/etc/containerd"}},
		{"CA, GKE", world{cause: diagnose.TLSUntrusted, node: home(evidence.HomeGKE, "containerd")}, []string{"gcloud container node-pools update"}, nil, []string{"/etc/containerd"}},
		{"CA, AKS", world{cause: diagnose.TLSUntrusted, node: home(evidence.HomeAKS, "containerd")}, []string{"--custom-ca-trust-certificates"}, nil, []string{"/etc/containerd"}},
		{"CA, EKS", world{cause: diagnose.TLSUntrusted, node: home(evidence.HomeEKS, "containerd")}, []string{"/etc/containerd/certs.d"}, []string{"launch template"}, nil},
		{"CA, OpenShift, host with a port", world{cause: diagnose.TLSUntrusted, image: "registry.example.com:5000/a:1", node: home(evidence.HomeOpenShift, "cri-o")}, []string{"--from-file=registry.example.com..5000=./ca.crt"}, nil, []string{"/etc/containers/certs.d"}},
		{"disk, k3s", world{cause: diagnose.DiskFull, node: home(evidence.HomeK3s, "containerd")}, []string{"k3s crictl rmi --prune", "/var/lib/rancher/k3s"}, nil, nil},
		{"disk, docker", world{cause: diagnose.DiskFull, node: home("", "docker")}, []string{"docker image prune"}, nil, []string{"crictl"}},
		{"rate limit hurries nothing", world{cause: diagnose.RateLimited, image: "nginx:1.29", kind: "ReplicaSet", manager: "operator"}, []string{"ratelimitpreview"}, []string{"Do not delete pods"}, []string{"delete pod"}},
		{"damaged layer", world{cause: diagnose.CacheCorrupt, node: home("", "containerd"), reading: diagnose.Reading{Detail: "layer sha256:" + strings.Repeat("a", 64)}}, []string{"content rm sha256:" + strings.Repeat("a", 64), "leases delete --sync"}, nil, []string{"systemctl restart"}},
		{"locked out, and back", world{cause: diagnose.LockedOut}, []string{"--replicas=0", `--replicas="$REPLICAS"`}, []string{"one more failed login"}, nil},
		{"a token server's host", world{cause: diagnose.Timeout, reading: diagnose.Reading{Host: "auth.example.com"}}, []string{"https://auth.example.com/"}, []string{"a status, whichever"}, []string{"auth.example.com/v2/"}},
		{"Talos without a shell", world{cause: diagnose.HTTPMismatch, node: home(evidence.HomeTalos, "containerd")}, []string{"talosctl --nodes node-2 patch"}, []string{"hostNetwork"}, []string{"sudo"}},
		{"kubelet limit, Bottlerocket", world{cause: diagnose.PullThrottled, node: home(evidence.HomeBottlerocket, "containerd")}, []string{"registry-qps"}, nil, []string{"/var/lib/kubelet"}},
		{"served by now", world{cause: diagnose.TagNotFound, served: true}, []string{"delete pod/web-1", "skopeo inspect", `app="$IMAGE"`}, []string{"serves it by now"}, nil},
		{"nine workloads", world{cause: diagnose.NoCredentials, owners: 9}, nil, []string{"6 more workloads"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := plan.For(tt.in.finding())
			fits(t, p, tt.want, tt.says, tt.absent)
			got := commands(p)
			if strings.Count(got, "create secret generic refloat-pull") > 1 {
				t.Errorf("makes one secret twice:\n%s", got)
			}
		})
	}
}

// TestServedNow: where the cause may be gone, the next try comes first, and once; what the cause asks for comes after it.
func TestServedNow(t *testing.T) {
	t.Parallel()
	for _, cause := range codes {
		for _, kind := range []string{"Deployment", "Pod"} {
			p := plan.For(world{cause: cause, kind: kind, served: true, image: "nginx:1.29"}.finding())
			holds(t, p)
			if got := strings.Count(prose(p), "Wait, or hurry"); got != 1 || !strings.HasPrefix(p.Steps[0].Title, "Wait, or hurry") || !strings.Contains(p.Steps[0].Note, "so this may be all") {
				t.Errorf("%s of a %s: %d times, first %q: %s", cause, kind, got, p.Steps[0].Title, p.Steps[0].Note)
			}
		}
	}
	p := plan.For(world{cause: diagnose.DeniedOrMissing, served: true}.finding())
	if strings.Contains(prose(p), "go on with 2") {
		t.Errorf("names a step by a number that is another's:\n%s", prose(p))
	}
}
