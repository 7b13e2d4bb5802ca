package kube_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/kube"
	"github.com/refloat-dev/refloat/kube/manifest"
)

func platformNode(name, os, arch string, taints ...corev1.Taint) *corev1.Node {
	n := &corev1.Node{ObjectMeta: objectMeta("", name, name, nil)}
	n.Labels = map[string]string{"kubernetes.io/os": os, "kubernetes.io/arch": arch, "kubernetes.io/hostname": name}
	n.Spec.Taints = taints
	n.Status.NodeInfo = corev1.NodeSystemInfo{OperatingSystem: os, Architecture: arch, ContainerRuntimeVersion: "containerd://2.4.1", KubeletVersion: "v1.36.3"}
	if os == "windows" {
		n.Status.NodeInfo.KernelVersion = "10.0.20348.1607"
	}
	return n
}

// fleet is a cluster of four nodes, one of which only takes what tolerates its architecture.
func fleet() *server {
	s := &server{raw: map[string]string{"/version": `{"gitVersion":"v1.36.3"}`}}
	arm := corev1.Taint{Key: "kubernetes.io/arch", Value: "arm64", Effect: corev1.TaintEffectNoSchedule}
	down := corev1.Taint{Key: "node.kubernetes.io/not-ready", Effect: corev1.TaintEffectNoExecute}
	account := &corev1.ServiceAccount{ObjectMeta: objectMeta("shop", "default", "sa", nil)}
	account.ImagePullSecrets = []corev1.LocalObjectReference{{Name: "regcred"}}
	secret := &corev1.Secret{ObjectMeta: objectMeta("shop", "regcred", "s", nil), Type: corev1.SecretTypeDockerConfigJson}
	secret.Data = map[string][]byte{".dockerconfigjson": []byte(`{"auths":{"reg.lab":{"username":"bob","password":"x"}}}`)}
	s.add(platformNode("a", "linux", "amd64"), platformNode("b", "linux", "amd64", down), platformNode("c", "linux", "arm64", arm),
		platformNode("w", "windows", "amd64", corev1.Taint{Key: "os", Value: "windows", Effect: corev1.TaintEffectNoSchedule}), account, secret)
	for i, n := range []string{"a", "b", "c", "w"} {
		s.raw["/api/v1/nodes/"+n+"/proxy/stats/summary"] = fmt.Sprintf(`{"node":{"runtime":{"imageFs":{"availableBytes":%d000,"capacityBytes":9000}}}}`, i+1)
	}
	return s
}

func plannedPod(rest string) string {
	return "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers: [{name: c, image: 'reg.lab/a:1'}]\n" + rest
}

