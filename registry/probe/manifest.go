package probe

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/probe/platform"
)

const (
	maxManifest = 4 << 20 // containerd takes no larger one (v2.4.2 core/remotes/docker/resolver.go, MaxManifestSize)
	maxConfig   = 4 << 20
	maxLayers   = 500 // that are asked for
)

// The media types that a runtime takes for an image. Docker's are older than the OCI's and as common.
const (
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	dockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	dockerConfig   = "application/vnd.docker.container.image.v1+json"
)

// manifestTypes is what containerd accepts, in its order; the last takes anything, so that a registry tells what it has.
var manifestTypes = []string{dockerManifest, dockerList, v1.MediaTypeImageManifest, v1.MediaTypeImageIndex, "*/*"}

func isIndex(mediaType string) bool {
	return mediaType == dockerList || mediaType == v1.MediaTypeImageIndex
}

func isManifest(mediaType string) bool {
	return mediaType == dockerManifest || mediaType == v1.MediaTypeImageManifest
}

// document is a manifest or an index, read. It is shared and never changed.
type document struct {
	mediaType string
	digest    digest.Digest
	// entries are an index's.
	entries []v1.Descriptor
	// config and layers are a manifest's, each layer once.
	config v1.Descriptor
	layers []v1.Descriptor
	// size is what a pull of a manifest transfers, and count the layers as the manifest lists them.
	size  int64
	count int
	// artifact names what a manifest is where it is no image.
	artifact string
	// odd is set for a media type that is none of an image; versioned where it reads as a manifest all the same.
	odd, versioned bool
}

// readDocument reads what a registry gave under a media type. It takes what containerd would take: the type is the one that the
// registry names, and unknown fields are passed over. The document is never nil, and with an error of no use.
func readDocument(mediaType string, body []byte) (*document, error) {
	d := &document{mediaType: evidence.Clean(mediaType), digest: digest.FromBytes(body)}
	switch {
	case isIndex(mediaType):
		return d, d.readIndex(body)
	case isManifest(mediaType):
		return d, d.readManifest(body)
	}
	var any struct {
		SchemaVersion int `json:"schemaVersion"`
	}
	d.odd, d.versioned = true, json.Unmarshal(body, &any) == nil && any.SchemaVersion > 0
	return d, nil
}

// readContent reads a manifest that must have a digest; no document means that it has another.
func readContent(mediaType string, want digest.Digest, body []byte) (*document, error) {
	if got := want.Algorithm().FromBytes(body); got != want {
		return nil, fmt.Errorf("the registry sent other bytes: their digest is %s", got)
	}
	d, err := readDocument(mediaType, body)
	d.digest = want
	return d, err
}

func (d *document) readIndex(body []byte) error {
	var idx v1.Index
	if err := json.Unmarshal(body, &idx); err != nil {
		return fmt.Errorf("read index: %w", err)
	}
	for _, e := range idx.Manifests {
		if err := e.Digest.Validate(); err != nil {
			return fmt.Errorf("read index: entry %q: %w", evidence.Clean(string(e.Digest)), err)
		}
	}
	d.entries = idx.Manifests
	return nil
}

func (d *document) readManifest(body []byte) error {
	var m v1.Manifest
	if err := json.Unmarshal(body, &m); err != nil {
		return fmt.Errorf("read manifest: %w", err)
	}
	if err := m.Config.Digest.Validate(); err != nil {
		return fmt.Errorf("read manifest: config %q: %w", evidence.Clean(string(m.Config.Digest)), err)
	}
	seen := make(map[digest.Digest]bool, len(m.Layers))
	d.config, d.count, d.size = m.Config, len(m.Layers), add(0, m.Config.Size)
	for _, l := range m.Layers {
		if err := l.Digest.Validate(); err != nil {
			return fmt.Errorf("read manifest: layer %q: %w", evidence.Clean(string(l.Digest)), err)
		}
		if !seen[l.Digest] {
			seen[l.Digest] = true
			d.layers, d.size = append(d.layers, l), add(d.size, l.Size)
		}
	}
	if t := m.Config.MediaType; t != dockerConfig && t != v1.MediaTypeImageConfig {
		d.artifact = evidence.Clean(t)
		if m.ArtifactType != "" {
			d.artifact = evidence.Clean(m.ArtifactType)
		}
		if d.artifact == "" {
			d.artifact = "unknown"
		}
	}
	return nil
}

// add sums sizes that may be made up: none is negative and none overflows.
func add(sum, n int64) int64 {
	if n <= 0 {
		return sum
	}
	if sum > math.MaxInt64-n {
		return math.MaxInt64
	}
	return sum + n
}

// readPlatform reads the platform that a config names; empty where it names none.
func readPlatform(config []byte) string {
	var p v1.Platform
	if json.Unmarshal(config, &p) != nil {
		return ""
	}
	return platform.Spell(p)
}

// accept names a media type in a request, and anything after it. A type that somebody made up stays out of the header.
func accept(mediaType string) []string {
	odd := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("/.+-_", r)
	}
	if mediaType == "" || len(mediaType) > 200 || strings.ContainsFunc(mediaType, odd) {
		return []string{"*/*"}
	}
	return []string{mediaType, "*/*"}
}
