// Package store looks at what a node's runtime has stored: images, the blobs
// that they are made of, what was unpacked from them, and what is on its way.
//
// Records come from containerd's own API and files from its folders; a thing
// is damaged where the two differ, or where a file's bytes do not have the
// digest that is its name. Everything is only read: no lease is taken, nothing
// is unpacked, and what is read leaves the page cache as it was. Files are
// untrusted: none but regular ones are opened, and no link is followed. The
// package mends nothing, and does not say whether a damage explains a failing pull.
package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/config"
	"github.com/refloat-dev/refloat/node/host"
	"github.com/refloat-dev/refloat/node/store/hash"
)

// Store is the stored content of one node's runtime. It is for one Look at a time.
type Store struct {
	host        *host.Host
	kind, base  string
	snapshotter string
	discards    bool
	started     time.Time // the runtime; zero where unknown

	records *records // nil where the runtime does not answer
	silent  error    // why it does not
	// content and unpacked are folders as the node names them.
	content, unpacked string
	memory            *hash.Memory
	now               func() time.Time
}

// Options are how thoroughly to look.
type Options struct {
	// Platform is whose child manifest counts, such as linux/arm64/v8; empty is this machine's.
	Platform string
	// Digest is what the registry serves under the reference, where that is known: a pull that failed leaves content
	// without a name, which is found by this.
	Digest string
	// Verify reads everything and compares it with its digest, at most Rate bytes in a second; 0 is unlimited. Without it
	// manifests and configs are still compared, since they are read anyway.
	Verify bool
	Rate   int64
}

// clockStep is by how much the same start may seem another: /proc counts it from the node's boot, and that from the clock of now.
const clockStep = 5 * time.Second

// The places of containerd's parts below its root.
const (
	contentFolder  = "io.containerd.content.v1.content"
	snapshotFolder = "io.containerd.snapshotter.v1."
)

// Open finds the store and asks the runtime for its records. That it does not answer, or is of a kind that is not looked
// at, is no error: Look then gives what its files alone show, and gaps.
func Open(ctx context.Context, h *host.Host, rt *config.Runtime) (*Store, error) {
	s := &Store{host: h, kind: rt.Kind, base: rt.Root, snapshotter: rt.Snapshotter, discards: rt.DiscardUnpacked, now: time.Now, memory: &hash.Memory{}}
	if s.kind != config.Containerd {
		return s, nil
	}
	s.content = filepath.Join(rt.Root, contentFolder)
	s.unpacked = filepath.Join(rt.Root, snapshotFolder+rt.Snapshotter)
	if rt.Process != nil {
		s.started = rt.Process.Started
	}
	named := strings.TrimPrefix(rt.Socket, "unix://")
	socket, err := h.Path(named)
	if err != nil {
		return nil, fmt.Errorf("the runtime's socket: %w", err)
	}
	if s.records, s.silent = ask(ctx, socket, named); s.silent != nil {
		return s, nil
	}
	if root := s.records.root(ctx, "io.containerd.content.v1", "content"); filepath.IsAbs(root) {
		s.content = root
	}
	if root := s.records.root(ctx, "io.containerd.snapshotter.v1", rt.Snapshotter); filepath.IsAbs(root) {
		s.unpacked = root
	}
	return s, nil
}

// Current reports whether the store is still that of the runtime as it runs and is configured now, and its records can be asked for.
func (s *Store) Current(rt *config.Runtime) bool {
	same := s.kind == rt.Kind && s.base == rt.Root && s.snapshotter == rt.Snapshotter && s.discards == rt.DiscardUnpacked
	if !same || s.kind != config.Containerd {
		return same
	}
	if rt.Process != nil && rt.Process.Started.Sub(s.started).Abs() > clockStep {
		return false
	}
	return s.records != nil
}

// GoOn takes over how far another Store has come with hashing.
func (s *Store) GoOn(was *Store) { s.memory = was.memory }

// Close ends the connection to the runtime.
func (s *Store) Close() error {
	if s.records == nil {
		return nil
	}
	return s.records.conn.Close()
}

