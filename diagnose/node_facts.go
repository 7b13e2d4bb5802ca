package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// lowFraction is below which a filesystem cannot hold a pull: the kubelet's eviction already wants 15 % free.
const lowFraction = 0.02

func low(f *evidence.Filesystem) bool {
	return f != nil && ((f.Capacity > 0 && float64(f.Available) < lowFraction*float64(f.Capacity)) || (f.Inodes > 0 && float64(f.InodesFree) < lowFraction*float64(f.Inodes)))
}

// symptoms are what shows only because a root cause is there.
var symptoms = map[Code][]Code{
	DiskFull:           {CacheCorrupt, FilesystemFailed, Interrupted, PullDeadline},
	RuntimeUnavailable: {Stalled, PullDeadline, CacheCorrupt, FilesystemFailed},
	SecretMissing:      {NoCredentials, DeniedOrMissing, Forbidden},
	SecretMalformed:    {NoCredentials, DeniedOrMissing, Forbidden},
	ExpiredCredentials: {NoCredentials, InvalidCredentials, DeniedOrMissing, Forbidden},
	DNS:                {NoCredentials, SecretMissing, TagNotFound},
	Proxy:              {DNS, Refused, Timeout, TLSUntrusted},
}

// rootNode looks for a fault of the node that hides behind what the message says.
func (v *view) rootNode(d *Diagnosis) {
	if v.node == nil {
		return
	}
	n := v.node.NodeState
	pressed := n.DiskPressure == "True" || low(n.ImageFS)
	full := slices.ContainsFunc(v.others, func(r Reading) bool { return r.Cause == DiskFull })
	if (d.Cause == CacheCorrupt || d.Cause == FilesystemFailed) && (full || pressed) {
		was := d.Cause
		d.lead(DiskFull, Possible)
		d.because(v.node)
		d.Masks = append(d.Masks, was)
		v.reason = "the node is out of room, which also damages what is being unpacked"
	}
	if n.Ready != "True" && n.Ready != "" && runtimeDown(n.ReadyReason) {
		was := d.Cause
		sure := Likely
		if was != Unknown && was != Stalled && was != RuntimeUnavailable || onlyPLEG(n.ReadyReason) {
			sure = Possible
		}
		d.lead(RuntimeUnavailable, sure)
		d.because(v.node)
		if was != Unknown && was != RuntimeUnavailable {
			d.Masks = append(d.Masks, was)
		}
		v.reason = "the node is not ready: " + clean(n.ReadyReason, 80)
	} else if n.Ready != "True" && n.Ready != "" && d.Cause == Unknown {
		d.because(v.node)
		v.reason = n.Name + " is not ready"
	}
}

// runtimeDown recognises the Ready condition's words for a runtime that does not answer (K36 pkg/kubelet/runtime.go, nodestatus/setters.go).
func runtimeDown(reason string) bool {
	r := strings.ToLower(reason)
	return strings.Contains(r, "container runtime is down") || strings.Contains(r, "container runtime status check may not have completed") || strings.Contains(r, "runtime not ready") ||
		strings.Contains(r, "runtimeready=false") || strings.Contains(r, "pleg is not healthy") || strings.Contains(r, "container runtime not ready")
}

// onlyPLEG is a kubelet that fell behind in listing containers: a slow disk or too many pods do that too (K36 pkg/kubelet/pleg/generic.go, Healthy).
func onlyPLEG(reason string) bool {
	rest := strings.ReplaceAll(strings.ToLower(reason), "pleg is not healthy", "")
	return len(rest) < len(reason) && !runtimeDown(rest)
}

func (v *view) sharpenNode(d *Diagnosis) {
	if v.node == nil {
		return
	}
	n := v.node.NodeState
	switch d.Cause {
	case DiskFull:
		d.because(v.node)
		switch {
		case n.ImageFS == nil:
		case n.ImageFS.Inodes > 0 && float64(n.ImageFS.InodesFree) < lowFraction*float64(n.ImageFS.Inodes):
			v.reason = fmt.Sprintf("%d of %d inodes are free", n.ImageFS.InodesFree, n.ImageFS.Inodes)
		case low(n.ImageFS) || n.DiskPressure == "True":
			v.reason = fmt.Sprintf("%s of %s are free", evidence.Size(n.ImageFS.Available), evidence.Size(n.ImageFS.Capacity))
		default:
			// The kubelet sees the snapshots' filesystem alone; the content store, /var/tmp or a quota can be the full one.
			v.reason = fmt.Sprintf("though the image filesystem has %s free: another filesystem or a quota is full", evidence.Size(n.ImageFS.Available))
		}
	case PullThrottled:
		if n.Config != nil {
			d.because(v.node)
			v.reason = fmt.Sprintf("registryPullQPS %d, burst %d", n.Config.PullQPS, n.Config.PullBurst)
		}
	case CacheCorrupt, FilesystemFailed:
		if !low(n.ImageFS) && n.ImageFS != nil && n.DiskPressure != "True" {
			d.because(v.node)
			d.RuledOut = append(d.RuledOut, RuledOut{DiskFull, fmt.Sprintf("the image filesystem of %s has %s free", n.Name, evidence.Size(n.ImageFS.Available))})
		}
	}
	if v.oneNode {
		d.because(v.elsewhere)
	}
}

// storeDamaged tells a damaged store from a bad image: the same image runs on another node, or this node has unpacked it
// before, since the kubelet got as far as the container.
func (v *view) storeDamaged(d *Diagnosis) {
	again := v.c.Pull.Reason == "CreateContainerError" && strings.Contains(d.Reading.Detail, "error unpacking image")
	if !d.allows(CacheCorrupt) || d.Cause != CacheCorrupt && d.Cause != UnsupportedFormat || !again && !v.oneNode {
		return
	}
	if receivedWrong(d) { // it never got into the store: what lies on this node's way to the registry may have changed it
		d.because(v.elsewhere)
		return
	}
	d.lead(CacheCorrupt, Likely)
	v.reason = "the node unpacked this image before"
	if v.oneNode {
		v.reason = "the same image runs on " + v.elsewhere.Elsewhere.Running[0]
		d.because(v.elsewhere)
	}
	for _, c := range []Code{UnsupportedFormat, Interrupted, FilesystemFailed} {
		d.dismiss(c, v.reason)
	}
}

// sharpenImage adds the node's platform.
func (v *view) sharpenImage(d *Diagnosis) {
	if d.Cause == PlatformMismatch && v.node != nil && v.node.NodeState.Arch != "" {
		d.because(v.node)
		v.reason = fmt.Sprintf("%s is %s/%s", v.node.NodeState.Name, orElse(v.node.NodeState.OS, "linux"), v.node.NodeState.Arch)
	}
}

// sharpenName looks whether the image was there before.
func (v *view) sharpenName(d *Diagnosis) {
	if v.elsewhere == nil || d.Cause == InvalidReference || d.Cause == ShortName {
		return
	}
	e := v.elsewhere.Elsewhere
	if have := append(slices.Clone(e.Running), e.Present...); len(have) > 0 {
		d.because(v.elsewhere)
		v.reason = have[0] + " has this image: it was in the registry once, or came from another source"
	}
	if v.oneNode { // a mirror that this node does not ask, or alone asks: containerd says the same of both
		d.allow(RegistryConfig)
	}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
