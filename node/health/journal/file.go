package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

type file struct {
	r       io.ReaderAt
	compact bool
	fields  uint64 // the table of fields: where, and how many buckets
	buckets uint64
	dec     *zstd.Decoder
	unpack  int // bytes that may still be unpacked
}

// budget ends the work on a file whose lists lead nowhere.
type budget struct {
	r     io.ReaderAt
	reads int
}

func (b *budget) ReadAt(p []byte, at int64) (int, error) {
	if b.reads--; b.reads < 0 {
		return 0, errors.New("it takes too many reads")
	}
	return b.r.ReadAt(p, at)
}

func (f *file) open() error {
	var head [208]byte
	if _, err := f.r.ReadAt(head[:], 0); err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	flags := binary.LittleEndian.Uint32(head[12:])
	if !bytes.HasPrefix(head[:], []byte("LPKSHHRH")) || flags&^known != 0 {
		return ErrFormat
	}
	f.compact = flags&compact != 0
	f.fields = binary.LittleEndian.Uint64(head[120:])
	f.buckets = min(binary.LittleEndian.Uint64(head[128:])/16, maxBuckets)
	return nil
}

// object reads the first n bytes of an object, or all of a shorter one.
func (f *file) object(at uint64, kind byte, n int) ([]byte, error) {
	var head [16]byte
	if at == 0 || at > 1<<62 {
		return nil, ErrFormat
	}
	if _, err := f.r.ReadAt(head[:], int64(at)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	size := binary.LittleEndian.Uint64(head[8:])
	if head[0] != kind || size < 16 {
		return nil, ErrFormat
	}
	data := make([]byte, min(size, uint64(n)))
	if _, err := f.r.ReadAt(data, int64(at)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return data, nil
}

type sized struct{ size, next uint64 }

// sized reads the head of a list of entries.
func (f *file) sized(at uint64, kind byte) (sized, error) {
	data, err := f.object(at, kind, 24)
	if err != nil || len(data) < 24 {
		return sized{}, ErrFormat
	}
	s := sized{size: binary.LittleEndian.Uint64(data[8:]), next: binary.LittleEndian.Uint64(data[16:])}
	if s.size < 24 || s.size > 1<<40 {
		return sized{}, ErrFormat
	}
	return s, nil
}

// width is the size of one item of a list, which a compact file keeps in 4 bytes.
func (f *file) width(plain uint64) uint64 {
	if f.compact {
		return 4
	}
	return plain
}

// items are the last offsets of a list of n, at most limit, the last one first; those not written yet are left out.
func (f *file) items(at, n, plain uint64, limit int) ([]uint64, error) {
	w := f.width(plain)
	if skip := n - min(n, uint64(limit)); skip > 0 {
		at, n = at+skip*w, n-skip
	}
	raw := make([]byte, n*w)
	if _, err := f.r.ReadAt(raw, int64(at&(1<<62-1))); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	out := make([]uint64, 0, n)
	for i := len(raw) - int(w); i >= 0; i -= int(w) {
		offset := uint64(binary.LittleEndian.Uint32(raw[i:]))
		if w > 4 {
			offset = binary.LittleEndian.Uint64(raw[i:])
		}
		if offset != 0 {
			out = append(out, offset)
		}
	}
	return out, nil
}
