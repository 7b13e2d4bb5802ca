package registrytest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// repository holds one repository's content by digest. Content is never
// changed once stored, so readers may keep the slices.
type repository struct {
	manifests map[string]manifest
	blobs     map[string][]byte
	tags      map[string]string
	roles     map[string]string // digest → index, child, config, layer
}

type manifest struct {
	mediaType string
	raw       []byte
}

// Push stores img and all it refers to, and tags it unless tag is empty.
func (r *Registry) Push(repo, tag string, img v1.Image) (v1.Hash, error) {
	layers, err := img.Layers()
	if err != nil {
		return v1.Hash{}, fmt.Errorf("list layers: %w", err)
	}
	for _, l := range layers {
		if err := r.pushLayer(repo, "layer", l); err != nil {
			return v1.Hash{}, err
		}
	}
	config, err := partial.ConfigLayer(img)
	if err != nil {
		return v1.Hash{}, fmt.Errorf("read config: %w", err)
	}
	if err := r.pushLayer(repo, "config", config); err != nil {
		return v1.Hash{}, err
	}
	return r.pushDescribed(repo, tag, img)
}

// PushIndex stores idx with the images and indexes in it, and tags it unless
// tag is empty. A child that idx lists without holding it is left out.
func (r *Registry) PushIndex(repo, tag string, idx v1.ImageIndex) (v1.Hash, error) {
	list, err := idx.IndexManifest()
	if err != nil {
		return v1.Hash{}, fmt.Errorf("read index: %w", err)
	}
	for _, d := range list.Manifests {
		if err := r.pushChild(repo, idx, d); err != nil {
			return v1.Hash{}, err
		}
		r.update(repo, func(c *repository) { c.roles[d.Digest.String()] = "child" })
	}
	h, err := r.pushDescribed(repo, tag, idx)
	if err == nil {
		r.update(repo, func(c *repository) { c.roles[h.String()] = "index" })
	}
	return h, err
}

func (r *Registry) pushChild(repo string, idx v1.ImageIndex, d v1.Descriptor) error {
	if d.MediaType.IsIndex() {
		child, err := idx.ImageIndex(d.Digest)
		if err != nil {
			return nil // listed and not held: that is how a child goes missing
		}
		_, err = r.PushIndex(repo, "", child)
		return err
	}
	img, err := idx.Image(d.Digest)
	if err != nil {
		return nil // as above
	}
	_, err = r.Push(repo, "", img)
	return err
}

// PushRaw stores any bytes as a manifest, with blobs beside it, whatever they
// are, and tags it unless tag is empty.
func (r *Registry) PushRaw(repo, tag string, mt types.MediaType, raw []byte, blobs ...[]byte) v1.Hash {
	h := digestOf(raw)
	r.update(repo, func(c *repository) {
		for _, b := range blobs {
			c.blobs[digestOf(b).String()] = b
		}
		c.manifests[h.String()] = manifest{mediaType: string(mt), raw: raw}
		if tag != "" {
			c.tags[tag] = h.String()
		}
	})
	return h
}

// Remove takes a tag, manifest or blob out of a repository, or with an empty
// object the whole repository. Removing what is not there changes nothing.
func (r *Registry) Remove(repo, object string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := r.repos[repo]
	switch {
	case !ok:
	case object == "":
		delete(r.repos, repo)
	default:
		delete(c.tags, object)
		delete(c.manifests, object)
		delete(c.blobs, object)
	}
}

func (r *Registry) pushLayer(repo, role string, l v1.Layer) error {
	h, err := l.Digest()
	if err != nil {
		return fmt.Errorf("digest %s: %w", role, err)
	}
	rc, err := l.Compressed()
	if err != nil {
		return fmt.Errorf("open %s %s: %w", role, h, err)
	}
	defer rc.Close()
	b, err := io.ReadAll(rc)
	if err != nil {
		return fmt.Errorf("read %s %s: %w", role, h, err)
	}
	r.update(repo, func(c *repository) { c.blobs[h.String()], c.roles[h.String()] = b, role })
	return nil
}

func (r *Registry) pushDescribed(repo, tag string, d interface {
	RawManifest() ([]byte, error)
	MediaType() (types.MediaType, error)
}) (v1.Hash, error) {
	raw, err := d.RawManifest()
	if err != nil {
		return v1.Hash{}, fmt.Errorf("read manifest: %w", err)
	}
	mt, err := d.MediaType()
	if err != nil {
		return v1.Hash{}, fmt.Errorf("read media type: %w", err)
	}
	return r.PushRaw(repo, tag, mt, raw), nil
}

func (r *Registry) update(repo string, change func(*repository)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := r.repos[repo]
	if !ok {
		c = &repository{map[string]manifest{}, map[string][]byte{}, map[string]string{}, map[string]string{}}
		r.repos[repo] = c
	}
	change(c)
}

// locate fills in what the asked object resolves to, if it exists.
func (r *Registry) locate(a *ask) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	c, ok := r.repos[a.repo]
	if !ok {
		return
	}
	a.digest = a.object
	if d, ok := c.tags[a.object]; ok && a.step == StepManifest {
		a.digest = d
	}
	a.role = c.roles[a.digest]
}

// blob finds a blob in one repository.
func (r *Registry) blob(repo, digest string) ([]byte, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if c, ok := r.repos[repo]; ok {
		b, ok := c.blobs[digest]
		return b, ok
	}
	return nil, false
}

func (r *Registry) manifest(repo, digest string) (m manifest, hasRepo, hasManifest bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	c, ok := r.repos[repo]
	if !ok {
		return manifest{}, false, false
	}
	m, hasManifest = c.manifests[digest]
	return m, true, hasManifest
}

func (r *Registry) tags(repo string) (tags []string, ok bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	c, ok := r.repos[repo]
	if !ok {
		return nil, false
	}
	return slices.Sorted(maps.Keys(c.tags)), true
}

func digestOf(b []byte) v1.Hash {
	sum := sha256.Sum256(b)
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}
}
