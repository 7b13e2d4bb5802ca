package probe

import (
	"fmt"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"

	"github.com/refloat-dev/refloat/evidence"
)

// target is what an image reference asks for.
type target struct {
	// image is the whole reference: docker.io/library/nginx:1.25.
	image string
	// domain is the registry as references spell it; repository is the path below it.
	domain, repository string
	// object is the tag, or the digest where there is one.
	object string
	// digest is set where the object is one.
	digest digest.Digest
}

// resolve reads an image reference as the kubelet and the runtime do: K36 pkg/util/parsers/parsers.go adds what is missing, and
// the runtime lets a digest win over a tag (distribution/reference, ParseDockerRef).
func resolve(image string) (target, error) {
	named, err := reference.ParseDockerRef(image)
	if err != nil {
		return target{}, fmt.Errorf("parse %q: %w", evidence.CleanReference(image), err)
	}
	t := target{image: named.String(), domain: reference.Domain(named), repository: reference.Path(named)}
	switch r := named.(type) {
	case reference.Digested:
		t.object, t.digest = r.Digest().String(), r.Digest()
	case reference.Tagged:
		t.object = r.Tag()
	}
	return t, nil
}

func (t target) manifest() string { return "/v2/" + t.repository + "/manifests/" + t.object }
func (t target) manifestOf(d digest.Digest) string {
	return "/v2/" + t.repository + "/manifests/" + d.String()
}
func (t target) blob(d digest.Digest) string { return "/v2/" + t.repository + "/blobs/" + d.String() }
func (t target) tags() string                { return "/v2/" + t.repository + "/tags/list?n=1000" }
