package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/test/cluster/internal/proc"
	"github.com/refloat-dev/refloat/test/cluster/internal/upstream"
)

// Down ends the lab and removes everything it made.
func (l *Lab) Down(ctx context.Context) error { return Down(ctx, l.state.Name) }

// Down ends the lab of that name, half-started ones included. Taking down a lab that is not there is no error.
func Down(ctx context.Context, name string) error {
	if name == "" {
		name = defaultName
	}
	if !nameForm.MatchString(name) {
		return badName(name)
	}
	if err := Supported(); err != nil {
		return err
	}
	if _, err := os.Stat(stateDir(name)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	unlock, err := upstream.Lock(ctx, lockFile(name))
	if err != nil {
		return err
	}
	defer unlock()
	if err := down(ctx, name); err != nil {
		return err
	}
	return os.Remove(lockFile(name))
}

// down is Down with the lab's lock held.
func down(ctx context.Context, name string) error {
	l := &Lab{dir: stateDir(name)}
	s, err := readState(name)
	if err != nil {
		// Nothing is started before lab.json is there, so a folder without it holds nothing that runs.
		return os.RemoveAll(l.dir)
	}
	l.state = s
	if err := l.endProcesses(ctx); err != nil {
		return err
	}
	if err := l.bridgeDown(ctx); err != nil {
		return err
	}
	if err := l.waitLoops(ctx); err != nil {
		return err
	}
	if err := l.removeCgroups(ctx); err != nil {
		return err
	}
	return os.RemoveAll(l.dir)
}

// endProcesses ends all at once and hard: nothing of a lab is worth a graceful end, and the API server takes a minute for it.
func (l *Lab) endProcesses(ctx context.Context) error {
	recs := proc.Load(l.path("pids"))
	// Nodes first, so that kubelets do not fill their logs over a missing API server.
	slices.SortFunc(recs, func(a, b proc.Record) int {
		return strings.Compare(nodeFirst(a.Name), nodeFirst(b.Name))
	})
	recs = append(recs, proc.Marked(l.state.ID)...)
	for _, rec := range recs {
		if err := rec.Kill(ctx); err != nil {
			return err
		}
	}
	proc.WaitReaped(ctx, recs)
	return nil
}

func nodeFirst(name string) string {
	if strings.HasPrefix(name, "node-") {
		return "0" + name
	}
	return "1" + name
}

// waitLoops waits for the kernel to free the loop devices of the nodes' disks, and frees those that a crash left without a
// mount, which the kernel does not.
func (l *Lab) waitLoops(ctx context.Context) error {
	deadline := time.Now().Add(10 * time.Second)
	for {
		left, err := l.loops(ctx)
		if err != nil || len(left) == 0 {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("loop devices of the lab are still in use: %s", strings.Join(left, " "))
		}
		for _, dev := range left {
			// Detaching a device that is still in use only marks it for later.
			_ = exec.CommandContext(ctx, "losetup", "-d", dev).Run()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (l *Lab) loops(ctx context.Context) ([]string, error) {
	disks, _ := filepath.Glob(l.path("nodes", "*", "*.ext4"))
	var devs []string
	for _, disk := range disks {
		out, err := exec.CommandContext(ctx, "losetup", "-n", "-O", "NAME", "-j", disk).Output()
		if err != nil {
			return nil, fmt.Errorf("listing loop devices: %w", err)
		}
		devs = append(devs, strings.Fields(string(out))...)
	}
	return devs, nil
}

// removeCgroups removes the lab's own groups in every hierarchy, deepest first. Their processes are gone by now.
func (l *Lab) removeCgroups(ctx context.Context) error {
	roots, _ := filepath.Glob("/sys/fs/cgroup/*" + l.state.cgroup())
	roots = append(roots, "/sys/fs/cgroup"+l.state.cgroup())
	for _, root := range roots {
		var dirs []string
		_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs = append(dirs, path)
			}
			return nil
		})
		for _, dir := range slices.Backward(dirs) {
			if err := removeCgroup(ctx, dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// removeCgroup tries for a while: a killed process leaves its group a moment after it is gone from /proc.
func removeCgroup(ctx context.Context, dir string) error {
	for range 100 {
		err := os.Remove(dir)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return fmt.Errorf("the control group %s is still in use", dir)
}
