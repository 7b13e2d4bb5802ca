// Package disk looks at the room on a node for an image: the filesystems that
// a pull writes to, what the image takes, and what removing unused images
// would free.
//
// It reads sizes and settings, and writes and removes nothing. Room that
// cannot be seen from here is a gap; none is estimated. How many inodes an
// image takes is not known to anybody before it is unpacked.
package disk

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"

	runtime "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/config"
	"github.com/refloat-dev/refloat/node/cri"
	"github.com/refloat-dev/refloat/node/host"
)

// The purposes of an area, in the order in which they are listed. Images are what a runtime tells the kubelet of.
const (
	nodeFS      = "nodefs"
	imageFS     = "imagefs"
	containerFS = "containerfs"
	content     = "content"
	snapshots   = "snapshots"
	temporary   = "temporary"
)

// maxPlaces bounds what a runtime tells.
const maxPlaces = 20

// client is what is asked of the runtime.
type client interface {
	Images(context.Context) ([]*runtime.Image, error)
	Containers(context.Context) ([]*runtime.Container, error)
	ImageFsInfo(context.Context) (images, containers []*runtime.FilesystemUsage, err error)
}

// Look looks at the node's filesystems and images. The client is nil where the
// runtime does not answer, the need nil where the image's size is not known.
func Look(ctx context.Context, h *host.Host, rt *config.Runtime, c *cri.Client, need *evidence.DiskNeed) (*evidence.Disk, []evidence.Gap) {
	if c == nil {
		return look(ctx, h, rt, nil, need)
	}
	return look(ctx, h, rt, c, need)
}

func look(ctx context.Context, h *host.Host, rt *config.Runtime, c client, need *evidence.DiskNeed) (*evidence.Disk, []evidence.Gap) {
	d := &evidence.Disk{Need: need}
	v := newView(h, rt)
	k := readKubelet(v)
	d.GCHigh, d.GCLow, d.Evicts = k.gcHigh, k.gcLow, k.evicts
	gaps := k.gaps

	var told []place
	if c != nil {
		var g []evidence.Gap
		told, g = ask(ctx, c)
		gaps = append(gaps, g...)
		gaps = append(gaps, unused(ctx, c, d)...)
	} else {
		gaps = append(gaps, gapOf("which images on the node are unused", "the runtime does not answer"))
	}
	for _, p := range append(places(rt, k.root), told...) {
		if err := v.add(p); err != nil && (!p.may || !errors.Is(err, fs.ErrNotExist)) {
			gaps = append(gaps, gapOf("the room in "+p.path, err.Error()))
		}
	}
	for _, a := range v.areas {
		a.judge(rt.Kind, need)
		d.Areas = append(d.Areas, a.DiskArea)
	}
	return d, gaps
}

func gapOf(what, why string) evidence.Gap {
	return evidence.Gap{Vantage: evidence.Node, What: what, Why: evidence.Clean(why)}
}

// place is a folder and what it is for; one that may be is no gap where it is not.
type place struct {
	path, purpose string
	may           bool
}

// places are where a pull writes.
func places(rt *config.Runtime, kubelet string) []place {
	out := []place{{path: kubelet, purpose: nodeFS}}
	switch rt.Kind {
	case config.Containerd:
		store := filepath.Join(rt.Root, "io.containerd.content.v1.content")
		out = append(out,
			place{path: store, purpose: content},
			// Downloads grow here, and it is mounted on its own where somebody moved it.
			place{filepath.Join(store, "ingest"), content, true},
			// A snapshotter may have a folder elsewhere: the runtime tells of that.
			place{filepath.Join(rt.Root, "io.containerd.snapshotter.v1."+rt.Snapshotter), snapshots, true})
	case config.CRIO:
		// Layers are staged compressed (containers/image, BigFilesTemporaryDir).
		out = append(out, place{path: rt.Root, purpose: snapshots}, place{path: tempDir(rt, "/var/tmp"), purpose: temporary})
	case config.Docker:
		out = append(out, place{path: rt.Root, purpose: snapshots}, place{filepath.Join(rt.Root, "tmp"), temporary, true})
	}
	return out
}

// tempDir is where a runtime puts temporary files: as it is configured, by its environment, or its usual one.
func tempDir(rt *config.Runtime, usual string) string {
	if rt.TempDir != "" {
		return rt.TempDir
	}
	if rt.Process != nil {
		if env, err := rt.Process.Env(); err == nil && filepath.IsAbs(env["TMPDIR"]) {
			return env["TMPDIR"]
		}
	}
	return usual
}

// ask is where the runtime says that images and containers' own layers are.
func ask(ctx context.Context, c client) ([]place, []evidence.Gap) {
	images, containers, err := c.ImageFsInfo(ctx)
	if err != nil {
		return nil, []evidence.Gap{gapOf("which filesystems the runtime tells the kubelet of", err.Error())}
	}
	var out []place
	for i, u := range append(images[:len(images):len(images)], containers...) {
		purpose := imageFS
		if i >= len(images) {
			purpose = containerFS
		}
		if at := u.GetFsId().GetMountpoint(); filepath.IsAbs(at) && len(out) < maxPlaces {
			out = append(out, place{path: filepath.Clean(at), purpose: purpose})
		}
	}
	return out, nil
}
