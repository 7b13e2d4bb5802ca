package imagetest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/refloat-dev/refloat/internal/registrytest/imagetest"
)

var spec = imagetest.Spec{Layers: [][]imagetest.File{
	{{Path: "bin/hello", Data: []byte("#!/bin/sh\n")}, {Path: "/etc/motd", Data: []byte("hi\n"), Mode: 0o644}},
	{imagetest.Big("var/big", 4096, 7)},
}, Entrypoint: []string{"/bin/hello"}}

func TestImageIsValidAndRepeats(t *testing.T) {
	t.Parallel()
	var digests []v1.Hash
	for range 2 {
		img, err := imagetest.Image(spec)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate.Image(img); err != nil {
			t.Error(err)
		}
		h, err := img.Digest()
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, h)
	}
	if digests[0] != digests[1] {
		t.Errorf("digests differ: %v", digests)
	}
	labelled := spec
	labelled.Label = "other"
	img, err := imagetest.Image(labelled)
	if err != nil {
		t.Fatal(err)
	}
	if h, _ := img.Digest(); h == digests[0] {
		t.Error("a label does not change the digest")
	}
}

func TestIndexes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		build func(imagetest.Spec) (v1.ImageIndex, error)
		want  []string
	}{
		{"other platforms", imagetest.OtherPlatforms, []string{"linux/arm64", "linux/s390x"}},
		{"windows", imagetest.WindowsOnly, []string{"windows/amd64:10.0.20348.2700"}},
		{"child missing", imagetest.ChildMissing, []string{"linux/amd64"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			idx, err := tc.build(spec)
			if err != nil {
				t.Fatal(err)
			}
			m, err := idx.IndexManifest()
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range m.Manifests {
				got = append(got, d.Platform.String())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBrokenImagesAreBroken(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		build func(imagetest.Spec) (v1.Image, error)
	}{
		{"undecodable", imagetest.Undecodable},
		{"bad tar", imagetest.BadTar},
		{"wrong diff id", imagetest.WrongDiffID},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			img, err := tc.build(spec)
			if err != nil {
				t.Fatal(err)
			}
			if validate.Image(img) == nil {
				t.Error("the image is valid")
			}
		})
	}
}

func TestRawManifestsRepeat(t *testing.T) {
	t.Parallel()
	for name, build := range map[string]func() (imagetest.Raw, error){
		"chart":    func() (imagetest.Raw, error) { return imagetest.Chart("web", "1.2.3") },
		"artifact": func() (imagetest.Raw, error) { return imagetest.Artifact("application/spdx+json", "{}") },
		"schema1": func() (imagetest.Raw, error) {
			return imagetest.Schema1("web", "v1", types.DockerManifestSchema1Signed)
		},
	} {
		a, err := build()
		if err != nil {
			t.Fatal(name, err)
		}
		b, err := build()
		if err != nil {
			t.Fatal(name, err)
		}
		if diff := cmp.Diff(a, b); diff != "" {
			t.Error(name, diff)
		}
	}
}
