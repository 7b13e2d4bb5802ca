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
	"time"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/config"
	"github.com/refloat-dev/refloat/node/host"
)

// Store is the stored content of one node's runtime.
type Store struct{}

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

// Open finds the store. That the runtime does not answer is no error: Look then says what its files alone show.
// It is an error where the runtime has no store that this can look at, or its folder is not there.
func Open(ctx context.Context, h *host.Host, rt *config.Runtime) (*Store, error) {
	return nil, errors.New("not yet")
}

// Close ends the connection to the runtime.
func (s *Store) Close() error { return nil }

// Look looks at what is stored of an image, or, where that is empty, at everything. It returns what it has where ctx ends;
// Content.Complete is then not set, and a later Look of the same Store goes on with hashing where this one stopped.
func (s *Store) Look(ctx context.Context, image string, o Options) (*evidence.Content, []evidence.Gap) {
	return &evidence.Content{Image: image}, nil
}

// Downloads lists what the runtime is fetching, watched for a while, 2 s where watch is 0. With an image its own downloads come first.
func (s *Store) Downloads(ctx context.Context, image string, watch time.Duration) (*evidence.Downloads, []evidence.Gap) {
	return &evidence.Downloads{}, nil
}

// Present are those of the digests whose file is there, with its size in bytes: a pull does not fetch them again.
func (s *Store) Present(ctx context.Context, digests []string) (map[string]int64, error) {
	return nil, nil
}
