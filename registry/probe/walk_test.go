package probe_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/internal/registrytest/imagetest"
	"github.com/refloat-dev/refloat/registry/keyring"
	"github.com/refloat-dev/refloat/registry/probe"
)

// want is an attempt in short.
type want struct {
	User     string // empty: none
	Compared bool
	Steps    []string
	Served   bool
}

func short(p evidence.Probe) []want {
	var list []want
	for _, a := range p.Attempts {
		w := want{Compared: a.Compared, Steps: trail(a), Served: a.Served}
		if a.Login != nil {
			w.User = a.Login.User
		}
		list = append(list, w)
	}
	return list
}

const (
	pinged     = "GET ping Unauthorized"
	pingedOpen = "GET ping OK"
	gotToken   = "POST token OK"
	gotAnyone  = "GET token OK"
	headOK     = "HEAD manifest OK"
	getOK      = "GET manifest OK"
	childOK    = "GET child OK"
	configOK   = "GET config OK"
	challenged = "HEAD manifest Unauthorized"
)

func TestWalk(t *testing.T) {
	t.Parallel()
	served := []string{headOK, getOK, childOK}
	for _, tc := range []struct {
		name    string
		style   registrytest.Style
		private bool
		image   string
		creds   []keyring.Credential
		want    []want
		tags    int // the status of the tag list; 0 where it is not asked for
	}{
		{name: "open", style: registrytest.Open, want: []want{{Steps: append([]string{pingedOpen}, served...), Served: true}}},
		{name: "with a token", style: registrytest.BearerHub, private: true, creds: creds(alice), want: []want{
			{User: "alice", Steps: append([]string{pinged, challenged, gotToken}, served...), Served: true}}},
		{name: "anonymous token", style: registrytest.BearerHub, want: []want{{Steps: append([]string{pinged, challenged, gotAnyone}, served...), Served: true}}},
		{name: "basic", style: registrytest.BasicECR, creds: creds(alice), want: []want{{User: "alice", Steps: append([]string{pinged, challenged}, served...), Served: true}}},
		{name: "basic, nobody", style: registrytest.BasicECR, want: []want{
			{Steps: []string{pinged, challenged, "GET manifest Unauthorized"}}}},
		{name: "missing tag", style: registrytest.Open, image: "reg.lab/team/app:2", tags: 200, want: []want{
			{Steps: []string{pingedOpen, "HEAD manifest Not Found", "GET manifest Not Found"}}}},
		{name: "missing repository", style: registrytest.Open, image: "reg.lab/team/ap:1", tags: 404, want: []want{
			{Steps: []string{pingedOpen, "HEAD manifest Not Found", "GET manifest Not Found"}}}},
		{name: "private, nobody", style: registrytest.BearerHub, private: true, want: []want{
			{Steps: []string{pinged, challenged, gotAnyone, challenged}}}},
		{name: "private, no token for nobody", style: registrytest.BearerStrict, private: true, want: []want{
			{Steps: []string{pinged, challenged, "GET token Unauthorized"}}}},
		{name: "private, a refusal that names no error", style: registrytest.BearerQuay, private: true, want: []want{
			{Steps: []string{pinged, challenged, gotAnyone, challenged, "GET manifest Unauthorized"}}}},
		{name: "no permission", style: registrytest.BearerHub, private: true, creds: creds(bob), want: []want{
			{User: "bob", Steps: []string{pinged, challenged, gotToken, challenged}},
			{Compared: true, Steps: []string{pinged, challenged, gotAnyone, challenged}}}},
		{name: "the first of two is stale", style: registrytest.BearerHub, private: true, creds: creds(stale, alice), want: []want{
			{User: "alice", Steps: []string{pinged, challenged, "POST token Unauthorized", "GET token Unauthorized"}},
			{User: "alice", Steps: append([]string{pinged, challenged, gotToken}, served...), Served: true}}},
		{name: "stale on a public image", style: registrytest.BearerHub, creds: creds(stale), want: []want{
			{User: "alice", Steps: []string{pinged, challenged, "POST token Unauthorized", "GET token Unauthorized"}},
			{Compared: true, Steps: append([]string{pinged, challenged, gotAnyone}, served...), Served: true}}},
		{name: "a login without a user is none", style: registrytest.BearerHub, creds: creds(cred("", "x")), want: []want{
			{Steps: append([]string{pinged, challenged, gotAnyone}, served...), Served: true}}},
		{name: "a login without a user is none, and nothing is compared", style: registrytest.BearerHub, private: true, creds: creds(cred("", "x")), want: []want{
			{Steps: []string{pinged, challenged, gotAnyone, challenged}}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := newLab(t)
			r := b.registry(t, "reg.lab", tc.style)
			if tc.private {
				r.Private = []string{"*"}
			}
			if tc.image == "" {
				tc.image = "reg.lab/team/app:1"
			}
			p := b.walker().Ask(t.Context(), probe.Question{Image: tc.image, Credentials: tc.creds, Platform: "linux/amd64"})
			if diff := cmp.Diff(tc.want, short(p)); diff != "" {
				t.Error(diff)
			}
			tags := 0
			if p.Tags != nil {
				tags = p.Tags.Status
			}
			if tags != tc.tags {
				t.Errorf("the tag list answers %d, want %d", tags, tc.tags)
			}
			if p.Host != "reg.lab" || p.Image != tc.image || p.Platform != "linux/amd64" {
				t.Errorf("asked %s at %s for %s", p.Image, p.Host, p.Platform)
			}
		})
	}
}

