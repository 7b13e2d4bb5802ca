package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
)

// The roles of a Damage.
const (
	roleIndex    = "index"
	roleManifest = "manifest"
	roleConfig   = "config"
	roleLayer    = "layer"
	roleSnapshot = "snapshot"
	roleDownload = "download"
	roleBlob     = "blob" // of no image that is recorded
)

// maxDepth is how far indexes may be nested.
const maxDepth = 4

// item is one blob and what it is in its image.
type item struct {
	descriptor
	role string
}

// tree is what an image is made of, as far as its own documents are there and have their digests.
type tree struct {
	items   []item
	config  string // its digest
	diffIDs []string
	fault   string // why the rest is not known, where no damage says it
}

func (t *tree) digests() []string {
	var all []string
	for _, i := range t.items {
		all = append(all, i.Digest)
	}
	return all
}

// read follows a root's documents down to the layers for the platform, once.
func (l *look) read(ctx context.Context, root descriptor) *tree {
	if t := l.trees[root.Digest]; t != nil {
		return t
	}
	t := &tree{}
	l.trees[root.Digest] = t
	l.descend(ctx, t, root, 0)
	return t
}

func (l *look) descend(ctx context.Context, t *tree, d descriptor, depth int) {
	if !isDigest(d.Digest) {
		t.fault = "it is named by another digest than SHA-256"
		return
	}
	t.items = append(t.items, item{d, roleManifest})
	here := &t.items[len(t.items)-1]
	data := l.document(ctx, t, d)
	if data == nil {
		return
	}
	doc, err := parseDocument(data)
	switch {
	case err != nil:
		t.fault = err.Error()
	case doc.index():
		here.role = roleIndex
		child, ok := doc.child(l.o.Platform)
		switch {
		case !ok:
			t.fault = "the index has nothing for " + l.o.Platform
		case depth == maxDepth:
			t.fault = "its indexes are nested too deep"
		default:
			l.descend(ctx, t, child, depth+1)
		}
	default:
		l.manifest(ctx, t, doc)
	}
}

func (l *look) manifest(ctx context.Context, t *tree, doc document) {
	if doc.Config == nil || !isDigest(doc.Config.Digest) {
		t.fault = "its config is named by no SHA-256 digest"
		return
	}
	t.config = doc.Config.Digest
	t.items = append(t.items, item{*doc.Config, roleConfig})
	for _, layer := range doc.Layers {
		if !isDigest(layer.Digest) {
			t.fault = "a layer is named by no SHA-256 digest"
			continue
		}
		t.items = append(t.items, item{layer, roleLayer})
	}
	if data := l.document(ctx, t, *doc.Config); data != nil {
		t.diffIDs, _ = parseDiffIDs(data) // an artifact's config names none
	}
}

// document reads a small blob; nil where it is not there or has not its digest, which part says too.
func (l *look) document(ctx context.Context, t *tree, d descriptor) []byte {
	if ctx.Err() != nil {
		return nil
	}
	f, err := l.store.open(l.store.blob(d.Digest))
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	data, err := f.ReadAll(maxManifest)
	if err != nil {
		t.fault = bare(err)
		return nil
	}
	if fmt.Sprintf("sha256:%x", sha256.Sum256(data)) != d.Digest {
		return nil
	}
	return data
}

// gone says whether an error is of a file that is not there.
func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) }
