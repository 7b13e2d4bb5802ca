package nodestate_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/kube/nodestate"
)

func TestHome(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name           string
		kubelet, image string
		label          string
		want           evidence.Home
	}{
		{"plain", "v1.36.3", "Debian GNU/Linux 13 (trixie)", "", ""},
		{"k3s", "v1.33.4+k3s1", "Ubuntu 24.04.3 LTS", "", evidence.HomeK3s},
		{"rke2", "v1.33.4+rke2r1", "SUSE Linux Micro 6.1", "", evidence.HomeRKE2},
		{"bottlerocket on EKS", "v1.33.1-eks-b9364f6", "Bottlerocket OS 1.44.0 (aws-k8s-1.33)", "eks.amazonaws.com/nodegroup", evidence.HomeBottlerocket},
		{"talos", "v1.34.0", "Talos (v1.11.1)", "", evidence.HomeTalos},
		{"gke by version", "v1.33.4-gke.1245000", "Container-Optimized OS from Google", "", evidence.HomeGKE},
		{"eks by version", "v1.33.3-eks-3abbec1", "Amazon Linux 2023.8.20250915", "", evidence.HomeEKS},
		{"aks by label", "v1.33.3", "Ubuntu 22.04.5 LTS", "kubernetes.azure.com/cluster", evidence.HomeAKS},
		{"openshift", "v1.33.4", "Red Hat Enterprise Linux CoreOS 9.6.20250916-0", "node.openshift.io/os_id", evidence.HomeOpenShift},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := &corev1.Node{}
			n.Status.NodeInfo.KubeletVersion, n.Status.NodeInfo.OSImage = tt.kubelet, tt.image
			if tt.label != "" {
				n.Labels = map[string]string{tt.label: "x"}
			}
			if got := nodestate.Read(n).Home; got != tt.want {
				t.Errorf("home %q, want %q", got, tt.want)
			}
		})
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	n := &corev1.Node{}
	n.Name = "node-1"
	n.Status.NodeInfo = corev1.NodeSystemInfo{ContainerRuntimeVersion: "containerd://2.4.2", Architecture: "arm64", OperatingSystem: "linux", KubeletVersion: "v1.36.3"}
	n.Status.Conditions = []corev1.NodeCondition{
		{Type: corev1.NodeReady, Status: corev1.ConditionFalse, Reason: "KubeletNotReady", Message: "runtime is down"},
		{Type: corev1.NodeDiskPressure, Status: corev1.ConditionTrue},
	}
	got := nodestate.Read(n)
	if err := nodestate.AddStats(&got, []byte(`{"node":{"fs":{"availableBytes":1,"capacityBytes":10},"runtime":{"imageFs":{"availableBytes":4,"capacityBytes":100,"inodesFree":7,"inodes":9}}}}`)); err != nil {
		t.Fatal(err)
	}
	if err := nodestate.AddConfig(&got, []byte(`{"kubeletconfig":{"serializeImagePulls":false,"registryPullQPS":5,"registryBurst":10,"imageGCHighThresholdPercent":85,"imageGCLowThresholdPercent":80}}`)); err != nil {
		t.Fatal(err)
	}
	want := evidence.NodeState{
		Name: "node-1", Runtime: "containerd", RuntimeVersion: "2.4.2", Kubelet: "v1.36.3", OS: "linux", Arch: "arm64",
		Ready: "False", ReadyReason: "KubeletNotReady: runtime is down", DiskPressure: "True",
		ImageFS: &evidence.Filesystem{Available: 4, Capacity: 100, InodesFree: 7, Inodes: 9},
		NodeFS:  &evidence.Filesystem{Available: 1, Capacity: 10},
		Config:  &evidence.KubeletConfig{PullQPS: 5, PullBurst: 10, ImageGCHighPercent: 85, ImageGCLowPercent: 80},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if s := nodestate.Sentence(&got); !strings.Contains(s, "not ready") || !strings.Contains(s, "4% free") {
		t.Errorf("sentence %q", s)
	}
	if err := nodestate.AddStats(&got, []byte("<html>")); err == nil {
		t.Error("took HTML for a summary")
	}
}
