package store

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestChainIDs(t *testing.T) {
	t.Parallel()
	a, b := "sha256:"+strings.Repeat("a", 64), "sha256:"+strings.Repeat("b", 64)
	got := chainIDs([]string{a, b})
	if got[0] != a || !isDigest(got[1]) || got[1] == b || len(chainIDs(nil)) != 0 {
		t.Error(got)
	}
}

func TestParseDocument(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", "it is no JSON"},
		{"another document", `{"a":1}`, "neither a manifest nor an index"},
		{"a list", `[]`, "it is no JSON"},
		{"too many layers", `{"config":{},"layers":[{}` + strings.Repeat(",{}", maxParts) + `]}`, "more than"},
		{"a manifest", `{"config":{"digest":"x"},"layers":[]}`, ""},
		{"an index", `{"manifests":[{"digest":"x"}]}`, ""},
	} {
		_, err := parseDocument([]byte(tt.text))
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestIsDigest(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"sha256:" + strings.Repeat("0", 64):        true,
		"sha256:" + strings.Repeat("A", 64):        false,
		"sha512:" + strings.Repeat("0", 128):       false,
		"sha256:" + strings.Repeat("0", 64) + "\n": false,
		"sha256:../" + strings.Repeat("0", 61):     false,
		"":                                         false,
	} {
		if isDigest(s) != want {
			t.Errorf("%q: %v", s, !want)
		}
	}
}

// FuzzDocuments holds what images' own documents say to bounds, and lets nothing but a digest through to a path.
func FuzzDocuments(f *testing.F) {
	d := "sha256:" + strings.Repeat("0", 64)
	f.Add([]byte(`{"config":{"digest":"` + d + `","size":2},"layers":[{"digest":"` + d + `"}]}`))
	f.Add([]byte(`{"manifests":[{"digest":"` + d + `","platform":{"os":"linux","architecture":"arm64"}}]}`))
	f.Add([]byte(`{"rootfs":{"type":"layers","diff_ids":["` + d + `"]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if doc, err := parseDocument(data); err == nil {
			if doc.index() {
				_, _ = doc.child("linux/arm64")
			}
			if len(doc.Layers)+len(doc.Manifests) > 2*maxParts {
				t.Error("out of bounds")
			}
		}
		ids, err := parseDiffIDs(data)
		if err != nil {
			return
		}
		for _, id := range append(chainIDs(ids), ids...) {
			if !isDigest(id) {
				t.Errorf("%q is no digest", id)
			}
		}
	})
}

func TestWant(t *testing.T) {
	t.Parallel()
	d := "sha256:" + strings.Repeat("0", 64)
	for image, names := range map[string][]string{
		"nginx":           {"nginx", "docker.io/library/nginx:latest"},
		"nginx:1@" + d:    {"nginx:1@" + d, "docker.io/library/nginx:1@" + d, "docker.io/library/nginx@" + d},
		"reg.lab:5/a/b:1": {"reg.lab:5/a/b:1", "reg.lab:5/a/b:1"},
	} {
		got, err := want(image, "")
		if diff := cmp.Diff(names, got.names); diff != "" || err != nil {
			t.Error(diff, err)
		}
	}
}
