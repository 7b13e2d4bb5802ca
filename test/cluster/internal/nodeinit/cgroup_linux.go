package nodeinit

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// hierarchy is one mounted tree of control groups: version 1 has one per controller, version 2 one in all.
type hierarchy struct{ dir, fstype, data string }

// hierarchies reads them from a mountinfo file.
func hierarchies(mountinfo string) ([]hierarchy, error) {
	f, err := os.Open(mountinfo)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var out []hierarchy
	for sc := bufio.NewScanner(f); sc.Scan(); {
		if h, ok := parseHierarchy(sc.Text()); ok {
			out = append(out, h)
		}
	}
	return out, nil
}

// parseHierarchy reads one line; proc(5) describes it: the separator stands between the mount's and the filesystem's fields.
func parseHierarchy(line string) (hierarchy, bool) {
	left, right, ok := strings.Cut(line, " - ")
	l, r := strings.Fields(left), strings.Fields(right)
	if !ok || len(l) < 5 || len(r) < 3 || !strings.HasPrefix(l[4], "/sys/fs/cgroup") {
		return hierarchy{}, false
	}
	switch r[0] {
	case "cgroup2":
		return hierarchy{dir: l[4], fstype: r[0]}, true
	case "cgroup":
		options := slices.DeleteFunc(strings.Split(r[2], ","), func(o string) bool {
			return o == "rw" || o == "ro" || o == "xattr" || strings.HasPrefix(o, "release_agent=")
		})
		return hierarchy{dir: l[4], fstype: r[0], data: strings.Join(options, ",")}, true
	}
	return hierarchy{}, false
}

// enterCgroup moves this process into the node's own group of every hierarchy.
func enterCgroup(group string, hs []hierarchy) error {
	for _, h := range hs {
		dir := h.dir
		for part := range strings.SplitSeq(strings.Trim(group, "/"), "/") {
			if h.fstype == "cgroup2" {
				// Where it is refused, a pod does without that controller's limits.
				_ = delegate(dir)
			}
			dir = filepath.Join(dir, part)
			if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
				return fmt.Errorf("making the node's control group: %w", err)
			}
			if err := inheritCpuset(dir); err != nil {
				return err
			}
		}
		// 0 is the writer itself, whatever pid namespace it is in.
		if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte("0"), 0); err != nil {
			return fmt.Errorf("entering the node's control group: %w", err)
		}
	}
	return nil
}

// inheritCpuset fills what version 1 leaves empty in a new group, and without which no process may enter.
func inheritCpuset(dir string) error {
	for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
		own, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || strings.TrimSpace(string(own)) != "" {
			continue
		}
		parent, err := os.ReadFile(filepath.Join(filepath.Dir(dir), name))
		if err != nil || strings.TrimSpace(string(parent)) == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), parent, 0); err != nil {
			return fmt.Errorf("filling %s: %w", name, err)
		}
	}
	return nil
}

// delegate lets the children of a version 2 group use every controller that it has itself.
func delegate(dir string) error {
	data, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	if err != nil {
		return err
	}
	var errs []error
	for _, c := range strings.Fields(string(data)) {
		errs = append(errs, os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+"+c), 0))
	}
	return errors.Join(errs...)
}

// mountCgroups shows the node its own groups as the roots, in place of the host's.
func mountCgroups(hs []hierarchy) error {
	for _, h := range hs {
		// The kernel refuses to mount a filesystem over itself.
		if err := unix.Unmount(h.dir, unix.MNT_DETACH); err != nil {
			return fmt.Errorf("unmounting the host's %s: %w", h.dir, err)
		}
		if err := unix.Mount("cgroup", h.dir, h.fstype, unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, h.data); err != nil {
			return fmt.Errorf("mounting the node's control groups on %s: %w", h.dir, err)
		}
		if h.fstype != "cgroup2" {
			continue
		}
		// Version 2 allows processes in leaves only, so the node's services get one beside the pods'.
		services := filepath.Join(h.dir, "services")
		if err := os.MkdirAll(services, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(services, "cgroup.procs"), []byte("0"), 0); err != nil {
			return fmt.Errorf("entering the services' control group: %w", err)
		}
		_ = delegate(h.dir)
	}
	return nil
}