func TestFound(t *testing.T) {
	t.Parallel()
	spec := imagetest.Spec{Layers: [][]imagetest.File{{imagetest.Big("a", 100, 1)}}}
	raw := func(r imagetest.Raw, err error) func(*testing.T, *registrytest.Registry) {
		return func(t *testing.T, reg *registrytest.Registry) {
			if err != nil {
				t.Fatal(err)
			}
			reg.PushRaw("team/odd", "1", r.MediaType, r.Manifest, r.Blobs...)
		}
	}
	index := func(idx v1.ImageIndex, err error) func(*testing.T, *registrytest.Registry) {
		return func(t *testing.T, reg *registrytest.Registry) {
			if err != nil {
				t.Fatal(err)
			}
			if _, err := reg.PushIndex("team/odd", "1", idx); err != nil {
				t.Fatal(err)
			}
		}
	}
	const ociIndex, oci = string(types.OCIImageIndex), string(types.OCIManifestSchema1)
	for _, tc := range []struct {
		name     string
		push     func(*testing.T, *registrytest.Registry)
		platform string
		want     *evidence.Manifest // digests left out
		child    bool
		last     string
		served   bool
	}{
		{name: "other platforms", push: index(imagetest.OtherPlatforms(spec)), platform: "linux/amd64",
			want: &evidence.Manifest{MediaType: ociIndex, Platforms: []string{"linux/arm64", "linux/s390x"}}, last: getOK},
		{name: "other platforms, none asked for", push: index(imagetest.OtherPlatforms(spec)),
			want: &evidence.Manifest{MediaType: ociIndex, Platforms: []string{"linux/arm64", "linux/s390x"}}, last: getOK, served: true},
		{name: "arm/v7 of arm64", push: index(imagetest.OtherPlatforms(spec)), platform: "linux/arm64", child: true,
			want: &evidence.Manifest{MediaType: ociIndex, Platforms: []string{"linux/arm64", "linux/s390x"}}, last: childOK, served: true},
		{name: "Windows of a newer build", push: index(imagetest.WindowsOnly(spec)), platform: "windows/amd64:10.0.17763.1",
			want: &evidence.Manifest{MediaType: ociIndex, Platforms: []string{"windows/amd64:10.0.20348.2700"}}, last: getOK},
		{name: "Windows", push: index(imagetest.WindowsOnly(spec)), platform: "windows/amd64:10.0.20348.1", child: true,
			want: &evidence.Manifest{MediaType: ociIndex, Platforms: []string{"windows/amd64:10.0.20348.2700"}}, last: childOK, served: true},
		{name: "child missing", push: index(imagetest.ChildMissing(spec)), platform: "linux/amd64",
			want: &evidence.Manifest{MediaType: ociIndex, Platforms: []string{"linux/amd64"}}, last: "GET child Not Found"},
		{name: "an image alone, for another platform", platform: "linux/arm64", served: true,
			push: func(t *testing.T, r *registrytest.Registry) { push(t, r, "team/odd", "1", linux) },
			want: &evidence.Manifest{MediaType: oci, Platforms: []string{"linux/amd64"}}, last: configOK},
		{name: "chart", push: raw(imagetest.Chart("shop", "1.0.0")), platform: "linux/amd64",
			want: &evidence.Manifest{MediaType: oci, Artifact: "application/vnd.cncf.helm.config.v1+json"}, last: getOK},
		{name: "artifact", push: raw(imagetest.Artifact("application/vnd.example.sbom", "x")), platform: "linux/amd64",
			want: &evidence.Manifest{MediaType: oci, Artifact: "application/vnd.example.sbom"}, last: getOK},
		{name: "artifact without a type", push: raw(imagetest.Artifact("", "x")), platform: "linux/amd64",
			want: &evidence.Manifest{MediaType: oci, Artifact: "application/vnd.oci.empty.v1+json"}, last: getOK},
		{name: "schema 1", push: raw(imagetest.Schema1("team/odd", "1", imagetest.Schema1Signed)), platform: "linux/amd64",
			want: &evidence.Manifest{MediaType: string(imagetest.Schema1Signed)}, last: headOK},
		{name: "mistyped", push: raw(imagetest.Mistyped(spec, "application/json")), platform: "linux/amd64",
			want: &evidence.Manifest{MediaType: "application/json"}, last: headOK},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := newLab(t)
			r := b.registry(t, "reg.lab", registrytest.BearerHub)
			tc.push(t, r)
			p := b.walker().Ask(t.Context(), probe.Question{Image: "reg.lab/team/odd:1", Credentials: creds(alice), Platform: tc.platform})
			if len(p.Attempts) != 1 && tc.last != "GET child Not Found" {
				t.Fatalf("%d attempts", len(p.Attempts))
			}
			a := p.Attempts[0]
			if steps := trail(a); steps[len(steps)-1] != tc.last || a.Served != tc.served {
				t.Errorf("stops at %q, served: %v", steps, a.Served)
			}
			if a.Found == nil {
				t.Fatal("nothing found")
			}
			if a.Found.Digest == "" || (a.Found.Child != "") != tc.child {
				t.Errorf("found %+v", a.Found)
			}
			got := *a.Found
			got.Digest, got.Child = "", ""
			if diff := cmp.Diff(*tc.want, got); diff != "" {
				t.Error(diff)
			}
			if p.Tags != nil {
				t.Error("asked for tags")
			}
		})
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	at := func(step registrytest.Step, object string) registrytest.Where {
		return registrytest.Where{Step: step, Object: object}
	}
	head := registrytest.Where{Step: registrytest.StepManifest, Method: "HEAD"}
	for _, tc := range []struct {
		name, preset string
		where        registrytest.Where
		want         []string // after the ping
		served       bool
	}{
		{"HEAD out of order, GET in order", "error-502", head, []string{"HEAD manifest Bad Gateway", getOK, childOK, configOK}, true},
		{"HEAD refused, GET served", "forbidden", head, []string{getOK, "HEAD manifest Forbidden"}, false},
		{"server error", "error-503", at(registrytest.StepManifest, ""), []string{"HEAD manifest Service Unavailable", "GET manifest Service Unavailable"}, false},
		{"content policy", "content-policy", at(registrytest.StepManifest, ""), []string{"HEAD manifest Precondition Failed", "GET manifest Precondition Failed"}, false},
		{"limited", "rate-limited", registrytest.Where{Step: registrytest.StepManifest, Method: "GET"}, []string{headOK, "GET manifest Too Many Requests"}, false},
		{"page", "html", at(registrytest.StepManifest, ""), []string{headOK, getOK}, false},
		{"foreign", "foreign-api", at(registrytest.StepManifest, ""), []string{headOK, getOK}, false},
		{"silent about the type", "no-type", at(registrytest.StepManifest, ""), []string{headOK}, false},
		{"wrong bytes", "wrong-bytes", at(registrytest.StepManifest, ""), []string{headOK, "GET manifest digest"}, false},
		{"cut", "cut", at(registrytest.StepManifest, "index"), nil, false},
		{"config gone", "blob-unknown", at(registrytest.StepBlob, "config"), []string{headOK, getOK, childOK, "GET config Not Found"}, false},
		{"layer gone", "blob-unknown", at(registrytest.StepBlob, "layer"), []string{headOK, getOK, childOK, configOK,
			"HEAD layer Not Found", "GET layer Not Found", "HEAD layer Not Found", "GET layer Not Found"}, false},
		{"storage host away", "redirect-away", at(registrytest.StepBlob, "layer"), nil, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := newLab(t)
			b.dead["storage.invalid"] = true
			b.registry(t, "reg.lab", registrytest.Open)
			b.fault(t, "f", tc.where, tc.preset)
			p := b.walker().Ask(t.Context(), probe.Question{Image: "reg.lab/team/app:1", Platform: "linux/amd64", Layers: true})
			a := p.Attempts[0]
			steps := trail(a)[1:]
			if tc.served {
				steps = steps[:len(steps)-2] // the layers
			}
			if a.Served != tc.served {
				t.Errorf("served: %v", a.Served)
			}
			if tc.want == nil {
				if last := a.Steps[len(a.Steps)-1]; last.Failure == "" {
					t.Errorf("no failure: %v", steps)
				}
				return
			}
			if diff := cmp.Diff(tc.want, steps); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLayers(t *testing.T) {
	t.Parallel()
	b := newLab(t)
	r := b.registry(t, "reg.lab", registrytest.BearerHub)
	r.Private = []string{"*"}
	if err := b.Faults.Add(registrytest.Fault{ID: "away", Where: registrytest.Where{Step: registrytest.StepBlob},
		Answer: registrytest.Answer{Redirect: "https://storage.lab"}}); err != nil {
		t.Fatal(err)
	}
	p := b.walker().Ask(t.Context(), probe.Question{Image: "reg.lab/team/app:1", Credentials: creds(alice), Platform: "linux/amd64", Layers: true})
	if !p.Attempts[0].Served || p.Layers != 2 || p.Size < 3072 {
		t.Errorf("got %+v", p)
	}
	if n := b.count(registrytest.StepBlob) + b.count(registrytest.StepStorage); n != 2*3 {
		t.Errorf("%d requests for two layers and a config", n)
	}
	for _, e := range b.Log.Entries() {
		if e.Step == registrytest.StepStorage && e.Scheme != "" {
			t.Errorf("a credential went to the storage host: %+v", e)
		}
	}
}

// An image that lists hundreds of layers and has none costs a few requests.
func TestLayersThatAreGone(t *testing.T) {
	t.Parallel()
	b := newLab(t)
	r := b.registry(t, "reg.lab", registrytest.Open)
	config := []byte(`{"os":"linux","architecture":"amd64"}`)
	h, _, err := v1.SHA256(bytes.NewReader(config))
	if err != nil {
		t.Fatal(err)
	}
	var layers []string
	for i := range 2000 {
		layers = append(layers, fmt.Sprintf(`{"mediaType":"%s","digest":"sha256:%064x","size":1}`, types.OCILayer, i))
	}
	r.PushRaw("team/gone", "1", types.OCIManifestSchema1, fmt.Appendf(nil, `{"schemaVersion":2,"config":{"mediaType":"%s","digest":"%s","size":%d},"layers":[%s]}`,
		types.OCIConfigJSON, h, len(config), strings.Join(layers, ",")), config)
	p := b.walker().Ask(t.Context(), probe.Question{Image: "reg.lab/team/gone:1", Platform: "linux/amd64", Layers: true})
	if n := b.count(registrytest.StepBlob); n > 1+2*8 || p.Attempts[0].Served || p.Layers != 2000 {
		t.Errorf("%d requests for blobs, %d layers, served: %v", n, p.Layers, p.Attempts[0].Served)
	}
}
