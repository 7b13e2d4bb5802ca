package plan_test

import (
	"strings"
	"testing"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/plan"
)

// TestNothingForeign keeps a home's plans free of what that home does not have or regenerates.
func TestNothingForeign(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		home   evidence.Home
		absent []string
	}{
		{evidence.HomeTalos, []string{"sudo", "systemctl", "journalctl", "/etc/containerd", "crictl"}},
		{evidence.HomeBottlerocket, []string{"/etc/containerd", "tee "}},
		{evidence.HomeK3s, []string{"/etc/containerd", "restart containerd", "sudo crictl"}},
		{evidence.HomeRKE2, []string{"/etc/containerd", "restart containerd", "sudo crictl"}},
		{evidence.HomeOpenShift, []string{"/etc/containerd", "tee /etc/containers"}},
		{evidence.HomeGKE, []string{"tee /etc/containerd"}},
		{evidence.HomeAKS, []string{"tee /etc/containerd"}},
	} {
		runtime := "containerd"
		if tt.home == evidence.HomeOpenShift {
			runtime = "cri-o"
		}
		for _, cause := range codes {
			for _, part := range []evidence.ContainerKind{evidence.App, evidence.Sandbox} {
				w := world{cause: cause, part: part, node: evidence.NodeState{Home: tt.home, Runtime: runtime}}
				got := commands(plan.For(w.finding()))
				for _, s := range tt.absent {
					if strings.Contains(got, s) {
						t.Errorf("%s, %s, %s: a command with %q in\n%s", tt.home, cause, part, s, got)
					}
				}
			}
		}
	}
}
