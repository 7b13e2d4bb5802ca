package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/refloat-dev/refloat/node/host"
)

// FuzzRead reads any config.toml, which may import itself and what is beside it, and any hosts.toml.
func FuzzRead(f *testing.F) {
	f.Add("version = 3\nimports = ['*.toml', '/etc/*/*', 'config.toml']\nroot='/x'\n[plugins.'io.containerd.cri.v1.images'.registry]\nconfig_path = '/etc/containerd/certs.d:/b'\n", "server = 'https://a.lab'\nca = ['/etc', 'x']\n")
	f.Add("[plugins.cri.registry.mirrors.'*']\nendpoint=['//', ':', 'http://[']\n[plugins.cri.registry.headers]\nX=['a']\n", "[host.'http://a.lab']\nclient = [['a', 'b']]\n")
	f.Add("version = 2\ndisabled_plugins = ['cri', '']\n[plugins.'io.containerd.grpc.v1.cri'.containerd]\nsnapshotter=''\n", "[host.\"a\\u0000b\"]\nheader = {x = [1]}\n")
	h := &host.Host{Root: f.TempDir(), Proc: f.TempDir()}
	for _, dir := range []string{h.Root + certs + "/reg.lab", h.Proc + "/7"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			f.Fatal(err)
		}
	}
	if err := os.WriteFile(h.Proc+"/7/cmdline", []byte("containerd\x00"), 0o644); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, config, hosts string) {
		for path, text := range map[string]string{containerdFile: config, at("reg.lab"): hosts} {
			if err := os.WriteFile(filepath.Join(h.Root, path), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		r, _ := Read(h)
		for _, release := range []string{"", "1.7.27", "2.0.5", "2.2.1", "2.4.2", "3.0.0"} {
			r.Running(release)
			for _, registry := range []string{"reg.lab", "docker.io", "localhost:5000", "a/b", ""} {
				if c := r.For(registry); len(c.Problems) > 30 {
					t.Errorf("%d problems", len(c.Problems))
				}
			}
		}
	})
}
