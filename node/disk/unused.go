package disk

import (
	"cmp"
	"context"
	"math"
	"slices"

	runtime "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/refloat-dev/refloat/evidence"
)

const (
	// maxUnused bounds the images that are named, maxNames the names of one.
	maxUnused = 20
	maxNames  = 3
)

// unused finds the images that no container uses, those that have ended included, and nothing pins: what the kubelet would
// remove (K36 pkg/kubelet/images/image_gc_manager.go:245-310). An image that is only some pod's volume counts as unused:
// a runtime's lists do not tell. Sizes are the runtime's own, of which containerd's leave out what is unpacked.
func unused(ctx context.Context, c client, d *evidence.Disk) []evidence.Gap {
	const what = "which images on the node are unused"
	images, err := c.Images(ctx)
	if err != nil {
		return []evidence.Gap{gapOf(what, err.Error())}
	}
	containers, err := c.Containers(ctx)
	if err != nil {
		return []evidence.Gap{gapOf(what, err.Error())}
	}
	used := map[string]bool{}
	for _, x := range containers {
		for _, name := range []string{x.GetImageId(), x.GetImageRef(), x.GetImage().GetImage()} {
			used[name] = name != ""
		}
	}
	d.Images = len(images)
	var found []*runtime.Image
	for _, i := range images {
		switch {
		case isUsed(i, used):
			d.Used++
		case !i.GetPinned():
			found = append(found, i)
		}
	}
	slices.SortFunc(found, func(a, b *runtime.Image) int {
		return cmp.Or(cmp.Compare(b.GetSize(), a.GetSize()), cmp.Compare(a.GetId(), b.GetId()))
	})
	for n, i := range found {
		size := int64(min(i.GetSize(), math.MaxInt64/1024)) // so that a thousand of them can be added
		d.Frees += size
		if n < maxUnused {
			d.Unused = append(d.Unused, evidence.UnusedImage{Names: names(i), ID: evidence.CleanReference(i.GetId()), Size: size})
		}
	}
	return nil
}

func isUsed(i *runtime.Image, used map[string]bool) bool {
	return used[i.GetId()] ||
		slices.ContainsFunc(i.GetRepoTags(), func(n string) bool { return used[n] }) ||
		slices.ContainsFunc(i.GetRepoDigests(), func(n string) bool { return used[n] })
}

// names are an image's tags, or its digests where it has none.
func names(i *runtime.Image) []string {
	from := i.GetRepoTags()
	if len(from) == 0 {
		from = i.GetRepoDigests()
	}
	var out []string
	for _, n := range from[:min(len(from), maxNames)] {
		out = append(out, evidence.CleanReference(n))
	}
	return out
}
