package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// file lays out a database of one bucket, v1, in a page of its own, which holds a value and a bucket within the page.
func file(tx uint64) []byte {
	f := make([]byte, 4*4096)
	meta(f[0:], tx-1, 2)
	meta(f[4096:], tx, 2)
	leaf(f[2*4096:], 2, element{bucket: true, key: "v1", value: string(ref(3, nil))})
	inline := make([]byte, 128)
	leaf(inline, 0, element{key: "id", value: "\x07"})
	leaf(f[3*4096:], 3, element{key: "a", value: "one"}, element{bucket: true, key: "b", value: string(ref(0, inline))})
	return f
}

type element struct {
	bucket     bool
	key, value string
}

func meta(page []byte, tx, root uint64) {
	m := page[headerSize:]
	order.PutUint32(m, magic)
	order.PutUint32(m[4:], version)
	order.PutUint32(m[8:], 4096)
	order.PutUint64(m[16:], root)
	order.PutUint64(m[48:], tx)
	sum := fnv.New64a()
	_, _ = sum.Write(m[:56])
	order.PutUint64(m[56:], sum.Sum64())
}

func ref(root uint64, inline []byte) []byte {
	b := make([]byte, headerSize)
	order.PutUint64(b, root)
	return append(b, inline...)
}

func leaf(page []byte, id uint64, elements ...element) {
	order.PutUint64(page, id)
	order.PutUint16(page[8:], leafPage)
	order.PutUint16(page[10:], uint16(len(elements)))
	at := headerSize + len(elements)*elementSize
	for i, e := range elements {
		head := page[headerSize+i*elementSize:]
		if e.bucket {
			order.PutUint32(head, bucketFlag)
		}
		order.PutUint32(head[4:], uint32(at-headerSize-i*elementSize))
		order.PutUint32(head[8:], uint32(len(e.key)))
		order.PutUint32(head[12:], uint32(len(e.value)))
		copy(page[at:], e.key)
		copy(page[at+len(e.key):], e.value)
		at += len(e.key) + len(e.value)
	}
}

// walk writes everything that a bucket has.
func walk(b Bucket, depth int, out *strings.Builder) error {
	return b.Each(func(k, v []byte, sub *Bucket) error {
		fmt.Fprintf(out, "%s%s=%x\n", strings.Repeat(" ", depth), k, v)
		if sub == nil || depth > maxDepth || out.Len() > 1<<20 {
			return nil
		}
		return walk(*sub, depth+1, out)
	})
}

func TestReads(t *testing.T) {
	t.Parallel()
	f := file(9)
	db, err := Open(bytes.NewReader(f))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := walk(db.Root(), 0, &out); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("v1=\n a=6f6e65\n b=\n  id=07\n", out.String()); diff != "" {
		t.Error(diff)
	}
	if err := db.Unchanged(); err != nil {
		t.Error(err)
	}
	meta(f, 10, 2) // the next transaction ends
	if err := db.Unchanged(); !errors.Is(err, ErrChanged) {
		t.Errorf("a transaction that ended meanwhile: %v", err)
	}
	if _, ok, err := db.Root().Bucket("v2"); ok || err != nil {
		t.Errorf("a bucket that is not there: %v, %v", ok, err)
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		harm func(f []byte) []byte
	}{
		{"no file", func([]byte) []byte { return nil }},
		{"another file", func([]byte) []byte { return bytes.Repeat([]byte("text"), 9000) }},
		{"both metas damaged", func(f []byte) []byte { f[30], f[4096+30] = 1, 1; return f }},
		{"cut", func(f []byte) []byte { return f[:3*4096+100] }},
		{"a page that leads to itself", func(f []byte) []byte {
			order.PutUint16(f[2*4096+8:], branchPage)
			order.PutUint64(f[2*4096+headerSize+8:], 2)
			return f
		}},
		{"an element out of its page", func(f []byte) []byte { order.PutUint32(f[3*4096+headerSize+4:], 1<<31); return f }},
		{"more elements than fit", func(f []byte) []byte { order.PutUint16(f[3*4096+10:], 0xffff); return f }},
		{"an endless page", func(f []byte) []byte { order.PutUint32(f[3*4096+12:], 1<<31); return f }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			db, err := Open(bytes.NewReader(tt.harm(file(9))))
			if err == nil {
				err = walk(db.Root(), 0, &strings.Builder{})
			}
			if !errors.Is(err, ErrDamaged) {
				t.Error(err)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add(file(9))
	f.Fuzz(func(t *testing.T, data []byte) {
		db, err := Open(bytes.NewReader(data))
		if err != nil {
			return
		}
		_ = walk(db.Root(), 0, &strings.Builder{})
		_ = db.Unchanged()
	})
}
