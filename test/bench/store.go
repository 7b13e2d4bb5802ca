package main

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
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

// hashRun is one program's runs, the median of which counts.
type hashRun struct {
	wall, cpu time.Duration
	peak      int64 // bytes of memory
	left      int   // bytes in the page cache that were not there before
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
		append([]string{program}, paths...),
		append([]string{"sh", "-c", `printf '%s\n' "$@" | xargs -P ` + cores + ` -n 1 openssl dgst -sha256 -r`, "sh"}, paths...),
		append([]string{"openssl", "dgst", "-sha256", "-r"}, paths...),
	}
	runs := make([][]hashRun, len(commands))
	want := ""
	for range o.rounds {
		for i, c := range commands {
			one, sums, err := hashOnce(ctx, c)
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
func hashOnce(ctx context.Context, command []string) (hashRun, string, error) {
	if err := os.WriteFile("/proc/sys/vm/drop_caches", []byte("3"), 0); err != nil {
		return hashRun{}, "", fmt.Errorf("caches must be dropped before each run, as root: %w", err)
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stderr = os.Stderr
	before, start := memory("Cached"), time.Now()
	out, err := cmd.Output()
	if err != nil {
		return hashRun{}, "", fmt.Errorf("%s: %w", command[0], err)
	}
	usage, _ := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	r := hashRun{wall: time.Since(start), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
		peak: usage.Maxrss << 10, left: memory("Cached") - before}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[64:], b[64:]) })
	return r, strings.Join(lines, "\n"), nil
}

func medianRun(runs []hashRun) hashRun {
	slices.SortFunc(runs, func(a, b hashRun) int { return cmp.Compare(a.wall, b.wall) })
	return runs[len(runs)/2]
}
