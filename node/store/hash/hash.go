// Package hash reads stored blobs and compares them with the digest that is
// their name, as fast as the disk and the processor's SHA extensions allow or
// as slowly as it is told to, and without disturbing the node: what was not in
// the page cache before is not there afterwards.
//
// It opens regular files alone, follows no link, and leaves access times as
// they are. It keeps nothing of what it reads, and refuses digests other than SHA-256.
package hash

import (
	"context"
	"crypto/sha256"
	"encoding"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"golang.org/x/time/rate"
)

// Chunk is how much is read at once, in bytes: smaller ones were measured slower, larger ones no faster.
const Chunk = 1 << 20

// Hasher hashes files. The zero value is unlimited and remembers nothing.
type Hasher struct {
	// Limit is shared by all files; nil is unlimited.
	Limit *rate.Limiter
	// Memory lets a Sum that was cut off go on; nil starts anew each time.
	Memory *Memory
}

// Limited are bytes in a second; 0 is unlimited.
func Limited(rateBytes int64) *rate.Limiter {
	if rateBytes <= 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(rateBytes), Chunk)
}

// Sum is the digest of the file's first Size bytes, and how many bytes of them were read by now: by this call and by earlier ones
// that were cut off. Where ctx ends the sum is empty and the error is the context's.
func (h *Hasher) Sum(ctx context.Context, f *File) (sum string, read int64, err error) {
	state := sha256.New()
	if s, done := h.Memory.recall(f.id); done {
		return s.sum, s.offset, nil
	} else if s.offset > 0 && restore(state, s.state) {
		read = s.offset
	}
	from := read
	read, err = h.stream(ctx, f, state, from)
	if err != nil {
		if ctx.Err() != nil && read > from {
			h.Memory.keep(f.id, progress{offset: read, state: marshal(state)})
		}
		return "", read, err
	}
	sum = fmt.Sprintf("%x", state.Sum(nil))
	h.Memory.keep(f.id, progress{offset: read, sum: sum})
	return sum, read, nil
}

// stream reads ahead of the hashing, in two buffers.
func (h *Hasher) stream(ctx context.Context, f *File, state hash.Hash, from int64) (int64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	type chunk struct{ whole, data []byte }
	full, free := make(chan chunk), make(chan []byte, 2)
	free <- aligned(Chunk)
	if f.Size-from > Chunk {
		free <- aligned(Chunk)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer close(full)
		for at := from; at < f.Size; {
			var buf []byte
			select {
			case buf = <-free:
			case <-ctx.Done():
				return
			}
			n, err := h.read(ctx, f, buf, at)
			if err != nil {
				cancel(err)
				return
			}
			at += int64(n)
			select {
			case full <- chunk{buf, buf[:n]}:
			case <-ctx.Done():
				return
			}
		}
	}()
	defer func() { cancel(nil); <-ended }()
	at := from
	for {
		select {
		case <-ctx.Done():
			return at, context.Cause(ctx)
		case c, ok := <-full:
			if !ok {
				if at < f.Size && ctx.Err() != nil {
					return at, context.Cause(ctx)
				}
				return at, nil
			}
			_, _ = state.Write(c.data) // a hash.Hash never fails
			at += int64(len(c.data))
			free <- c.whole
		}
	}
}

// read fills the buffer with what is at an offset, at the rate that is allowed.
func (h *Hasher) read(ctx context.Context, f *File, buf []byte, at int64) (int, error) {
	want := min(int64(len(buf)), f.Size-at)
	if err := h.wait(ctx, int(want)); err != nil {
		return 0, err
	}
	n, err := f.readAt(buf, at)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return 0, err
	case int64(n) < want && n%blockSize != 0, n == 0:
		return 0, fmt.Errorf("%w: it ends at byte %d of %d", io.ErrUnexpectedEOF, at+int64(n), f.Size)
	}
	return int(min(int64(n), want)), nil
}

// wait waits for bytes to be allowed. The limiter's own way gives up at once where a deadline comes first, and a file that is cut off
// by its deadline is no other than one that is cut off by a cancel.
func (h *Hasher) wait(ctx context.Context, bytes int) error {
	if h.Limit == nil {
		return ctx.Err()
	}
	t := time.NewTimer(h.Limit.ReserveN(time.Now(), bytes).Delay())
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func marshal(h hash.Hash) []byte {
	b, _ := h.(encoding.BinaryMarshaler).MarshalBinary() // sha256's never fails
	return b
}

func restore(h hash.Hash, state []byte) bool {
	return h.(encoding.BinaryUnmarshaler).UnmarshalBinary(state) == nil
}
