package store

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	contentapi "github.com/containerd/containerd/api/services/content/v1"
	"github.com/distribution/reference"

	"github.com/refloat-dev/refloat/evidence"
)

const (
	sourceLabel = "containerd.io/distribution.source."
	childLabel  = "containerd.io/gc.ref.content"
	maxRoots    = 100 // manifests of one repository
)

// wanted is an image as the runtime would have it.
type wanted struct {
	names  []string
	digest string
	domain string
	path   string // of the repository
}

// want reads a reference as containerd's CRI does: where it has a tag and a digest, the digest counts.
func want(image, digest string) (wanted, error) {
	w := wanted{names: []string{image}, digest: digest}
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return w, err
	}
	w.domain, w.path = reference.Domain(named), reference.Path(named)
	if d, ok := named.(reference.Digested); ok {
		w.digest = d.Digest().String()
		w.names = append(w.names, named.String(), reference.TrimNamed(named).String()+"@"+w.digest)
		return w, nil
	}
	w.names = append(w.names, reference.TagNameOnly(named).String())
	return w, nil
}

// one looks at an image: under its name, else under its digest, else at whatever was fetched from its repository.
func (l *look) one(ctx context.Context, name string) {
	w, err := want(name, l.o.Digest)
	if err != nil {
		l.gap("the stored content of the image", "its name cannot be read: "+evidence.Clean(err.Error()), "")
		return
	}
	roots, named := l.roots(ctx, w)
	for _, r := range roots {
		l.tree(ctx, r, named)
	}
	if l.o.Verify {
		l.verifyParts(ctx)
	}
	switch c := l.content; {
	case len(roots) == 0 && l.store.records != nil && len(l.gaps) == 0:
		c.Present = evidence.No
	case named && c.Have == c.Blobs && c.Blobs > 0 || named && l.unpackedOnly():
		c.Present = evidence.Yes
	}
}

// roots are the documents that an image begins with, and whether an image's record has that name.
func (l *look) roots(ctx context.Context, w wanted) (roots []descriptor, named bool) {
	for _, i := range l.allImages(ctx) {
		if slices.Contains(w.names, i.name) {
			if !slices.ContainsFunc(roots, func(d descriptor) bool { return d.Digest == i.target.Digest }) {
				roots = append(roots, i.target)
			}
			named = true
		}
	}
	switch {
	case named:
		return roots, true
	case isDigest(w.digest):
		info, err := l.store.stat(l.store.blob(w.digest))
		if err == nil {
			roots = append(roots, descriptor{Digest: w.digest, Size: info.Size()})
		}
		return roots, false
	case l.store.records == nil:
		l.gap("which stored content is the image's", "containerd does not answer, and only its records tell what a tag stands for", "ask again with the image's digest")
		return nil, false
	}
	return l.fetched(ctx, w), false
}

// fetched are the manifests and indexes that were fetched from the image's repository: a pull that failed leaves no name.
func (l *look) fetched(ctx context.Context, w wanted) (roots []descriptor) {
	key := sourceLabel + w.domain
	filter := fmt.Sprintf("labels.%q~=%q", key, "(^|,)"+regexp.QuoteMeta(w.path)+"($|,)")
	err := l.store.records.blobs(ctx, filter, func(_ int, info *contentapi.Info) {
		if len(roots) < maxRoots && isDigest(info.GetDigest()) && hasChildren(info.GetLabels()) &&
			slices.Contains(strings.Split(info.GetLabels()[key], ","), w.path) {
			roots = append(roots, descriptor{Digest: info.GetDigest(), Size: info.GetSize()})
		}
	})
	if err != nil {
		l.gap("what was fetched from the image's repository", err.Error(), "")
	}
	return roots
}

func hasChildren(labels map[string]string) bool {
	for k := range labels {
		if strings.HasPrefix(k, childLabel) {
			return true
		}
	}
	return false
}

// unpackedOnly says whether nothing but layers is lacking, on a node that drops them once they are unpacked.
func (l *look) unpackedOnly() bool {
	if !l.store.discards {
		return false
	}
	for _, p := range l.parts {
		if !p.there && (p.role != roleLayer || p.damaged) {
			return false
		}
	}
	return l.content.Blobs > 0
}
