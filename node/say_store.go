package node

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/evidence"
)

// sayDisk is the room for an image, the area that lacks it first.
func sayDisk(d *evidence.Disk) string {
	var short, room []string
	for _, a := range d.Areas {
		name := fmt.Sprintf("%s (%s)", a.Path, strings.Join(a.Purposes, ", "))
		switch a.Short {
		case "":
			room = append(room, fmt.Sprintf("%s has %s of %s free", name, evidence.Size(a.Available), evidence.Size(a.Capacity)))
		case "inodes":
			short = append(short, fmt.Sprintf("%s has %d of %d inodes free", name, a.InodesFree, a.Inodes))
		case "read-only":
			short = append(short, name+" is read-only")
		default:
			short = append(short, fmt.Sprintf("%s has %s of %s free", name, evidence.Size(a.Available), evidence.Size(a.Capacity)))
		}
	}
	if len(short) == 0 {
		return strings.Join(room, "; ")
	}
	text := strings.Join(short, "; ")
	if n := d.Need; n != nil {
		about := ""
		if n.Guessed {
			about = "about "
		}
		text += fmt.Sprintf("; the image takes %s%s at once", about, evidence.Size(uint64(max(0, n.Compressed-max(0, n.Present)))+uint64(max(0, n.Unpacked))))
	}
	if d.Frees > 0 {
		text += fmt.Sprintf("; removing unused images would free up to %s", evidence.Size(uint64(d.Frees)))
	}
	return text
}

// sayContent is what is wrong with stored content, or how far it is known to be right.
func sayContent(c *evidence.Content) string {
	of := "the stored content of the node"
	if c.Image != "" {
		of = "the stored content of " + c.Image
	}
	if n := len(c.Damages) + c.MoreDamages; n > 0 {
		text := fmt.Sprintf("%d damages in %s: %s", n, of, sayDamage(c.Damages[0]))
		if n == 1 {
			text = of + " is damaged: " + sayDamage(c.Damages[0])
		}
		return text
	}
	switch {
	case c.Image != "" && c.Present == evidence.No:
		return "the node has nothing stored of " + c.Image
	case c.Have < c.Blobs:
		return fmt.Sprintf("%s: %d of %d blobs are there, of the right size", of, c.Have, c.Blobs)
	case c.Complete:
		return fmt.Sprintf("%s is whole: %d blobs of %s have their digests", of, c.Blobs, evidence.Size(uint64(max(0, c.Hashed))))
	}
	return fmt.Sprintf("%s is complete by its records and sizes: %d blobs of %s, not hashed", of, c.Blobs, evidence.Size(uint64(max(0, c.Bytes))))
}

func sayDamage(d evidence.Damage) string {
	what := d.Role
	if d.Digest != "" {
		what += " " + d.Digest
	}
	text := what + " " + map[evidence.DamageKind]string{
		evidence.DamageMissing:  "is recorded, and its file is gone",
		evidence.DamageSize:     fmt.Sprintf("has %d bytes instead of %d", d.Have, d.Want),
		evidence.DamageDigest:   "has other bytes than its digest says",
		evidence.DamageUnread:   "cannot be read",
		evidence.DamageEmptied:  "is unpacked, and its folder is empty",
		evidence.DamageSnapshot: "is recorded as unpacked, and is not as its record says",
		evidence.DamagePoisoned: "is a partial download with wrong bytes",
	}[d.Kind]
	if len(d.Images) > 1 {
		text += fmt.Sprintf("; %d images share it", len(d.Images)+d.MoreImages)
	}
	return text
}

// sayDownloads is what is on its way, and whether it moves.
func sayDownloads(d *evidence.Downloads, now time.Time) string {
	var still []string
	for _, a := range d.Active {
		if a.Still {
			from := ""
			if a.Host != "" {
				from = " from " + a.Host
			}
			of := ""
			if a.Total > 0 {
				of = fmt.Sprintf(" of %d", a.Total)
			}
			still = append(still, fmt.Sprintf("%s%s stands still at byte %d%s for %s", cmp.Or(a.Digest, a.Ref), from, a.Offset, of, time.Duration(a.StillFor)*time.Second))
		}
	}
	switch {
	case len(still) > 0:
		return "a download that has stopped moving: " + strings.Join(still, "; ")
	case len(d.Active) > 0:
		oldest := slices.MinFunc(d.Active, func(a, b evidence.Download) int { return a.Started.Compare(b.Started) })
		return fmt.Sprintf("%d downloads under way, none seen to stand still; the oldest since %s", len(d.Active)+d.More, now.Sub(oldest.Started).Round(time.Second))
	}
	return "no download is under way"
}

func sayPull(p *evidence.NodePull) string {
	if p.OK {
		return fmt.Sprintf("a real pull of %s worked, in %s", p.Image, time.Duration(p.Took)*time.Millisecond)
	}
	return fmt.Sprintf("a real pull of %s failed: %s", p.Image, p.Text)
}
