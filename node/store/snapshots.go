package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/store/bolt"
)

const maxFolders = 200_000

// folder is what the snapshotter's own database has of a committed snapshot.
type folder struct {
	id     uint64
	inodes int64 // of this layer alone; 0 where it is not known
}

// inside is the folder of a layer's files below snapshots/ID, for the snapshotters whose folders are looked at.
var inside = map[string]string{"overlayfs": "fs", "native": ""}

// snapshots compares what the config says with what was unpacked.
func (l *look) snapshots(ctx context.Context, t *tree, layers int, named bool) {
	p := l.parts[t.config]
	if p == nil || p.damaged || len(t.diffIDs) == 0 || ctx.Err() != nil {
		return
	}
	chain := chainIDs(t.diffIDs)
	label := p.labels["containerd.io/gc.ref.snapshot."+l.store.snapshotter]
	if label != "" && label != chain[len(chain)-1] {
		l.harm(t.config, evidence.Damage{Kind: evidence.DamageSnapshot, Role: roleConfig, Digest: t.config, Namespaces: p.namespaces,
			Text: fmt.Sprintf("it was unpacked as %s, and its layers make %s", label, chain[len(chain)-1])})
	}
	if layers == len(t.diffIDs) {
		l.uncompressed(t)
	}
	for _, ns := range p.namespaces {
		whole := true
		for _, key := range chain {
			there, err := l.store.records.snapshot(ctx, ns, l.store.snapshotter, key)
			if err != nil {
				l.gap("the snapshots of "+l.store.snapshotter, err.Error(), "")
				return
			}
			whole = whole && there
			if there && !l.unpacked[ns+" "+key] {
				l.unpacked[ns+" "+key] = true
				l.folder(ns, key)
			}
		}
		if named && !whole {
			l.unfetched(t)
		}
	}
}

// unfetched tells of layers that are neither there nor unpacked, though an image's record leads to them: nothing fetches them again
// while the image counts as present.
func (l *look) unfetched(t *tree) {
	for _, i := range t.items {
		if p := l.parts[i.Digest]; i.role == roleLayer && p != nil && !p.there && !p.damaged && len(p.namespaces) == 0 {
			d := l.damage(p, i.Size, nil)
			d.Kind, d.Text = evidence.DamageMissing, "no record has it either, and it is not unpacked"
			l.broken(p, d)
		}
	}
}

// uncompressed compares the digest that containerd found when it unpacked a layer with the config's.
func (l *look) uncompressed(t *tree) {
	n := 0
	for _, i := range t.items {
		if i.role != roleLayer {
			continue
		}
		p, diffID := l.parts[i.Digest], t.diffIDs[n]
		n++
		if p == nil {
			continue
		}
		if was := p.labels["containerd.io/uncompressed"]; was != "" && was != diffID {
			l.harm(i.Digest, evidence.Damage{Kind: evidence.DamageSnapshot, Role: roleLayer, Digest: i.Digest, Namespaces: p.namespaces,
				Text: fmt.Sprintf("it unpacked to %s, and the image's config says %s", was, diffID)})
		}
	}
}

// folder compares a snapshot's record with its folder.
func (l *look) folder(namespace, key string) {
	sub, known := inside[l.store.snapshotter]
	if !known {
		if !l.odd {
			l.odd = true
			l.gap("the unpacked layers of the snapshotter "+evidence.Clean(l.store.snapshotter), "how it lays out its files is not known here: their records alone were looked at", "")
		}
		return
	}
	d := evidence.Damage{Role: roleSnapshot, Digest: key, Namespaces: []string{namespace}, Kind: evidence.DamageSnapshot}
	all := l.readFolders()
	if all == nil {
		return
	}
	f, ok := all[namespace+" "+key]
	if !ok {
		// It may be newer than what was read of the database.
		l.folders = nil
		if all = l.readFolders(); all == nil {
			return
		}
		if f, ok = all[namespace+" "+key]; !ok {
			d.Text = "containerd has its record, and the snapshotter has not"
			l.harm(key, d)
			return
		}
	}
	path := filepath.Join(l.store.unpacked, "snapshots", strconv.FormatUint(f.id, 10), sub)
	d.Path = l.store.below(path)
	n, since, err := l.entries(path)
	d.Since = since.UTC().Truncate(1e9)
	switch {
	case gone(err):
		d.Text, d.Since = "its folder is gone", d.Since.Truncate(0)
	case err != nil:
		d.Kind, d.Text = evidence.DamageUnread, bare(err)
	case n == 0 && f.inodes > 1:
		d.Kind, d.Text = evidence.DamageEmptied, fmt.Sprintf("its folder was unpacked with %d files and folders and has none", f.inodes-1)
	default:
		return
	}
	l.harm(key, d)
}

// readFolders reads the snapshotter's database, once; nil where it cannot.
func (l *look) readFolders() map[string]folder {
	if l.folders != nil {
		return l.folders
	}
	path := filepath.Join(l.store.unpacked, "metadata.db")
	for range 5 {
		all, err := l.store.readFolders(path)
		if errors.Is(err, bolt.ErrChanged) {
			continue
		}
		if err != nil {
			l.gap("which folder is whose snapshot", fmt.Sprintf("%s: %s", path, bare(err)), "let the agent read "+l.store.unpacked)
			break
		}
		l.folders = all
		return all
	}
	return nil
}

// readFolders lists committed snapshots by namespace and name (C24 core/snapshots/storage/bolt.go, core/metadata/snapshot.go createKey).
func (s *Store) readFolders(path string) (map[string]folder, error) {
	f, err := s.openPlain(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	db, err := bolt.Open(f)
	if err != nil {
		return nil, err
	}
	all := map[string]folder{}
	b, ok, err := db.Root().Bucket("v1")
	if ok {
		b, ok, err = b.Bucket("snapshots")
	}
	if !ok || err != nil {
		return all, err
	}
	err = b.Each(func(key, _ []byte, sub *bolt.Bucket) error {
		parts := strings.SplitN(string(key), "/", 3) // namespace, number, name
		if sub == nil || len(parts) != 3 || len(all) >= maxFolders {
			return nil
		}
		var one folder
		err := sub.Each(func(k, v []byte, _ *bolt.Bucket) error {
			switch string(k) {
			case "id":
				one.id, _ = binary.Uvarint(v)
			case "inodes":
				one.inodes, _ = binary.Varint(v)
			}
			return nil
		})
		all[parts[0]+" "+parts[2]] = one
		return err
	})
	return all, errors.Join(err, db.Unchanged())
}

// openPlain opens a file that another process writes to.
func (s *Store) openPlain(path string) (*os.File, error) {
	info, err := s.stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	at, err := s.at(path)
	if err != nil {
		return nil, err
	}
	return os.Open(at)
}
