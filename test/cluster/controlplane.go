package cluster

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/refloat-dev/refloat/test/cluster/internal/daemon"
	"github.com/refloat-dev/refloat/test/cluster/internal/proc"
)

// program starts one of the lab's host processes and records it.
func (l *Lab) program(name, path string, args ...string) error {
	_, err := l.start(name, exec.Command(path, args...))
	return err
}

func (l *Lab) start(name string, cmd *exec.Cmd) (proc.Record, error) {
	log, err := os.OpenFile(l.path("log", name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return proc.Record{}, err
	}
	defer func() { _ = log.Close() }()
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, "/"
	cmd.Env = append(os.Environ(), proc.Marker+"="+l.state.ID)
	return proc.Start(l.path("pids"), name, cmd)
}

func (l *Lab) bin(name string) string { return filepath.Join(l.state.Bin, name) }

// startDaemon starts DNS and registries.
func (l *Lab) startDaemon() error {
	if err := writeJSON(l.path(daemon.File), l.state.daemonConfig()); err != nil {
		return err
	}
	return l.program("daemon", l.state.Program, "serve", l.dir)
}

// startControlPlane starts etcd and the three control plane programs at once: each waits for what it needs.
func (l *Lab) startControlPlane() error {
	api := l.state.plan().api().String()
	etcd := "http://" + api + ":2379"
	peer := "http://" + api + ":2380"
	type program struct {
		name string
		args []string
	}
	programs := []program{
		{"etcd", append(flags("name", "lab", "data-dir", l.path("etcd"), "listen-client-urls", etcd, "advertise-client-urls", etcd,
			"listen-peer-urls", peer, "initial-advertise-peer-urls", peer, "initial-cluster", "lab="+peer,
			"quota-backend-bytes", "4294967296", "log-level", "warn"), "--unsafe-no-fsync")},
		{"kube-apiserver", l.apiserverFlags(etcd)},
		{"kube-controller-manager", flags("kubeconfig", l.path("controller-manager.kubeconfig"), "bind-address", api,
			"leader-elect", "false", "use-service-account-credentials", "true", "root-ca-file", l.path("pki", "ca.crt"),
			"service-account-private-key-file", l.path("pki", "sa.key"),
			"cluster-signing-cert-file", l.path("pki", "ca.crt"), "cluster-signing-key-file", l.path("pki", "ca.key"),
			"controllers", l.controllers())},
	}
	if !l.state.bare() {
		programs = append(programs, program{"kube-scheduler",
			flags("kubeconfig", l.path("scheduler.kubeconfig"), "bind-address", api, "leader-elect", "false")})
	}
	for _, p := range programs {
		if err := l.program(p.name, l.bin(p.name), p.args...); err != nil {
			return err
		}
	}
	return nil
}

// controllers is what the controller manager runs.
func (l *Lab) controllers() string {
	if l.state.bare() {
		return "namespace-controller,serviceaccount-controller,serviceaccount-token-controller"
	}
	return "*"
}

func (l *Lab) apiserverFlags(etcd string) []string {
	p := l.state.plan()
	issuer := "https://kubernetes.default.svc.cluster.local"
	return flags(
		"etcd-servers", etcd, "bind-address", p.api().String(), "advertise-address", p.api().String(), "secure-port", "6443",
		"service-cluster-ip-range", p.services().String(), "allow-privileged", "true",
		"tls-cert-file", l.path("pki", "apiserver.crt"), "tls-private-key-file", l.path("pki", "apiserver.key"),
		"client-ca-file", l.path("pki", "ca.crt"),
		"authorization-mode", "Node,RBAC", "enable-admission-plugins", "NodeRestriction",
		"service-account-issuer", issuer, "service-account-key-file", l.path("pki", "sa.pub"),
		"service-account-signing-key-file", l.path("pki", "sa.key"),
		// With these the API server may ask kubelets for logs, stats and configz.
		"kubelet-client-certificate", l.path("pki", "kubelet-client.crt"), "kubelet-client-key", l.path("pki", "kubelet-client.key"),
		"kubelet-certificate-authority", l.path("pki", "ca.crt"), "kubelet-preferred-address-types", "InternalIP",
	)
}

// waitAPI waits for the API server and for the default service account, without which no pod can be made.
func (l *Lab) waitAPI(ctx context.Context) error {
	return l.wait(ctx, "the API server", func(ctx context.Context) error {
		_, err := l.client.CoreV1().ServiceAccounts("default").Get(ctx, "default", getOptions)
		return err
	})
}
