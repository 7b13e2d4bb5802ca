package registrytest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/internal/registrytest/imagetest"
)

func TestPulledImageIsThePushedOne(t *testing.T) {
	t.Parallel()
	r := registrytest.New("reg.lab", registrytest.Open)
	var images []v1.Image
	for _, arch := range []string{"amd64", "arm64"} {
		img, err := imagetest.Program(v1.Platform{OS: "linux", Architecture: arch}, "app", []byte(arch))
		if err != nil {
			t.Fatal(err)
		}
		images = append(images, img)
	}
	idx, err := imagetest.Index(images...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.PushIndex("multi", "v1", idx); err != nil {
		t.Fatal(err)
	}
	ref, err := name.NewTag("reg.lab/multi:v1", name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	got, err := remote.Index(ref, remote.WithTransport(client(t, r)))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(got); err != nil {
		t.Error(err)
	}
}

func TestObjects(t *testing.T) {
	t.Parallel()
	r, layer := stocked(t)
	missing, err := imagetest.ChildMissing(imagetest.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.PushIndex("team/app", "hollow", missing); err != nil {
		t.Fatal(err)
	}
	list, err := missing.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	chart, err := imagetest.Chart("web", "1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	r.PushRaw("team/chart", "1.0.0", chart.MediaType, chart.Manifest, chart.Blobs...)
	old, err := imagetest.Schema1("team/old", "v1", imagetest.Schema1Signed)
	if err != nil {
		t.Fatal(err)
	}
	r.PushRaw("team/old", "v1", old.MediaType, old.Manifest, old.Blobs...)
	tr := client(t, r)
	const base = "http://reg.lab/v2/team/app/"
	for _, tc := range []struct {
		name, method, url string
		header            []string
		status            int
		want              map[string]string
		size              int // -1: any
	}{
		{"ping", "GET", "http://reg.lab/v2/", nil, 200, map[string]string{"Docker-Distribution-Api-Version": "registry/2.0"}, 2},
		{"blob", "GET", base + "blobs/" + layer, nil, 200, map[string]string{"Docker-Content-Digest": layer}, -1},
		{"head of blob", "HEAD", base + "blobs/" + layer, nil, 200, map[string]string{"Docker-Content-Digest": layer}, 0},
		{"range", "GET", base + "blobs/" + layer, []string{"Range", "bytes=10-19"}, 206, nil, 10},
		{"range to the end", "GET", base + "blobs/" + layer, []string{"Range", "bytes=10-"}, 206, nil, -1},
		{"range beyond", "GET", base + "blobs/" + layer, []string{"Range", "bytes=9999999-"}, 416, nil, -1},
		{"two ranges", "GET", base + "blobs/" + layer, []string{"Range", "bytes=0-1,3-4"}, 200, nil, -1},
		{"image not accepted", "GET", base + "manifests/v1", []string{"Accept", string(types.DockerManifestSchema2)}, 404, nil, -1},
		{"image accepted by no name", "GET", base + "manifests/v1", []string{"Accept", "*/*"}, 404, nil, -1},
		{"index accepted", "HEAD", base + "manifests/hollow",
			[]string{"Accept", "application/json;q=0.5, " + string(types.OCIImageIndex)}, 200, map[string]string{"Content-Type": string(types.OCIImageIndex)}, 0},
		{"child gone", "GET", base + "manifests/" + list.Manifests[0].Digest.String(), nil, 404, nil, -1},
		{"bad digest", "GET", base + "manifests/sha256:12", nil, 400, nil, -1},
		{"other repository's blob", "GET", "http://reg.lab/v2/team/chart/blobs/" + layer, nil, 404, nil, -1},
		{"chart", "HEAD", "http://reg.lab/v2/team/chart/manifests/1.0.0", nil, 200, map[string]string{"Content-Type": string(types.OCIManifestSchema1)}, 0},
		{"schema 1", "HEAD", "http://reg.lab/v2/team/old/manifests/v1", nil, 200, map[string]string{"Content-Type": string(types.DockerManifestSchema1Signed)}, 0},
		{"push", "PUT", base + "manifests/v2", nil, 405, nil, -1},
		{"elsewhere", "GET", "http://reg.lab/index.html", nil, 404, nil, -1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			resp, body, err := ask(t, tr, tc.method, tc.url, tc.header...)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != tc.status || tc.size >= 0 && len(body) != tc.size {
				t.Errorf("%d with %d bytes, want %d with %d", resp.StatusCode, len(body), tc.status, tc.size)
			}
			for k, v := range tc.want {
				if got := resp.Header.Get(k); got != v {
					t.Errorf("%s is %q, want %q", k, got, v)
				}
			}
		})
	}
}

// GHCR serves nothing that was not asked for by its type; whoever forgets one takes the image for missing.
func TestPickyRegistry(t *testing.T) {
	t.Parallel()
	r := guarded(t, registrytest.BearerStrict)
	missing, err := imagetest.ChildMissing(imagetest.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.PushIndex("index", "v1", missing); err != nil {
		t.Fatal(err)
	}
	tr := client(t, r)
	_, body, err := ask(t, tr, http.MethodGet, "http://reg.lab/token?scope=repository:index:pull")
	if err != nil {
		t.Fatal(err)
	}
	token := "Bearer " + tokenIn(t, body)
	for accept, want := range map[string]int{"": 404, "*/*": 404, string(types.OCIManifestSchema1): 404, string(types.OCIImageIndex) + ", */*": 200} {
		header := []string{"Authorization", token}
		if accept != "" {
			header = append(header, "Accept", accept)
		}
		if resp, _, err := ask(t, tr, http.MethodGet, "http://reg.lab/v2/index/manifests/v1", header...); err != nil || resp.StatusCode != want {
			t.Errorf("accepting %q: %v, %v, want %d", accept, resp, err, want)
		}
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	r, _ := stocked(t)
	for _, tag := range []string{"v2", "v3", "v4"} {
		r.PushRaw("team/app", tag, types.OCIManifestSchema1, []byte("{}"))
	}
	tr := client(t, r)
	var seen []string
	for to := "/v2/team/app/tags/list?n=2"; to != ""; {
		resp, body, err := ask(t, tr, http.MethodGet, "http://reg.lab"+to)
		if err != nil || len(seen) > 4 {
			t.Fatalf("%v after %v", err, seen)
		}
		seen = append(seen, strings.TrimSpace(body))
		to, _, _ = strings.Cut(strings.TrimPrefix(resp.Header.Get("Link"), "<"), ">")
	}
	want := []string{`{"name":"team/app","tags":["v1","v2"]}`, `{"name":"team/app","tags":["v3","v4"]}`, `{"name":"team/app","tags":[]}`}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
}

func TestTagsAndRemove(t *testing.T) {
	t.Parallel()
	r, layer := stocked(t)
	tr := client(t, r)
	ref := "reg.lab/team/app:v1"
	repo, err := name.NewRepository("reg.lab/team/app", name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	tags, err := remote.List(repo, remote.WithTransport(tr))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"v1"}, tags); diff != "" {
		t.Error(diff)
	}
	for _, object := range []string{layer, "v1", ""} {
		r.Remove("team/app", object)
		if _, err := pull(t, tr, ref, authn.Anonymous); status(err) != http.StatusNotFound {
			t.Errorf("without %q: %v", object, err)
		}
	}
}
