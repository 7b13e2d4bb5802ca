package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	certs  = "/etc/containerd/certs.d"
	config = "version = 3\n[plugins.'io.containerd.cri.v1.images'.registry]\nconfig_path = '" + certs + "'\n"
)

// at is a hosts.toml's path.
func at(folder string) string { return certs + "/" + folder + "/hosts.toml" }

func TestFor(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, registry string
		files          map[string]string
		hosts          []string // URLs, the first letter of their role before them
		problems       []string
	}{
		{"nothing", "reg.lab", nil, []string{"r https://reg.lab/v2"}, nil},
		{"Docker Hub", "docker.io", map[string]string{at("docker.io"): "[host.'https://cache.lab']\n"}, []string{"m https://cache.lab/v2", "r https://registry-1.docker.io/v2"}, nil},
		{"another folder for Docker Hub", "docker.io", map[string]string{at("registry-1.docker.io"): "server = 'https://cache.lab'\n"}, []string{"r https://registry-1.docker.io/v2"},
			[]string{"unused " + certs + "/registry-1.docker.io:0: this folder is for images whose name begins with registry-1.docker.io/; those of docker.io are looked up in docker.io"}},
		{"a folder without the port", "reg.lab:5000", map[string]string{at("reg.lab"): "server = 'https://cache.lab'\n"}, []string{"r https://reg.lab:5000/v2"},
			[]string{"unused " + certs + "/reg.lab:0: this folder is for images whose name begins with reg.lab/; those of reg.lab:5000 are looked up in reg.lab_5000_"}},
		{"a registry of its own at another port", "reg.lab", map[string]string{at("reg.lab:5000"): "server = 'https://cache.lab'\n"}, []string{"r https://reg.lab/v2"}, nil},
		{"_default, and what is beside it", "reg.lab", map[string]string{at("_default"): "server = 'https://cache.lab'\n", at("other.lab"): ""}, []string{"m https://cache.lab/v2"}, nil},
		{"a syntax error bypasses the mirror", "reg.lab", map[string]string{at("reg.lab"): "server = 'https://reg.lab'\n[host.'https://cache.lab'\n"}, []string{"r https://reg.lab/v2"},
			[]string{"bypassed " + at("reg.lab") + ":2: failed to decode " + at("reg.lab") + ": toml: expected ']' to close table name"}},
		{"so does a capability that is none", "reg.lab", map[string]string{at("reg.lab"): "[host.'https://cache.lab']\n\ncapabilities = ['pull', 'fetch']\n"}, []string{"r https://reg.lab/v2"},
			[]string{"bypassed " + at("reg.lab") + ":3: failed to decode " + at("reg.lab") + ": unknown capability fetch"}},
		{"and its folder's certificates count", "reg.lab", map[string]string{at("reg.lab"): "=", certs + "/reg.lab/a.crt": "none"}, []string{"r https://reg.lab/v2"}, []string{
			"fails " + certs + "/reg.lab/a.crt:0: unable to load CA cert \"" + certs + "/reg.lab/a.crt\"",
			"bypassed " + at("reg.lab") + ":1: failed to decode " + at("reg.lab") + ": toml: invalid character at start of key: U+003D '='"}},
		{"a CA that is not there fails every pull", "reg.lab", map[string]string{at("reg.lab"): "[host.'https://cache.lab']\n  ca = 'ca.pem'\n"}, []string{"m https://cache.lab/v2", "r https://reg.lab/v2"},
			[]string{"fails " + at("reg.lab") + ":2: unable to read CA cert \"" + certs + "/reg.lab/ca.pem\": open " + certs + "/reg.lab/ca.pem: no such file or directory"}},
		{"what looks like a setting", "reg.lab", map[string]string{at("reg.lab"): "insecure = true\n[host.'https://cache.lab']\ncapabilities = ['pull']\n[host]\n'https://b.lab'.skip_verify = true\n"},
			[]string{"m https://cache.lab/v2", "r https://reg.lab/v2"}, []string{
				"unused " + at("reg.lab") + ":1: insecure is no setting of hosts.toml",
				"unused " + at("reg.lab") + ":5: [host.\"https://b.lab\"] has no table header of its own, and containerd reads no other hosts",
				"warns " + at("reg.lab") + ":2: https://cache.lab is not asked what a tag is: its capabilities do not have resolve, so the next host must answer"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{containerdFile: config}
			for path, text := range tt.files {
				files[path] = text
			}
			r, _ := Read(node(t, files, []string{"containerd"}))
			r.Running("2.4.2")
			got := r.For(tt.registry)
			var hosts []string
			for _, h := range got.Hosts {
				hosts = append(hosts, string(h.Role[:1])+" "+h.URL)
			}
			if diff := cmp.Diff(tt.hosts, hosts); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.problems, problems(got.Problems)); diff != "" || len(got.Unread) > 0 {
				t.Errorf("%s%q", diff, got.Unread)
			}
		})
	}
}

