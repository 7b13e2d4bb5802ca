package probe

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/refloat-dev/refloat/registry/probe/platform"
)

const someDigest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

func manifestWith(layers string) string {
	return `{"schemaVersion":2,"config":{"mediaType":"` + v1.MediaTypeImageConfig + `","digest":"` + someDigest + `","size":10},"layers":[` + layers + `]}`
}

func layer(i int, size string) string {
	return fmt.Sprintf(`{"digest":"%s","size":%s}`, digest.FromString(fmt.Sprint(i)), size)
}

func TestReadDocument(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, mediaType, body string
		bad                   bool
		size                  int64
		count                 int
		artifact              string
	}{
		{name: "image", body: manifestWith(layer(1, "5") + "," + layer(2, "7")), size: 22, count: 2},
		{name: "one layer twice", body: manifestWith(layer(1, "5") + "," + layer(1, "5")), size: 15, count: 2},
		{name: "sizes that overflow", body: manifestWith(layer(1, "9223372036854775807") + "," + layer(2, "9223372036854775807")), size: math.MaxInt64, count: 2},
		{name: "a negative size", body: manifestWith(layer(1, "-9223372036854775808")), size: 10, count: 1},
		{name: "a size that is too large", body: manifestWith(layer(1, "1e30")), bad: true},
		{name: "a path for a digest", body: manifestWith(`{"digest":"sha256:../../../etc/passwd","size":1}`), bad: true},
		{name: "a config without a digest", body: `{"schemaVersion":2}`, bad: true},
		{name: "no config type", body: strings.Replace(manifestWith(""), v1.MediaTypeImageConfig, "", 1), size: 10, artifact: "unknown"},
		{name: "docker", mediaType: dockerManifest, body: strings.Replace(manifestWith(""), v1.MediaTypeImageConfig, dockerConfig, 1), size: 10},
		{name: "not JSON", body: "<html>", bad: true},
		{name: "an array", body: "[]", bad: true},
		{name: "cut", body: manifestWith("")[:60], bad: true},
		{name: "deep", body: strings.Repeat("[", 100_000), bad: true},
		{name: "an index", mediaType: dockerList, body: `{"manifests":[{"digest":"` + someDigest + `"}]}`},
		{name: "an index with a path", mediaType: dockerList, body: `{"manifests":[{"digest":"../x"}]}`, bad: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if tc.mediaType == "" {
				tc.mediaType = v1.MediaTypeImageManifest
			}
			d, err := readDocument(tc.mediaType, []byte(tc.body))
			if (err != nil) != tc.bad {
				t.Fatalf("error %v", err)
			}
			if err == nil && (d.size != tc.size || d.count != tc.count || d.artifact != tc.artifact) {
				t.Errorf("got %+v", d)
			}
		})
	}
}

func TestOtherBytes(t *testing.T) {
	t.Parallel()
	if d, err := readContent(v1.MediaTypeImageManifest, someDigest, []byte(manifestWith(""))); d != nil || err == nil {
		t.Errorf("took %+v", d)
	}
	body := []byte(manifestWith(""))
	for _, want := range []digest.Digest{digest.SHA256.FromBytes(body), digest.SHA512.FromBytes(body)} {
		if d, err := readContent(v1.MediaTypeImageManifest, want, body); err != nil || d.digest != want {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestAccept(t *testing.T) {
	t.Parallel()
	for mt, want := range map[string]int{v1.MediaTypeImageConfig: 2, "": 1, "a\r\nX-Injected: 1": 1, "a, b": 1, strings.Repeat("a", 300): 1} {
		if got := accept(mt); len(got) != want || got[len(got)-1] != "*/*" {
			t.Errorf("%q: %q", mt, got)
		}
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ in, image, domain, path string }{
		{"nginx", "docker.io/library/nginx:latest", "docker.io", "/v2/library/nginx/manifests/latest"},
		{"docker.io/nginx:1", "docker.io/library/nginx:1", "docker.io", "/v2/library/nginx/manifests/1"},
		{"index.docker.io/a/b:1", "docker.io/a/b:1", "docker.io", "/v2/a/b/manifests/1"},
		{"a/b", "docker.io/a/b:latest", "docker.io", "/v2/a/b/manifests/latest"},
		{"localhost/b:1", "localhost/b:1", "localhost", "/v2/b/manifests/1"},
		{"reg.lab:5000/a/b/c:1", "reg.lab:5000/a/b/c:1", "reg.lab:5000", "/v2/a/b/c/manifests/1"},
		{"reg.lab/a:1@" + someDigest, "reg.lab/a@" + someDigest, "reg.lab", "/v2/a/manifests/" + someDigest},
		{"reg.lab/A", "", "", ""},
		{"https://reg.lab/a", "", "", ""},
		{"", "", "", ""},
	} {
		got, err := resolve(tc.in)
		if tc.image == "" {
			if err == nil {
				t.Errorf("%q: read as %+v", tc.in, got)
			}
			continue
		}
		if err != nil || got.image != tc.image || got.domain != tc.domain || got.manifest() != tc.path {
			t.Errorf("%q: %+v %v", tc.in, got, err)
		}
	}
}

func FuzzDocument(f *testing.F) {
	f.Add(v1.MediaTypeImageManifest, []byte(manifestWith(layer(1, "5"))), "linux/amd64")
	f.Add(dockerList, []byte(`{"manifests":[{"digest":"`+someDigest+`","platform":{"os":"windows","architecture":"amd64","os.version":"10.0.20348.1"}}]}`), "windows/amd64:10.0.26100.1")
	f.Add(v1.MediaTypeImageIndex, []byte(`{"manifests":[{"digest":"`+someDigest+`","platform":{"os":"linux","architecture":"arm","variant":"v6"}}]}`), "linux/arm64/v9.3")
	f.Add("application/json", []byte(`{"schemaVersion":1}`), "linux/arm")
	f.Fuzz(func(t *testing.T, mediaType string, body []byte, node string) {
		d, err := readDocument(mediaType, body)
		if d == nil {
			t.Fatal("no document")
		}
		if err != nil {
			return
		}
		if d.size < 0 || len(d.layers) > d.count {
			t.Fatalf("size %d, %d layers of %d", d.size, len(d.layers), d.count)
		}
		for _, l := range append(d.layers, d.entries...) {
			if l.Digest.Validate() != nil {
				t.Fatalf("digest %q", l.Digest)
			}
		}
		if n := platform.Named(d.entries); len(n) > platform.Most {
			t.Fatalf("%d platforms", len(n))
		}
		n := platform.Parse(node)
		if e, ok := n.Choose(d.entries); ok && e.Platform != nil {
			if _, fits := n.Rank(*e.Platform); !fits {
				t.Fatalf("chose %v for %s", e.Platform, node)
			}
		}
		readPlatform(body)
	})
}
