package alternative

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNear(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, wanted string
		tags         string
		want         string
	}{
		{"v is missing", "1.25.0", "v1.24.0 v1.25.0 v1.26.0", "v1.25.0 v1.26.0 v1.24.0"},
		{"v is too many", "v1.25", "1.25 1.25.1", "1.25 1.25.1"},
		{"a zero too many", "1.25.0", "1.25 1.25.1", "1.25 1.25.1"},
		{"a zero is missing", "1.25", "1.25.0 1.24", "1.25.0 1.24"},
		{"patches, two of them, the newer of equals first", "1.25.9", "1.25.5 1.25.6 1.25.8 1.25.10 1.25.7", "1.25.10 1.25.8"},
		{"same minor before another", "1.25.9", "1.26.0 1.25.1 1.24.9 2.0.0", "1.25.1 1.26.0 1.24.9 2.0.0"},
		{"of another minor the newest patch", "1.25.9", "1.26.0 1.26.7 1.26.3", "1.26.7"},
		{"of another major the newest", "3.0.0", "2.1.0 2.9.4 2.9.3 1.8", "2.9.4 1.8"},
		{"own suffix before others", "1.25.9-alpine", "1.25.9 1.25.8-alpine 1.25.9-bookworm", "1.25.8-alpine 1.25.9 1.25.9-bookworm"},
		{"a variant of the family", "1.25.3-alpine3.20", "1.25.3-alpine3.19 1.25.3", "1.25.3-alpine3.19 1.25.3"},
		{"no suffix asked for, none early", "1.25.9", "1.26.0-rc.1 1.25.8", "1.25.8"},
		{"the release for its candidate", "1.25.0-rc.1", "1.25.0 1.24.0 1.25.0-rc.2", "1.25.0-rc.2 1.25.0"},
		{"slip in a suffix", "1.25-alpin", "1.25 1.25-alpine 1.24-alpine", "1.25-alpine 1.25"},
		{"swapped digits before near versions", "1.52", "1.25 1.51 1.50", "1.25 1.51 1.50"},
		{"case", "Latest", "latest stable", "latest"},
		{"separators", "1_25-alpine", "1.25-alpine", "1.25-alpine"},
		{"swapped letters", "staging-lastest", "staging-latest prod", "staging-latest"},
		{"two slips", "blue-green", "blegreen bleu-green blue", "bleu-green blegreen"},
		{"a commit with more around it", "3f2a9c1", "main-3f2a9c1 3f2a9c0 sha-3f2a9c1", "3f2a9c0 sha-3f2a9c1 main-3f2a9c1"},
		{"a lone number is no version", "1234567", "1234569 7654321", "1234569"},
		{"dates are", "20240102", "20240103 20230101 20231231", "20240103 20231231"},
		{"leading zeros", "24.04", "22.04 24.10 23.10", "24.10 23.10 22.04"},
		{"four parts", "1.2.3.4", "1.2.3.5 1.2.3", "1.2.3.5 1.2.3"},
		{"latest: the highest that is out", "latest", "1.9 1.10 2.0.0-rc.1 1.10-alpine nightly", "1.10 1.9 1.10-alpine"},
		{"nothing like it", "prod", "v1 v2 main", ""},
		{"short tags do not slip", "v1", "v2 v9 u1", "v2 v9"},
		{"itself", "v1", "v1 v1", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tags := strings.Fields(tt.tags)
			rng := rand.New(rand.NewPCG(1, 2))
			for range 5 { // whatever the order of the list
				var got []string
				for _, c := range near(tt.wanted, tags) {
					got = append(got, c.tag)
				}
				if diff := cmp.Diff(strings.Fields(tt.want), got, cmp.Transformer("", func(s []string) string { return strings.Join(s, " ") })); diff != "" {
					t.Fatalf("(-want +got):\n%s", diff)
				}
				rng.Shuffle(len(tags), func(i, j int) { tags[i], tags[j] = tags[j], tags[i] })
			}
		})
	}
}