// TestPassedOver is what containerd 2.4.2 does where config_path is not set: it looks below the whole of its default's list.
func TestPassedOver(t *testing.T) {
	t.Parallel()
	files := map[string]string{at("reg.lab"): "server = 'https://cache.lab'\n"}
	r, _ := Read(node(t, files, []string{"containerd"}))
	r.Running("2.4.2")
	want := []string{"bypassed " + at("reg.lab") + ":0: config_path is not set; its default lists two folders, which containerd's transfer service takes for the name of one, so it is not read"}
	if diff := cmp.Diff(want, problems(r.For("reg.lab").Problems)); diff != "" || r.Endpoints("reg.lab")[0].URL != "https://reg.lab/v2" {
		t.Errorf("%s%v", diff, r.Endpoints("reg.lab"))
	}
	for _, release := range []string{"", "2.5.0"} {
		r.Running(release)
		if got := r.For("reg.lab"); len(got.Problems) > 0 || len(got.Unread) != 1 {
			t.Errorf("release %q: what is not known is claimed: %+v", release, got)
		}
	}
	files[containerdFile] = "version = 3\n[plugins.'io.containerd.cri.v1.images']\nuse_local_image_pull = true\n"
	r, _ = Read(node(t, files, []string{"containerd"}))
	r.Running("2.4.2")
	if got := r.For("reg.lab"); len(got.Problems) > 0 || got.Hosts[0].URL != "https://cache.lab/v2" {
		t.Errorf("where the CRI plugin pulls, the list is one: %+v", got)
	}
}

func TestDeprecatedMirrors(t *testing.T) {
	t.Parallel()
	const table = "version = 2\n[plugins.'io.containerd.grpc.v1.cri'.registry.mirrors.'*']\nendpoint = ['http://all.lab/hub']\n" +
		"[plugins.'io.containerd.grpc.v1.cri'.registry.mirrors.'docker.io']\nendpoint = ['cache.lab', 'localhost:5000']\n" +
		"[plugins.'io.containerd.grpc.v1.cri'.registry.mirrors.'self.lab']\nendpoint = ['https://self.lab/v2', 'https://b.lab']\n"
	for _, release := range []string{"1.7.27", "2.4.2"} {
		r, _ := Read(node(t, map[string]string{containerdFile: table}, []string{"containerd"}))
		r.Running(release)
		for registry, want := range map[string]string{
			"docker.io": "[https://cache.lab/v2 http://localhost:5000/v2 https://registry-1.docker.io/v2]",
			"self.lab":  "[https://self.lab/v2 https://b.lab/v2]",
			"reg.lab":   "[http://all.lab/hub https://reg.lab/v2]",
		} {
			if got := fmt.Sprint(r.Endpoints(registry)); got != want {
				t.Errorf("%s, %s: %s", release, registry, got)
			}
		}
	}
}

func TestCRIO(t *testing.T) {
	t.Parallel()
	h := node(t, map[string]string{
		registriesFile:                                 "[[registry]]\nprefix = 'docker.io'\nlocation = 'docker.io'\n[[registry.mirror]]\nlocation = 'cache.lab/hub'\ninsecure = true\npull-from-mirror = 'digest-only'\n[[registry]]\nlocation = 'shut.lab'\nblocked = true\n",
		registriesDir + "/10-more.conf":                "[[registry]]\nprefix = '*.corp.lab'\nlocation = 'corp.lab/all'\n[[registry]]\nprefix = 'reg.lab/team'\nlocation = 'team.lab'\n",
		"/etc/containers/certs.d/cache.lab/client.crt": "",
	}, []string{"crio"})
	r, gaps := Read(h)
	for registry, want := range map[string]string{
		"docker.io": "[https://cache.lab/v2/hub https://registry-1.docker.io/v2]", "a.corp.lab": "[https://corp.lab/v2/all]",
		"reg.lab": "[https://reg.lab/v2]", "reg.lab/team/app": "[https://team.lab/v2]", "reg.lab/teams": "[https://reg.lab/v2]",
	} {
		if got := fmt.Sprint(r.Endpoints(registry)); got != want {
			t.Errorf("%s: %s", registry, got)
		}
	}
	e := r.Endpoints("docker.io")[0]
	if !e.SkipVerify || !e.Plain || len(e.CAFiles) != 1 || strings.Join(e.Capabilities, " ") != "pull" {
		t.Errorf("mirror: %+v", e.ConfiguredHost)
	}
	if got := problems(r.For("shut.lab").Problems); len(got) != 1 || !strings.HasPrefix(got[0], "fails") {
		t.Errorf("blocked: %q", got)
	}
	if got := r.For("reg.lab").Unread; len(got) != 1 || len(gaps) > 0 {
		t.Errorf("a prefix of a part of the registry: %q, %v", got, gaps)
	}
}

