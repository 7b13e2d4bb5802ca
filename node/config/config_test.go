package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/host"
)

// node lays out a node's files and the command lines of its processes.
func node(t *testing.T, files map[string]string, processes ...[]string) *host.Host {
	t.Helper()
	h := &host.Host{Root: t.TempDir(), Proc: t.TempDir()}
	var err error
	for path, text := range files {
		at := filepath.Join(h.Root, path)
		err = errors.Join(err, os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, []byte(text), 0o644))
	}
	for i, args := range processes {
		dir := filepath.Join(h.Proc, fmt.Sprint(i+7))
		err = errors.Join(err, os.Mkdir(dir, 0o755), os.WriteFile(filepath.Join(dir, "cmdline"), []byte(strings.Join(args, "\x00")+"\x00"), 0o644))
	}
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// problems are written as `effect file:line: text`.
func problems(ps []evidence.ConfigProblem) []string {
	var out []string
	for _, p := range ps {
		out = append(out, fmt.Sprintf("%s %s:%d: %s", p.Effect, p.File, p.Line, p.Text))
	}
	return out
}

// settings are what a config.toml comes to.
type settings struct {
	File, Root, State, Socket, Snapshotter, TempDir string
	Version                                         int
	ConfigPath                                      []string
	Discard                                         bool
	Problems                                        []string
}

func settingsOf(r *Runtime) settings {
	return settings{r.File, r.Root, r.State, r.Socket, r.Snapshotter, r.TempDir, r.Version, r.ConfigPath, r.DiscardUnpacked, problems(r.Problems)}
}

