package diagnose

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refloat-dev/refloat/evidence"
)

const (
	noSpace      = `failed to extract layer (application/vnd.oci.image.layer.v1.tar+gzip sha256:47) to overlayfs: write /var/lib/containerd/x: no space left on device`
	readOnlyText = "mkdir /var/lib/containerd/io.containerd.content.v1.content/ingest/ed: read-only file system"
	layerDigest  = "sha256:f99bc94b00000000000000000000000000000000000000000000000000000000"
	badSum       = "failed to extract layer (application/vnd.oci.image.layer.v1.tar+gzip " + layerDigest + ") to overlayfs as \"x\": gzip: invalid checksum"
	badTar       = "failed to extract layer (application/vnd.oci.image.layer.v1.tar+gzip " + layerDigest + ") to overlayfs as \"x\": archive/tar: invalid tar header"
	goneBlob     = "blob sha256:b52e expected at /var/lib/containerd/blobs/sha256/b52e: blob not found: not found"
)

func diskSeen(need *evidence.DiskNeed, areas ...evidence.DiskArea) *evidence.Fact {
	return there(evidence.Fact{Text: "its disks", Disk: &evidence.Disk{Areas: areas, Need: need, Frees: 3 << 30,
		Unused: []evidence.UnusedImage{{Names: []string{"shop.example/web/old:1"}, ID: "sha256:aa", Size: 2 << 30}, {ID: "sha256:bb", Size: 1 << 30}}}})
}

func contentSeen(c evidence.Content) *evidence.Fact {
	if c.Image == "" {
		c.Image = "shop.example/web/api:1.4"
	}
	return there(evidence.Fact{Text: "its store", Content: &c})
}

func downloadsSeen(all ...evidence.Download) *evidence.Fact {
	return there(evidence.Fact{Text: "its downloads", Downloads: &evidence.Downloads{Active: all}})
}

