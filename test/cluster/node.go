package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/refloat-dev/refloat/test/cluster/internal/daemon"
	"github.com/refloat-dev/refloat/test/cluster/internal/nodeinit"
	"github.com/refloat-dev/refloat/test/cluster/internal/pki"
)

// Paths on a node that cases change.
const (
	CertsDir      = "/etc/containerd/certs.d"
	VerifierDir   = "/etc/containerd/image-verifier"
	CABundle      = "/etc/ssl/certs/ca-certificates.crt"
	ResolvConf    = "/etc/resolv.conf"
	ProviderFile  = "/etc/kubernetes/credential-provider.json"
	providerDir   = "/etc/kubernetes/credential-providers"
	kubeletConf   = "/etc/kubernetes/kubelet.yaml"
	kubeletClient = "/etc/kubernetes/kubelet.kubeconfig"
	adminConf     = "/etc/kubernetes/admin.conf"
)

func (l *Lab) nodeDir(n Node) string { return l.path("nodes", n.Name) }

// startNode starts the node's first process and, inside, containerd and then the kubelet.
func (l *Lab) startNode(ctx context.Context, i int, cfg Config) error {
	n := l.state.Nodes[i-1]
	dir := l.nodeDir(n)
	if err := l.prepareNode(ctx, n, cfg); err != nil {
		return fmt.Errorf("preparing %s: %w", n.Name, err)
	}
	cmd := exec.Command(l.state.Program, "node-init", dir)
	isolate(cmd)
	rec, err := l.start(n.Name, cmd)
	if err != nil {
		return err
	}
	if err := l.cable(ctx, i, rec.PID); err != nil {
		log, _ := l.Log(n.Name) // where the node's first process has ended, its own words say why
		return fmt.Errorf("%s: %w: %s", n.Name, err, bytes.TrimSpace(log))
	}
	node := nodeinit.Client{Socket: filepath.Join(dir, nodeinit.Socket)}
	err = l.wait(ctx, n.Name+"'s init", func(ctx context.Context) error {
		if !rec.Alive() {
			log, _ := l.Log(n.Name)
			return fmt.Errorf("%w: %s", errGaveUp, bytes.TrimSpace(log))
		}
		_, err := node.Services(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if err := node.Do(ctx, "containerd", "start"); err != nil {
		return err
	}
	if err := l.preload(ctx, n); err != nil {
		return err
	}
	return node.Do(ctx, "kubelet", "start")
}

// preload waits for containerd by importing the pause image, so that pods start even where every registry is broken.
func (l *Lab) preload(ctx context.Context, n Node) error {
	return l.wait(ctx, n.Name+"'s containerd", func(ctx context.Context) error {
		out, err := l.Exec(ctx, n.Name, "ctr", "-n", "k8s.io", "images", "import", nodeinit.Bin+"/pause.tar")
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
}

func (l *Lab) prepareNode(ctx context.Context, n Node, cfg Config) error {
	dir := l.nodeDir(n)
	if err := os.MkdirAll(filepath.Join(dir, "log"), 0o755); err != nil {
		return err
	}
	if err := l.writeRootfs(n); err != nil {
		return err
	}
	image := []string{"-m0"}
	if cfg.Inodes > 0 {
		image = append(image, "-N", strconv.Itoa(cfg.Inodes))
	}
	return errors.Join(
		makeDisk(ctx, filepath.Join(dir, nodeinit.ImageFS), cfg.ImageMiB, image...),
		makeDisk(ctx, filepath.Join(dir, nodeinit.NodeFS), 512, "-m0"),
		writeJSON(filepath.Join(dir, nodeinit.File), l.initConfig(n)),
	)
}

func makeDisk(ctx context.Context, path string, mib int, options ...string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Truncate(int64(mib)<<20), f.Close()); err != nil {
		return err
	}
	args := append([]string{"-q", "-F", "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard"}, options...)
	if out, err := exec.CommandContext(ctx, "mkfs.ext4", append(args, path)...).CombinedOutput(); err != nil {
		return fmt.Errorf("making %s: %w: %s", filepath.Base(path), err, out)
	}
	return nil
}

func (l *Lab) initConfig(n Node) nodeinit.Config {
	kubelet := flags("config", kubeletConf, "kubeconfig", kubeletClient, "hostname-override", n.Name, "node-ip", n.IP)
	if n == l.Spare() { // one node with a provider and others without, as clusters that grew have them
		kubelet = append(kubelet, flags("image-credential-provider-config", "/etc/kubernetes/credential-provider.yaml", "image-credential-provider-bin-dir", providerDir)...)
	}
	return nodeinit.Config{
		Hostname: n.Name, Bin: l.state.Bin, Cgroup: l.state.cgroup() + "/" + n.Name,
		Env: []string{"PATH=" + nodePath(), "HOME=/root", "TMPDIR=/tmp"},
		Services: []nodeinit.Service{
			{Name: "containerd", Args: []string{nodeinit.Bin + "/containerd", "--config", "/etc/containerd/config.toml"}},
			{Name: "kubelet", Args: append([]string{nodeinit.Bin + "/kubelet"}, kubelet...)},
		},
	}
}

func nodePath() string {
	return nodeinit.Bin + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}

// writeRootfs lays out the files that the node copies over its own /etc and /var/lib.
func (l *Lab) writeRootfs(n Node) error {
	serving, err := l.ca.Issue(pki.Request{CommonName: n.Name, Names: []string{n.Name}, IPs: []net.IP{net.ParseIP(n.IP)}})
	if err != nil {
		return err
	}
	root := filepath.Join(l.nodeDir(n), nodeinit.Rootfs)
	for _, id := range []identity{
		{filepath.Join(root, kubeletClient), "system:node:" + n.Name, "system:nodes"},
		{filepath.Join(root, adminConf), "admin", "system:masters"},
	} {
		if err := l.writeKubeconfig(id); err != nil {
			return err
		}
	}
	pkiDir := filepath.Join(root, "/var/lib/kubelet/pki")
	if err := serving.Write(pkiDir, "kubelet"); err != nil {
		return err
	}
	provider, err := os.ReadFile(l.bin("lab-credential-provider"))
	if err != nil {
		return err
	}
	for _, f := range []struct {
		path, text string
		mode       fs.FileMode
	}{
		{"/var/lib/kubelet/pki/ca.crt", string(l.ca.CertPEM()), 0o644},
		{"/etc/containerd/config.toml", containerdConfig(nodeinit.Bin, daemon.Pause, len(l.state.Nodes) > 2 && n == l.Spare()), 0o644},
		{"/etc/cni/net.d/10-lab.conflist", cniConfig(n.Pods), 0o644},
		{kubeletConf, kubeletConfig(l.state, n), 0o644},
		{"/etc/kubernetes/credential-provider.yaml", providerConfig, 0o644},
		{providerDir + "/lab-credential-provider", string(provider), 0o755},
		{ProviderFile, providerAnswer + "\n", 0o600},
		{ResolvConf, resolvConf(l.state.plan().dns().String()), 0o644},
		{"/etc/hosts", hostsFile(n.Name, n.IP), 0o644},
		{"/etc/hostname", n.Name + "\n", 0o644},
		{CABundle, string(l.registryCA.CertPEM()), 0o644},
	} {
		if err := writeFile(filepath.Join(root, f.path), []byte(f.text), f.mode); err != nil {
			return err
		}
	}
	for _, d := range []string{CertsDir, VerifierDir, "/etc/kubernetes/manifests", "/var/lib/cni"} {
		if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(path string, data []byte, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, data, mode); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}
