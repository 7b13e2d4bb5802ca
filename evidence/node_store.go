package evidence

import "time"

// Disk is the room on a node for one image.
type Disk struct {
	Areas []DiskArea `json:"areas"`
	// Need is what the image takes; nil where the registry did not tell its size.
	Need *DiskNeed `json:"need,omitempty"`
	// Unused are images that no container uses and nothing pins, the largest first, at most 20; Frees is the sum of all their
	// sizes, by which the kubelet goes too. It is the runtime's own count: containerd's leaves out what is unpacked, and a layer
	// that several images share counts for each.
	Unused []UnusedImage `json:"unused,omitempty"`
	Frees  int64         `json:"frees,omitempty"`
	// Images and Used count all images and those in use.
	Images int `json:"images,omitempty"`
	Used   int `json:"used,omitempty"`
	// GCHigh and GCLow are the kubelet's image garbage collection thresholds in percent used; 0 where unknown.
	GCHigh int32 `json:"gcHigh,omitempty"`
	GCLow  int32 `json:"gcLow,omitempty"`
	// Evicts are the kubelet's hard eviction thresholds for disks, such as imagefs.available<15%.
	Evicts []string `json:"evicts,omitempty"`
}

// DiskArea is a directory that pulls write to, and the filesystem it is on.
type DiskArea struct {
	// Purposes are of imagefs, nodefs, containerfs, content, snapshots, temporary.
	Purposes []string `json:"purposes"`
	Path     string   `json:"path"`
	Mount    string   `json:"mount,omitempty"`
	Type     string   `json:"type,omitempty"` // ext4, xfs, overlay …
	ReadOnly bool     `json:"readOnly,omitempty"`
	Filesystem
	// Short says what keeps the image from fitting: `bytes`, `inodes`, `read-only`; empty where it fits.
	Short string `json:"short,omitempty"`
	// Low says what is nearly used up, less than 15 % of it being free: `bytes` or `inodes`. How many inodes an image takes
	// is not known before it is unpacked, so that few of them may be what it fails for although nothing is Short.
	Low string `json:"low,omitempty"`
}

// DiskNeed is what a pull of an image takes at once, in bytes.
type DiskNeed struct {
	Compressed int64 `json:"compressed"`
	// Unpacked is exact where the layers tell their size, and otherwise compressed times three, which Guessed says.
	Unpacked int64 `json:"unpacked"`
	Guessed  bool  `json:"guessed,omitempty"`
	// Present is how much of Compressed is on the node already.
	Present int64 `json:"present,omitempty"`
}

// UnusedImage is one image that nothing uses.
type UnusedImage struct {
	Names []string `json:"names,omitempty"`
	ID    string   `json:"id"`
	Size  int64    `json:"size"`
}

// Content is what was looked at of a node's stored content, and what is wrong with it.
type Content struct {
	// Image is what was asked about; empty is everything in the store.
	Image string `json:"image,omitempty"`
	// Present is yes where the image is there under its name and whole, and no where nothing of it is; empty is a part, or without its name.
	Present Tri   `json:"present,omitempty"`
	Blobs   int   `json:"blobs"`
	Have    int   `json:"have"`
	Bytes   int64 `json:"bytes"`
	// Hashed is how many bytes were read and compared with their digest; Complete is set where that is all.
	Hashed   int64    `json:"hashed,omitempty"`
	Complete bool     `json:"complete,omitempty"`
	Took     int64    `json:"took,omitempty"` // milliseconds
	Damages  []Damage `json:"damages,omitempty"`
	// MoreDamages counts those that did not fit.
	MoreDamages int `json:"moreDamages,omitempty"`
	// Orphans are files that no record of any namespace names; their number and bytes.
	Orphans     int   `json:"orphans,omitempty"`
	OrphanBytes int64 `json:"orphanBytes,omitempty"`
	// Discarded is set where the node is configured to drop layers once unpacked: a missing one is no damage then.
	Discarded bool `json:"discarded,omitempty"`
}

// Damage is one thing in the store that is not as its record or its digest says.
type Damage struct {
	Kind DamageKind `json:"kind"`
	// Role is manifest, index, config, layer, snapshot, download, or blob where no image leads to it.
	Role   string `json:"role"`
	Digest string `json:"digest,omitempty"`
	// Path is the file or folder, below the runtime's root.
	Path string `json:"path,omitempty"`
	Want int64  `json:"want,omitempty"` // size in bytes
	Have int64  `json:"have,omitempty"`
	// Images are those that share it, at most five; MoreImages counts the others. Namespaces are the runtime's that have its record.
	Images     []string  `json:"images,omitempty"`
	MoreImages int       `json:"moreImages,omitempty"`
	Namespaces []string  `json:"namespaces,omitempty"`
	Since      time.Time `json:"since,omitzero"` // the file's time of change
	Text       string    `json:"text,omitempty"`
}

// DamageKind is what is wrong.
type DamageKind string

// The kinds.
const (
	DamageMissing  DamageKind = "missing"  // a record without a file
	DamageSize     DamageKind = "size"     // cut or grown
	DamageDigest   DamageKind = "digest"   // the size is right and the bytes are not
	DamageUnread   DamageKind = "unread"   // the file cannot be read: an I/O error
	DamageEmptied  DamageKind = "emptied"  // a snapshot whose layer has files and that has none
	DamageSnapshot DamageKind = "snapshot" // a snapshot's record without its folder, or another diff id
	DamagePoisoned DamageKind = "poisoned" // a partial download whose bytes are wrong, or longer than the blob
)
