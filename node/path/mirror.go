package path

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/refloat-dev/refloat/evidence"
)

const (
	// readTime is what all of it may take.
	readTime  = 5 * time.Second
	maxConfig = 1 << 20
	// maxLayer is how large a layer may be that is read to see whether a mirror serves what it should.
	maxLayer = 1 << 20
)

// parts is what a pull has to fetch.
type parts struct {
	index  bool
	layers int
}

// document is the part of a manifest or an index that leads on.
type document struct {
	MediaType string          `json:"mediaType"`
	Manifests []v1.Descriptor `json:"manifests"`
	Config    *v1.Descriptor  `json:"config"`
	Layers    []v1.Descriptor `json:"layers"`
}

// read fetches from a mirror what a pull would, but for its larger layers, and holds it against its digests.
func (v *visit) read(ctx context.Context, head reply) {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	want := digest.Digest(head.step.Digest)
	object := v.object
	if v.look.digest != "" {
		want = v.look.digest
	}
	if want != "" {
		object = want.String() // as the runtime asks once it has the digest
	}
	v.digest = want.String()
	doc := v.document(ctx, "manifest", object, want)
	if doc != nil && len(doc.Manifests) > 0 {
		v.parts.index = true
		child, ok := v.node.Choose(doc.Manifests)
		if !ok {
			return
		}
		doc = v.document(ctx, "manifest for this platform", child.Digest.String(), child.Digest)
	}
	if doc == nil || doc.Config == nil {
		return
	}
	v.parts.layers = len(doc.Layers)
	if !v.blob(ctx, "config", *doc.Config, maxConfig) || len(doc.Layers) == 0 {
		return
	}
	v.blob(ctx, "layer", slices.MinFunc(doc.Layers, func(a, b v1.Descriptor) int { return int(min(a.Size, maxLayer+1) - min(b.Size, maxLayer+1)) }), maxLayer)
}

// document reads a manifest; nil where there is none to go on with.
func (v *visit) document(ctx context.Context, what, object string, want digest.Digest) *document {
	r := v.send(ctx, v.tr, http.MethodGet, v.at(v.place, "manifests", object), maxManifest)
	if !v.holds(what, r, want) {
		return nil
	}
	if v.digest == "" {
		v.digest = digest.FromBytes(r.body).String()
	}
	var d document
	if json.Unmarshal(r.body, &d) != nil {
		return nil
	}
	return &d
}

// blob reads one that is small enough, and tells whether it is as it should be.
func (v *visit) blob(ctx context.Context, what string, d v1.Descriptor, most int64) bool {
	if d.Size > most || d.Size <= 0 || d.Digest.Validate() != nil {
		return true
	}
	return v.holds(what, v.send(ctx, v.tr, http.MethodGet, v.at(v.place, "blobs", d.Digest.String()), d.Size), d.Digest)
}

// holds compares bytes with their digest. What is not served, or by another host, is no lie.
func (v *visit) holds(what string, r reply, want digest.Digest) bool {
	switch {
	case r.err != nil && r.step.Status == http.StatusOK:
		if r.long {
			v.h.Lies = fmt.Sprintf("what it serves as %s %s is longer than that is", what, want)
			return false
		}
		v.h.Fails, v.h.Failure, v.h.Text = evidence.HopHTTP, r.step.Failure, fmt.Sprintf("its %s %s does not come whole: %s", what, want, r.step.Text)
		return false
	case r.err != nil || r.step.Status != http.StatusOK:
		if r.location != nil {
			v.sent = r.location
		}
		return false
	case want == "" || want.Validate() != nil:
		return true
	}
	if got := want.Algorithm().FromBytes(r.body); got != want {
		v.h.Lies = fmt.Sprintf("the bytes that it serves as %s %s have the digest %s", what, want, got)
		return false
	}
	return true
}

// compare says where a mirror serves another image under a tag than the registry does.
func (v *visit) compare(p *evidence.Probe) {
	if v.h.Lies != "" || v.digest == "" || v.look.digest != "" || p == nil {
		return
	}
	for _, a := range p.Attempts {
		if a.Found != nil && a.Found.Digest != "" && a.Found.Digest != v.digest {
			v.h.Lies = fmt.Sprintf("%s is %s there and %s at the registry", v.object, v.digest, a.Found.Digest)
		}
	}
}
