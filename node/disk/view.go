package disk

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/config"
	"github.com/refloat-dev/refloat/node/host"
)

// lowPercent is where little is left: what the kubelet evicts for by default (imagefs.available).
const lowPercent = 15

// view is the node's filesystems as they can be seen from here.
type view struct {
	host *host.Host
	// hosts are ways to the node's files: first those of the processes that use them, who see every mount.
	hosts  []*host.Host
	mounts []mount
	areas  []*area
}

// area is a DiskArea and what tells it from others.
type area struct {
	evidence.DiskArea
	device uint64
	// free is what root may use, which is more than is available to everybody.
	free uint64
}

func newView(h *host.Host, rt *config.Runtime) *view {
	v := &view{host: h}
	kubelet, _ := h.Kubelet() // without it the host's own files are looked at
	for _, p := range []*host.Process{rt.Process, kubelet} {
		if p == nil {
			continue
		}
		if _, err := p.Files().ReadDir("/"); err == nil {
			v.hosts = append(v.hosts, p.Files())
		}
		if v.mounts == nil {
			v.mounts = readMounts(filepath.Join(cmp.Or(h.Proc, "/proc"), strconv.Itoa(p.PID), "mountinfo"), "")
		}
	}
	v.hosts = append(v.hosts, h)
	if v.mounts == nil {
		v.mounts = readMounts("/proc/self/mountinfo", h.Root)
	}
	return v
}

// add looks at a folder. One on a filesystem that is known adds its purpose to it.
func (v *view) add(p place) error {
	var last error
	for _, h := range v.hosts {
		a, err := v.stat(h, p.path)
		if err != nil {
			last = cmp.Or(last, err)
			if errors.Is(err, fs.ErrNotExist) && !h.Sees(p.path) {
				last = errors.New("it is in no folder that is seen from here")
			}
			continue
		}
		for _, known := range v.areas {
			if known.device == a.device && known.ReadOnly == a.ReadOnly {
				if !slices.Contains(known.Purposes, p.purpose) {
					known.Purposes = append(known.Purposes, p.purpose)
					slices.SortFunc(known.Purposes, byOrder)
				}
				return nil
			}
		}
		a.Path, a.Purposes = p.path, []string{p.purpose}
		v.areas = append(v.areas, a)
		return nil
	}
	return last
}

func byOrder(a, b string) int {
	order := []string{nodeFS, imageFS, containerFS, content, snapshots, temporary}
	return cmp.Compare(slices.Index(order, a), slices.Index(order, b))
}

func (v *view) stat(h *host.Host, path string) (*area, error) {
	at, err := h.Path(path)
	if err != nil {
		return nil, err
	}
	var info unix.Stat_t
	var of unix.Statfs_t
	if err := errors.Join(unix.Stat(at, &info), unix.Statfs(at, &of)); err != nil {
		return nil, &fs.PathError{Op: "statfs", Path: path, Err: firstOf(err)}
	}
	size := uint64(cmp.Or(of.Frsize, of.Bsize))
	a := &area{device: info.Dev, free: of.Bfree * size}
	a.Filesystem = evidence.Filesystem{Available: of.Bavail * size, Capacity: of.Blocks * size, InodesFree: of.Ffree, Inodes: of.Files}
	if root := strings.TrimSuffix(h.Root, "/"); root != "" {
		at = "/" + strings.TrimPrefix(strings.TrimPrefix(at, root), "/") // links are followed in it already
	} else if real, err := filepath.EvalSymlinks(at); err == nil {
		at = real
	}
	if m := mountOf(v.mounts, at); m != nil {
		a.Mount, a.Type, a.ReadOnly = m.point, m.kind, m.readOnly
	}
	return a, nil
}

// firstOf is the first of joined errors.
func firstOf(err error) error {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		return joined.Unwrap()[0]
	}
	return err
}

// judge says what keeps the image from fitting, and what is nearly used up.
func (a *area) judge(kind string, need *evidence.DiskNeed) {
	a.Low = a.low()
	if !slices.ContainsFunc(a.Purposes, func(p string) bool { return p != nodeFS && p != containerFS }) {
		return // no image is written here
	}
	switch {
	case a.ReadOnly:
		a.Short = "read-only"
	case a.free == 0 && a.Capacity > 0, a.takes(kind, need) > a.free:
		a.Short = "bytes"
	case a.InodesFree == 0 && a.Inodes > 0:
		a.Short = "inodes"
	}
}

// takes is how much of the need is written here: what is downloaded and what it unpacks to are there at the same time.
func (a *area) takes(kind string, need *evidence.DiskNeed) uint64 {
	if need == nil {
		return 0
	}
	download := content
	if kind != config.Containerd {
		download = temporary
	}
	var sum int64
	if slices.Contains(a.Purposes, download) {
		sum += max(0, need.Compressed-need.Present)
	}
	if slices.Contains(a.Purposes, snapshots) || slices.Contains(a.Purposes, imageFS) {
		sum += max(0, need.Unpacked)
	}
	return uint64(sum)
}

func (a *area) low() string {
	share := func(free, all uint64) float64 {
		if all == 0 {
			return 100 // a filesystem that does not count them
		}
		return float64(free) / float64(all) * 100
	}
	bytes, inodes := share(a.Available, a.Capacity), share(a.InodesFree, a.Inodes)
	switch {
	case min(bytes, inodes) >= lowPercent:
		return ""
	case inodes < bytes:
		return "inodes"
	}
	return "bytes"
}

// mount is one line of a mountinfo.
type mount struct {
	point, kind string
	readOnly    bool
}

// readMounts reads mountinfo; with a root only what is below it counts, as the node has it, and not how it is mounted here.
func readMounts(path, root string) []mount {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, 16<<20))
	if err != nil {
		return nil
	}
	return parseMounts(string(data), strings.TrimSuffix(root, "/"))
}

// parseMounts follows proc_pid_mountinfo(5).
func parseMounts(text, root string) []mount {
	var out []mount
	for line := range strings.Lines(text) {
		left, right, ok := strings.Cut(line, " - ")
		own, super := strings.Fields(left), strings.Fields(right)
		if !ok || len(own) < 6 || len(super) < 3 {
			continue
		}
		point, below := strings.CutPrefix(unescape(own[4]), root)
		if !below || point != "" && !strings.HasPrefix(point, "/") {
			continue
		}
		out = append(out, mount{point: cmp.Or(point, "/"), kind: evidence.Clean(super[0]),
			readOnly: isReadOnly(super[2]) || root == "" && isReadOnly(own[5])})
	}
	return out
}

func isReadOnly(options string) bool { return slices.Contains(strings.Split(options, ","), "ro") }

// unescape reads the octal digits that stand for blanks and the like.
func unescape(text string) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+3 < len(text) {
			if n, err := strconv.ParseUint(text[i+1:i+4], 8, 8); err == nil {
				out.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		out.WriteByte(text[i])
	}
	return out.String()
}

// mountOf is the mount that a path is on: the deepest, and of several at one point the last.
func mountOf(mounts []mount, path string) *mount {
	var best *mount
	for i, m := range mounts {
		on := m.point == "/" || path == m.point || strings.HasPrefix(path, m.point+"/")
		if on && (best == nil || len(m.point) >= len(best.point)) {
			best = &mounts[i]
		}
	}
	return best
}