// TestNearIsOneOrder: a sort by a rule that is no order would depend on the list's.
func TestNearIsOneOrder(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(7, 7))
	pieces := []string{"1", "2", "10", ".", ".", "-", "_", "v", "alpine", "rc", "a", "latest", "3f2a9", "0"}
	word := func() string {
		var b strings.Builder
		for range 1 + rng.IntN(7) {
			b.WriteString(pieces[rng.IntN(len(pieces))])
		}
		return b.String()
	}
	for range 3000 {
		wanted := word()
		w, _ := versionOf(wanted)
		var list []string
		for range 30 {
			list = append(list, word())
		}
		first := near(wanted, list)
		for i := range first {
			for j := range first[:i] {
				if c := first[j].compare(first[i], w); c > 0 || first[i].compare(first[j], w) != -c {
					t.Fatalf("%q: %q and %q compare as %d", wanted, first[j].tag, first[i].tag, c)
				}
			}
		}
		rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		again := near(wanted, list)
		if !slices.EqualFunc(first, again, func(a, b choice) bool { return a.tag == b.tag && a.why == b.why }) {
			t.Fatalf("%q: the order of the list tells", wanted)
		}
	}
}

// naive is the distance as its definition has it.
func naive(a, b string) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		for j := range d[i] {
			if i == 0 || j == 0 {
				d[i][j] = i + j
				continue
			}
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}

func TestDistance(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	word := func(n int) string {
		b := make([]byte, rng.IntN(n))
		for i := range b {
			b[i] = "abc"[rng.IntN(3)]
		}
		return string(b)
	}
	for range 200_000 {
		a, b := word(9), word(9)
		if rng.IntN(2) == 0 { // near each other
			at := rng.IntN(len(a) + 1)
			b = a[:at] + word(3) + a[min(len(a), at+rng.IntN(3)):]
		}
		limit := rng.IntN(5)
		want := naive(a, b)
		if want > limit {
			want = far
		}
		if got := distance(a, b, limit); got != want {
			t.Fatalf("distance(%q, %q, %d) = %d, want %d", a, b, limit, got, want)
		}
		if one := distance(a, b, 1); swapped(a, b) && one != 1 {
			t.Fatalf("%q and %q are swapped, at distance %d", a, b, one)
		}
	}
}

func TestSpellings(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]string{
		"1.25": "v1.25 1.25.0", "v1.25.0": "1.25.0 v1.25", "1.25.3": "v1.25.3", "v2-alpine": "2-alpine v2.0-alpine", "1.25.0_x": "v1.25.0_x 1.25_x",
		"latest": "", "": "", "V1.0": "1.0 V1",
	} {
		if got := strings.Join(spellings(tag), " "); got != want {
			t.Errorf("%q: %q, want %q", tag, got, want)
		}
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for image, want := range map[string]ref{
		"nginx":                         {"docker.io", "library/nginx", "", "", true},
		"shop/web:v1":                   {"docker.io", "shop/web", "v1", "", true},
		"index.docker.io/shop/web":      {"docker.io", "shop/web", "", "", false},
		"localhost/web:v1@sha256:0a":    {"localhost", "web", "v1", "sha256:0a", false},
		"reg.example.com:5000/a/b:v1":   {"reg.example.com:5000", "a/b", "v1", "", false},
		"docker.io/nginx@sha256:0a":     {"docker.io", "library/nginx", "", "sha256:0a", false},
		"Registry.example.com/A/b:V1:2": {"Registry.example.com", "A/b:V1", "2", "", false},
	} {
		if got := split(image); got != want {
			t.Errorf("%q: %+v, want %+v", image, got, want)
		}
	}
}

func TestWithoutMachine(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"v1-amd64": "v1", "v1-linux-amd64": "v1", "amd64-v1": "v1", "linux-arm64-v1": "v1", "v1_x86_64": "v1", "v1-arm64-v8": "v1", "amd64": "",
		"v1-armv7": "v1", "web-ARM64": "web", "v1": "-", "alarm": "-", "amd64x": "-", "": "-",
	} {
		got, ok := withoutMachine(in)
		if !ok {
			got = "-"
		}
		if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
