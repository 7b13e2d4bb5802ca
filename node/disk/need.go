package disk

import "github.com/refloat-dev/refloat/evidence"

// unpackedTimes is how much larger layers usually are when they are unpacked.
const unpackedTimes = 3

// Need is what the image takes by what a probe saw of it: nil where the probe
// did not see its size. No manifest tells what its layers unpack to, so that
// it is always guessed.
func Need(p *evidence.Probe) *evidence.DiskNeed {
	if p == nil || p.Size <= 0 {
		return nil
	}
	return &evidence.DiskNeed{Compressed: p.Size, Unpacked: min(p.Size, 1<<60) * unpackedTimes, Guessed: true}
}
