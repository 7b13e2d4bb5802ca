// Package disk looks at the room on a node for an image: the filesystems that
// a pull writes to, what the image takes, and what removing unused images
// would free.
//
// It reads sizes and settings, and writes and removes nothing. Room that
// cannot be seen from here is a gap; none is estimated.
package disk

import (
	"context"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/config"
	"github.com/refloat-dev/refloat/node/cri"
	"github.com/refloat-dev/refloat/node/host"
)

// Look looks at the node's filesystems and images. The client is nil where the runtime does not answer, the need nil where the
// image's size is not known.
func Look(ctx context.Context, h *host.Host, rt *config.Runtime, c *cri.Client, need *evidence.DiskNeed) (*evidence.Disk, []evidence.Gap) {
	return &evidence.Disk{Need: need}, nil
}

// Need is what the image takes by what a probe saw of it: nil where the probe did not see its size.
func Need(p *evidence.Probe) *evidence.DiskNeed {
	return nil
}
