// Package imagetest builds images for a test registry: small ones that run,
// and ones that no runtime can use. Equal input gives equal digests, on every
// machine and with every Go release that compresses alike.
//
// It refuses to fetch or build anything: files come as bytes, and programs are
// the caller's.
package imagetest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// born is the time of everything: with the real one, digests would change.
var born = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// File is one regular file of a layer.
type File struct {
	Path string
	Data []byte
	Mode int64 // zero: 0755
}

// Spec says what an image is made of. The zero value is an empty image for
// linux/amd64.
type Spec struct {
	Platform   v1.Platform // zero: linux/amd64
	Layers     [][]File    // one layer each
	Entrypoint []string
	Cmd        []string
	Env        []string
	User       string
	// Label makes images with the same files differ.
	Label string
}

// Image builds what spec says.
func Image(spec Spec) (v1.Image, error) {
	layers := make([]v1.Layer, 0, len(spec.Layers))
	for i, files := range spec.Layers {
		l, err := Layer(files...)
		if err != nil {
			return nil, fmt.Errorf("layer %d: %w", i, err)
		}
		layers = append(layers, l)
	}
	return assemble(spec, layers)
}

// Program is the usual image: one static binary that is the entrypoint.
func Program(p v1.Platform, name string, binary []byte, args ...string) (v1.Image, error) {
	return Image(Spec{Platform: p, Layers: [][]File{{{Path: name, Data: binary}}}, Entrypoint: append([]string{"/" + name}, args...)})
}

// Index lists images by their own platforms, in the given order.
func Index(images ...v1.Image) (v1.ImageIndex, error) {
	var adds []mutate.IndexAddendum
	for _, img := range images {
		c, err := img.ConfigFile()
		if err != nil {
			return nil, fmt.Errorf("read config: %w", err)
		}
		adds = append(adds, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: c.Platform()}})
	}
	return mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), adds...), nil
}

// Layer packs files as a gzipped tar, in the order given, with the directories
// above them.
func Layer(files ...File) (v1.Layer, error) {
	raw, err := pack(files)
	if err != nil {
		return nil, err
	}
	return layerOf(raw, raw)
}

// Big is an incompressible file of that many bytes, for layers that must be
// slow or must not fit. Another seed gives other bytes.
func Big(name string, size int, seed uint64) File {
	b := make([]byte, size)
	x := seed*0x9E3779B97F4A7C15 + 1
	for i := range b {
		x ^= x << 13 // xorshift64
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x)
	}
	return File{Path: name, Data: b, Mode: 0o644}
}

func assemble(spec Spec, layers []v1.Layer) (v1.Image, error) {
	p := spec.Platform
	if p.OS == "" {
		p = v1.Platform{OS: "linux", Architecture: "amd64"}
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err := mutate.AppendLayers(base, layers...)
	if err != nil {
		return nil, fmt.Errorf("append layers: %w", err)
	}
	c, err := img.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("read config: %w", err)
	}
	c = c.DeepCopy()
	c.Created = v1.Time{Time: born}
	c.OS, c.Architecture, c.Variant, c.OSVersion = p.OS, p.Architecture, p.Variant, p.OSVersion
	c.History = nil // layers alone carry empty entries that say nothing
	c.Config = v1.Config{Entrypoint: spec.Entrypoint, Cmd: spec.Cmd, Env: spec.Env, User: spec.User}
	if spec.Label != "" {
		c.Config.Labels = map[string]string{"dev.refloat.test": spec.Label}
	}
	return mutate.ConfigFile(img, c)
}

func pack(files []File) ([]byte, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	made := map[string]bool{}
	for _, f := range files {
		name := strings.TrimPrefix(path.Clean("/"+f.Path), "/")
		if err := mkdirs(w, made, path.Dir(name)); err != nil {
			return nil, err
		}
		mode := f.Mode
		if mode == 0 {
			mode = 0o755
		}
		h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(f.Data)), ModTime: born, Format: tar.FormatPAX}
		if err := w.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("write %s: %w", name, err)
		}
		if _, err := w.Write(f.Data); err != nil {
			return nil, fmt.Errorf("write %s: %w", name, err)
		}
	}
	return buf.Bytes(), w.Close()
}

func mkdirs(w *tar.Writer, made map[string]bool, dir string) error {
	if dir == "." || made[dir] {
		return nil
	}
	if err := mkdirs(w, made, path.Dir(dir)); err != nil {
		return err
	}
	made[dir] = true
	return w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755, ModTime: born, Format: tar.FormatPAX})
}

// layer is a blob whose diff ID is what it claims, true or not.
type layer struct {
	v1.Layer
	diffID v1.Hash
}

func (l layer) DiffID() (v1.Hash, error) { return l.diffID, nil }

// blob is the least that go-containerregistry makes a layer of.
type blob struct {
	data   []byte
	digest v1.Hash
	mt     types.MediaType
}

func (b blob) Digest() (v1.Hash, error)            { return b.digest, nil }
func (b blob) Size() (int64, error)                { return int64(len(b.data)), nil }
func (b blob) MediaType() (types.MediaType, error) { return b.mt, nil }
func (b blob) Compressed() (io.ReadCloser, error)  { return io.NopCloser(bytes.NewReader(b.data)), nil }

// layerOf compresses raw; the config will claim that it unpacks to claimed.
func layerOf(raw, claimed []byte) (v1.Layer, error) {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	if _, err := z.Write(raw); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	return blobLayer(buf.Bytes(), claimed, types.OCILayer)
}

func blobLayer(data, claimed []byte, mt types.MediaType) (v1.Layer, error) {
	id, _, err := v1.SHA256(bytes.NewReader(claimed))
	if err != nil {
		return nil, fmt.Errorf("digest: %w", err)
	}
	digest, _, err := v1.SHA256(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("digest: %w", err)
	}
	l, err := partial.CompressedToLayer(blob{data, digest, mt})
	if err != nil {
		return nil, fmt.Errorf("make layer: %w", err)
	}
	return layer{l, id}, nil
}
