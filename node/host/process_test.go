package host

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestWhoseRuntime(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		procs map[string][]string
		want  int // the runtime's
		kube  string
	}{
		{
			name: "Talos has one of its own",
			procs: map[string][]string{
				"700": {"/bin/containerd", "--address", "/system/run/containerd/containerd.sock", "--state", "/system/run/containerd", "--root", "/system/var/lib/containerd"},
				"900": {"/bin/containerd", "--address", "/run/containerd/containerd.sock", "--config", "/etc/cri/containerd.toml"},
				"950": {"/usr/local/bin/kubelet", "--config=/etc/kubernetes/kubelet.yaml"},
			},
			want: 900, kube: "kubelet",
		},
		{
			name: "Bottlerocket has one for host containers",
			procs: map[string][]string{
				"400": {"/usr/bin/containerd", "--config", "/etc/host-containerd/config.toml"},
				"500": {"/usr/bin/containerd"},
				"600": {"/usr/bin/kubelet", "--cloud-provider", "external"},
			},
			want: 500, kube: "kubelet",
		},
		{
			name: "dockerd has one below it",
			procs: map[string][]string{
				"30": {"containerd", "--config", "/var/run/docker/containerd/containerd.toml"},
				"20": {"/usr/bin/dockerd"},
				"40": {"/usr/bin/cri-dockerd", "--container-runtime-endpoint", "fd://"},
			},
			want: 40,
		},
		{
			name: "microk8s",
			procs: map[string][]string{
				"70": {"/snap/microk8s/6089/bin/containerd", "--config", "/var/snap/microk8s/6089/args/containerd.toml", "--address", "/var/snap/microk8s/common/run/containerd.sock"},
				"80": {"/snap/microk8s/6089/kubelite", "--scheduler-args-file=/var/snap/microk8s/6089/args/kube-scheduler"},
			},
			want: 70, kube: "kubelite",
		},
		{
			name: "RKE2 runs a kubelet below it",
			procs: map[string][]string{
				"50": {"/usr/local/bin/rke2 agent"},
				"60": {"containerd", "-c", "/var/lib/rancher/rke2/agent/etc/containerd/config.toml"},
				"65": {"kubelet", "--containerd=/run/k3s/containerd/containerd.sock"},
			},
			want: 60, kube: "kubelet",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := fakeProc(t, tt.procs)
			if p, err := h.Runtime(); err != nil || p.PID != tt.want {
				t.Errorf("runtime %+v, %v, want %d", p, err, tt.want)
			}
			if k, err := h.Kubelet(); tt.kube != "" && (err != nil || k.Name != tt.kube) {
				t.Errorf("kubelet %+v, %v", k, err)
			}
		})
	}
}

func TestStateAndOutput(t *testing.T) {
	t.Parallel()
	h := fakeProc(t, map[string][]string{"12": {"containerd"}, "13": {"crio"}})
	log := filepath.Join(t.TempDir(), "containerd.log")
	fd := filepath.Join(h.Proc, "12", "fd")
	err := errors.Join(os.WriteFile(log, []byte("line\n"), 0o600), os.Mkdir(fd, 0o700), os.Symlink(log, filepath.Join(fd, "2")),
		os.Mkdir(filepath.Join(h.Proc, "13", "fd"), 0o700), os.Symlink("socket:[88]", filepath.Join(h.Proc, "13", "fd", "2")),
		os.WriteFile(filepath.Join(h.Proc, "12", "stat"), []byte("12 (a) b) T 1 12 12 0 -1 4194560 1 0 0 0 7 1 0 0 20 0 9 0 2358085 1 2\n"), 0o600),
		os.WriteFile(filepath.Join(h.Proc, "stat"), []byte("cpu  1 2\nbtime 1795359203\nprocesses 7\n"), 0o600),
		os.WriteFile(filepath.Join(h.Proc, "12", "cgroup"), []byte("3:cpu:/\n1:name=systemd:/system.slice/containerd.service\n"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	p, err := h.Process("containerd")
	if err != nil {
		t.Fatal(err)
	}
	if p.State() != 'T' {
		t.Errorf("state %q", p.State())
	}
	if want := time.Unix(1795359203, 0).Add(23580850 * time.Millisecond); !p.Started.Equal(want) {
		t.Errorf("started %s, want %s", p.Started, want)
	}
	if p.Unit() != "containerd.service" {
		t.Errorf("unit %q", p.Unit())
	}
	if name, at, ok := p.Output(); !ok || name != log || at != filepath.Join(fd, "2") {
		t.Errorf("output %q %q %v", name, at, ok)
	}
	p, err = h.Process("crio")
	if err != nil {
		t.Fatal(err)
	}
	if p.State() != 0 || !p.Started.IsZero() || p.Unit() != "" {
		t.Errorf("a process of which nothing is told: %q %s %q", p.State(), p.Started, p.Unit())
	}
	if name, _, ok := p.Output(); ok {
		t.Errorf("the journal's socket was taken for a file: %q", name)
	}
}

func TestProcessFiles(t *testing.T) {
	t.Parallel()
	h := fakeProc(t, map[string][]string{"12": {"/usr/bin/kubelet", "--config=/var/lib/kubelet/config.yaml"}})
	dir := filepath.Join(h.Proc, "12", "root", "var/lib/kubelet")
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "config.yaml"), []byte("kind: x\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	p, err := h.Kubelet()
	if err != nil {
		t.Fatal(err)
	}
	data, err := p.Files().ReadFile(p.Flag("config"))
	if err != nil || string(data) != "kind: x\n" {
		t.Errorf("%q, %v", data, err)
	}
	if !p.Files().Sees("/var/lib/kubelet/config.yaml") {
		t.Error("a process sees all of its own root")
	}
}

func TestStarted(t *testing.T) {
	t.Parallel()
	p := (&Host{}).process(os.Getpid())
	if p == nil || time.Since(p.Started) < -2*time.Second || time.Since(p.Started) > 10*time.Minute {
		t.Errorf("this test started at %v", p)
	}
	if p := fakeProc(t, map[string][]string{"7": {"/usr/bin/kubelet"}}).process(7); !p.Started.IsZero() {
		t.Errorf("without stat: %v", p.Started)
	}
}

func TestNetworked(t *testing.T) {
	t.Parallel()
	if on, err := fakeProc(t, nil).Networked(); on || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without the node's processes nothing is known: %v, %v", on, err)
	}
	h := fakeProc(t, map[string][]string{"1": {"/sbin/init"}, "self": {"refloat-agent"}, "2": {"another"}})
	for _, pid := range []string{"1", "self", "2"} {
		if err := os.Mkdir(filepath.Join(h.Proc, pid, "ns"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	link := func(from, pid string) {
		if err := os.WriteFile(filepath.Join(h.Proc, from, "ns", "net"), nil, 0o644); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
		if err := os.Link(filepath.Join(h.Proc, from, "ns", "net"), filepath.Join(h.Proc, pid, "ns", "net")); err != nil {
			t.Fatal(err)
		}
	}
	link("1", "self")
	if on, err := h.Networked(); !on || err != nil {
		t.Errorf("the node's own: %v, %v", on, err)
	}
	if err := os.Remove(filepath.Join(h.Proc, "self", "ns", "net")); err != nil {
		t.Fatal(err)
	}
	link("2", "self")
	if on, err := h.Networked(); on || err != nil {
		t.Errorf("a pod's own: %v, %v", on, err)
	}
}
