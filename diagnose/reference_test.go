package diagnose

import (
	"testing"
	"unicode/utf8"

	"github.com/distribution/reference"
)

// FuzzReference holds the registry that a reference names to what the runtimes' own parser says of it.
func FuzzReference(f *testing.F) {
	for _, s := range []string{
		"nginx", "nginx:1.25", "library/nginx", "docker.io/library/nginx@sha256:" + digestOf('a'), "localhost/a", "localhost:5000/a:b",
		"reg.example.com/a/b:c", "Reg.example.com/a", "reg.example.com:443/a", "[2001:db8::1]:5000/a", "a.b", "a/b/c", "index.docker.io/a/b", "10.0.0.1/a",
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
		if want := reference.Domain(named); got != want && len(want) <= maxHost {
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
