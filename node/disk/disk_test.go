package disk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
	runtime "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/config"
	"github.com/refloat-dev/refloat/node/host"
)

// fake is a runtime's answers.
type fake struct {
	images     []*runtime.Image
	containers []*runtime.Container
	imageFS    string
	err        error
}

func (f fake) Images(context.Context) ([]*runtime.Image, error)         { return f.images, f.err }
func (f fake) Containers(context.Context) ([]*runtime.Container, error) { return f.containers, f.err }
func (f fake) ImageFsInfo(context.Context) (images, containers []*runtime.FilesystemUsage, err error) {
	u := []*runtime.FilesystemUsage{{FsId: &runtime.FilesystemIdentifier{Mountpoint: f.imageFS}}}
	return u, u, f.err
}

// node is a node with a kubelet of these flags, and files.
func node(t *testing.T, files map[string]string, flags ...string) *host.Host {
	t.Helper()
	h := &host.Host{Root: t.TempDir(), Proc: t.TempDir()}
	err := errors.Join(os.MkdirAll(filepath.Join(h.Proc, "9"), 0o755),
		os.WriteFile(filepath.Join(h.Proc, "9/cmdline"), []byte("/usr/bin/kubelet\x00"+strings.Join(flags, "\x00")+"\x00"), 0o600))
	for path, text := range files {
		at := filepath.Join(h.Root, path)
		err = errors.Join(err, os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, []byte(text), 0o644))
	}
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// tmpfs mounts a small filesystem on a folder of the node.
func tmpfs(t *testing.T, h *host.Host, path, options string) {
	t.Helper()
	at := filepath.Join(h.Root, path)
	if err := os.MkdirAll(at, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("refloat-test", at, "tmpfs", 0, options); err != nil {
		t.Skipf("mounting a filesystem takes CAP_SYS_ADMIN: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(at, unix.MNT_DETACH) })
}

const store = "/data/io.containerd.content.v1.content"

func containerd() *config.Runtime {
	return &config.Runtime{Kind: config.Containerd, Root: "/data", Snapshotter: "overlayfs"}
}

// TestFilesystems has the content on one small filesystem, and the snapshots on another.
func TestFilesystems(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name                  string
		content, layers       string // their filesystems
		fill                  int    // bytes in content
		files                 int    // in layers
		need                  *evidence.DiskNeed
		kind                  string
		contents, layer       string // what is short
		contentsLow, layerLow string // what is low
	}{
		{name: "fits", content: "size=1m", layers: "size=4m", need: &evidence.DiskNeed{Compressed: 1 << 19, Unpacked: 1 << 20}},
		{name: "not known", content: "size=1m", layers: "size=4m"},
		{name: "content short", content: "size=1m", layers: "size=8m", need: &evidence.DiskNeed{Compressed: 1<<20 + 1, Unpacked: 4 << 20}, contents: "bytes"},
		{name: "content is there", content: "size=1m", layers: "size=8m", need: &evidence.DiskNeed{Compressed: 1<<20 + 1, Present: 1 << 19, Unpacked: 4 << 20}},
		{name: "snapshots short", content: "size=1m", layers: "size=4m", need: &evidence.DiskNeed{Compressed: 1 << 19, Unpacked: 5 << 20}, layer: "bytes"},
		{name: "content full", content: "size=1m", layers: "size=4m", fill: 1 << 20, contents: "bytes", contentsLow: "bytes"},
		{name: "content nearly full", content: "size=1m", layers: "size=4m", fill: 900 << 10, contentsLow: "bytes"},
		{name: "no inodes", content: "size=1m", layers: "size=4m,nr_inodes=20", files: 19, layer: "inodes", layerLow: "inodes"},
		{name: "few inodes", content: "size=1m", layers: "size=4m,nr_inodes=40", files: 36, layerLow: "inodes"},
		{name: "read-only", content: "size=1m,ro", layers: "size=4m", contents: "read-only"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := node(t, nil, "--root-dir=/kubelet")
			tmpfs(t, h, "/kubelet", "size=1m")
			readOnly := strings.HasSuffix(tt.content, ",ro")
			tmpfs(t, h, store, strings.TrimSuffix(tt.content, ",ro"))
			const layers = "/data/io.containerd.snapshotter.v1.overlayfs"
			tmpfs(t, h, layers, tt.layers)
			if err := os.WriteFile(filepath.Join(h.Root, store, "filler"), make([]byte, tt.fill), 0o600); err != nil {
				t.Fatal(err)
			}
			for i := range tt.files {
				if err := os.WriteFile(filepath.Join(h.Root, layers, fmt.Sprint(i)), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if readOnly {
				if err := unix.Mount("", filepath.Join(h.Root, store), "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
					t.Fatal(err)
				}
			}
			d, gaps := look(t.Context(), h, containerd(), fake{imageFS: layers}, tt.need)
			got := map[string]string{}
			for _, a := range d.Areas {
				got[strings.Join(a.Purposes, " ")] = fmt.Sprintf("%s %s %s %s|%s", a.Path, a.Mount, a.Type, a.Short, a.Low)
			}
			want := map[string]string{
				"nodefs":                        "/kubelet /kubelet tmpfs |",
				"content":                       fmt.Sprintf("%[1]s %[1]s tmpfs %s|%s", store, tt.contents, tt.contentsLow),
				"imagefs containerfs snapshots": fmt.Sprintf("%[1]s %[1]s tmpfs %s|%s", layers, tt.layer, tt.layerLow),
			}
			if diff := cmp.Diff(want, got); diff != "" || len(gaps) != 0 {
				t.Errorf("%+v\n%s", gaps, diff)
			}
		})
	}
}

// TestOneFilesystem adds up what is written to one.
func TestOneFilesystem(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind string
		rt   *config.Runtime
		want string
	}{
		{"containerd", containerd(), "nodefs imagefs containerfs content snapshots"},
		{"cri-o", &config.Runtime{Kind: config.CRIO, Root: "/data", TempDir: "/data/tmp"}, "nodefs imagefs containerfs snapshots temporary"},
		{"docker", &config.Runtime{Kind: config.Docker, Root: "/data"}, "nodefs imagefs containerfs snapshots temporary"},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			t.Parallel()
			h := node(t, nil, "--root-dir", "/data/kubelet")
			tmpfs(t, h, "/data", "size=2m")
			for _, dir := range []string{store, "/data/io.containerd.snapshotter.v1.overlayfs", "/data/kubelet", "/data/tmp"} {
				if err := os.MkdirAll(filepath.Join(h.Root, dir), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			for need, short := range map[int64]string{1 << 20: "", 3<<19 + 1: "bytes"} {
				d, gaps := look(t.Context(), h, tt.rt, fake{imageFS: "/data"}, &evidence.DiskNeed{Compressed: 1 << 19, Unpacked: need})
				if len(d.Areas) != 1 || len(gaps) != 0 || strings.Join(d.Areas[0].Purposes, " ") != tt.want || d.Areas[0].Short != short {
					t.Errorf("%d: %+v, %+v", need, d.Areas, gaps)
				}
			}
		})
	}
}

func TestUnseen(t *testing.T) {
	t.Parallel()
	h := node(t, nil)
	d, gaps := look(t.Context(), h, containerd(), nil, nil)
	var got []string
	for _, g := range gaps {
		got = append(got, g.What+": "+g.Why)
	}
	want := []string{
		"which images on the node are unused: the runtime does not answer",
		"the room in /var/lib/kubelet: statfs /var/lib/kubelet: no such file or directory",
		"the room in " + store + ": statfs " + store + ": no such file or directory",
	}
	if diff := cmp.Diff(want, got); diff != "" || len(d.Areas) != 0 {
		t.Error(diff)
	}
	_, gaps = look(t.Context(), h, containerd(), fake{err: errors.New("rpc error: code = Unavailable")}, nil)
	if len(gaps) != 4 {
		t.Errorf("%+v", gaps)
	}
}

func TestUnused(t *testing.T) {
	t.Parallel()
	image := func(id string, size uint64, pinned bool, tags ...string) *runtime.Image {
		return &runtime.Image{Id: id, Size: size, Pinned: pinned, RepoTags: tags, RepoDigests: []string{"reg.lab/" + id + "@sha256:" + strings.Repeat("a", 64)}}
	}
	f := fake{
		images: []*runtime.Image{
			image("pause", 1, true), image("small", 10, false, "reg.lab/small:1", "reg.lab/small:2", "reg.lab/small:3", "reg.lab/small:4"), image("large", 1000, false),
			image("running", 50, false), image("ended", 60, false, "reg.lab/ended:1"), image("named", 70, false, "reg.lab/named:1"), image("absurd", 1<<63, false, "reg.lab/absurd:1"),
		},
		containers: []*runtime.Container{
			{ImageId: "running", Image: &runtime.ImageSpec{Image: "running"}},
			{ImageRef: "ended", State: runtime.ContainerState_CONTAINER_EXITED},
			{Image: &runtime.ImageSpec{Image: "reg.lab/named:1"}},
		},
	}
	d := &evidence.Disk{}
	if gaps := unused(t.Context(), f, d); len(gaps) != 0 {
		t.Error(gaps)
	}
	var got []string
	for _, u := range d.Unused {
		got = append(got, fmt.Sprintf("%s %d %d", u.ID, u.Size, len(u.Names)))
	}
	want := []string{"absurd 9007199254740991 1", "large 1000 1", "small 10 3"}
	if diff := cmp.Diff(want, got); diff != "" || d.Images != 7 || d.Used != 3 || d.Frees != 9007199254740991+1010 {
		t.Errorf("%+v\n%s", d, diff)
	}
	for i := range 100 {
		f.images = append(f.images, image(fmt.Sprintf("i%d", i), 5, false))
	}
	d = &evidence.Disk{}
	_ = unused(t.Context(), f, d)
	if len(d.Unused) != maxUnused || d.Frees != 9007199254740991+1510 {
		t.Errorf("%d named, %d bytes", len(d.Unused), d.Frees)
	}
}

func TestNeed(t *testing.T) {
	t.Parallel()
	if Need(nil) != nil || Need(&evidence.Probe{}) != nil {
		t.Error("an image of no known size has a need")
	}
	if n := Need(&evidence.Probe{Size: 100}); n.Compressed != 100 || n.Unpacked != 300 || !n.Guessed {
		t.Errorf("%+v", n)
	}
	if n := Need(&evidence.Probe{Size: 1<<63 - 1}); n.Unpacked < 1<<60 {
		t.Errorf("%+v", n)
	}
}