// Look looks at what is stored of an image, or, where that is empty, at everything. It returns what it has where ctx ends;
// Content.Complete is then not set, and a later Look of the same Store goes on with hashing where this one stopped.
func (s *Store) Look(ctx context.Context, image string, o Options) (*evidence.Content, []evidence.Gap) {
	l := &look{store: s, o: o, parts: map[string]*part{}, trees: map[string]*tree{}, unpacked: map[string]bool{},
		content: &evidence.Content{Image: evidence.CleanReference(image), Discarded: s.discards}}
	if o.Platform == "" {
		l.o.Platform = runtime.GOOS + "/" + runtime.GOARCH
	}
	started := s.now()
	if s.kind != config.Containerd {
		l.gaps = append(l.gaps, s.notLookedAt())
		return l.content, l.gaps
	}
	if _, err := s.stat(s.blobs()); err != nil {
		l.gap("stored content", fmt.Sprintf("%s cannot be read: %s", s.blobs(), bare(err)), "let the agent read "+s.content)
		return l.content, l.gaps
	}
	if s.records == nil {
		l.gap("the records of stored content", "containerd does not answer: "+s.silent.Error(), "")
	} else {
		s.records.wake(ctx)
	}
	s.memory.Begin(started)
	if image == "" {
		l.everything(ctx)
	} else {
		l.one(ctx, image)
	}
	l.partial(ctx, image == "")
	l.finish(ctx)
	l.content.Took = s.now().Sub(started).Milliseconds()
	return l.content, l.gaps
}

// Present are those of the digests whose file is there, with its size in bytes: a pull does not fetch them again.
func (s *Store) Present(ctx context.Context, digests []string) (map[string]int64, error) {
	if s.kind != config.Containerd {
		return nil, errors.New(s.notLookedAt().Why)
	}
	there := map[string]int64{}
	for _, d := range digests {
		if !isDigest(d) || ctx.Err() != nil {
			continue
		}
		info, err := s.stat(s.blob(d))
		switch {
		case err == nil && info.Mode().IsRegular():
			there[d] = info.Size()
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return there, err
		}
	}
	return there, ctx.Err()
}

// notLookedAt is the gap of a runtime whose store this does not know.
func (s *Store) notLookedAt() evidence.Gap {
	g := evidence.Gap{Vantage: evidence.Node, What: "the stored content of " + s.kind}
	switch s.kind {
	case config.CRIO:
		g.Why = "images, layers and their digests in containers/storage are not looked at"
		g.How = "on the node: podman --root /var/lib/containers/storage system check"
	case config.Docker:
		g.Why = "images and layers in Docker's own folders are not looked at"
		g.How = "on the node: docker image inspect IMAGE, and docker save IMAGE >/dev/null, which reads every layer"
	default:
		g.Why = "which runtime this node has is not known"
	}
	return g
}

func (s *Store) blobs() string             { return filepath.Join(s.content, "blobs", "sha256") }
func (s *Store) blob(digest string) string { return filepath.Join(s.blobs(), digest[len("sha256:"):]) }

// at is where a path in the store can be opened from here. The last part stays as it is, a link too: what opens it refuses one.
func (s *Store) at(path string) (string, error) {
	dir, err := s.host.Path(filepath.Dir(path))
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, filepath.Base(path)), nil
}

func (s *Store) stat(path string) (fs.FileInfo, error) {
	at, err := s.at(path)
	if err != nil {
		return nil, err
	}
	return os.Lstat(at)
}

func (s *Store) open(path string) (*hash.File, error) {
	at, err := s.at(path)
	if err != nil {
		return nil, err
	}
	return hash.Open(at)
}

// below is a path as evidence has it: below the runtime's root where it is there.
func (s *Store) below(path string) string {
	return strings.TrimPrefix(path, strings.TrimSuffix(s.base, "/")+"/")
}

// bare is an error without the path, which is another one on the node.
func bare(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return evidence.Clean(err.Error())
}
