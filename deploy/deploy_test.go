package deploy

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/refloat-dev/refloat/node"
)

func TestPrivileges(t *testing.T) {
	t.Parallel()
	all, err := Privileges()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range all {
		names = append(names, p.Name)
		for _, c := range p.Checks {
			if !slices.Contains(node.Checks(), node.Check(c)) {
				t.Errorf("%s: there is no check %q", p.Name, c)
			}
		}
		ds, err := DaemonSet()
		if err != nil {
			t.Fatal(err)
		}
		spec := ds.Spec.Template.Spec
		p.Drop(&spec)
		if left := privileges(&spec); len(left) != len(all)-1 || slices.ContainsFunc(left, func(l Privilege) bool { return l.Name == p.Name }) {
			t.Errorf("%s is not dropped", p.Name)
		}
	}
	// Whoever adds one adds it here too.
	want := []string{"hostNetwork", "hostPID", "SYS_PTRACE", "SYS_CHROOT", "etc", "runtime", "store"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
}

// TestDocumented holds the table of docs/design/agent.md to the manifest.
func TestDocumented(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../docs/design/agent.md")
	if err != nil {
		t.Fatal(err)
	}
	all, err := Privileges()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if row := "| " + p.Name + " | " + strings.Join(p.Checks, ", ") + " | "; !strings.Contains(string(doc), "\n"+row) {
			t.Errorf("docs/design/agent.md has no row %q", row)
		}
	}
}

// TestHardened holds the agent to what it promises about its pod.
func TestHardened(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"agent", "k3s", "rke2", "crio"} {
		t.Run(dir, func(t *testing.T) {
			t.Parallel()
			spec := built(t, dir)
			c := spec.Containers[0]
			sc := c.SecurityContext
			if !*sc.ReadOnlyRootFilesystem || *sc.AllowPrivilegeEscalation || sc.Privileged != nil {
				t.Errorf("the container's security context: %+v", sc)
			}
			if diff := cmp.Diff([]corev1.Capability{"ALL"}, sc.Capabilities.Drop); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.Resources.Requests, c.Resources.Limits); diff != "" {
				t.Errorf("not Guaranteed: %s", diff)
			}
			if len(c.Ports) > 0 || len(spec.Containers) != 1 || len(spec.InitContainers) > 0 {
				t.Error("one container, without ports")
			}
			seen := map[string]string{} // where in the pod, by volume
			for _, m := range c.VolumeMounts {
				if !m.ReadOnly || *m.RecursiveReadOnly != corev1.RecursiveReadOnlyIfPossible {
					t.Errorf("%s can be written to", m.MountPath)
				}
				seen[m.Name] = m.MountPath
			}
			paths := map[string]string{}
			for _, v := range spec.Volumes {
				paths[v.Name] = "/host" + v.HostPath.Path
				for _, own := range []string{"/var/lib/kubelet", "/root", "/home", "/var/lib/rancher/k3s/agent", "/var/lib/rancher/rke2/agent"} {
					if rel, err := filepath.Rel(v.HostPath.Path, own); err == nil && !strings.HasPrefix(rel, "..") {
						t.Errorf("%s shows %s", v.HostPath.Path, own)
					}
				}
			}
			if diff := cmp.Diff(paths, seen); diff != "" {
				t.Errorf("what is mounted is not where the node has it: %s", diff)
			}
			if names := slices.Sorted(maps.Keys(paths)); len(names) < 3 {
				t.Errorf("volumes: %v", names)
			}
		})
	}
}

// built is the pod of a kustomization of this folder.
func built(t *testing.T, dir string) corev1.PodSpec {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range resources.Resources() {
		if r.GetKind() != "DaemonSet" {
			continue
		}
		data, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		ds := &appsv1.DaemonSet{}
		if err := yaml.UnmarshalStrict(data, ds); err != nil {
			t.Fatal(err)
		}
		return ds.Spec.Template.Spec
	}
	t.Fatal("there is no DaemonSet")
	return corev1.PodSpec{}
}
