package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	registryv1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/refloat-dev/refloat/internal/registrytest/imagetest"
	"github.com/refloat-dev/refloat/test/cluster"
)

// layersEach is how many layers a made image has.
const layersEach = 4

// shelf is what was pushed of one image: the objects that asking for it may lead to, and the one that is missing.
type shelf struct {
	own  map[string]bool // tag and digests of manifests, config and layers
	gone string
	tags bool // a verdict needs the tag list, and not only what is to be used instead
}

func madeImage(label, arch string) (registryv1.Image, error) {
	spec := imagetest.Spec{Platform: registryv1.Platform{OS: "linux", Architecture: arch}, Entrypoint: []string{"/run"}, Label: label}
	for i := range layersEach {
		spec.Layers = append(spec.Layers, []imagetest.File{{Path: fmt.Sprintf("layer-%d", i), Data: []byte(label + arch)}})
	}
	return imagetest.Image(spec)
}

// asIndex is an index in the form that the lab takes pushes in.
type asIndex struct {
	registryv1.Image // a child, for its config
	index            registryv1.ImageIndex
}

func (i asIndex) RawManifest() ([]byte, error)          { return i.index.RawManifest() }
func (i asIndex) MediaType() (types.MediaType, error)   { return i.index.MediaType() }
func (i asIndex) Layers() ([]registryv1.Layer, error)   { return nil, nil }
func (l lacksLast) Layers() ([]registryv1.Layer, error) { return l.layers, nil }

// lacksLast is an image whose last layer is not pushed.
type lacksLast struct {
	registryv1.Image
	layers []registryv1.Layer
}

// stock pushes what a pair's registry has.
func (p pair) stock(ctx context.Context, lab *cluster.Lab) (shelf, error) {
	host, repository, tag := p.parts()
	s := shelf{own: map[string]bool{tag: true}, tags: p.has == noTag || p.has == noRepository}
	at := host + "/" + repository
	switch p.has {
	case noRepository:
		return s, nil
	case noTag:
		for _, t := range []string{"1.0.0", "1.1.0", tag + ".1"} {
			img, err := madeImage(at+t, "amd64")
			if err == nil {
				err = lab.Push(ctx, at+":"+t, img)
			}
			if err != nil {
				return s, err
			}
		}
		return s, nil
	case noPlatform:
		return p.stockIndex(ctx, lab, s, []string{"arm64", "s390x"}, "")
	case noChild:
		return p.stockIndex(ctx, lab, s, []string{"amd64", "arm64"}, "amd64")
	}
	img, err := madeImage(at, "amd64")
	if err != nil {
		return s, err
	}
	if err := s.add(img); err != nil {
		return s, err
	}
	if p.has == noLayer {
		layers, err := img.Layers()
		if err != nil {
			return s, err
		}
		last := layers[len(layers)-1]
		h, err := last.Digest()
		if err != nil {
			return s, err
		}
		s.gone = h.String()
		img = lacksLast{img, layers[:len(layers)-1]}
	}
	return s, lab.Push(ctx, p.image, img)
}

// stockIndex pushes an index and its children but one.
func (p pair) stockIndex(ctx context.Context, lab *cluster.Lab, s shelf, architectures []string, without string) (shelf, error) {
	host, repository, _ := p.parts()
	images := map[string]registryv1.Image{}
	var err error
	for _, arch := range architectures {
		if images[arch], err = madeImage(p.image, arch); err != nil {
			return s, err
		}
	}
	index, err := pushIndex(ctx, lab, p.image, images, without)
	if err != nil {
		return s, err
	}
	h, err := index.Digest()
	if err != nil {
		return s, err
	}
	s.own[h.String()], s.gone = true, h.String()
	if without == "" {
		return s, nil
	}
	child, err := images[without].Digest()
	s.own[child.String()], s.gone = true, child.String()
	if err != nil {
		return s, fmt.Errorf("%s/%s: %w", host, repository, err)
	}
	return s, nil
}

// pushIndex pushes images by architecture and an index of them; one may be left out.
func pushIndex(ctx context.Context, lab *cluster.Lab, ref string, images map[string]registryv1.Image, without string) (registryv1.ImageIndex, error) {
	var list []registryv1.Image
	repository := ref[:strings.LastIndex(ref, ":")]
	for _, arch := range slices.Sorted(maps.Keys(images)) {
		list = append(list, images[arch])
		if arch == without {
			continue
		}
		if err := lab.Push(ctx, repository, images[arch]); err != nil {
			return nil, err
		}
	}
	index, err := imagetest.Index(list...)
	if err != nil {
		return nil, err
	}
	return index, lab.Push(ctx, ref, asIndex{list[0], index})
}

// add takes note of an image's manifest, config and layers.
func (s shelf) add(img registryv1.Image) error {
	h, err := img.Digest()
	if err != nil {
		return err
	}
	m, err := img.Manifest()
	if err != nil {
		return err
	}
	s.own[h.String()], s.own[m.Config.Digest.String()] = true, true
	for _, l := range m.Layers {
		s.own[l.Digest.String()] = true
	}
	return nil
}
