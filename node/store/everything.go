package store

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	contentapi "github.com/containerd/containerd/api/services/content/v1"
)

const (
	maxFiles = 2_000_000
	// young is how long a file may be without a record: it is renamed into its place before the record is written.
	young = time.Minute
)

// sum is a digest's bytes: the map of all files is the largest thing that this keeps.
type sum [32]byte

func (s sum) digest() string { return "sha256:" + hex.EncodeToString(s[:]) }

// stored is a file and how many records name it.
type stored struct {
	size     int64
	records  uint64 // a bit for each namespace
	want     int64
	anything bool // it is a regular file
}

// everything looks at all images, then at all files and all records.
func (l *look) everything(ctx context.Context) {
	for _, i := range l.allImages(ctx) {
		l.tree(ctx, i.target, true)
	}
	files, err := l.files(ctx)
	if err != nil {
		l.gap("the files of stored content", bare(err), "")
	}
	if l.store.records != nil {
		err := l.store.records.blobs(ctx, "", func(ns int, info *contentapi.Info) { l.compare(ctx, files, ns, info) })
		if err != nil {
			l.gap("all records of stored content", err.Error(), "")
		} else {
			l.orphans(files)
		}
	}
	l.content.Blobs, l.content.Have, l.content.Bytes = 0, 0, 0 // those of images are among these
	for _, f := range files {
		if f.records != 0 || l.store.records == nil {
			l.content.Blobs++
			l.content.Bytes += f.want
			if f.anything && f.size == f.want {
				l.content.Have++
			}
		}
	}
	if l.o.Verify {
		l.verifyFiles(ctx, files)
	}
}

// files lists the folder of blobs, a page at a time.
func (l *look) files(ctx context.Context) (map[sum]stored, error) {
	files := map[sum]stored{}
	at, err := l.store.at(l.store.blobs())
	if err != nil {
		return files, err
	}
	dir, err := os.Open(at)
	if err != nil {
		return files, err
	}
	defer func() { _ = dir.Close() }()
	for ctx.Err() == nil {
		page, err := dir.ReadDir(1000)
		for _, e := range page {
			var key sum
			if n, err := hex.Decode(key[:], []byte(e.Name())[:min(len(e.Name()), 64)]); err != nil || n != 32 || len(e.Name()) != 64 {
				continue
			}
			info, err := e.Info()
			if err != nil { // removed meanwhile
				continue
			}
			files[key] = stored{size: info.Size(), want: info.Size(), anything: info.Mode().IsRegular()}
		}
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return files, err
		}
		if len(files) > maxFiles {
			return files, fmt.Errorf("there are more than %d", maxFiles)
		}
	}
	return files, ctx.Err()
}

// compare takes one record.
func (l *look) compare(ctx context.Context, files map[sum]stored, ns int, info *contentapi.Info) {
	if !isDigest(info.GetDigest()) {
		return
	}
	var key sum
	_, _ = hex.Decode(key[:], []byte(info.GetDigest()[len("sha256:"):]))
	f, listed := files[key]
	first := f.records == 0
	f.records |= 1 << ns
	f.want = info.GetSize()
	files[key] = f
	if first && (!listed || !f.anything || f.size != f.want) {
		l.part(ctx, item{descriptor{Digest: info.GetDigest(), Size: info.GetSize()}, roleBlob}, true)
	}
}

// orphans counts files that no record names, by a second look at each.
func (l *look) orphans(files map[sum]stored) {
	for key, f := range files {
		if f.records != 0 {
			continue
		}
		info, err := l.store.stat(l.store.blob(key.digest()))
		if err == nil && info.Mode().IsRegular() && l.store.now().Sub(info.ModTime()) > young {
			l.content.Orphans++
			l.content.OrphanBytes += info.Size()
		}
	}
}

// verifyFiles hashes all that records name, or all there is where no record is known.
func (l *look) verifyFiles(ctx context.Context, files map[sum]stored) {
	l.verifyAll(ctx, func(yield func(*part) bool) {
		for key, f := range files {
			if !f.anything || f.size != f.want || f.records == 0 && l.store.records != nil {
				continue
			}
			p := l.parts[key.digest()]
			if p == nil {
				p = &part{item: item{descriptor{Digest: key.digest(), Size: f.want}, roleBlob}, record: record{size: f.want}}
				for i, ns := range l.namespaces() {
					if f.records&(1<<i) != 0 {
						p.namespaces = append(p.namespaces, ns)
					}
				}
			}
			if !yield(p) {
				return
			}
		}
	})
}

func (l *look) namespaces() []string {
	if l.store.records == nil {
		return nil
	}
	return l.store.records.namespaces
}

// entries counts what is directly in a folder, up to one, and when that last changed.
func (l *look) entries(path string) (int, time.Time, error) {
	info, err := l.store.stat(path)
	if err != nil {
		return 0, time.Time{}, err
	}
	if !info.IsDir() {
		return 0, info.ModTime(), fs.ErrInvalid
	}
	at, err := l.store.at(path)
	if err != nil {
		return 0, time.Time{}, err
	}
	dir, err := os.Open(at)
	if err != nil {
		return 0, time.Time{}, err
	}
	defer func() { _ = dir.Close() }()
	names, err := dir.Readdirnames(1)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return len(names), info.ModTime(), err
}
