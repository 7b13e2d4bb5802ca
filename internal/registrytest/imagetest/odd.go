package imagetest

import (
	"bytes"
	"encoding/json"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Media types that images never have.
const (
	Schema1Signed   types.MediaType = types.DockerManifestSchema1Signed
	Schema1Unsigned types.MediaType = types.DockerManifestSchema1
	helmConfig      types.MediaType = "application/vnd.cncf.helm.config.v1+json"
	helmContent     types.MediaType = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
	emptyConfig     types.MediaType = "application/vnd.oci.empty.v1+json"
)

// OtherPlatforms is an index without linux/amd64, made of spec's files.
func OtherPlatforms(spec Spec) (v1.ImageIndex, error) {
	var images []v1.Image
	for _, p := range []v1.Platform{{OS: "linux", Architecture: "arm64"}, {OS: "linux", Architecture: "s390x"}} {
		spec.Platform = p
		img, err := Image(spec)
		if err != nil {
			return nil, err
		}
		images = append(images, img)
	}
	return Index(images...)
}

// WindowsOnly is an index for Windows alone.
func WindowsOnly(spec Spec) (v1.ImageIndex, error) {
	spec.Platform = v1.Platform{OS: "windows", Architecture: "amd64", OSVersion: "10.0.20348.2700"}
	img, err := Image(spec)
	if err != nil {
		return nil, err
	}
	return Index(img)
}

// Raw is a manifest that is pushed as bytes.
type Raw struct {
	MediaType types.MediaType
	Manifest  []byte
	Blobs     [][]byte
}

// Schema1 is a Docker schema 1 manifest. The signature of the signed kind is
// one in form only, as runtimes refuse the media type first.
func Schema1(name, tag string, mt types.MediaType) (Raw, error) {
	l, err := Layer(File{Path: "hello", Data: []byte("hello\n")})
	if err != nil {
		return Raw{}, err
	}
	blob, digest, err := read(l)
	if err != nil {
		return Raw{}, err
	}
	m := map[string]any{
		"schemaVersion": 1, "name": name, "tag": tag, "architecture": "amd64",
		"fsLayers": []map[string]string{{"blobSum": digest}},
		"history":  []map[string]string{{"v1Compatibility": `{"id":"e45a5af57b00862e5ef5782a9925979a02ba2b12dff832fd0991335f4a11e5c5","os":"linux"}`}},
	}
	if mt == Schema1Signed {
		m["signatures"] = []map[string]any{{"header": map[string]string{"alg": "ES256"}, "signature": "", "protected": ""}}
	}
	raw, err := json.MarshalIndent(m, "", "   ")
	if err != nil {
		return Raw{}, fmt.Errorf("marshal schema 1: %w", err)
	}
	return Raw{MediaType: mt, Manifest: raw, Blobs: [][]byte{blob}}, nil
}

// Mistyped is a sound image whose manifest is served as mt ("" for none). The
// manifest is a blob as well, as clients look there for types they do not know.
func Mistyped(spec Spec, mt types.MediaType) (Raw, error) {
	img, err := Image(spec)
	if err != nil {
		return Raw{}, err
	}
	manifest, err := img.RawManifest()
	if err != nil {
		return Raw{}, fmt.Errorf("read manifest: %w", err)
	}
	config, err := img.RawConfigFile()
	if err != nil {
		return Raw{}, fmt.Errorf("read config: %w", err)
	}
	layers, err := img.Layers()
	if err != nil {
		return Raw{}, fmt.Errorf("list layers: %w", err)
	}
	r := Raw{MediaType: mt, Manifest: manifest, Blobs: [][]byte{manifest, config}}
	for _, l := range layers {
		blob, _, err := read(l)
		if err != nil {
			return Raw{}, err
		}
		r.Blobs = append(r.Blobs, blob)
	}
	return r, nil
}

// Chart is a Helm chart, which looks like an image until one reads its types.
func Chart(name, version string) (Raw, error) {
	chart := fmt.Appendf(nil, "apiVersion: v2\nname: %s\nversion: %s\n", name, version)
	l, err := Layer(File{Path: name + "/Chart.yaml", Data: chart, Mode: 0o644})
	if err != nil {
		return Raw{}, err
	}
	blob, _, err := read(l)
	if err != nil {
		return Raw{}, err
	}
	config := fmt.Appendf(nil, `{"name":%q,"version":%q,"apiVersion":"v2"}`, name, version)
	return artifact(artifactOf{config: helmConfig, configBytes: config, content: helmContent, blob: blob})
}

// Artifact is an OCI artifact with the empty config and text for content.
func Artifact(artifactType, text string) (Raw, error) {
	return artifact(artifactOf{kind: artifactType, config: emptyConfig, configBytes: []byte("{}"),
		content: "text/plain", blob: []byte(text)})
}

// Undecodable is an image whose only layer is called a gzipped tar and is none.
func Undecodable(spec Spec) (v1.Image, error) {
	garbage := bytes.Repeat([]byte("this is not a tar archive\n"), 64)
	l, err := blobLayer(garbage, garbage, types.OCILayer)
	if err != nil {
		return nil, err
	}
	return assemble(spec, []v1.Layer{l})
}

// BadTar is an image whose only layer is sound gzip around something that is
// no tar.
func BadTar(spec Spec) (v1.Image, error) {
	garbage := bytes.Repeat([]byte("this is not a tar archive\n"), 64)
	l, err := layerOf(garbage, garbage)
	if err != nil {
		return nil, err
	}
	return assemble(spec, []v1.Layer{l})
}

// OddLayer is an image whose only layer has a media type nobody unpacks.
func OddLayer(spec Spec, mt types.MediaType) (v1.Image, error) {
	b := []byte("opaque")
	l, err := blobLayer(b, b, mt)
	if err != nil {
		return nil, err
	}
	return assemble(spec, []v1.Layer{l})
}

// WrongDiffID is an image whose config expects other files than its layers
// hold.
func WrongDiffID(spec Spec) (v1.Image, error) {
	var layers []v1.Layer
	for i, files := range spec.Layers {
		raw, err := pack(files)
		if err != nil {
			return nil, err
		}
		l, err := layerOf(raw, fmt.Appendf(nil, "not layer %d", i))
		if err != nil {
			return nil, err
		}
		layers = append(layers, l)
	}
	return assemble(spec, layers)
}

type artifactOf struct {
	kind            string
	config, content types.MediaType
	configBytes     []byte
	blob            []byte
}

func artifact(a artifactOf) (Raw, error) {
	describe := func(mt types.MediaType, b []byte) (v1.Descriptor, error) {
		h, n, err := v1.SHA256(bytes.NewReader(b))
		return v1.Descriptor{MediaType: mt, Size: n, Digest: h}, err
	}
	config, err := describe(a.config, a.configBytes)
	if err != nil {
		return Raw{}, fmt.Errorf("describe config: %w", err)
	}
	content, err := describe(a.content, a.blob)
	if err != nil {
		return Raw{}, fmt.Errorf("describe content: %w", err)
	}
	raw, err := json.Marshal(struct {
		SchemaVersion int             `json:"schemaVersion"`
		MediaType     types.MediaType `json:"mediaType"`
		ArtifactType  string          `json:"artifactType,omitempty"`
		Config        v1.Descriptor   `json:"config"`
		Layers        []v1.Descriptor `json:"layers"`
	}{2, types.OCIManifestSchema1, a.kind, config, []v1.Descriptor{content}})
	if err != nil {
		return Raw{}, fmt.Errorf("marshal manifest: %w", err)
	}
	return Raw{MediaType: types.OCIManifestSchema1, Manifest: raw, Blobs: [][]byte{a.configBytes, a.blob}}, nil
}

func read(l v1.Layer) (blob []byte, digest string, err error) {
	rc, err := l.Compressed()
	if err != nil {
		return nil, "", fmt.Errorf("open layer: %w", err)
	}
	defer rc.Close()
	var buf bytes.Buffer
	if _, err := buf.ReadFrom(rc); err != nil {
		return nil, "", fmt.Errorf("read layer: %w", err)
	}
	h, err := l.Digest()
	return buf.Bytes(), h.String(), err
}

// ChildMissing is an index for linux/amd64 that lists an image which is not in
// it, so that pushing the index leaves the image out.
func ChildMissing(spec Spec) (v1.ImageIndex, error) {
	img, err := Image(spec)
	if err != nil {
		return nil, err
	}
	whole, err := Index(img)
	if err != nil {
		return nil, err
	}
	return hollow{whole}, nil
}

// hollow is an index without its children.
type hollow struct{ index }

type index = v1.ImageIndex // the name ImageIndex is taken by a method

func (hollow) Image(h v1.Hash) (v1.Image, error) {
	return nil, fmt.Errorf("no image %s in this index", h)
}

func (hollow) ImageIndex(h v1.Hash) (v1.ImageIndex, error) {
	return nil, fmt.Errorf("no index %s in this index", h)
}
