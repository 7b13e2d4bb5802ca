package cluster

import (
	"encoding/json"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"
)

func labState(nodes int) state {
	return newState(Config{Name: "x", Nodes: nodes}, plan{3})
}

func TestKubeletConfig(t *testing.T) {
	t.Parallel()
	s := labState(3)
	var got map[string]any
	if err := yaml.UnmarshalStrict([]byte(kubeletConfig(s, s.Nodes[1])), &got); err != nil {
		t.Fatal(err)
	}
	if got["address"] != "10.231.3.12" {
		t.Errorf("address = %v", got["address"])
	}
	// The failures under test come from these; the lab must leave them at the kubelet's defaults, on all nodes but the spare.
	for _, key := range []string{"imageGCHighThresholdPercent", "evictionHard", "crashLoopBackOff", "imagePullCredentialsVerificationPolicy"} {
		if v, ok := got[key]; ok {
			t.Errorf("%s = %v; want the default", key, v)
		}
	}
}

func TestCNIConfig(t *testing.T) {
	t.Parallel()
	var got any
	if err := json.Unmarshal([]byte(cniConfig("10.232.49.0/24")), &got); err != nil {
		t.Error(err)
	}
}

func TestContainerdConfig(t *testing.T) {
	t.Parallel()
	got := containerdConfig("/run/lab/bin", "open.lab/pause:3.10", false)
	for _, want := range []string{`bin_dirs = ["/run/lab/bin"]`, `BinaryName = "/run/lab/bin/runc"`, `sandbox = "open.lab/pause:3.10"`,
		`config_path = "` + CertsDir + `"`, "restrict_oom_score_adj = true"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

func TestKubeconfig(t *testing.T) {
	t.Parallel()
	cfg, err := clientcmd.RESTConfigFromKubeConfig([]byte(kubeconfig("https://10.231.0.1:6443", "lab-x", "Y2E=", "Y2VydA==", "a2V5")))
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Host != "https://10.231.0.1:6443" || string(cfg.CertData) != "cert" {
		t.Errorf("host %s, certificate %s", cfg.Host, cfg.CertData)
	}
}

func TestConfigDefaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		in   Config
		ok   bool
	}{
		{name: "zero", ok: true},
		{name: "longest name", in: Config{Name: "a234567890123456789z"}, ok: true},
		{name: "name too long", in: Config{Name: "a2345678901234567890z"}},
		{name: "name with a slash", in: Config{Name: "../x"}},
		{name: "capital", in: Config{Name: "Lab"}},
		{name: "too many nodes", in: Config{Nodes: maxNodes + 1}},
		{name: "negative", in: Config{Nodes: -1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := tt.in.withDefaults(); (err == nil) != tt.ok {
				t.Errorf("withDefaults: %v", err)
			}
		})
	}
}

// TestInterfaceNames holds the names to the kernel's limit of 15 characters.
func TestInterfaceNames(t *testing.T) {
	t.Parallel()
	s := newState(Config{Name: "a234567890123456789z", Nodes: maxNodes}, plan{maxLabs - 1})
	if name := s.veth(maxNodes); len(name) > 15 {
		t.Errorf("%s has %d characters", name, len(name))
	}
}
