package nodeinit

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

type mount struct {
	source, target, fstype string
	flags                  uintptr
	data                   string
}

// setUp gives the node its own file system view. The order matters: the node's folder stands below /var/lib, so it is
// bound into the new /run before /var/lib is covered.
func setUp(dir string, cfg Config, hs []hierarchy) error {
	if err := unix.Sethostname([]byte(cfg.Hostname)); err != nil {
		return fmt.Errorf("setting the hostname: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("cutting mounts off from the host: %w", err)
	}
	// Shared among the node's own processes, as on a real node, or pods could not see later volume mounts.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""); err != nil {
		return fmt.Errorf("sharing mounts inside the node: %w", err)
	}
	if err := mountCgroups(hs); err != nil {
		return err
	}
	// /proc first: losetup looks for the caller's own mounts there.
	for _, m := range []mount{
		{"proc", "/proc", "proc", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"tmpfs", "/run", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=755"},
		{cfg.Bin, Bin, "", unix.MS_BIND, ""},
		{dir, State, "", unix.MS_BIND, ""},
		{"tmpfs", "/tmp", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=1777,size=256m"},
		{"tmpfs", "/var/lib", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=755,size=64m"},
		{"overlay", "/etc", "overlay", 0, "lowerdir=/etc,upperdir=/run/lab/etc/upper,workdir=/run/lab/etc/work"},
	} {
		if m.fstype == "overlay" {
			if err := mkdirs("/run/lab/etc/upper", "/run/lab/etc/work"); err != nil {
				return err
			}
		}
		if err := m.do(); err != nil {
			return err
		}
	}
	return setUpDisks()
}

func setUpDisks() error {
	if err := loop(ImageFS, "/var/lib/containerd"); err != nil {
		return err
	}
	if err := loop(NodeFS, "/var/lib/node"); err != nil {
		return err
	}
	if err := mkdirs("/var/lib/node/kubelet", "/var/lib/node/log"); err != nil {
		return err
	}
	for _, m := range []mount{
		{"/var/lib/node/kubelet", "/var/lib/kubelet", "", unix.MS_BIND, ""},
		{"/var/lib/node/log", "/var/log", "", unix.MS_BIND, ""},
	} {
		if err := m.do(); err != nil {
			return err
		}
	}
	if err := copyTree(filepath.Join(State, Rootfs), "/"); err != nil {
		return err
	}
	// The node routes its pods; this is its own network namespace's setting.
	return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0)
}

// loop lets mount(8) set up the device: it is freed by the kernel with the mount. Nodes that start at the same moment may
// reach for the same free device, and all but one are refused, so it tries again.
func loop(file, target string) error {
	if err := mkdirs(target); err != nil {
		return err
	}
	var out []byte
	var err error
	for range 50 {
		if out, err = exec.Command("mount", "-o", "loop", filepath.Join(State, file), target).CombinedOutput(); err == nil {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("mounting %s: %w: %s", file, err, bytes.TrimSpace(out))
}

func (m mount) do() error {
	if err := mkdirs(m.target); err != nil {
		return err
	}
	if err := unix.Mount(m.source, m.target, m.fstype, m.flags, m.data); err != nil {
		return fmt.Errorf("mounting %s on %s: %w", m.source, m.target, err)
	}
	return nil
}

func mkdirs(dirs ...string) error {
	for _, d := range dirs {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	return nil
}

func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		if d.IsDir() {
			return mkdirs(target)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		// Removed first: /etc/resolv.conf is a link into the host's /run on many machines.
		_ = os.Remove(target)
		return os.WriteFile(target, data, info.Mode().Perm())
	})
}
