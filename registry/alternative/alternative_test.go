package alternative

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refloat-dev/refloat/evidence"
)

// world is what registries hold, and what was asked of them.
type world struct {
	held   []string // whole references
	tags   []string
	closed bool // tag lists are
	asked  []string
	listed []string
}

func (w *world) Served(_ context.Context, image, _ string) bool {
	w.asked = append(w.asked, image)
	return slices.ContainsFunc(w.held, func(h string) bool { return split(h).String() == split(image).String() })
}

func (w *world) Tags(_ context.Context, repository string) ([]string, error) {
	w.listed = append(w.listed, repository)
	if w.closed {
		return nil, errors.New("401 Unauthorized")
	}
	return w.tags, nil
}

func images(a evidence.Alternatives) []string {
	var out []string
	for _, x := range a.Items {
		s := x.Image
		if x.Certain {
			s += " certain"
		}
		out = append(out, s)
	}
	return out
}

func TestFind(t *testing.T) {
	t.Parallel()
	const web = "registry.example.com/shop/web"
	const digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	for _, tt := range []struct {
		name string
		q    Question
		held []string
		tags []string
		want []string
	}{
		{"the last one first", Question{Image: web + ":v1.3", Previous: web + ":v1.1", Missing: Tag}, []string{web + ":v1.1", web + ":v1.2"}, []string{"v1.1", "v1.2"}, []string{web + ":v1.1 certain", web + ":v1.2"}},
		{"the last one is gone", Question{Image: web + ":v1.3", Previous: web + ":v1.1", Missing: Tag}, nil, []string{"v1.1"}, nil},
		{"a tag that lists and is not served", Question{Image: web + ":v1.3", Missing: Tag}, []string{web + ":v1.1"}, []string{"v1.1", "v1.2"}, []string{web + ":v1.1"}},
		{"typing error", Question{Image: web + ":lastest", Missing: Tag}, []string{web + ":latest"}, []string{"latest", "v1"}, []string{web + ":latest"}},
		{"short spelling stays", Question{Image: "nginx:1.25-alpin", Missing: Tag}, []string{"docker.io/library/nginx:1.25-alpine"}, []string{"1.25", "1.25-alpine"}, []string{"nginx:1.25-alpine"}},
		{"no list, other spellings", Question{Image: web + ":1.25", Missing: Tag}, []string{web + ":v1.25"}, nil, []string{web + ":v1.25"}},
		{"no tag means latest", Question{Image: web, Missing: Tag}, []string{web + ":2.0.1", web + ":1.9"}, []string{"1.9", "2.0.1", "2.1.0-rc.1"}, []string{web + ":2.0.1", web + ":1.9"}},
		{"tags given already", Question{Image: web + ":v2", Tags: []string{"v1"}, Missing: Tag}, []string{web + ":v1", web + ":v3"}, []string{"v3"}, []string{web + ":v1"}},
		{"tags given in part", Question{Image: web + ":1.9", Tags: []string{"1.0"}, More: true, Missing: Tag}, []string{web + ":1.8", web + ":1.0"}, []string{"1.0", "1.7", "1.8"}, []string{web + ":1.8"}},
		{"three are enough", Question{Image: web + ":1.9.0", Missing: Tag}, []string{web + ":1.9.1", web + ":1.9.2", web + ":1.8.0", web + ":1.7.0"}, []string{"1.9.1", "1.9.2", "1.8.0", "1.7.0"}, []string{web + ":1.9.1", web + ":1.9.2", web + ":1.8.0"}},
		{"digest gone, tag there", Question{Image: web + ":v1@" + digest, Missing: Digest}, []string{web + ":v1"}, []string{"v1", "v2"}, []string{web + ":v1"}},
		{"digest alone", Question{Image: web + "@" + digest, Missing: Digest}, []string{web + ":latest"}, []string{"latest"}, nil},

		{"moved", Question{Image: "bitnami/redis:7.2", Missing: Tag}, []string{"docker.io/bitnamilegacy/redis:7.2"}, nil, []string{"docker.io/bitnamilegacy/redis:7.2 certain"}},
		{"moved, private or missing", Question{Image: "minio/minio:RELEASE.2025-01-20T14-49-07Z", Missing: Anything}, []string{"quay.io/minio/minio:RELEASE.2025-01-20T14-49-07Z"}, nil, []string{"quay.io/minio/minio:RELEASE.2025-01-20T14-49-07Z"}},
		{"moved, without this tag there", Question{Image: "k8s.gcr.io/pause:9", Missing: Repository}, []string{"registry.k8s.io/pause:3.10"}, nil, nil},
		{"moved with its digest", Question{Image: "gcr.io/tekton-releases/a:v1@" + digest, Missing: Repository}, []string{"ghcr.io/tektoncd/a@" + digest}, nil, []string{"ghcr.io/tektoncd/a:v1@" + digest + " certain"}},
		{"moved, the digest did not", Question{Image: "gcr.io/tekton-releases/a:v1@" + digest, Missing: Repository}, []string{"ghcr.io/tektoncd/a:v1"}, nil, []string{"ghcr.io/tektoncd/a:v1"}},
		{"moved, not verified", Question{Image: "quay.io/coreos/flannel:v0.14", Missing: Repository}, []string{"ghcr.io/flannel-io/flannel:v0.14"}, nil, []string{"ghcr.io/flannel-io/flannel:v0.14"}},

		{"upper case", Question{Image: "Registry.example.com/Shop/Web:V1", Missing: Name}, []string{web + ":V1"}, nil, []string{web + ":V1"}},
		{"a scheme and a line break", Question{Image: "https://" + web + ":v1\n", Missing: Name}, []string{web + ":v1"}, nil, []string{web + ":v1"}},
		{"no registry, the others have one", Question{Image: "shop/web:v1", Others: []string{"registry.example.com/shop/db:v7"}, Missing: Anything}, []string{web + ":v1"}, nil, []string{web + ":v1"}},
		{"no registry and no path", Question{Image: "web:v1", Previous: "registry.example.com/shop/api:v1", Missing: Anything}, []string{web + ":v1"}, nil, []string{web + ":v1"}},
		{"misspelt beside the last one", Question{Image: "registry.example.com/shpo/wbe:v2", Previous: web + ":v1", Missing: Repository}, []string{web + ":v1", web + ":v2"}, nil, []string{web + ":v1 certain", web + ":v2"}},
		{"another host", Question{Image: "registry.exmaple.com/shop/web:v1", Others: []string{"registry.example.com/x/db"}, Missing: Repository}, []string{web + ":v1"}, nil, []string{web + ":v1"}},
		{"library missing on a mirror", Question{Image: "mirror.example.com/nginx:1", Missing: Repository}, []string{"mirror.example.com/library/nginx:1"}, nil, []string{"mirror.example.com/library/nginx:1"}},
		{"library too many", Question{Image: "library/grafana/grafana:11", Missing: Repository}, []string{"grafana/grafana:11"}, nil, []string{"docker.io/grafana/grafana:11"}},
		{"swapped", Question{Image: "registry.example.com/web/shop:v1", Missing: Repository}, []string{web + ":v1"}, nil, []string{web + ":v1"}},
		{"half a registry", Question{Image: "ghcr/shop/web:v1", Missing: Anything}, []string{"ghcr.io/shop/web:v1"}, nil, []string{"ghcr.io/shop/web:v1"}},
		{"official image, misspelt", Question{Image: "ngnix:1.25", Missing: Anything}, []string{"nginx:1.25"}, nil, []string{"nginx:1.25"}},
		{"short name", Question{Image: "nginx:1.25", Missing: ShortName}, []string{"nginx:1.25"}, nil, []string{"docker.io/library/nginx:1.25"}},

		{"other machine in the tag", Question{Image: web + ":v1-amd64", Platform: "linux/arm64", Missing: Platform}, []string{web + ":v1", web + ":v1-arm64"}, nil, []string{web + ":v1", web + ":v1-arm64"}},
		{"machine by suffix", Question{Image: web + ":v1", Platform: "linux/arm64/v8", Tags: []string{"v1", "v1-aarch64", "v0"}, Missing: Platform}, []string{web + ":v1-aarch64"}, nil, []string{web + ":v1-aarch64"}},
		{"machine by a rarer word, in the list", Question{Image: web + ":v1", Platform: "linux/amd64", Missing: Platform}, []string{web + ":x86_64-v1"}, []string{"v1", "x86_64-v1", "v1-arm64"}, []string{web + ":x86_64-v1"}},
		{"an official image for one machine", Question{Image: "nginx:1.25", Platform: "linux/arm/v7", Tags: []string{"1.25"}, Missing: Platform}, []string{"arm32v7/nginx:1.25"}, nil, []string{"docker.io/arm32v7/nginx:1.25"}},
		{"from one machine to all", Question{Image: "amd64/nginx:1.25", Platform: "linux/arm64", Tags: []string{"1.25"}, Missing: Platform}, []string{"nginx:1.25"}, nil, []string{"docker.io/library/nginx:1.25"}},
		{"machine in the name", Question{Image: "quay.io/shop/web-amd64:v1", Platform: "linux/s390x", Tags: []string{"v1"}, Missing: Platform}, []string{"quay.io/shop/web-s390x:v1"}, nil, []string{"quay.io/shop/web-s390x:v1"}},
		{"build of Windows", Question{Image: web + ":v1-ltsc2019", Platform: "windows/amd64:10.0.20348.1", Tags: []string{"v1-ltsc2019"}, Missing: Platform}, []string{web + ":v1-ltsc2022"}, nil, []string{web + ":v1-ltsc2022"}},
		{"another version for the machine", Question{Image: web + ":1.2.0", Platform: "linux/arm64", Tags: []string{"1.2.0", "1.3.0"}, Missing: Platform}, []string{web + ":1.3.0"}, nil, []string{web + ":1.3.0"}},

		{"nothing", Question{Missing: Anything}, nil, nil, nil},
		{"no image at all", Question{Image: strings.Repeat("a", 5000), Missing: Name}, nil, nil, nil},
		{"hostile", Question{Image: "-x'\"`$(reboot);\\ \x1b[2J\n|&>\u202e!{", Previous: "\x00", Others: []string{"::", "@"}, Missing: Name}, nil, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := &world{held: tt.held, tags: tt.tags}
			got := Find(t.Context(), tt.q, w)
			if diff := cmp.Diff(tt.want, images(got)); diff != "" {
				t.Errorf("(-want +got):\n%s\nasked for %q", diff, w.asked)
			}
			checkSearch(t, tt.q, w, got)
		})
	}
}