func manifests(t *testing.T, text string) *manifest.Set {
	t.Helper()
	s, err := manifest.Files(strings.NewReader(text), []string{"-"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func planned(t *testing.T, p *kube.Planned) *evidence.Collection {
	t.Helper()
	c, err := p.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// short shows a case in one line: what is asked for, with which secrets, and whose disks are known.
func short(c *evidence.Case) string {
	out := c.Pull.Namespace + " " + c.Pull.Image + " " + c.Pull.Platform
	for _, f := range c.Facts {
		switch {
		case f.Pod != nil:
			out += " [" + strings.Join(f.Pod.PullSecrets, "+") + "]"
		case f.NodeState != nil && f.NodeState.ImageFS != nil:
			out += fmt.Sprintf(" %s:%d", f.NodeState.Name, f.NodeState.ImageFS.Available)
		case f.NodeState != nil:
			out += " " + f.NodeState.Name
		case f.Secret != nil:
			out += fmt.Sprintf(" %s=%s", f.Secret.Name, f.Secret.Exists)
		}
	}
	for _, g := range c.Gaps {
		out += " gap: " + g.What
	}
	return out
}

func shorts(c *evidence.Collection) []string {
	var out []string
	for _, one := range c.Cases {
		out = append(out, short(one))
	}
	return out
}

func TestPlannedPlatforms(t *testing.T) {
	t.Parallel()
	const tolerant = "  tolerations: [{operator: Exists}]\n"
	tests := []struct {
		name, rest string
		asked      []string // --platform
		want       []string
	}{
		{"where no taint keeps it away", "", nil, []string{"linux/amd64"}},
		{"everywhere", tolerant, nil, []string{"linux/amd64", "linux/arm64", "windows/amd64:10.0.20348.1607"}},
		{"one operating system", tolerant + "  os: {name: linux}\n", nil, []string{"linux/amd64", "linux/arm64"}},
		{"a selected architecture", tolerant + "  nodeSelector: {kubernetes.io/arch: arm64}\n", nil, []string{"linux/arm64"}},
		{"required affinity", tolerant + `  affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [
    {matchExpressions: [{key: kubernetes.io/arch, operator: NotIn, values: [amd64]}]}, {matchFields: [{key: metadata.name, operator: In, values: [w]}]}]}}}
`, nil, []string{"linux/arm64", "windows/amd64:10.0.20348.1607"}},
		{"only tainted nodes are left", "  nodeSelector: {kubernetes.io/hostname: c}\n", nil, []string{"linux/arm64"}},
		{"no such node yet, of a named architecture", "  nodeSelector: {pool: new, kubernetes.io/arch: s390x}\n", nil, []string{"linux/s390x"}},
		{"no such node yet", "  nodeSelector: {pool: new}\n", nil, []string{"linux/amd64"}},
		{"no such node yet, Windows", "  nodeSelector: {pool: new, kubernetes.io/os: windows}\n", nil, []string{"windows/amd64"}},
		{"given", "", []string{"linux/arm64", "linux/arm/v7"}, []string{"linux/arm64", "linux/arm/v7"}},
		{"given, and narrowed by the pod", "  nodeSelector: {kubernetes.io/arch: arm64}\n", []string{"linux/amd64", "linux/arm64"}, []string{"linux/arm64"}},
		{"given, and not for this pod", "  nodeSelector: {kubernetes.io/os: windows}\n", []string{"linux/amd64"}, []string{"windows/amd64"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := &kube.Planned{API: &kube.API{Client: fleet().client(t)}, Manifests: manifests(t, plannedPod(tt.rest)), Platforms: tt.asked}
			var got []string
			for _, c := range planned(t, p).Cases {
				got = append(got, c.Pull.Platform)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestPlannedSecrets(t *testing.T) {
	t.Parallel()
	const regcred = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: %s}\ntype: kubernetes.io/dockerconfigjson\nstringData: {.dockerconfigjson: '{\"auths\":{\"own.lab\":{\"auth\":\"dTpw\"}}}'}\n"
	tests := []struct {
		name, text string
		refuse     []string
		want       []string
	}{
		{"the account's", plannedPod(""), nil, []string{"shop reg.lab/a:1 linux/amd64 [regcred] regcred=yes a:1000 b:2000"}},
		{"the template's own", plannedPod("  imagePullSecrets: [{name: gone}]\n"), nil, []string{"shop reg.lab/a:1 linux/amd64 [gone] gone=no a:1000 b:2000"}},
		{"an empty name of its own", plannedPod("  imagePullSecrets: [{name: ''}]\n"), nil, []string{"shop reg.lab/a:1 linux/amd64 [] a:1000 b:2000"}},
		{"an account of the manifests", plannedPod("  serviceAccountName: new\n") + "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: new}\nimagePullSecrets: [{name: fresh}]\n" + fmt.Sprintf(regcred, "fresh"),
			nil, []string{"shop reg.lab/a:1 linux/amd64 [fresh] fresh=yes a:1000 b:2000"}},
		{"a secret that something will write", plannedPod("  imagePullSecrets: [{name: later}]\n") + "---\napiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: later}\n",
			nil, []string{"shop reg.lab/a:1 linux/amd64 [later] later= a:1000 b:2000 gap: secret later in namespace shop"}},
		{"Forbidden", plannedPod("") + plannedPod("  imagePullSecrets: [{name: regcred}]\n"), []string{"/serviceaccounts/", "/secrets/", "/proxy/"}, []string{
			"shop reg.lab/a:1 linux/amd64 [] a gap: secret of service account default in namespace shop",
			"shop reg.lab/a:1 linux/amd64 [regcred] regcred= a gap: secret regcred in namespace shop",
		}},
		{"one that needs no account, and one whose account is Forbidden", plannedPod("  imagePullSecrets: [{name: ''}]\n") + plannedPod(""), []string{"/serviceaccounts/"}, []string{
			"shop reg.lab/a:1 linux/amd64 [] a:1000 b:2000",
			"shop reg.lab/a:1 linux/amd64 [] a:1000 b:2000 gap: secret of service account default in namespace shop",
		}},
		{"two pods that pull alike", plannedPod("") + plannedPod(""), nil, []string{"shop reg.lab/a:1 linux/amd64 [regcred] regcred=yes a:1000 b:2000"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := fleet()
			s.refuse = tt.refuse
			p := &kube.Planned{API: &kube.API{Client: s.client(t)}, Manifests: manifests(t, tt.text), Scope: evidence.Scope{Namespace: "shop"}}
			c := planned(t, p)
			if diff := cmp.Diff(tt.want, shorts(c)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			for _, part := range []string{"/secrets/", "/serviceaccounts/"} {
				if n := s.asked(part); n > 1 {
					t.Errorf("%d requests for %s", n, part)
				}
			}
		})
	}
}

// TestPlannedOwnSecret: the manifests' own secret is what the registry is asked with, not the one that it replaces.
func TestPlannedOwnSecret(t *testing.T) {
	t.Parallel()
	const text = "apiVersion: v1\nkind: Secret\nmetadata: {name: regcred}\ntype: kubernetes.io/dockerconfigjson\nstringData: {.dockerconfigjson: '{\"auths\":{\"own.lab\":{\"auth\":\"dTpw\"}}}'}\n"
	s := fleet()
	p := &kube.Planned{API: &kube.API{Client: s.client(t)}, Manifests: manifests(t, text+plannedPod("")), Scope: evidence.Scope{Namespace: "shop"}}
	c := planned(t, p)
	for range 2 {
		_, data, err := p.PullSecret(t.Context(), "shop", "regcred")
		if err != nil || !strings.Contains(string(data[".dockerconfigjson"]), "own.lab") {
			t.Errorf("data of %d keys, error %v", len(data), err)
		}
		clear(data[".dockerconfigjson"]) // what is given belongs to who asked
	}
	if n := s.asked("/secrets/"); n != 0 || len(c.Cases[0].Facts) == 0 {
		t.Errorf("%d requests for secrets", n)
	}
	var out strings.Builder
	if err := evidence.Save(&out, c); err != nil || strings.Contains(out.String(), "dTpw") {
		t.Errorf("the credential is in the collection, or %v", err)
	}
}

func TestPlannedPlaces(t *testing.T) {
	t.Parallel()
	p := &kube.Planned{API: &kube.API{Client: fleet().client(t)}, Manifests: manifests(t, plannedPod("")+plannedPod("")+
		"---\napiVersion: v1\nkind: Pod\nspec: {containers: [{image: 'x:1', imagePullPolicy: Never}, {image: '$(x)${y}'}]}\n"), Scope: evidence.Scope{Namespace: "shop"}}
	c := planned(t, p)
	if len(c.Cases) != 1 || len(c.Cases[0].Places) != 2 || c.Cases[0].Places[1].Line != 12 || c.Cases[0].Pull.Workload.Namespace != "shop" || c.Cluster.Version != "v1.36.3" {
		t.Fatalf("cases %v", shorts(c))
	}
	var gaps []string
	for _, g := range c.Gaps {
		gaps = append(gaps, fmt.Sprintf("%s %v", g.What, g.Deciding))
	}
	want := []string{`image "x:1" false`, `image "$(x)${y}" at standard input:16 true`}
	if diff := cmp.Diff(want, gaps); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestPlannedNodesForbidden: a CI account seldom may list nodes; naming the platforms is enough then.
func TestPlannedNodesForbidden(t *testing.T) {
	t.Parallel()
	for _, asked := range [][]string{nil, {"linux/arm64"}} {
		s := fleet()
		s.refuseEnds = []string{"/nodes"}
		p := &kube.Planned{API: &kube.API{Client: s.client(t)}, Manifests: manifests(t, plannedPod("")), Scope: evidence.Scope{Namespace: "shop"}, Platforms: asked}
		c := planned(t, p)
		if len(c.Cases) != 1 || len(c.Gaps) != 1 || c.Gaps[0].Deciding != (asked == nil) {
			t.Errorf("cases %v, gaps %+v", shorts(c), c.Gaps)
		}
		if n := s.asked("/proxy/"); n != 0 {
			t.Errorf("%d requests to nodes", n)
		}
	}
}

// TestPlannedRoomsForbidden: one refusal is enough to know that the disks may not be seen.
func TestPlannedRoomsForbidden(t *testing.T) {
	t.Parallel()
	s := fleet()
	s.refuse = []string{"/proxy/"}
	c := planned(t, &kube.Planned{API: &kube.API{Client: s.client(t)}, Manifests: manifests(t, plannedPod("")), Scope: evidence.Scope{Namespace: "shop"}})
	if n := s.asked("/proxy/"); n != 1 || len(c.Gaps) != 1 || c.Gaps[0].Deciding || c.Gaps[0].What != "the nodes' disks" {
		t.Errorf("%d requests, gaps %+v", n, c.Gaps)
	}
}

func TestPlannedWithoutCluster(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return noon }
	text := plannedPod("") + plannedPod("  imagePullSecrets: [{name: regcred}]\n  nodeSelector: {kubernetes.io/arch: arm64}\n")
	p := &kube.Planned{Manifests: manifests(t, text), Now: now}
	c := planned(t, p)
	want := []string{
		"default reg.lab/a:1 linux/amd64 [] gap: secret of service account default in namespace default",
		"default reg.lab/a:1 linux/arm64 [regcred] regcred= gap: secret regcred in namespace default",
	}
	if diff := cmp.Diff(want, shorts(c)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"default/of service account default"}, kube.Unread(c.Cases[0])); diff != "" {
		t.Errorf("unread (-want +got)\n%s", diff)
	}
	if _, _, err := p.PullSecret(t.Context(), "default", "regcred"); err == nil {
		t.Error("a secret came from nowhere")
	}
	p = &kube.Planned{Manifests: manifests(t, text), Now: now, ByHand: "file config.json"}
	want = []string{"default reg.lab/a:1 linux/amd64 []", "default reg.lab/a:1 linux/arm64 []"}
	if diff := cmp.Diff(want, shorts(planned(t, p))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
