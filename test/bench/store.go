package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	storePart  = "store"
	storeFiles = 8
	storeSize  = 256 << 20 // of each file
)

// hashed is how fast files were hashed.
type hashed struct {
	rounds                 int
	machine, revision      string
	load, openssl          string
	ours, yardstick, again hashRun
}

// hashRun is one program's run.
type hashRun struct {
	figures
	left int // bytes of the files in the page cache afterwards
}

// onStore hashes the same files with refloat's engine and with openssl, in turn, with caches dropped before each, on as many processes
// or threads as there are processors.
func onStore(ctx context.Context, progs programs, o options) (*hashed, error) {
	h := &hashed{rounds: o.rounds, machine: machine(), revision: revision(ctx), load: loadAverage()}
	version, err := exec.CommandContext(ctx, "openssl", "version").Output()
	if err != nil {
		return nil, fmt.Errorf("openssl is what hashing is measured against: %w", err)
	}
	h.openssl, _, _ = strings.Cut(string(version), "(")
	program := filepath.Join(progs.dir, "hashing")
	if err := goBuild(ctx, progs.root, program, "./test/bench/hashing"); err != nil {
		return nil, err
	}
	paths, err := randomFiles(progs.dir)
	if err != nil {
		return nil, err
	}
	cores := strconv.Itoa(runtime.NumCPU())
	commands := [][]string{
		{program},
		{"sh", "-c", `printf '%s\n' "$@" | xargs -P ` + cores + ` -n 1 openssl dgst -sha256 -r`, "sh"},
		{"openssl", "dgst", "-sha256", "-r"},
	}
	runs := make([][]hashRun, len(commands))
	want := ""
	for range o.rounds {
		for i, c := range commands {
			one, sums, err := hashOnce(ctx, progs, c, paths)
			if err != nil {
				return nil, err
			}
			if want = cmp.Or(want, sums); sums != want {
				return nil, fmt.Errorf("%s gives other digests than the program before it", c[0])
			}
			runs[i] = append(runs[i], one)
		}
	}
	h.ours, h.yardstick, h.again = medianRun(runs[0]), medianRun(runs[1]), medianRun(runs[2])
	return h, nil
}

func randomFiles(dir string) (paths []string, err error) {
	buf := make([]byte, 1<<20)
	for i := range storeFiles {
		path := filepath.Join(dir, "blob-"+strconv.Itoa(i))
		f, err := os.Create(path)
		if err != nil {
			return nil, err
		}
		random := rand.NewChaCha8([32]byte{byte(i)})
		for range storeSize / len(buf) {
			_, _ = random.Read(buf) // it never fails
			if _, err := f.Write(buf); err != nil {
				return nil, err
			}
		}
		if err := f.Sync(); err != nil {
			return nil, err
		}
		if err := f.Close(); err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// hashOnce runs a program with cold caches and returns its digests, in the order of the files.
func hashOnce(ctx context.Context, progs programs, command, paths []string) (r hashRun, sums string, err error) {
	if err := os.WriteFile("/proc/sys/vm/drop_caches", []byte("3"), 0); err != nil {
		return r, "", fmt.Errorf("caches must be dropped before each run, as root: %w", err)
	}
	out := filepath.Join(progs.dir, "sums")
	cmd := exec.CommandContext(ctx, progs.measure, slices.Concat([]string{"sh", "-c", `out=$1; shift; "$@" >"$out"`, "sh", out}, command, paths)...)
	cmd.Stderr = os.Stderr
	told, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(told, &r.figures)
	}
	if err == nil && r.Exit != 0 {
		err = fmt.Errorf("exit code %d", r.Exit)
	}
	if err != nil {
		return r, "", fmt.Errorf("%s: %w", command[0], err)
	}
	for _, path := range paths {
		n, err := cached(path)
		if err != nil {
			return r, "", err
		}
		r.left += n
	}
	data, err := os.ReadFile(out)
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[min(64, len(a)):], b[min(64, len(b)):]) })
	return r, strings.Join(lines, "\n"), err
}

// cached is how many bytes of a file are in the page cache.
func cached(path string) (bytes int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	mapped, err := unix.Mmap(int(f.Fd()), 0, storeSize, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return 0, err
	}
	defer func() { _ = unix.Munmap(mapped) }()
	pages := make([]byte, storeSize/os.Getpagesize())
	//nolint:gosec // mincore takes the addresses of a mapping and of a slice of one byte a page
	if _, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&mapped[0])), storeSize, uintptr(unsafe.Pointer(&pages[0]))); errno != 0 {
		return 0, errno
	}
	for _, p := range pages {
		bytes += int(p&1) * os.Getpagesize()
	}
	return bytes, nil
}

func medianRun(runs []hashRun) hashRun {
	slices.SortFunc(runs, func(a, b hashRun) int { return cmp.Compare(a.Wall, b.Wall) })
	return runs[len(runs)/2]
}
