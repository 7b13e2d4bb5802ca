package journal

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// sample is a journal that systemd 252 wrote (systemd-journal-remote): 600 messages, one a second, of three units in turn,
// each seventh of them long enough to be compressed.
func sample(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open("testdata/" + name + ".journal.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestNewest(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"compact", "plain"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, i := sample(t, name), 598
			skipped, err := Newest(bytes.NewReader(data), "kubelet.service", func(at time.Time, m []byte) bool {
				want := fmt.Sprintf(`time="2026-11-22T21:35:50Z" level=error msg="PullImage %d"`, i)
				if i%7 == 0 {
					want += " " + strings.Repeat("layer of some kind ", 60)
				}
				if string(m) != want || !at.Equal(time.UnixMilli(1795380000000+int64(i)*1000)) {
					t.Errorf("%s %q\nwant %q", at, m, want)
				}
				i -= 3
				return i > 300
			})
			if err != nil || skipped != 0 || i != 298 {
				t.Errorf("ended before %d: %d skipped, %v", i, skipped, err)
			}
			n := 0
			count := func(time.Time, []byte) bool { n++; return true }
			if _, err := Newest(bytes.NewReader(data), "containerd.service", count); err != nil || n != 200 {
				t.Errorf("%d messages of 200, %v", n, err)
			}
			n = 0
			if _, err := Newest(bytes.NewReader(data), "kubelet", count); err != nil || n != 0 {
				t.Errorf("%d messages of a unit that is none, %v", n, err)
			}
		})
	}
}

func TestOtherCompression(t *testing.T) {
	t.Parallel()
	data, n := sample(t, "plain"), 0
	for i := range data { // what zstd compressed is LZ4's by its flag now
		if i+16 < len(data) && i%8 == 0 && data[i] == typeData && data[i+1] == compressedZstd && bytes.Equal(data[i+2:i+8], make([]byte, 6)) {
			data[i+1] = 2
		}
	}
	skipped, err := Newest(bytes.NewReader(data), "containerd.service", func(time.Time, []byte) bool { n++; return true })
	if err != nil || n+skipped != 200 || skipped != 29 {
		t.Errorf("%d messages and %d skipped, %v", n, skipped, err)
	}
}

func TestNoJournal(t *testing.T) {
	t.Parallel()
	for _, data := range []string{"", "LPKSHHRH", strings.Repeat("x", 4096)} {
		if _, err := Newest(strings.NewReader(data), "x", nil); !errors.Is(err, ErrFormat) {
			t.Errorf("%v", err)
		}
	}
}

// patched is a file of which some bytes are others.
type patched struct {
	base    *bytes.Reader
	patches []byte
}

// ReadAt takes each five bytes of patches as a place and what is there.
func (p patched) ReadAt(to []byte, at int64) (int, error) {
	n, err := p.base.ReadAt(to, at)
	for c := range chunks(p.patches) {
		if i := (int64(c[0])<<16 | int64(c[1])<<8 | int64(c[2])) % p.base.Size(); i >= at && i < at+int64(n) {
			to[i-at] = c[3] ^ c[4]
		}
	}
	return n, err
}

func chunks(data []byte) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for ; len(data) >= 5; data = data[5:] {
			if !yield(data[:5]) {
				return
			}
		}
	}
}

func FuzzNewest(f *testing.F) {
	f.Add([]byte{0, 0, 12, 0, 0})
	files := []*bytes.Reader{bytes.NewReader(sample(f, "compact")), bytes.NewReader(sample(f, "plain"))}
	f.Fuzz(func(t *testing.T, patches []byte) {
		for _, file := range files {
			n := 0
			_, _ = Newest(patched{file, patches[:min(len(patches), 200)]}, "containerd.service", func(_ time.Time, m []byte) bool {
				if n++; len(m) > MaxMessage || n > maxEntries {
					t.Errorf("message %d of %d bytes", n, len(m))
				}
				return true
			})
		}
	})
}
