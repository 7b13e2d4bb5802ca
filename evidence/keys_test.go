package evidence_test

import (
	"strings"
	"testing"

	"github.com/refloat-dev/refloat/evidence"
)

func TestKeysMatch(t *testing.T) {
	t.Parallel()
	// What the kubelet's own code answers (K36 pkg/credentialprovider/keyring.go).
	tests := []struct {
		key, image string
		want       bool
	}{
		{"https://index.docker.io/v1/", "nginx:1.25", true}, {"docker.io", "nginx", true}, {"docker.io/library", "nginx:1", true}, {"registry-1.docker.io", "nginx", false}, {"*.docker.io", "nginx", false},
		{"https://index.docker.io/v1", "nginx", false}, {"reg.io", "reg.io/a/b", true}, {"http://reg.io/v2/", "reg.io/a/b:v1", true}, {"https://reg.io/v2", "reg.io/a/b", false}, {"reg.io:443", "reg.io/a/b", false},
		{"REG.IO", "reg.io/a", false}, {"oci://reg.io", "reg.io/a", false}, {"reg.io/*", "reg.io/a/b", false}, {" reg.io", "reg.io/a", false}, {"*.io", "reg.io/a", true}, {"*.reg.io", "a.b.reg.io/x", false},
		{"https://docker.io", "nginx", true}, {"index.docker.io", "nginx", true}, {"index.docker.io/v1/", "index.docker.io/x/y:1", true}, {"https://index.docker.io/v2/", "docker.io/x/y", true},
		{"hub.docker.com", "nginx", false}, {"registry.hub.docker.com", "nginx", false}, {"*.io", "nginx", true}, {"docker.*", "x/y", true}, {"*", "nginx", false}, {"index.docker.io/v2/x", "x/y", false},
		{"https://reg.io/v2/team", "reg.io/team/a", true}, {"https://reg.io/v1/team", "reg.io/team/a:1", true}, {"https://reg.io/v2/team", "reg.io/other/a", false}, {"https://reg.io/", "reg.io/a", true},
		{"reg.io/a/b:v1", "reg.io/a/b:v1", false}, {"reg.io/a/b/", "reg.io/a/b", false}, {"reg.io ", "reg.io/a", false}, {"r*.io", "reg.io/a", true}, {"index.docker.io", "localhost/a", true}, {"docker.io", "localhost/a", false},
		{"*.dkr.ecr.*.amazonaws.com", "1.dkr.ecr.eu-west-1.amazonaws.com/a", true}, {"reg.io:5000", "reg.io:5000/a:1", true}, {"reg.io", "bad image", false},
		{"reg.io/foo", "reg.io/foobar/x", true}, {"reg.io", "reg.io:5000/a", false}, {"*.reg.io:5000", "a.reg.io:5000/x@sha256:" + strings.Repeat("a1", 32), true},
	}
	for _, tt := range tests {
		if got := evidence.KeysMatch([]string{tt.key}, tt.image); got != tt.want {
			t.Errorf("key %q, image %q: %v, want %v", tt.key, tt.image, got, tt.want)
		}
	}
}

func TestRegistryKey(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, written, stored string
		err                   bool
	}{
		{name: "plain", written: "reg.io", stored: "reg.io"},
		{name: "slash", written: "https://reg.io/", stored: "reg.io"},
		{name: "v1", written: "https://index.docker.io/v1/", stored: "index.docker.io"},
		{name: "v1 and a path", written: "reg.io/v1/team", stored: "reg.io/team"},
		{name: "v1 once", written: "reg.io/v1/v2/", stored: "reg.io/v2/"},
		{name: "user, query and fragment", written: "http://u:p@reg.io:5000/a?b#c", stored: "reg.io:5000/a"},
		{name: "escaped", written: "reg.io/a%2520b", stored: "reg.io/a%20b"},
		{name: "other scheme", written: "oci://reg.io", stored: "oci://reg.io"},
		{name: "blank", written: "reg.io ", err: true},
		{name: "line break", written: "reg.io\n", err: true},
		{name: "bad escape", written: "reg.io/%zz", err: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k, err := evidence.ParseKey(tt.written)
			if k.String() != tt.stored || (err != nil) != tt.err {
				t.Errorf("%q, %v, want %q", k.String(), err, tt.stored)
			}
		})
	}
	// An escaped question mark makes a query of the rest at the second reading, which leaves the path / and so matches all.
	if k, err := evidence.ParseKey("reg.io/%3Fteam"); err != nil || !k.Matches("reg.io/other/app") {
		t.Errorf("%q, %v", k, err)
	}
}

func TestRepository(t *testing.T) {
	t.Parallel()
	digest := "@sha256:" + strings.Repeat("0f", 32)
	for image, want := range map[string]string{
		"nginx": "docker.io/library/nginx", "nginx:1.25": "docker.io/library/nginx", "nginx:1.25" + digest: "docker.io/library/nginx",
		"docker.io/nginx": "docker.io/library/nginx", "index.docker.io/nginx": "docker.io/library/nginx", "team/app": "docker.io/team/app",
		"localhost/app": "localhost/app", "REG/app": "REG/app", "reg.io:5000/a/b:v1": "reg.io:5000/a/b", "[::1]:5000/app": "[::1]:5000/app", "a_b.c/app": "a_b.c/app",
		"reg:5000": "docker.io/library/reg", "reg.io/" + strings.Repeat("a", 255): "reg.io/" + strings.Repeat("a", 255),
		"": "", "Nginx": "", "reg.io/": "", "reg.io/App": "", "https://reg.io/app": "", "app@sha256:abc": "", "app:": "", "app:v1:v2": "", "a//b": "", " app": "",
		strings.Repeat("ab", 32): "", "reg.io/" + strings.Repeat("a", 256): "", "app@sha512" + digest[7:]: "", "app@md5" + digest[7:]: "", "app@sha256:" + strings.Repeat("0F", 32): "",
	} {
		got, ok := evidence.Repository(image)
		if got != want || ok != (want != "") {
			t.Errorf("Repository(%q) = %q, %v, want %q", image, got, ok, want)
		}
	}
}
