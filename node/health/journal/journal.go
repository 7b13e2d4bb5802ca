// Package journal reads what a systemd unit said from a file of systemd's
// journal, the newest first.
//
// It reads one file through the lists that the file itself keeps for a unit,
// and neither the rest of it, nor other fields, nor seals. A file is not
// trusted: whatever it holds, the work is bounded and lists go forward only. It
// may be written to meanwhile. Messages that are compressed in another way than
// by zstd are counted and not read.
//
// The layout is that of systemd's docs/JOURNAL_FILE_FORMAT.md.
package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Bounds of what is looked at.
const (
	maxBuckets  = 4096     // of the table of fields; journald makes 333
	maxUnits    = 20_000   // values of the field, which every login session adds to
	maxArrays   = 64       // lists of entries, each twice as long as the one before
	maxEntries  = 10_000   // messages, whether they are wanted or not
	maxItems    = 256      // fields of one entry
	maxReads    = 300_000  // of the file
	maxUnpacked = 64 << 20 // bytes
	MaxMessage  = 64 << 10 // of a message, in bytes; a longer one is cut
)

// Types of objects, and flags.
const (
	typeData, typeField, typeEntry, typeArray = 1, 2, 3, 6

	compressedZstd = 4

	known   = 1 | 2 | 4 | 8 | 16 // incompatible flags: three compressions, keyed hashes, compact
	compact = 16
)

// ErrFormat is in the error of a file that is no journal, or is one that is not understood.
var ErrFormat = errors.New("not a journal that can be read")

// Newest hands over a unit's messages, the newest first, until take says false. Skipped counts those that could not be read.
func Newest(r io.ReaderAt, unit string, take func(at time.Time, message []byte) bool) (skipped int, err error) {
	f := &file{r: &budget{r: r, reads: maxReads}, unpack: maxUnpacked}
	if err := f.open(); err != nil {
		return 0, err
	}
	data, err := f.unit(unit)
	if err != nil || data == 0 {
		return 0, err
	}
	entries, err := f.entries(data)
	if err != nil {
		return 0, err
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(1<<20), zstd.WithDecoderLowmem(true))
	if err != nil {
		return 0, err
	}
	defer dec.Close()
	f.dec = dec
	for _, at := range entries {
		when, message, err := f.entry(at)
		switch {
		case errors.Is(err, errSkip):
			skipped++
		case err != nil:
			return skipped, err
		case message != nil && !take(when, message):
			return skipped, nil
		}
	}
	return skipped, nil
}

var errSkip = errors.New("cannot be unpacked")

// unit finds the data object of a unit; 0 where the file has none. The field's values are gone through in turn: the table of
// all values would need the file's hash.
func (f *file) unit(name string) (uint64, error) {
	const field = "_SYSTEMD_UNIT"
	want := []byte(field + "=" + name)
	at, err := f.field([]byte(field))
	for range maxUnits {
		if err != nil || at == 0 {
			return 0, err
		}
		var data []byte
		if data, err = f.object(at, typeData, f.payload()+len(want)+1); err != nil {
			return 0, err
		}
		if len(data) < f.payload() {
			return 0, ErrFormat
		}
		if data[1] == 0 && bytes.Equal(data[f.payload():], want) {
			return at, nil
		}
		at = binary.LittleEndian.Uint64(data[32:])
	}
	return 0, nil
}

// field is the first value of a field; 0 where the file has none.
func (f *file) field(name []byte) (uint64, error) {
	for i := range f.buckets {
		var bucket [8]byte
		if _, err := f.r.ReadAt(bucket[:], int64((f.fields+i*16)&(1<<62-1))); err != nil {
			return 0, fmt.Errorf("%w: %w", ErrFormat, err)
		}
		at := binary.LittleEndian.Uint64(bucket[:])
		for range maxItems {
			if at == 0 {
				break
			}
			data, err := f.object(at, typeField, 40+len(name)+1)
			if err != nil {
				return 0, err
			}
			if len(data) < 40 {
				return 0, ErrFormat
			}
			if bytes.Equal(data[40:], name) {
				return binary.LittleEndian.Uint64(data[32:]), nil
			}
			at = binary.LittleEndian.Uint64(data[24:])
		}
	}
	return 0, nil
}