func TestSeenStore(t *testing.T) {
	t.Parallel()
	small := evidence.Filesystem{Available: 30 << 20, Capacity: 400 << 20, InodesFree: 9000, Inodes: 80000}
	ample := evidence.Filesystem{Available: 300 << 20, Capacity: 400 << 20, InodesFree: 9000, Inodes: 80000}
	need := &evidence.DiskNeed{Compressed: 40 << 20, Unpacked: 90 << 20, Present: 10 << 20}
	flipped := evidence.Damage{Kind: evidence.DamageDigest, Role: "layer", Digest: layerDigest, Images: []string{"shop.example/web/api:1.4", "shop.example/web/job:2"}, MoreImages: 4}
	gone := evidence.Damage{Kind: evidence.DamageMissing, Role: "config", Digest: "sha256:b52e"}
	unread := evidence.Damage{Kind: evidence.DamageUnread, Role: "layer", Digest: layerDigest, Text: "input/output error"}
	whole := contentSeen(evidence.Content{Present: evidence.Yes, Blobs: 5, Have: 5, Bytes: 100, Hashed: 100, Complete: true})
	sizes := contentSeen(evidence.Content{Present: evidence.Yes, Blobs: 5, Have: 5, Bytes: 100})
	silent := podWith()
	silent.Pod.PullingSince = noon.Add(-2 * time.Minute)
	long := podWith()
	long.Pod.PullingSince = noon.Add(-time.Hour)
	own := evidence.Download{Ref: "layer-" + layerDigest, Digest: layerDigest, Image: "shop.example/web/api:1.4", Host: "shop.example", Offset: 4096, Total: 9 << 20}
	stuck := own
	stuck.Still, stuck.StillFor = true, 119
	others := stuck
	others.Image, others.Host = "", "other.example"
	serial := nodeFact(evidence.NodeState{Ready: "True", Config: &evidence.KubeletConfig{SerializePulls: true}})
	runJoins(t, []join{
		{name: "full", facts: []*evidence.Fact{waiting(noSpace), diskSeen(need, evidence.DiskArea{Path: "/var/lib/containerd", Purposes: []string{"content", "snapshots"}, Filesystem: small, Short: "bytes"})}, cause: DiskFull, sure: Confirmed,
			says: "/var/lib/containerd has 30.0 MiB of 400.0 MiB free, and it takes 120.0 MiB", cites: "2 images that nothing uses hold 3.0 GiB, the largest is shop.example/web/old:1"},
		{name: "full where the kubelet does not look", facts: []*evidence.Fact{waiting(noSpace), nodeFact(evidence.NodeState{Ready: "True", ImageFS: &evidence.Filesystem{Available: 1 << 34, Capacity: 1 << 35}}), diskSeen(need, evidence.DiskArea{Path: "/var/lib/containerd", Filesystem: ample}, evidence.DiskArea{Path: "/tmp", Purposes: []string{"temporary"}, Filesystem: small, Short: "bytes"})}, cause: DiskFull, sure: Confirmed, says: "/tmp has 30.0 MiB"},
		{name: "no inodes", facts: []*evidence.Fact{waiting(noSpace), diskSeen(nil, evidence.DiskArea{Path: "/var/lib/containerd", Filesystem: small, Short: "inodes"})}, cause: DiskFull, sure: Confirmed, says: "9000 of 80000 inodes free"},
		{name: "few inodes, and room", facts: []*evidence.Fact{waiting(noSpace), diskSeen(need, evidence.DiskArea{Path: "/var/lib/containerd", Filesystem: ample, Low: "inodes"})}, cause: DiskFull, sure: Confirmed, says: "9000 of 80000 inodes free"},
		{name: "room by now", facts: []*evidence.Fact{waiting(noSpace), diskSeen(need, evidence.DiskArea{Path: "/var/lib/containerd", Filesystem: ample})}, cause: DiskFull, sure: Possible, says: "room for the image at this moment, and it takes 120.0 MiB"},
		{name: "room for a guess", facts: []*evidence.Fact{waiting(noSpace), diskSeen(&evidence.DiskNeed{Compressed: 1, Unpacked: 3, Guessed: true}, evidence.DiskArea{Path: "/var/lib/containerd", Filesystem: ample})}, cause: DiskFull, sure: Likely},
		{name: "read-only", facts: []*evidence.Fact{waiting(readOnlyText), diskSeen(nil, evidence.DiskArea{Path: "/var/lib/containerd", ReadOnly: true, Short: "read-only"})}, cause: FilesystemFailed, sure: Confirmed, says: "/var/lib/containerd is read-only"},
		{name: "full, and torn in unpacking", facts: []*evidence.Fact{waiting(badUnpack), diskSeen(need, evidence.DiskArea{Path: "/var/lib/containerd", Filesystem: small, Short: "bytes"})}, cause: DiskFull, sure: Possible, stays: []Code{FilesystemFailed}},
		{name: "full, and a missing tag", facts: []*evidence.Fact{waiting(notFound), asked(tagged(probeOf(try(nil, ask(evidence.StepManifest, 404, "", "MANIFEST_UNKNOWN"))), 200)), diskSeen(need, evidence.DiskArea{Path: "/var/lib/containerd", Filesystem: small, Short: "bytes"})}, cause: TagNotFound, sure: Confirmed, not: []string{"free"}},

		{name: "a flipped layer, shared", facts: []*evidence.Fact{waiting(badSum), contentSeen(evidence.Content{Blobs: 5, Have: 5, Damages: []evidence.Damage{gone, flipped}}), room}, cause: CacheCorrupt, sure: Confirmed,
			says: "layer sha256:f99bc94b0000… does not have its digest's bytes", cites: "shared with shop.example/web/job:2 and 4 more", out: []Code{DiskFull}},
		{name: "a blob that is gone", facts: []*evidence.Fact{waiting(goneBlob), contentSeen(evidence.Content{Blobs: 5, Have: 4, Damages: []evidence.Damage{gone}})}, cause: CacheCorrupt, sure: Confirmed, says: "config sha256:b52e is gone from its store"},
		{name: "a tar that is none, by damage", facts: []*evidence.Fact{waiting(badTar), contentSeen(evidence.Content{Blobs: 5, Have: 5, Damages: []evidence.Damage{flipped}})}, cause: CacheCorrupt, sure: Confirmed, out: []Code{UnsupportedFormat}},
		{name: "a tar that is none, of whole bytes", facts: []*evidence.Fact{waiting(badTar), whole}, cause: UnsupportedFormat, sure: Possible, out: []Code{CacheCorrupt}},
		{name: "a disk that does not read", facts: []*evidence.Fact{waiting(badUnpack), contentSeen(evidence.Content{Blobs: 5, Have: 5, Damages: []evidence.Damage{unread}})}, cause: FilesystemFailed, sure: Confirmed, says: "cannot be read"},
		{name: "whole by now", facts: []*evidence.Fact{waiting(goneBlob), whole}, cause: CacheCorrupt, sure: Possible, says: "whole at this moment"},
		{name: "sizes only", facts: []*evidence.Fact{waiting(badSum), sizes}, cause: CacheCorrupt, sure: Possible, gap: "records and sizes alone"},
		{name: "wrong as it came, and whole what is stored", facts: []*evidence.Fact{waiting("failed commit on ref: unexpected commit digest sha256:11, expected sha256:22: failed precondition"), whole}, cause: CacheCorrupt, sure: Possible, not: []string{"whole"}},
		{name: "damage beside a missing tag", facts: []*evidence.Fact{waiting(notFound), asked(tagged(probeOf(try(nil, ask(evidence.StepManifest, 404, "", "MANIFEST_UNKNOWN"))), 200)), contentSeen(evidence.Content{Blobs: 5, Have: 5, Damages: []evidence.Damage{flipped}})}, cause: TagNotFound, sure: Confirmed},
		{name: "a layer that is dropped on purpose", facts: []*evidence.Fact{waiting(goneBlob), contentSeen(evidence.Content{Blobs: 5, Have: 4, Discarded: true, Damages: []evidence.Damage{{Kind: evidence.DamageMissing, Role: "layer", Digest: layerDigest}}})}, cause: CacheCorrupt, sure: Likely},
		{name: "another image's damage", facts: []*evidence.Fact{waiting(goneBlob), there(evidence.Fact{Content: &evidence.Content{Blobs: 50, Damages: []evidence.Damage{{Kind: evidence.DamageDigest, Images: []string{"other"}}}}})}, cause: CacheCorrupt, sure: Likely},

		{name: "stands still", facts: []*evidence.Fact{silent, downloadsSeen(stuck)}, cause: Stalled, sure: Confirmed, says: "at byte 4096 of 9437184, from shop.example, for 1m59s", cites: "stands still at byte 4096", out: []Code{Timeout}},
		{name: "one of two stands still", facts: []*evidence.Fact{silent, downloadsSeen(own, stuck)}, cause: Stalled, sure: Likely},
		{name: "moves", facts: []*evidence.Fact{long, downloadsSeen(own)}, cause: Unknown, sure: NoConfidence, says: "the pull of shop.example/web/api:1.4 on node-2 is slow, not stalled: 4096 bytes of 9.0 MiB so far", out: []Code{Stalled}},
		{name: "behind another", facts: []*evidence.Fact{silent, serial, downloadsSeen(others)}, cause: Stalled, sure: Likely, says: "behind another pull that stands still, from other.example"},
		{name: "beside another", facts: []*evidence.Fact{silent, downloadsSeen(others)}, cause: Stalled, sure: Possible},
		{name: "nothing under way", facts: []*evidence.Fact{silent, downloadsSeen()}, cause: Stalled, sure: Possible, stays: []Code{Timeout}},

		{name: "a runtime that is gone", facts: []*evidence.Fact{nodeFact(evidence.NodeState{Ready: "False", ReadyReason: "KubeletNotReady: container runtime is down"}), there(evidence.Fact{Runtime: &evidence.Runtime{Name: "containerd", Answers: evidence.No, Process: evidence.No, Text: "its process is not there"}})}, cause: RuntimeUnavailable, sure: Confirmed, says: "its process is not there"},
		{name: "a runtime that is gone, alone", facts: []*evidence.Fact{there(evidence.Fact{Runtime: &evidence.Runtime{Name: "containerd", Answers: evidence.No}})}, cause: RuntimeUnavailable, sure: Likely},
		{name: "a runtime that is back", facts: []*evidence.Fact{waiting("error reading from server: EOF: code = unavailable desc = error reading from server"), upAndWell}, cause: RuntimeUnavailable, sure: Possible, says: "containerd 2.4.2 answers there at this moment, and runs since 11:59 UTC"},
		{name: "a runtime that is gone, while the message says 401", facts: []*evidence.Fact{waiting(oauth401), there(evidence.Fact{Runtime: &evidence.Runtime{Answers: evidence.No}})}, cause: RuntimeUnavailable, sure: Possible, stays: []Code{InvalidCredentials}},

		{name: "pulled just now", facts: []*evidence.Fact{waiting(noHost), there(evidence.Fact{NodePull: &evidence.NodePull{OK: true}})}, cause: DNS, sure: Possible, says: "served now: a pull on node-2 worked"},
	})
}

