package store

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/refloat-dev/refloat/registry/probe/platform"
)

const (
	maxManifest = 8 << 20 // more than any runtime pulls
	maxParts    = 1024    // children of an index, or layers
)

// descriptor is what one document says of another.
type descriptor struct {
	MediaType string       `json:"mediaType"`
	Digest    string       `json:"digest"`
	Size      int64        `json:"size"`
	Platform  *v1.Platform `json:"platform,omitempty"`
}

// document is an index or a manifest, as far as it is needed.
type document struct {
	MediaType string       `json:"mediaType"`
	Manifests []descriptor `json:"manifests"`
	Config    *descriptor  `json:"config"`
	Layers    []descriptor `json:"layers"`
}

// index says whether a document is one; those without a media type are told by what they list, as containerd does.
func (d document) index() bool { return d.Config == nil && len(d.Manifests) > 0 }

func parseDocument(data []byte) (document, error) {
	var d document
	if err := json.Unmarshal(data, &d); err != nil {
		return document{}, fmt.Errorf("it is no JSON document of an image: %w", err)
	}
	if len(d.Manifests) > maxParts || len(d.Layers) > maxParts {
		return document{}, fmt.Errorf("it lists more than %d parts", maxParts)
	}
	if d.Config == nil && len(d.Manifests) == 0 {
		return document{}, errors.New("it is neither a manifest nor an index")
	}
	return d, nil
}

// child is the manifest of an index that a pull for the platform takes.
func (d document) child(want string) (descriptor, bool) {
	entries := make([]v1.Descriptor, len(d.Manifests))
	for i, m := range d.Manifests {
		entries[i].Platform = m.Platform
		entries[i].Size = int64(i) // which one it is; Choose looks at the platform alone
	}
	best, ok := platform.Parse(want).Choose(entries)
	if !ok {
		return descriptor{}, false
	}
	return d.Manifests[best.Size], true
}

// parseDiffIDs reads what a config says that its layers unpack to.
func parseDiffIDs(config []byte) ([]string, error) {
	var c struct {
		RootFS struct {
			DiffIDs []string `json:"diff_ids"`
		} `json:"rootfs"`
	}
	if err := json.Unmarshal(config, &c); err != nil {
		return nil, fmt.Errorf("it is no JSON config of an image: %w", err)
	}
	if len(c.RootFS.DiffIDs) > maxParts {
		return nil, fmt.Errorf("it lists more than %d layers", maxParts)
	}
	for _, id := range c.RootFS.DiffIDs {
		if !isDigest(id) {
			return nil, errors.New("it names a layer by what is no digest")
		}
	}
	return c.RootFS.DiffIDs, nil
}

// chainIDs are the names of the snapshots that layers are unpacked to, the bottom one first (image-spec config.md, Layer ChainID).
func chainIDs(diffIDs []string) []string {
	chain := make([]string, len(diffIDs))
	for i, id := range diffIDs {
		chain[i] = id
		if i > 0 {
			chain[i] = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(chain[i-1]+" "+id)))
		}
	}
	return chain
}

var digestForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// isDigest says whether it is a digest of the only kind that runtimes make: nothing else becomes a path.
func isDigest(s string) bool { return digestForm.MatchString(s) }

// elsewhere says whether a layer's bytes are never fetched from a registry.
func (d descriptor) elsewhere() bool {
	return strings.Contains(d.MediaType, ".foreign.") || strings.Contains(d.MediaType, "nondistributable")
}