// payload is where a data object's content begins.
func (f *file) payload() int {
	if f.compact {
		return 72
	}
	return 64
}

// entries are where a data object's newest entries are, the newest first.
func (f *file) entries(at uint64) ([]uint64, error) {
	data, err := f.object(at, typeData, f.payload())
	if err != nil || len(data) < 64 {
		return nil, ErrFormat
	}
	first, array, n := binary.LittleEndian.Uint64(data[40:]), binary.LittleEndian.Uint64(data[48:]), binary.LittleEndian.Uint64(data[56:])
	var arrays [][2]uint64 // where, and how many of its places are taken
	for left := n - 1; n > 0 && left > 0 && array != 0 && len(arrays) < maxArrays; {
		head, err := f.sized(array, typeArray)
		if err != nil {
			return nil, err
		}
		room := min((head.size-24)/f.width(8), left)
		arrays = append(arrays, [2]uint64{array, room})
		left -= room
		if head.next <= array {
			break
		}
		array = head.next
	}
	var out []uint64
	for i := len(arrays) - 1; i >= 0 && len(out) < maxEntries; i-- {
		items, err := f.items(arrays[i][0]+24, arrays[i][1], 8, maxEntries-len(out))
		if err != nil {
			return nil, err
		}
		out = append(out, items...)
	}
	if first != 0 && len(out) < maxEntries {
		out = append(out, first)
	}
	return out, nil
}

// entry is the time and the message of one; nil where it has none.
func (f *file) entry(at uint64) (time.Time, []byte, error) {
	data, err := f.object(at, typeEntry, 64)
	if err != nil || len(data) < 64 {
		return time.Time{}, nil, ErrFormat
	}
	size, micros := binary.LittleEndian.Uint64(data[8:]), binary.LittleEndian.Uint64(data[24:])
	when := time.UnixMicro(int64(micros & (1<<62 - 1))).UTC()
	items, err := f.items(at+64, min((size-64)/f.width(16), maxItems), 16, maxItems)
	if err != nil {
		return when, nil, err
	}
	skipped := false
	// They are in the order of the file, so that what only this entry has comes last.
	for _, item := range items {
		message, err := f.message(item)
		switch {
		case errors.Is(err, errSkip):
			skipped = true
		case err != nil || message != nil:
			return when, message, err
		}
	}
	if skipped {
		return when, nil, errSkip
	}
	return when, nil, nil
}

// message is the content of a data object that is one; nil of any other.
func (f *file) message(at uint64) ([]byte, error) {
	const prefix = "MESSAGE="
	data, err := f.object(at, typeData, f.payload()+len(prefix))
	if err != nil || len(data) < f.payload() {
		return nil, ErrFormat
	}
	flags := data[1]
	if flags == 0 && !bytes.HasPrefix(data[f.payload():], []byte(prefix)) {
		return nil, nil
	}
	if data, err = f.object(at, typeData, f.payload()+len(prefix)+MaxMessage); err != nil {
		return nil, err
	}
	content := data[f.payload():]
	switch {
	case flags&compressedZstd != 0 && f.unpack > 0:
		if content, err = f.dec.DecodeAll(content, nil); err != nil {
			return nil, errSkip
		}
		f.unpack -= len(content)
	case flags != 0: // by LZ4 or XZ, or too much in all
		return nil, errSkip
	}
	rest, ok := bytes.CutPrefix(content, []byte(prefix))
	if !ok {
		return nil, nil
	}
	return rest[:min(len(rest), MaxMessage)], nil
}