// checkSearch is what no search may break.
func checkSearch(t *testing.T, q Question, w *world, got evidence.Alternatives) {
	t.Helper()
	if len(w.asked) > maxAsked || len(w.listed) > 1 {
		t.Errorf("asked for %q and listed %q", w.asked, w.listed)
	}
	for i, a := range w.asked {
		if !valid(a) || slices.ContainsFunc(w.asked[:i], func(b string) bool { return split(a).String() == split(b).String() }) {
			t.Errorf("asked for %q, which is asked for already, or is no image", a)
		}
	}
	for _, x := range got.Items {
		if !slices.Contains(w.asked, x.Image) || x.Why == "" {
			t.Errorf("offers %+v", x)
		}
	}
	if again := Find(t.Context(), q, &world{held: w.held, tags: w.tags, closed: w.closed}); !cmp.Equal(again, got) {
		t.Errorf("two runs differ:\n%s", cmp.Diff(got, again))
	}
}

// TestEveryHost: no registry is asked for anything unless the workload or the table names it.
func TestEveryHost(t *testing.T) {
	t.Parallel()
	for _, missing := range []Missing{Anything, Name, Repository, Tag, Digest, Platform} {
		for _, image := range []string{"private.example.com/team/app:v1", "private.example.com/app", "private.example.com/library/nginx:1", "private.example.com/quay/app:v1"} {
			w := &world{tags: []string{"v2"}}
			Find(t.Context(), Question{Image: image, Platform: "linux/arm64", Missing: missing}, w)
			for _, asked := range w.asked {
				if !strings.HasPrefix(asked, "private.example.com/") {
					t.Errorf("%s, missing %q: asked for %s", image, missing, asked)
				}
			}
		}
	}
}

func TestFindEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := &world{tags: []string{"v1"}}
	if got := Find(ctx, Question{Image: "a:v2", Previous: "a:v1", Missing: Tag}, w); len(got.Items) > 0 || len(w.asked)+len(w.listed) > 0 {
		t.Errorf("%+v, asked %q, listed %q", got, w.asked, w.listed)
	}
}

// TestHostileTags: the list is somebody else's.
func TestHostileTags(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 120)
	list := []string{"", "v1\x1b[2J", "v1\n", strings.Repeat("v", 1<<20), "v1 ", "-v1", ".v1", "v1@sha256:0a", "v1:v2", "v\u202e1", "99999999999999999999.99999999999999999999.1"}
	for i := range 200_000 {
		list = append(list, fmt.Sprintf("%s%06d", long, i))
	}
	for _, wanted := range []string{"v1", long + "000000x", "1.2.3", "99999999999999999999.1.1", latest} {
		w := &world{tags: list, held: []string{"a:v1 "}}
		q := Question{Image: "registry.example.com/a:" + wanted, Missing: Tag}
		got := Find(t.Context(), q, w)
		if len(w.asked) > maxAsked || len(got.Items) > 0 {
			t.Errorf("%.20q: asked for %d, got %+v", wanted, len(w.asked), got)
		}
		for _, a := range w.asked {
			if !valid(a) {
				t.Errorf("asked for %q", a)
			}
		}
	}
}

func BenchmarkHostileTags(b *testing.B) {
	long := strings.Repeat("a", 120)
	var list []string
	for i := range 100_000 {
		list = append(list, fmt.Sprintf("%s%06d", long, i))
	}
	for b.Loop() {
		near(long+"00000x", list)
	}
}
