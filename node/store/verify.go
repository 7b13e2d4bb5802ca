package store

import (
	"cmp"
	"context"
	"runtime"
	"sync"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/store/hash"
)

// sum hashes a blob's file, and says how many bytes were read.
func (s *Store) sum(ctx context.Context, digest string, h *hash.Hasher) (sum string, read int64, err error) {
	f, err := s.open(s.blob(digest))
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = f.Close() }()
	sum, read, err = h.Sum(ctx, f)
	return "sha256:" + sum, read, err
}

// verifyParts hashes what the images that were looked at have.
func (l *look) verifyParts(ctx context.Context) {
	l.verifyAll(ctx, func(yield func(*part) bool) {
		for _, p := range l.parts {
			if p.there && !yield(p) {
				return
			}
		}
	})
}

// verifyAll hashes files, one on each processor.
func (l *look) verifyAll(ctx context.Context, parts func(yield func(*part) bool)) {
	h := &hash.Hasher{Limit: hash.Limited(l.o.Rate), Memory: l.store.memory}
	work := make(chan *part)
	var mu sync.Mutex // what a damage is told to
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for p := range work {
				l.verifyOne(ctx, p, h, &mu)
			}
		})
	}
	for p := range parts {
		select {
		case work <- p:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(work)
	all.Wait()
	if l.content.Complete = ctx.Err() == nil; l.content.Complete {
		l.store.memory.End()
	}
}

// verifyOne compares a file's bytes with its digest. The lock is for what it tells.
func (l *look) verifyOne(ctx context.Context, p *part, h *hash.Hasher, mu *sync.Mutex) {
	sum, read, err := l.store.sum(ctx, p.Digest, h)
	mu.Lock()
	defer mu.Unlock()
	if h.Memory != nil {
		l.content.Hashed += read
	}
	if err == nil && sum == p.Digest || ctx.Err() != nil || gone(err) { // cut off, or removed meanwhile
		return
	}
	info, _ := l.store.stat(l.store.blob(p.Digest))
	d := l.damage(p, cmp.Or(p.size, p.Size), info)
	d.Kind = evidence.DamageDigest
	if err != nil {
		d.Kind, d.Text = evidence.DamageUnread, bare(err)
	}
	l.broken(p, d)
}