// The expectations of these were read off `containerd config dump` of 2.4.2, and off the sources of the other releases.
func TestContainerd(t *testing.T) {
	t.Parallel()
	const main = "/etc/containerd/config.toml"
	usual := settings{File: main, Root: "/var/lib/containerd", State: "/run/containerd", Socket: "/run/containerd/containerd.sock", Snapshotter: "overlayfs"}
	for _, tt := range []struct {
		name, release string
		files         map[string]string
		args          []string
		want          func(*settings)
	}{
		{name: "no file", release: "2.4.2", want: func(s *settings) { s.File, s.ConfigPath = "", []string{builtIn} }},
		{name: "version 3", release: "v2.4.2", files: map[string]string{main: "version = 3\nroot = \"/data\"\ntemp = \"/data/tmp\"\n[grpc]\naddress = \"/run/c.sock\"\n" +
			"[plugins.\"io.containerd.cri.v1.images\"]\nsnapshotter = \"zfs\"\ndiscard_unpacked_layers = true\n[plugins.\"io.containerd.cri.v1.images\".registry]\nconfig_path = \"/a:/b\"\n"},
			want: func(s *settings) {
				s.Version, s.Root, s.TempDir, s.Socket, s.Snapshotter, s.Discard, s.ConfigPath = 3, "/data", "/data/tmp", "/run/c.sock", "zfs", true, []string{"/a", "/b"}
			}},
		{name: "a list that the transfer service takes for one folder", release: "2.4.2", files: map[string]string{main: "version = 3\n[plugins.'io.containerd.cri.v1.images'.registry]\nconfig_path = \"/a:/b\"\n"},
			want: func(s *settings) {
				s.Version, s.ConfigPath = 3, []string{"/a:/b"}
				s.Problems = []string{"unused " + main + ":3: config_path lists several folders, which containerd's transfer service takes for the name of one: no hosts.toml is read"}
			}},
		{name: "a list in a release whose CRI plugin pulls", release: "2.0.5", files: map[string]string{main: "version = 3\n[plugins.'io.containerd.cri.v1.images'.registry]\nconfig_path = \"/a:/b\"\n"},
			want: func(s *settings) { s.Version, s.ConfigPath = 3, []string{"/a", "/b"} }},
		{name: "version 2", release: "2.4.2", files: map[string]string{main: "version = 2\n[plugins.'io.containerd.grpc.v1.cri'.registry]\nconfig_path = '/certs'\n[plugins.'io.containerd.grpc.v1.cri'.containerd]\nsnapshotter = 'native'\n[plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.runc]\n"},
			want: func(s *settings) { s.Version, s.ConfigPath, s.Snapshotter = 2, []string{"/certs"}, "native" }},
		{name: "version 2 without runtimes", release: "2.4.2", files: map[string]string{main: "version = 2\n[plugins.'io.containerd.grpc.v1.cri'.registry]\nconfig_path = '/certs'\n[plugins.'io.containerd.grpc.v1.cri'.containerd]\nsnapshotter = 'native'\n"},
			want: func(s *settings) {
				s.Version, s.ConfigPath = 2, []string{"/certs"}
				s.Problems = []string{"unused " + main + ":4: snapshotter and discard_unpacked_layers are not taken over from a file of version 2 that names no runtimes"}
			}},
		{name: "version 2 in a release that has no other", release: "1.7.27", files: map[string]string{main: "version = 2\n[plugins.'io.containerd.grpc.v1.cri'.registry]\nconfig_path = '/certs'\n[plugins.'io.containerd.grpc.v1.cri'.containerd]\nsnapshotter = 'native'\n"},
			want: func(s *settings) { s.Version, s.ConfigPath, s.Snapshotter = 2, []string{"/certs"}, "native" }},
		{name: "the old table in a version 3 file is taken over", release: "2.4.2", files: map[string]string{main: "version = 3\n[plugins.'io.containerd.grpc.v1.cri'.registry]\nconfig_path = '/certs'\n"},
			want: func(s *settings) { s.Version, s.ConfigPath = 3, []string{"/certs"} }},
		{name: "and before 2.3 is not", release: "2.2.1", files: map[string]string{main: "version = 3\n[plugins.'io.containerd.grpc.v1.cri'.registry]\nconfig_path = '/certs'\n"},
			want: func(s *settings) {
				s.Version, s.ConfigPath = 3, []string{builtIn}
				s.Problems = []string{"unused " + main + `:2: plugins."io.containerd.grpc.v1.cri".registry is not read in a file of version 3; its place is plugins."io.containerd.cri.v1.images".registry`}
			}},
		{name: "nobody told the release: nothing is called a fault", files: map[string]string{main: "version = 9\n[plugins.'io.containerd.grpc.v1.cri'.registry]\nconfig_path = '/a:/b'\n"},
			want: func(s *settings) { s.Version, s.ConfigPath = 9, []string{builtIn} }},
		{name: "a version too new", release: "2.2.1", files: map[string]string{main: "# a\nversion = 4\n"},
			want: func(s *settings) {
				s.Version, s.ConfigPath = 4, []string{builtIn}
				s.Problems = []string{"stops " + main + ":2: expected containerd config version equal to or less than `3`, got `4`"}
			}},
		{name: "a syntax error", release: "2.4.2", files: map[string]string{main: "version = 3\nroot = /data\n"}, want: func(s *settings) {
			s.ConfigPath = []string{builtIn}
			s.Problems = []string{"stops " + main + ":2: failed to unmarshal TOML: unexpected character U+002F '/' at start of value"}
		}},
		{name: "a value of another type", release: "2.4.2", files: map[string]string{main: "version = 3\nroot = 3\n"}, want: func(s *settings) {
			s.ConfigPath = []string{builtIn}
			s.Problems = []string{"stops " + main + ":2: failed to unmarshal TOML: cannot decode TOML integer"}
		}},
		{name: "Docker's packaged file", release: "1.7.27", files: map[string]string{main: "disabled_plugins = [\"cri\"]\n"}, want: func(s *settings) {
			s.Problems = []string{"stops " + main + ":1: disabled_plugins has cri: the kubelet finds no image service"}
		}},
		{name: "a short name in version 2", release: "2.4.2", files: map[string]string{main: "version = 2\ndisabled_plugins = [\"cri\"]\n"}, want: func(s *settings) {
			s.Version, s.ConfigPath = 2, []string{builtIn}
			s.Problems = []string{"stops " + main + `:2: invalid disabled plugin URI "cri" expect io.containerd.x.vx`}
		}},
		{name: "mirrors and config_path", release: "2.4.2", files: map[string]string{main: "version = 3\n[plugins.'io.containerd.cri.v1.images'.registry]\nconfig_path = '/certs'\n[plugins.'io.containerd.cri.v1.images'.registry.mirrors.'a.lab']\nendpoint = []\n"},
			want: func(s *settings) {
				s.Version, s.ConfigPath = 3, []string{"/certs"}
				s.Problems = []string{"stops " + main + ":4: invalid cri image config: `mirrors` cannot be set when `config_path` is provided",
					"warns " + main + ":4: `mirrors` is deprecated, please use `config_path` instead"}
			}},
		{name: "imports, in their order, around in a circle", release: "2.4.2", files: map[string]string{
			main:                            "version = 3\nimports = ['conf.d/*.toml', '/etc/other.toml']\n[plugins.'io.containerd.cri.v1.images']\ndiscard_unpacked_layers = true\n[plugins.'io.containerd.cri.v1.images'.registry]\nconfig_path = '/main'\n",
			"/etc/containerd/conf.d/2.toml": "version = 2\n[plugins.'io.containerd.grpc.v1.cri'.registry]\nconfig_path = '/two'\n",
			"/etc/containerd/conf.d/1.toml": "version = 3\n[plugins.'io.containerd.cri.v1.images']\ndiscard_unpacked_layers = false\n[plugins.'io.containerd.cri.v1.images'.registry]\nconfig_path = '/one'\n",
			"/etc/other.toml":               "version = 3\nroot = '/other'\nimports = ['/etc/containerd/config.toml', '*.toml']\n",
		}, want: func(s *settings) { s.Version, s.Root, s.ConfigPath = 3, "/other", []string{"/two"} }},
		{name: "an import that is not there", release: "2.4.2", files: map[string]string{main: "version = 3\nimports = ['/etc/none.toml']\n"}, want: func(s *settings) {
			s.Version, s.ConfigPath = 3, []string{builtIn}
			s.Problems = []string{"stops " + main + ":2: it imports a file that cannot be read: open /etc/none.toml: no such file or directory"}
		}},
		{name: "flags win", release: "2.4.2", files: map[string]string{"/opt/c.toml": "version = 3\nroot = '/file'\n"}, args: []string{"/usr/bin/containerd", "-c", "/opt/c.toml", "--root=/flag", "--state", "/st", "-a", "/run/x.sock"},
			want: func(s *settings) {
				s.File, s.Version, s.Root, s.State, s.Socket, s.ConfigPath = "/opt/c.toml", 3, "/flag", "/st", "/run/x.sock", []string{builtIn}
			}},
		{name: "version 4", release: "2.4.2", files: map[string]string{main: "version = 4\n[grpc]\naddress = '/old.sock'\n[plugins.'io.containerd.server.v1.grpc']\naddress = '/new.sock'\n"},
			want: func(s *settings) { s.Version, s.Socket, s.ConfigPath = 4, "/new.sock", []string{builtIn} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			args := tt.args
			if args == nil {
				args = []string{"/usr/bin/containerd"}
			}
			r, gaps := Read(node(t, tt.files, args))
			r.Running(tt.release)
			want := usual
			tt.want(&want)
			if diff := cmp.Diff(want, settingsOf(r)); diff != "" || len(gaps) > 0 {
				t.Errorf("(-want +got):\n%s%v", diff, gaps)
			}
		})
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	const k3s = "/var/lib/rancher/k3s/agent/etc/containerd/config.toml"
	for _, tt := range []struct {
		name               string
		files              map[string]string
		processes          [][]string
		kind, file, socket string
		gaps               int
	}{
		{"the kubelet's flag", nil, [][]string{{"kubelet", "--container-runtime-endpoint=unix:///var/run/crio/crio.sock"}, {"crio"}}, CRIO, "", "/var/run/crio/crio.sock", 0},
		{"the kubelet's file", map[string]string{"/k.yaml": "containerRuntimeEndpoint: unix:///run/cri-dockerd.sock\n", "/etc/docker/daemon.json": "{}"},
			[][]string{{"kubelet", "--config", "/k.yaml"}, {"containerd"}, {"dockerd"}}, Docker, dockerFile, "/run/cri-dockerd.sock", 0},
		{"k3s", map[string]string{k3s: "version = 3\n"}, [][]string{{"k3s server"}, {"containerd", "-c", k3s, "-a", "/run/k3s/containerd/containerd.sock"}}, Containerd, k3s, "/run/k3s/containerd/containerd.sock", 0},
		{"k3s whose containerd is down", map[string]string{k3s: "version = 3\n"}, [][]string{{"k3s server"}}, Containerd, k3s, "/run/k3s/containerd/containerd.sock", 1},
		{"by its files alone", map[string]string{"/etc/crio/crio.conf": ""}, nil, CRIO, "", crioSocket, 1},
		{"nothing", nil, nil, Containerd, "", "/run/containerd/containerd.sock", 1},
		{"a kubelet's file that is none", map[string]string{"/k.yaml": "\t"}, [][]string{{"kubelet", "--config=/k.yaml"}, {"containerd"}}, Containerd, "", "/run/containerd/containerd.sock", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, gaps := Read(node(t, tt.files, tt.processes...))
			if r.Kind != tt.kind || r.File != tt.file || r.Socket != tt.socket || len(gaps) != tt.gaps {
				t.Errorf("%s, %q, %s, %v", r.Kind, r.File, r.Socket, gaps)
			}
		})
	}
}
