package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// seenDisk says which of the places that a pull writes to has no room, also those that the kubelet does not see.
func (v *view) seenDisk(d *Diagnosis) bool {
	if v.seen.disk == nil || !d.allows(DiskFull) && !d.allows(FilesystemFailed) && d.Cause != CacheCorrupt {
		return false
	}
	k := v.seen.disk.Disk
	area := shortArea(k)
	fact := sentenceOf(v.seen.disk, v.roomText(k, area))
	switch {
	case area == nil:
		return v.roomNow(d, k, fact)
	case area.Short == "read-only":
		if !d.allows(FilesystemFailed) || d.Cause == DiskFull {
			return false
		}
		sure := Likely
		if strings.Contains(strings.ToLower(d.Reading.Detail), "read-only") {
			sure = Confirmed
		}
		v.sight(d, FilesystemFailed, sure, areaText(area), fact)
	case d.Reading.Cause == DiskFull:
		v.sight(d, DiskFull, Confirmed, areaText(area)+needText(k), fact)
	default: // what is unpacked into a full filesystem breaks in other words
		was := d.Cause
		v.sight(d, DiskFull, Possible, areaText(area)+needText(k), fact)
		d.allow(was)
		d.Masks = append(d.Masks, without([]Code{was}, append(d.Masks, DiskFull)...)...)
		return was != CacheCorrupt // a damage that is found is surer
	}
	return true
}

// roomNow is a node that has room. A failed pull gives back what it took, so the full filesystem may be one that is full only while it runs.
func (v *view) roomNow(d *Diagnosis, k *evidence.Disk, fact *evidence.Fact) bool {
	if d.Cause != DiskFull || d.Reading.Cause != DiskFull {
		return false
	}
	for i := range k.Areas {
		if a := &k.Areas[i]; a.Low == "inodes" {
			v.sight(d, DiskFull, Confirmed, fmt.Sprintf("%s has %d of %d inodes free", short(a.Path, 60), a.InodesFree, a.Inodes), fact)
			return true
		}
	}
	switch {
	case len(k.Areas) == 0 || k.Need == nil || k.Need.Guessed:
		d.cite(fact)
	default:
		v.notNow(d, "it has room for the image at this moment"+needText(k), fact)
	}
	return true
}

func shortArea(k *evidence.Disk) *evidence.DiskArea {
	for i := range k.Areas {
		if slices.Contains([]string{"bytes", "inodes", "read-only"}, k.Areas[i].Short) {
			return &k.Areas[i]
		}
	}
	return nil
}

func areaText(a *evidence.DiskArea) string {
	where := short(a.Path, 60)
	switch a.Short {
	case "inodes":
		return fmt.Sprintf("%s has %d of %d inodes free", where, a.InodesFree, a.Inodes)
	case "read-only":
		return where + " is read-only"
	}
	return fmt.Sprintf("%s has %s of %s free", where, evidence.Size(a.Available), evidence.Size(a.Capacity))
}

// needs is what is still to be written, in bytes.
func needs(n *evidence.DiskNeed) uint64 {
	return uint64(max(0, n.Compressed-min(max(0, n.Present), max(0, n.Compressed)))) + uint64(max(0, n.Unpacked))
}

func needText(k *evidence.Disk) string {
	switch {
	case k.Need == nil:
		return ""
	case k.Need.Guessed:
		return ", and it takes about " + evidence.Size(needs(k.Need))
	}
	return ", and it takes " + evidence.Size(needs(k.Need))
}

// roomText is the disk's fact with what nothing uses, by name.
func (v *view) roomText(k *evidence.Disk, area *evidence.DiskArea) string {
	if area == nil {
		return v.seen.disk.Text
	}
	text := fmt.Sprintf("on %s, %s", v.nodeName(), areaText(area))
	if len(area.Purposes) > 0 {
		text += " (" + short(strings.Join(area.Purposes[:min(len(area.Purposes), 4)], ", "), 60) + ")"
	}
	text += needText(k)
	if k.Frees > 0 && len(k.Unused) > 0 && area.Short != "read-only" {
		text += fmt.Sprintf("; %d images that nothing uses hold %s, the largest is %s", len(k.Unused), evidence.Size(uint64(k.Frees)), short(unusedName(k.Unused[0]), 90))
	}
	return text
}

func unusedName(u evidence.UnusedImage) string {
	if len(u.Names) > 0 {
		return u.Names[0]
	}
	return shortDigests(u.ID)
}

// storeCauses are what damaged content shows itself as.
var storeCauses = []Code{CacheCorrupt, UnsupportedFormat, FilesystemFailed, NeverPull, Unknown, DiskFull}

