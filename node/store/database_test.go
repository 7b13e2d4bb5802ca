package store

import (
	"encoding/binary"
	"hash/fnv"
)

// database is a snapshotter's, with one committed snapshot: bbolt's file format, each bucket within the page of the one above.
func database(name string, id uint64, inodes int64) []byte {
	snapshot := leaf(0, false, "id", string(binary.AppendUvarint(nil, id)), "inodes", string(binary.AppendVarint(nil, inodes)), "kind", "\x03")
	inline := func(page []byte) string { return string(append(make([]byte, 16), page...)) }
	snapshots := leaf(0, true, name, inline(snapshot))
	v1 := leaf(0, true, "snapshots", inline(snapshots))
	file := make([]byte, 4*4096)
	for i := range 2 {
		m := file[i*4096+16:]
		order.PutUint32(m, 0xED0CDAED)
		order.PutUint32(m[4:], 2)
		order.PutUint32(m[8:], 4096)
		order.PutUint64(m[16:], 2)
		order.PutUint64(m[48:], uint64(i))
		sum := fnv.New64a()
		_, _ = sum.Write(m[:56])
		order.PutUint64(m[56:], sum.Sum64())
	}
	copy(file[2*4096:], leaf(2, true, "v1", inline(v1)))
	return file
}

var order = binary.NativeEndian

// leaf is a page of keys and values, or of keys and buckets.
func leaf(id uint64, buckets bool, pairs ...string) []byte {
	n := len(pairs) / 2
	page := make([]byte, 16+16*n)
	order.PutUint64(page, id)
	order.PutUint16(page[8:], 2)
	order.PutUint16(page[10:], uint16(n))
	for i := range n {
		head := page[16+16*i:]
		if buckets {
			order.PutUint32(head, 1)
		}
		order.PutUint32(head[4:], uint32(len(page)-16-16*i))
		order.PutUint32(head[8:], uint32(len(pairs[2*i])))
		order.PutUint32(head[12:], uint32(len(pairs[2*i+1])))
		page = append(page, pairs[2*i]+pairs[2*i+1]...)
	}
	return page
}
