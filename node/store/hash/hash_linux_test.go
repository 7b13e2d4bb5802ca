package hash

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// blob is a file of random bytes and their digest.
func blob(t testing.TB, size int) (path, sum string) {
	t.Helper()
	data := make([]byte, size)
	r := rand.NewChaCha8([32]byte{byte(size)})
	_, _ = r.Read(data)
	path = filepath.Join(t.TempDir(), "blob")
	if err := os.WriteFile(path, data, 0o444); err != nil {
		t.Fatal(err)
	}
	return path, fmt.Sprintf("%x", sha256.Sum256(data))
}

func opened(t testing.TB, path string) *File {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestSum(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 511, blockSize, blockSize + 1, Chunk - 1, Chunk, Chunk + 1, 3*Chunk + 777} {
		for _, direct := range []bool{true, false} {
			t.Run(fmt.Sprintf("%d bytes, unbuffered %v", size, direct), func(t *testing.T) {
				t.Parallel()
				path, want := blob(t, size)
				f := opened(t, path)
				if !direct {
					f.direct = false
					if err := buffered(f.file); err != nil {
						t.Fatal(err)
					}
				}
				got, read, err := (&Hasher{}).Sum(t.Context(), f)
				if err != nil || got != want || read != int64(size) {
					t.Errorf("%s after %d bytes, %v; want %s", got, read, err, want)
				}
				data, err := f.ReadAll(int64(size))
				if err != nil || fmt.Sprintf("%x", sha256.Sum256(data)) != want {
					t.Errorf("ReadAll: %d bytes, %v", len(data), err)
				}
				if _, err := f.ReadAll(int64(size) - 1); err == nil {
					t.Error("ReadAll went over its bound")
				}
			})
		}
	}
}

// TestNothingElseIsOpened lets a node's store hold what is no blob: none may be followed, waited for or read.
func TestNothingElseIsOpened(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	err := errors.Join(os.Mkdir(path("folder"), 0o755), os.WriteFile(path("secret"), []byte("secret"), 0o600),
		os.Symlink(path("secret"), path("link")), syscall.Mkfifo(path("pipe"), 0o644), os.Symlink("/dev/zero", path("device")))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"folder", "link", "pipe", "device"} {
		if _, err := Open(path(name)); !errors.Is(err, ErrIrregular) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := open(path("link")); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("a link that came between the look and the opening: %v", err)
	}
}

func TestCutFileIsNoSum(t *testing.T) {
	t.Parallel()
	path, _ := blob(t, 3*Chunk)
	f := opened(t, path)
	if err := errors.Join(os.Chmod(path, 0o644), os.Truncate(path, Chunk+5)); err != nil {
		t.Fatal(err)
	}
	if sum, _, err := (&Hasher{}).Sum(t.Context(), f); err == nil || sum != "" {
		t.Errorf("a file that is cut while it is read: %s, %v", sum, err)
	}
}

// TestGoesOn cuts a pass off and lets the next one read only the rest.
func TestGoesOn(t *testing.T) {
	t.Parallel()
	path, want := blob(t, 4*Chunk)
	var m Memory
	now := time.Now()
	m.Begin(now)
	ctx, cancel := context.WithCancel(t.Context())
	f := opened(t, path)
	h := &Hasher{Memory: &m, Limit: Limited(Chunk / 10)} // one chunk at once, and the next in ten seconds
	go func() { time.Sleep(300 * time.Millisecond); cancel() }()
	_, read, err := h.Sum(ctx, f)
	if !errors.Is(err, context.Canceled) || read != Chunk {
		t.Fatalf("cut off after %d bytes: %v", read, err)
	}
	m.Begin(now.Add(time.Minute))
	if p, done := m.recall(f.id); p.offset != Chunk || done {
		t.Fatalf("remembered: %+v", p)
	}
	h.Limit = nil
	got, read, err := h.Sum(t.Context(), opened(t, path))
	if got != want || read != 4*Chunk || err != nil {
		t.Errorf("%s after %d bytes, %v", got, read, err)
	}
	if _, done := m.recall(f.id); !done {
		t.Error("a finished file is not remembered in its pass")
	}
	m.End()
	if p, _ := m.recall(f.id); p.offset != 0 {
		t.Error("a finished pass is remembered, so that a disk that rots later is never seen")
	}
	m.Begin(now)
	m.keep(f.id, progress{offset: 5})
	m.Begin(now.Add(2 * passAge))
	if p, _ := m.recall(f.id); p.offset != 0 {
		t.Error("an old pass is gone on with")
	}
}

func TestRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := Limited(10 * Chunk)
		start := time.Now()
		for range 31 { // the first is free
			if err := l.WaitN(t.Context(), Chunk); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start).Round(100 * time.Millisecond); took != 3*time.Second {
			t.Errorf("30 chunks at 10 in a second took %s", took)
		}
	})
	if Limited(0) != nil {
		t.Error("0 is a limit")
	}
}

// TestPageCache holds both ways of reading to leaving the cache as it was: half of the file in it, half not.
func TestPageCache(t *testing.T) {
	t.Parallel()
	for _, direct := range []bool{true, false} {
		path, _ := blob(t, 8*Chunk)
		f := opened(t, path)
		if !direct {
			f.direct = false
			if err := buffered(f.file); err != nil {
				t.Fatal(err)
			}
		}
		cached, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		watched := watch(cached, f.Size)
		t.Cleanup(func() { watched.close(); _ = cached.Close() })
		half := func() (n int) {
			for _, b := range watched.resident(0, 4*Chunk) {
				n += int(b & 1)
			}
			return n
		}
		whole := func() (n int) {
			for _, b := range watched.resident(0, 8*Chunk) {
				n += int(b & 1)
			}
			return n
		}
		if err := evict(cached); err != nil || whole() > 0 {
			t.Skipf("this filesystem keeps its pages: %d of them, %v", whole(), err)
		}
		if _, err := cached.ReadAt(make([]byte, 4*Chunk), 0); err != nil {
			t.Fatal(err)
		}
		before, all := half(), whole()
		if _, _, err := (&Hasher{}).Sum(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if half() != before || whole() != all {
			t.Errorf("unbuffered %v: %d pages of the first half and %d of all before, %d and %d after", direct, before, all, half(), whole())
		}
	}
}

func TestOpenNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	if _, err := Open(filepath.Join(t.TempDir(), strings.Repeat("a", 64))); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// evict drops a file from the page cache.
func evict(f *os.File) error {
	return errors.Join(f.Sync(), unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED))
}