func TestDocker(t *testing.T) {
	t.Parallel()
	h := node(t, map[string]string{dockerFile: `{"registry-mirrors": ["https://cache.lab"], "insecure-registries": ["reg.lab:5000", "10.0.0.0/8"], "data-root": "/data"}`,
		"/etc/docker/certs.d/own.lab/ca.crt": ""}, []string{"dockerd", "--insecure-registry", "flag.lab"})
	r, _ := Read(h)
	if got := fmt.Sprint(r.Endpoints("docker.io")); got != "[https://cache.lab/v2 https://registry-1.docker.io/v2]" || r.Root != "/data" {
		t.Errorf("%s, %s", got, r.Root)
	}
	for registry, insecure := range map[string]bool{"reg.lab:5000": true, "reg.lab": false, "10.1.2.3:5000": true, "flag.lab": true, "localhost:5000": true} {
		if e := r.Endpoints(registry)[0]; e.Plain != insecure || e.SkipVerify != insecure {
			t.Errorf("%s: insecure is %v", registry, e.Plain)
		}
	}
	if e := r.Endpoints("own.lab")[0]; len(e.CAFiles) != 1 {
		t.Errorf("certs.d: %v", e.CAFiles)
	}
}

// TestSecrets is that nothing but an Endpoint's own field holds a header's value.
func TestSecrets(t *testing.T) {
	t.Parallel()
	const secret = "Basic aHVudGVyMjpodW50ZXIyaHVudGVyMg=="
	for name, text := range map[string]string{
		"good": "server = 'https://u:hunter2@cache.lab'\n[host.'https://cache.lab'.header]\nAuthorization = '" + secret + "'\n",
		"bad":  "server = 'https://u:hunter2@cache lab'\n[host.'https://cache.lab'.header]\nAuthorization = ['" + secret + "', 3]\n",
	} {
		r, _ := Read(node(t, map[string]string{containerdFile: config, at("reg.lab"): text}, []string{"containerd"}))
		endpoints := r.Endpoints("reg.lab")
		if name == "good" && (endpoints[0].Header.Get("Authorization") != secret || endpoints[0].Headers[0] != "Authorization") {
			t.Errorf("the header is not in its place: %v", endpoints[0].Headers)
		}
		said := fmt.Sprintf("%v %+v %#v %q %+v", endpoints, endpoints, endpoints, endpoints, r.For("reg.lab"))
		if strings.Contains(said, "aHVudGVy") || strings.Contains(said, "hunter2") {
			t.Errorf("%s: a secret is said: %s", name, said)
		}
	}
}

// TestHostileFiles reads what is no file, or far too large a one, and says so without a claim.
func TestHostileFiles(t *testing.T) {
	t.Parallel()
	outside := filepath.Join(t.TempDir(), "outside.toml")
	if err := os.WriteFile(outside, []byte("root = '/outside'\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		config string
		unread bool
	}{
		"an import out of the root":  {"version = 3\nimports = ['/etc/link.toml']\n", false},
		"many imports":               {"version = 3\nimports = ['/etc/many/*.toml']\n", true},
		"a large file":               {"version = 3\n#" + strings.Repeat("x", maxFile), true},
		"deeply nested values":       {"version = 3\na = " + strings.Repeat("[", 1<<19), false},
		"keys of very many parts":    {"version = 3\na" + strings.Repeat(".a", 1<<18) + " = 1\n", false},
		"a great many keys":          {"version = 3\n" + strings.Repeat("[[a]]\nb=1\n", 1<<16), false},
		"an import that is a folder": {"version = 3\nimports = ['/etc']\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{containerdFile: tt.config}
			for i := range maxImports + 5 {
				files[fmt.Sprintf("/etc/many/%d.toml", i)] = "version = 3\n"
			}
			h := node(t, files, []string{"containerd"})
			if err := os.Symlink(strings.Repeat("../", 20)+outside, filepath.Join(h.Root, "etc/link.toml")); err != nil {
				t.Fatal(err)
			}
			r, gaps := Read(h)
			if r.Root == "/outside" || (len(gaps) > 0) != tt.unread {
				t.Errorf("root %s, gaps %v", r.Root, gaps)
			}
		})
	}
}
