package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// packed packs two programs and returns the file.
func packed(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	programs := map[string]string{"amd64": filepath.Join(dir, "amd64"), "arm64": filepath.Join(dir, "arm64")}
	for arch, path := range programs {
		if err := os.WriteFile(path, []byte("for "+arch), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	index, err := imageOf("registry.example/agent:1", []string{"amd64", "arm64"}, programs)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out.tar")
	if err := write(index, filepath.Join(dir, "layout"), out); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestRepeats(t *testing.T) {
	t.Parallel()
	if !bytes.Equal(packed(t), packed(t)) {
		t.Error("equal programs give other bytes")
	}
}

func TestLayout(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for r := tar.NewReader(bytes.NewReader(packed(t))); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		path := filepath.Join(dir, h.Name)
		data, err2 := io.ReadAll(r)
		if err := errors.Join(err, err2, os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	root, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(root); err != nil {
		t.Error(err)
	}
	m, err := root.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if name := m.Manifests[0].Annotations["io.containerd.image.name"]; name != "registry.example/agent:1" {
		t.Errorf("named %q", name)
	}
	index, err := root.ImageIndex(m.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	inner, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var platforms []string
	for _, d := range inner.Manifests {
		platforms = append(platforms, d.Platform.String())
		checkImage(t, index, d)
	}
	if diff := cmp.Diff([]string{"linux/amd64", "linux/arm64"}, platforms); diff != "" {
		t.Error(diff)
	}
}

func checkImage(t *testing.T, index v1.ImageIndex, d v1.Descriptor) {
	t.Helper()
	img, err := index.Image(d.Digest)
	if err != nil {
		t.Fatal(err)
	}
	c, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if c.Architecture != d.Platform.Architecture || c.Config.Entrypoint[0] != "/refloat-agent" || c.Config.User != "0:0" || len(c.RootFS.DiffIDs) != 1 {
		t.Errorf("%+v", c)
	}
}
