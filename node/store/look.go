package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/store/hash"
)

const (
	maxDamages = 20
	maxImages  = 5
	maxNodes   = 10_000 // images, and downloads, that are looked at
)

// look is one look at the store.
type look struct {
	store   *Store
	o       Options
	content *evidence.Content
	gaps    []evidence.Gap
	images  []image
	parts   map[string]*part // by digest
	trees   map[string]*tree // by the digest of their root
	harmed  []harmed
	// unpacked are the snapshots seen, and folders what the snapshotter has of them; nil until it was asked.
	unpacked map[string]bool
	folders  map[string]folder
	odd      bool // it was said that the snapshotter's folders are not looked at
}

// part is one blob of the images that are looked at.
type part struct {
	item
	record
	named   bool // an image's record leads to it
	there   bool // its file is, of the right size
	damaged bool
}

// harmed is a damage and what names it in trees: a digest, or a snapshot's chain ID.
type harmed struct {
	evidence.Damage
	key string
}

func (l *look) gap(what, why, how string) {
	l.gaps = append(l.gaps, evidence.Gap{Vantage: evidence.Node, What: what, Why: why, How: how})
}

func (l *look) harm(key string, d evidence.Damage) {
	for _, h := range l.harmed {
		if h.key == key && h.Kind == d.Kind {
			return
		}
	}
	if len(l.harmed) >= maxNodes {
		l.content.MoreDamages++
		return
	}
	l.harmed = append(l.harmed, harmed{d, key})
}

// tree looks at everything that a root leads to.
func (l *look) tree(ctx context.Context, root descriptor, named bool) {
	t := l.read(ctx, root)
	layers := 0
	for _, i := range t.items {
		if i.role == roleLayer {
			layers++
		}
		if !i.elsewhere() {
			l.part(ctx, i, named)
		}
	}
	if t.fault != "" {
		l.gap("what "+root.Digest+" is made of", t.fault, "")
	}
	if l.store.records != nil && t.config != "" {
		l.snapshots(ctx, t, layers, named)
	}
}

// part compares a blob's record with its file.
func (l *look) part(ctx context.Context, i item, named bool) {
	if p := l.parts[i.Digest]; p != nil {
		p.named = p.named || named
		return
	}
	p := &part{item: i, named: named}
	l.parts[i.Digest] = p
	if r := l.store.records; r != nil {
		var err error
		if p.record, err = r.blob(ctx, i.Digest); err != nil {
			l.gap("the record of "+i.Digest, err.Error(), "")
		}
	}
	want := i.Size
	if len(p.namespaces) > 0 {
		want = p.size
	}
	l.content.Blobs++
	l.content.Bytes += max(0, want)
	info, err := l.store.stat(l.store.blob(i.Digest))
	d := l.damage(p, want, info)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if len(p.namespaces) > 0 && l.stillRecorded(ctx, i.Digest) {
			d.Kind = evidence.DamageMissing
			l.broken(p, d)
		}
	case err != nil:
		d.Kind, d.Text = evidence.DamageUnread, bare(err)
		l.broken(p, d)
	case !info.Mode().IsRegular():
		d.Kind, d.Text = evidence.DamageUnread, "it is not a regular file: "+info.Mode().Type().String()
		l.broken(p, d)
	case info.Size() != want:
		d.Kind = evidence.DamageSize
		l.broken(p, d)
	default:
		p.there = true
		l.content.Have++
		// containerd sets a file's time when it stores it: who wrote to it since may have damaged it.
		changed := l.content.Image != "" && !p.created.IsZero() && info.ModTime().Sub(p.created) > settled
		if want <= maxManifest && i.role != roleLayer || changed {
			l.verifyOne(ctx, p, &hash.Hasher{Limit: hash.Limited(l.o.Rate)}, &sync.Mutex{})
		}
	}
}

func (l *look) broken(p *part, d evidence.Damage) {
	p.damaged = true
	l.harm(p.Digest, d)
}

func (l *look) damage(p *part, want int64, info fs.FileInfo) evidence.Damage {
	d := evidence.Damage{Role: p.role, Digest: p.Digest, Path: l.store.below(l.store.blob(p.Digest)), Want: want, Namespaces: p.namespaces}
	if info != nil {
		d.Have, d.Since = info.Size(), info.ModTime().UTC().Truncate(time.Second)
	}
	return d
}

// stillRecorded asks again: the blob may have been removed between its record and its file.
func (l *look) stillRecorded(ctx context.Context, digest string) bool {
	r, err := l.store.records.blob(ctx, digest)
	return err == nil && len(r.namespaces) > 0
}

// finish says what of the damages is shared, and bounds what is said.
func (l *look) finish(ctx context.Context) {
	if len(l.harmed) > 0 && l.store.records != nil {
		l.share(ctx)
	}
	slices.SortStableFunc(l.harmed, func(a, b harmed) int {
		return cmp.Or(cmp.Compare(gravity(b.Role), gravity(a.Role)), strings.Compare(a.key, b.key))
	})
	for i, h := range l.harmed {
		if i == maxDamages {
			l.content.MoreDamages += len(l.harmed) - i
			break
		}
		h.Text = evidence.Clean(h.Text)
		l.content.Damages = append(l.content.Damages, h.Damage)
	}
	if ctx.Err() != nil {
		l.gap("the rest of the stored content", "the look was cut off: "+ctx.Err().Error(), "")
	}
}

// gravity orders damages: what stops a pull first comes first.
func gravity(role string) int {
	return slices.Index([]string{roleBlob, roleDownload, roleSnapshot, roleLayer, roleConfig, roleManifest, roleIndex}, role)
}

// share names the images that a damage is in.
func (l *look) share(ctx context.Context) {
	names := map[string][]string{}
	for _, i := range l.allImages(ctx) {
		if strings.HasPrefix(i.name, "sha256:") { // CRI's third name of every image
			continue
		}
		t := l.read(ctx, i.target)
		for _, key := range slices.Concat(t.digests(), chainIDs(t.diffIDs)) {
			names[key] = append(names[key], i.name)
		}
	}
	for n := range l.harmed {
		h := &l.harmed[n]
		all := names[h.key]
		slices.Sort(all)
		for _, name := range slices.Compact(all) {
			if len(h.Images) == maxImages {
				h.MoreImages++
				continue
			}
			h.Images = append(h.Images, evidence.CleanReference(name))
		}
	}
}

// allImages are the runtime's, asked once.
func (l *look) allImages(ctx context.Context) []image {
	if l.images != nil || l.store.records == nil {
		return l.images
	}
	images, err := l.store.records.images(ctx)
	if err != nil {
		l.gap("the node's images", err.Error(), "")
	}
	if len(images) > maxNodes {
		l.gap("the node's images", fmt.Sprintf("only the first %d of %d are looked at", maxNodes, len(images)), "")
		images = images[:maxNodes]
	}
	l.images = append([]image{}, images...)
	return l.images
}