// seenContent says which blob is damaged, or that what is stored is whole.
func (v *view) seenContent(d *Diagnosis) bool {
	if v.seen.content == nil || !slices.Contains(storeCauses, d.Cause) {
		return false
	}
	c := v.seen.content.Content
	if x := v.damage(c, d); x != nil {
		return v.damaged(d, x)
	}
	switch {
	case d.Cause != CacheCorrupt && !d.allows(CacheCorrupt):
	case receivedWrong(d): // it never got into the store
	case !v.whole(c):
		if c.Have > 0 && len(c.Damages) == 0 && c.Hashed == 0 {
			v.gapAt(d, evidence.Node, "whether the stored content of "+v.nodeName()+" has its digests", "records and sizes alone were looked at",
				"kubectl refloat node "+evidence.Quote(v.nodeName())+" --verify --image "+evidence.Quote(clean(v.c.Pull.Image, maxRef)))
		}
	case d.Cause == CacheCorrupt:
		v.notNow(d, "what is stored there is whole at this moment", v.seen.content)
		return true
	default:
		d.dismiss(CacheCorrupt, "what "+v.nodeName()+" has stored of it is whole: "+hashed(c))
		d.cite(v.seen.content)
		v.sighted = true
	}
	return false
}

func (v *view) damaged(d *Diagnosis, x *evidence.Damage) bool {
	fact := v.damageFact(x)
	named := x.Digest != "" && slices.ContainsFunc(v.messages, func(f *evidence.Fact) bool { return strings.Contains(f.Message.Text, x.Digest) })
	c, sure := CacheCorrupt, Likely
	if x.Kind == evidence.DamageUnread {
		c = FilesystemFailed
	}
	switch {
	case d.Cause == NeverPull || d.Cause == Unknown && len(v.messages) > 0:
		v.beside(d, c, fact)
		return false
	case d.Cause == DiskFull && d.Reading.Cause == DiskFull:
		return false // what a full disk leaves behind
	case named, d.Reading.Cause == c, d.allows(c) && d.Cause != Unknown && x.Role != "snapshot":
		sure = Confirmed
	}
	if d.Cause == DiskFull { // led to by sight of a short area: both are there
		sure = Likely
	}
	v.sight(d, c, sure, damageWords(x), fact)
	return true
}

// damageFact is what the node has stored, with the one damage that counts here.
func (v *view) damageFact(x *evidence.Damage) *evidence.Fact {
	fact := sentenceOf(v.seen.content, v.damageText(x))
	one := *fact.Content
	one.Damages, one.MoreDamages = []evidence.Damage{*x}, max(0, one.MoreDamages)+len(one.Damages)-1
	fact.Content = &one
	return fact
}

// damage is what is wrong with this image's own content, what the message names first.
func (v *view) damage(c *evidence.Content, d *Diagnosis) *evidence.Damage {
	var first *evidence.Damage
	for i := range c.Damages {
		x := &c.Damages[i]
		if c.Image == "" && !slices.Contains(x.Images, v.c.Pull.Image) || x.Kind == evidence.DamageMissing && x.Role == "layer" && c.Discarded || kindWords[x.Kind] == "" {
			continue
		}
		if x.Digest != "" && strings.Contains(d.Reading.Detail, x.Digest) {
			return x
		}
		if first == nil {
			first = x
		}
	}
	return first
}

var kindWords = map[evidence.DamageKind]string{
	evidence.DamageMissing: "is gone from its store", evidence.DamageSize: "has another size than its record", evidence.DamageDigest: "does not have its digest's bytes",
	evidence.DamageUnread: "cannot be read", evidence.DamageEmptied: "is unpacked into an empty folder", evidence.DamageSnapshot: "is not unpacked as its record says",
	evidence.DamagePoisoned: "is a partial download of wrong bytes",
}

func damageWords(x *evidence.Damage) string {
	return strings.TrimSpace(short(orElse(x.Role, "a blob"), 20)+" "+shortDigests(clean(x.Digest, 80))) + " " + kindWords[x.Kind]
}

// damageText names the images that share the blob: removing one of them does not help then.
func (v *view) damageText(x *evidence.Damage) string {
	text := "on " + v.nodeName() + ", the " + damageWords(x)
	if x.Kind == evidence.DamageSize && x.Want > 0 {
		text += fmt.Sprintf(" (%d bytes of %d)", x.Have, x.Want)
	}
	if others := slices.DeleteFunc(slices.Clone(x.Images), func(s string) bool { return s == v.c.Pull.Image }); len(others) > 0 {
		text += "; shared with " + short(strings.Join(others[:min(len(others), 3)], ", "), 160)
		if more := len(others) - min(len(others), 3) + max(0, x.MoreImages); more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
	}
	return text
}

// whole reports whether every byte of the image was read and is right.
func (v *view) whole(c *evidence.Content) bool {
	return c.Complete && c.Blobs > 0 && c.Have >= c.Blobs && len(c.Damages) == 0 && c.MoreDamages == 0 && c.Hashed > 0 && c.Image != ""
}

func hashed(c *evidence.Content) string {
	return fmt.Sprintf("%d blobs, %s", c.Blobs, evidence.Size(uint64(max(0, c.Hashed))))
}

// receivedWrong is a message about bytes as they came, which are refused before they are stored (C24 plugins/content/local/writer.go:111-136).
func receivedWrong(d *Diagnosis) bool {
	s := strings.ToLower(d.Reading.Detail)
	for _, w := range []string{"unexpected commit digest", "size validation", "verification failed", "did not match", "does not match", "unexpected digest", "digest mismatch", "size mismatch"} {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}
