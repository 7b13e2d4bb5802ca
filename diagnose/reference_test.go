package diagnose

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/distribution/reference"
)

// FuzzWellFormed holds the grammar to the runtimes' own parser.
func FuzzWellFormed(f *testing.F) {
	for _, s := range []string{
		"nginx", "Nginx", "nginx:", "nginx:1.25", "nginx:-1", "a//b", "/a", "a/", "reg.example.com/A", "REG.example.com/a:b@" + d1, "a@sha256:1", "a@sha512:" + digestOf('a'), "a@md5:" + digestOf('b'),
		"localhost", "localhost/a", "a_b/c__d/e---f", "a___b", "[::1]:5000/a", "[::1]/a", "-a.b/c", "a.b:x/c", digestOf('a'), digestOf('a') + ":1", "a:b:c", "a@b@c", "docker.io/a", "index.docker.io/a", "index.docker.io/A/b", "docker.io/", "a b",
		strings.Repeat("a", 247), strings.Repeat("a", 238), strings.Repeat("b/", 126) + "c", "x.y/" + strings.Repeat("c", 251), "x.y/" + strings.Repeat("c", 252), "\u00e4/b", "a.c__d/e", "a__b:1/c", "a:" + strings.Repeat("t", 129),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, image string) {
		_, err := reference.ParseNormalizedNamed(image)
		if got := wellFormed(image); got != (err == nil) {
			t.Errorf("wellFormed(%q) = %v, the runtimes say %v", image, got, err)
		}
	})
}

// FuzzReference holds the registry that a reference names to what the runtimes' own parser says of it.
func FuzzReference(f *testing.F) {
	for _, s := range []string{
		"nginx", "nginx:1.25", "library/nginx", "docker.io/library/nginx@sha256:" + digestOf('a'), "localhost/a", "localhost:5000/a:b",
		"reg.example.com/a/b:c", "Reg.example.com/a", "reg.example.com:443/a", "[2001:db8::1]:5000/a", "a.b", "a/b/c", "index.docker.io/a/b", "10.0.0.1/a", "g.e_ample.com/a",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, image string) {
		image = clean(image, maxRef) // as Read does with what it finds in a text
		got := registryOf(image, "")
		if len(got) > maxRef || !utf8.ValidString(got) {
			t.Fatalf("registryOf(%q) = %q: not bounded, or no text", image, got)
		}
		named, err := reference.ParseNormalizedNamed(image)
		if err != nil {
			return // the kubelet refuses it as well: InvalidImageName
		}
		// What is no host's name passes as a path: containerd asks its first component all the same (C24 pkg/reference/reference.go).
		if want := reference.Domain(named); got != want && want != "" && len(want) <= maxHost {
			t.Errorf("registryOf(%q) = %q, the runtimes ask %q", image, got, want)
		}
	})
}

func digestOf(c rune) string {
	b := make([]rune, 64)
	for i := range b {
		b[i] = c
	}
	return string(b)
}
