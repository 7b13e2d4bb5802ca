package store

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/store/hash"
)

const (
	maxRef = 4 << 10
	// smallDownload is what is hashed without being asked to.
	smallDownload = 4 << 20
	// settled is how long a download must have stood for its bytes to count: the runtime may be about to take them or to throw them away.
	settled = 5 * time.Second
)

// digestIn finds the digest at the end of what the runtime calls a download, such as k8s.io/12/layer-sha256:….
var digestIn = regexp.MustCompile(`sha256:[0-9a-f]{64}$`)

// partial looks at downloads that are not finished, for bytes that can never become the blob.
func (l *look) partial(ctx context.Context, all bool) {
	s := l.store
	at, err := s.at(filepath.Join(s.content, "ingest"))
	if err != nil {
		return
	}
	dir, err := os.Open(at)
	if gone(err) {
		return
	}
	if err != nil {
		l.gap("partial downloads", bare(err), "let the agent read "+s.content)
		return
	}
	defer func() { _ = dir.Close() }()
	names, err := dir.Readdirnames(maxNodes)
	if err != nil && !errors.Is(err, io.EOF) {
		l.gap("partial downloads", bare(err), "")
	}
	for _, name := range names {
		if ctx.Err() == nil {
			l.ingest(ctx, filepath.Join(s.content, "ingest", name), all)
		}
	}
}

// ingest looks at one, whose folder has data, ref and total (C24 plugins/content/local/store.go status).
func (l *look) ingest(ctx context.Context, folder string, all bool) {
	s := l.store
	ref := s.line(filepath.Join(folder, "ref"))
	digest := digestIn.FindString(ref)
	if digest == "" || !all && l.parts[digest] == nil {
		return
	}
	f, err := s.open(filepath.Join(folder, "data"))
	if err != nil { // finished or given up meanwhile
		return
	}
	defer func() { _ = f.Close() }()
	total, _ := strconv.ParseInt(s.line(filepath.Join(folder, "total")), 10, 64)
	d := evidence.Damage{Kind: evidence.DamagePoisoned, Role: roleDownload, Digest: digest, Path: s.below(filepath.Join(folder, "data")),
		Want: total, Have: f.Size, Since: f.Info.ModTime().UTC().Truncate(time.Second)}
	if ns, _, ok := strings.Cut(ref, "/"); ok {
		d.Namespaces = []string{evidence.Clean(ns)}
	}
	switch {
	case total <= 0 || f.Size < total || s.now().Sub(f.Info.ModTime()) < settled:
		return
	case f.Size > total:
		d.Text = "it is longer than the blob"
	case !l.o.Verify && f.Size > smallDownload:
		return
	default:
		h := &hash.Hasher{Limit: hash.Limited(l.o.Rate)}
		if sum, _, err := h.Sum(ctx, f); err != nil || "sha256:"+sum == digest {
			return
		}
		d.Text = "it is complete and has another digest: the next pull offers these bytes again and asks nobody"
	}
	if _, err := s.stat(filepath.Join(folder, "data")); err == nil {
		l.harm(digest, d)
	}
}

// line reads a small file of one line; empty where it cannot.
func (s *Store) line(path string) string {
	f, err := s.open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	data, err := f.ReadAll(maxRef)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}
