package plan

import "testing"

func TestAim(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, line, want string }{
		{"one", "kubectl -n shop get pods", "kubectl --context 'my east' -n shop get pods"},
		{"pipe", "kubectl create x --dry-run=client -o yaml | kubectl apply -f -",
			"kubectl --context 'my east' create x --dry-run=client -o yaml | kubectl --context 'my east' apply -f -"},
		{"plugin", "kubectl refloat why -n shop", "kubectl refloat --context 'my east' why -n shop"},
		{"substitution", "echo $(kubectl get ns)", "echo $(kubectl --context 'my east' get ns)"},
		{"sentence", "ask for one namespace: kubectl refloat why", "ask for one namespace: kubectl refloat --context 'my east' why"},
		{"on a node", "sudo k3s kubectl get pods", "sudo k3s kubectl get pods"},
		{"quoted", "grep 'kubectl x' f", "grep 'kubectl x' f"},
		{"other", "on the node: journalctl -u kubelet", "on the node: journalctl -u kubelet"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Aim(tt.line, "my east", ""); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if got := Aim(tt.line, "", ""); got != tt.line {
				t.Errorf("without a context: %s", got)
			}
		})
	}
	if got, want := Aim("kubectl get ns", "east", "/tmp/k c"), "kubectl --kubeconfig '/tmp/k c' --context east get ns"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
