package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tree is a node's root with a link that leads out of it and one that is the node's own.
func tree(t *testing.T) *Host {
	t.Helper()
	outside := filepath.Join(t.TempDir(), "secret")
	root := t.TempDir()
	for path, text := range map[string]string{"etc/resolved/resolv.conf": "nameserver 10.0.0.1\n", "etc/big": strings.Repeat("x", MaxFile+1)} {
		at := filepath.Join(root, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	err := errors.Join(
		os.WriteFile(outside, []byte("secret"), 0o600),
		os.Symlink("/etc/resolved/resolv.conf", filepath.Join(root, "etc/resolv.conf")),
		os.Symlink("../../../../../../.."+outside, filepath.Join(root, "etc/out")),
	)
	if err != nil {
		t.Fatal(err)
	}
	return &Host{Root: root}
}

func TestReadFile(t *testing.T) {
	t.Parallel()
	h := tree(t)
	got, err := h.ReadFile("/etc/resolv.conf") // an absolute link is the node's
	if err != nil || string(got) != "nameserver 10.0.0.1\n" {
		t.Errorf("resolv.conf: %q, %v", got, err)
	}
	if data, err := h.ReadFile("/etc/out"); err == nil {
		t.Errorf("a link out of the root was followed: %q", data)
	}
	_, err = h.ReadFile("/etc/nothing")
	if !errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), h.Root) {
		t.Errorf("an error must name the node's path alone: %v", err)
	}
	if _, err := h.ReadFile("/etc/big"); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a file over the bound: %v", err)
	}
	if _, err := h.ReadFile("/etc"); err == nil {
		t.Error("a folder was read as a file")
	}
	if _, err := h.ReadFile("etc/resolv.conf"); err == nil {
		t.Error("a relative path was taken")
	}
}

// fakeProc lays out processes as /proc has them.
func fakeProc(t *testing.T, lines map[string][]string) *Host {
	t.Helper()
	proc := t.TempDir()
	for pid, args := range lines {
		dir := filepath.Join(proc, pid)
		err := errors.Join(os.Mkdir(dir, 0o755),
			os.WriteFile(filepath.Join(dir, "cmdline"), []byte(strings.Join(args, "\x00")+"\x00"), 0o644),
			os.WriteFile(filepath.Join(dir, "environ"), []byte("HTTPS_PROXY=http://proxy.lab:3128\x00EMPTY=\x00"), 0o600))
		if err != nil {
			t.Fatal(err)
		}
	}
	return &Host{Proc: proc}
}

func TestProcesses(t *testing.T) {
	t.Parallel()
	h := fakeProc(t, map[string][]string{
		"7":   {"/usr/bin/dockerd", "-H", "fd://"},
		"90":  {"/usr/bin/containerd", "--config", "/etc/containerd/two.toml"},
		"12":  {"/usr/bin/containerd", "-c=/etc/containerd/config.toml", "--log-level", "info", "--log-level=debug"},
		"15":  {"/usr/local/bin/k3s server"},
		"200": {"containerd-shim-runc-v2", "-namespace", "k8s.io"},
	})
	p, err := h.Runtime()
	if err != nil {
		t.Fatal(err)
	}
	if p.PID != 12 || p.Flag("c") != "/etc/containerd/config.toml" || p.Flag("log-level") != "debug" || p.Flag("config") != "" {
		t.Errorf("the oldest containerd is wanted: %+v", p)
	}
	env, err := p.Env()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"HTTPS_PROXY": "http://proxy.lab:3128", "EMPTY": ""}, env); diff != "" {
		t.Error(diff)
	}
	if k, err := h.Kubelet(); err != nil || k.Name != "k3s" {
		t.Errorf("kubelet: %+v, %v", k, err)
	}
	if _, err := fakeProc(t, nil).Runtime(); !errors.Is(err, ErrNoProcess) {
		t.Errorf("no runtime: %v", err)
	}
}
