// Package bolt reads a bbolt database that another process has open, without
// taking its lock: containerd's snapshotters tell nobody but their database
// which folder is whose.
//
// A page that a transaction can reach is overwritten only two transactions
// later at the earliest, so what was read counts where the newest transaction
// is still the same afterwards. The file is untrusted: every offset is
// checked, and the work is bounded. It writes nothing.
package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// The file format: bbolt v1.4.3 internal/common/{meta,page,bucket}.go.
const (
	magic, version         = 0xED0CDAED, 2
	headerSize, metaSize   = 16, 64
	branchPage, leafPage   = 0x01, 0x02
	elementSize            = 16
	bucketFlag             = 0x01
	maxPageSize            = 64 << 10
	maxPages, maxPageBytes = 1 << 16, 16 << 20
	maxDepth               = 32
)

// order is the machine's own: the file is its memory.
var order = binary.NativeEndian

// ErrDamaged is in the error of a file that is no database, or no whole one.
var ErrDamaged = errors.New("not a database that can be read")

// ErrChanged says that the database was written to while it was read.
var ErrChanged = errors.New("the database changed meanwhile")

// DB is a database as of its newest transaction.
type DB struct {
	file     io.ReaderAt
	pageSize int64
	tx, root uint64
	read     int
}

// Bucket is one bucket: the root of a tree of pages, or a page that is held in another one's value.
type Bucket struct {
	db     *DB
	root   uint64
	inline []byte
}

// Open finds the newest transaction.
func Open(file io.ReaderAt) (*DB, error) {
	db := &DB{file: file}
	return db, db.newest()
}

func (db *DB) newest() error {
	found := false
	for _, at := range []int64{0, 1 << 10, 2 << 10, 4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10} { // the second one is at the page size
		var b [headerSize + metaSize]byte
		if _, err := db.file.ReadAt(b[:], at); err != nil {
			break
		}
		m := b[headerSize:]
		sum := fnv.New64a()
		_, _ = sum.Write(m[:56])
		if u32(m) != magic || u32(m[4:]) != version || u64(m[56:]) != sum.Sum64() {
			continue
		}
		size, tx := int64(u32(m[8:])), u64(m[48:])
		if size < 512 || size > maxPageSize || size&(size-1) != 0 || at != 0 && at != size {
			continue
		}
		if !found || tx > db.tx {
			db.pageSize, db.tx, db.root = size, tx, u64(m[16:])
		}
		found = true
	}
	if !found {
		return ErrDamaged
	}
	return nil
}

// Unchanged says whether what was read since Open belongs together.
func (db *DB) Unchanged() error {
	now := DB{file: db.file}
	if err := now.newest(); err != nil {
		return err
	}
	if now.tx != db.tx {
		return ErrChanged
	}
	return nil
}

// Root is the bucket of all buckets.
func (db *DB) Root() Bucket { return Bucket{db: db, root: db.root} }

// Bucket is the one of that name in this one; ok is false where there is none.
func (b Bucket) Bucket(name string) (found Bucket, ok bool, err error) {
	err = b.Each(func(key, value []byte, sub *Bucket) error {
		if sub != nil && string(key) == name {
			found, ok = *sub, true
		}
		return nil
	})
	return found, ok, err
}

// Each calls f for every key in order: with a value, or with the bucket that is below it. The slices are f's only for the call.
func (b Bucket) Each(f func(key, value []byte, sub *Bucket) error) error {
	if b.inline != nil {
		return b.db.page(b.inline, 0, f)
	}
	return b.db.tree(b.root, 0, f)
}

func (db *DB) tree(id uint64, depth int, f func(key, value []byte, sub *Bucket) error) error {
	if db.read++; db.read > maxPages || depth > maxDepth || id < 2 || id > 1<<40 {
		return fmt.Errorf("%w: page %d is out of reach", ErrDamaged, id)
	}
	at := int64(id) * db.pageSize
	page := make([]byte, db.pageSize)
	if _, err := db.file.ReadAt(page, at); err != nil {
		return fmt.Errorf("%w: page %d: %w", ErrDamaged, id, err)
	}
	if size := (int64(u32(page[12:])) + 1) * db.pageSize; size > maxPageBytes {
		return fmt.Errorf("%w: page %d has %d bytes", ErrDamaged, id, size)
	} else if size > db.pageSize {
		page = make([]byte, size)
		if _, err := db.file.ReadAt(page, at); err != nil {
			return fmt.Errorf("%w: page %d: %w", ErrDamaged, id, err)
		}
	}
	if u64(page) != id {
		return fmt.Errorf("%w: page %d says that it is page %d", ErrDamaged, id, u64(page))
	}
	return db.page(page, depth, f)
}

// page goes through a page's elements.
func (db *DB) page(page []byte, depth int, f func(key, value []byte, sub *Bucket) error) error {
	if len(page) < headerSize {
		return ErrDamaged
	}
	flags, count := order.Uint16(page[8:]), int(order.Uint16(page[10:]))
	if flags&(branchPage|leafPage) == 0 || headerSize+count*elementSize > len(page) {
		return fmt.Errorf("%w: a page of kind %#x with %d elements", ErrDamaged, flags, count)
	}
	for i := range count {
		e := page[headerSize+i*elementSize:]
		if flags&branchPage != 0 {
			if err := db.tree(u64(e[8:]), depth+1, f); err != nil {
				return err
			}
			continue
		}
		pos, key, value := uint64(u32(e[4:])), uint64(u32(e[8:])), uint64(u32(e[12:]))
		if pos+key+value > uint64(len(e)) {
			return fmt.Errorf("%w: an element leads out of its page", ErrDamaged)
		}
		if err := db.element(u32(e), e[pos:pos+key], e[pos+key:pos+key+value], f); err != nil {
			return err
		}
	}
	return nil
}

func (db *DB) element(flags uint32, key, value []byte, f func(key, value []byte, sub *Bucket) error) error {
	if flags&bucketFlag == 0 {
		return f(key, value, nil)
	}
	if len(value) < headerSize {
		return fmt.Errorf("%w: a bucket of %d bytes", ErrDamaged, len(value))
	}
	sub := &Bucket{db: db, root: u64(value)}
	if sub.root == 0 {
		sub.inline = value[headerSize:]
	}
	return f(key, nil, sub)
}

func u32(b []byte) uint32 { return order.Uint32(b) }
func u64(b []byte) uint64 { return order.Uint64(b) }