// Whatever a NodeProbe's status holds, nothing panics and nothing of it leaves its bounds.
func TestSeenHostile(t *testing.T) {
	t.Parallel()
	const huge = 1<<63 - 1
	evil := strings.Repeat("\x1b[31m\u202e", 5000)
	facts := []*evidence.Fact{
		hostSeen(evidence.Host{Name: evil, Role: "king", Fails: "hop", Failure: "why", Text: evil, Costs: huge, Via: evil}),
		hostSeen(evidence.Host{Fails: evidence.HopTLS, TLS: &evidence.TLS{Skew: -huge - 1, MissingCA: evil}}),
		mirrorSeen(evidence.Host{Fails: evidence.HopName, Lies: evil, Costs: -huge, Names: make([]evidence.Resolution, 9)}),
		problemSeen(evidence.EffectFails, evil, evil),
		diskSeen(&evidence.DiskNeed{Compressed: huge, Unpacked: huge, Present: -huge}, evidence.DiskArea{Path: evil, Short: "bytes", Filesystem: evidence.Filesystem{Available: 1<<64 - 1}}),
		contentSeen(evidence.Content{Blobs: -1, Have: huge, Hashed: -huge, Complete: true, Damages: []evidence.Damage{{Kind: "odd"}, {Kind: evidence.DamageSize, Digest: evil, Want: huge, Have: -huge, MoreImages: -huge, Images: []string{evil}}}}),
		downloadsSeen(evidence.Download{Image: "shop.example/web/api:1.4", Offset: -huge, Total: huge, Still: true, StillFor: -huge}, evidence.Download{Image: "shop.example/web/api:1.4", Offset: huge, Total: -huge}),
		there(evidence.Fact{Provider: &evidence.Provider{Name: evil, Result: "magic", Took: -huge}}),
		there(evidence.Fact{Provider: &evidence.Provider{Result: evidence.ProviderTimeout, Took: huge, Matches: evidence.Yes}}),
		there(evidence.Fact{Runtime: &evidence.Runtime{Name: evil, Text: evil, Answers: "maybe", Images: evidence.No}}),
		there(evidence.Fact{NodePull: &evidence.NodePull{Text: evil}}), there(evidence.Fact{Keyring: &evidence.Keyring{}}), answeredThere(&evidence.Probe{Attempts: make([]evidence.Attempt, 3)}), there(evidence.Fact{}),
	}
	silent := podWith()
	silent.Pod.PullingSince = noon.Add(-time.Hour)
	for _, m := range []*evidence.Fact{waiting(noHost), waiting(noSpace), waiting(badSum), waiting(anonymous401), waiting(badCA), silent, nil} {
		for i := range facts {
			d := Diagnose(caseOf(append([]*evidence.Fact{m}, slices.Concat(facts[i:], facts[:i])...)...), noon)
			one := Diagnose(caseOf(m, facts[i]), noon)
			for _, d := range []Diagnosis{d, one} {
				if len([]rune(d.Summary)) > maxSummary || strings.ContainsAny(d.Summary, "\x1b\u202e") {
					t.Errorf("summary %q", d.Summary)
				}
			}
		}
	}
}
