// Package stuck reads from one pod's status and events which of its containers
// cannot get their image.
//
// It tells an image's trouble from a crash's, and finds the failures that hide:
// in the sandbox, in CreateContainerError, and in silence. It is pure, and does
// not say why a pull fails.
package stuck

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/refloat-dev/refloat/evidence"
)

// State is what a container's status says about its image.
type State string

// The states of a container that waits.
const (
	Failing State = "failing" // the image cannot be had
	Silent  State = "silent"  // nothing is said yet: its events decide
	Crashed State = "crashed" // the image is there; what runs from it does not stay up
)

// Container is one container that waits.
type Container struct {
	State   State
	Kind    evidence.ContainerKind
	Name    string
	Image   string
	Policy  string
	Volume  string
	Reason  string
	Message string
	// Volumes are the image volumes that the container mounts: name and reference.
	Volumes []Volume
	// Crash is set for Crashed; NeverRan says of it that nothing of the image has run.
	Crash    evidence.Crash
	NeverRan bool
}

// Volume is an image volume.
type Volume struct{ Name, Reference, Policy string }

// pullReasons are the kubelet's (pkg/kubelet/images/types.go) and the runtimes' it passes on.
var pullReasons = map[string]bool{
	"ErrImagePull": true, "ImagePullBackOff": true, "ErrImageNeverPull": true, "InvalidImageName": true,
	"ImageInspectError": true, "RegistryUnavailable": true, "SignatureValidationFailed": true,
}

// crashReasons come once the image is there (pkg/kubelet/kuberuntime, pkg/kubelet/container/sync_result.go).
var crashReasons = map[string]bool{
	"CrashLoopBackOff": true, "RunContainerError": true, "CreateContainerError": true, "CreateContainerConfigError": true,
	"PreStartHookError": true, "PostStartHookError": true, "PreCreateHookError": true, "StartError": true,
}

// Read lists the containers of a pod that wait for their image, may do so, or crash.
func Read(pod *corev1.Pod) []Container {
	volumes := imageVolumes(pod)
	var out []Container
	add := func(kind evidence.ContainerKind, statuses []corev1.ContainerStatus, specs map[string]*corev1.Container) {
		for i := range statuses {
			spec := specs[statuses[i].Name]
			if spec == nil {
				continue
			}
			if ended(&statuses[i]) {
				c := Container{State: Crashed, Kind: kind, Name: spec.Name, Image: evidence.CleanReference(spec.Image), Policy: string(spec.ImagePullPolicy)}
				c.Crash, c.NeverRan = crash(&statuses[i]), neverRan(&statuses[i])
				out = append(out, c)
				continue
			}
			if statuses[i].State.Waiting == nil {
				continue
			}
			if c, ok := read(kind, &statuses[i], spec, volumes); ok {
				out = append(out, c)
			}
		}
	}
	add(evidence.Init, pod.Status.InitContainerStatuses, byName(pod.Spec.InitContainers))
	add(evidence.App, pod.Status.ContainerStatuses, byName(pod.Spec.Containers))
	add(evidence.Ephemeral, pod.Status.EphemeralContainerStatuses, ephemeral(pod))
	for i := range out {
		if out[i].State == Crashed {
			out[i].Crash.Namespace, out[i].Crash.Pod = pod.Namespace, pod.Name
		}
	}
	return out
}

func read(kind evidence.ContainerKind, s *corev1.ContainerStatus, spec *corev1.Container, volumes map[string]Volume) (Container, bool) {
	w := s.State.Waiting
	c := Container{
		Kind: kind, Name: spec.Name, Image: evidence.CleanReference(spec.Image), Policy: string(spec.ImagePullPolicy), Reason: w.Reason, Message: w.Message,
	}
	for _, m := range spec.VolumeMounts {
		if v, ok := volumes[m.Name]; ok {
			c.Volumes = append(c.Volumes, v)
		}
	}
	switch {
	case pullReasons[w.Reason], isText(w.Reason):
		c.State = Failing
		if len(c.Volumes) > 0 { // as clean as the references that are looked for in it
			c.attribute(evidence.Clean(w.Reason + " " + w.Message))
		}
	case w.Reason == "CreateContainerError" && isUnpack(w.Message):
		c.State = Failing
	case crashReasons[w.Reason]:
		c.State = Crashed
		c.Crash, c.NeverRan = crash(s), neverRan(s)
	case w.Reason == "ContainerCreating", w.Reason == "PodInitializing", w.Reason == "":
		c.State = Silent
	default:
		return Container{}, false
	}
	return c, true
}

// isText tells a raw error text from a reason: since 1.33 the kubelet puts the
// text itself there where a pull secret does not parse.
func isText(reason string) bool {
	return strings.ContainsAny(reason, " :")
}

// unpackTexts are how runtimes say at container creation that the stored image
// does not unpack, although the kubelet has found it present.
var unpackTexts = []string{
	"error unpacking image", "failed to unpack image", "apply layer error", "failed to extract layer",
	"failed to prepare extraction snapshot", "wrong diff id", "blob not found", "failed to get reader from content store",
	"invalid tar header", "gzip: invalid", "failed to create snapshot: missing parent", "unexpected commit digest",
	"unmarshal image config", "failed to get image from containerd",
	"containerd container: parent snapshot sha256:", // the artifact's layers were never unpacked, or are gone
	"no command specified",                          // an artifact has no entrypoint
}

func isUnpack(message string) bool {
	return containsAny(message, unpackTexts)
}

// ended tells a container that failed again and does not wait yet: the kubelet calls it CrashLoopBackOff at its next sync.
func ended(s *corev1.ContainerStatus) bool {
	return s.State.Terminated != nil && s.State.Terminated.ExitCode != 0 && s.RestartCount > 0
}

func crash(s *corev1.ContainerStatus) evidence.Crash {
	out := evidence.Crash{Container: s.Name, Image: evidence.CleanReference(s.Image), Restarts: s.RestartCount}
	if w := s.State.Waiting; w != nil {
		out.Reason, out.Message = w.Reason, evidence.Clean(w.Message)
	}
	t := s.State.Terminated
	if t == nil {
		t = s.LastTerminationState.Terminated
	}
	if t != nil {
		out.ExitCode = t.ExitCode
		if t.Reason != "" {
			out.Reason = t.Reason
		}
		if t.Message != "" {
			out.Message = evidence.Clean(t.Message)
		}
	}
	return out
}

// startTexts are how runc and crun say that they do not find what they are to run, or cannot run it.
var startTexts = []string{"no such file or directory", "executable file not found in $PATH", "exec format error"}

// neverRan tells a container that could not be made or started from a program that ran and ended. Exit codes 127 and 128 are
// the runtimes' own for it (containerd, internal/cri/server/container_start.go; cri-dockerd), and a shell's for its own reasons.
func neverRan(s *corev1.ContainerStatus) bool {
	if w := s.State.Waiting; w != nil && (w.Reason == "CreateContainerError" || w.Reason == "RunContainerError" || w.Reason == "StartError") {
		return true
	}
	t := s.State.Terminated
	if t == nil {
		t = s.LastTerminationState.Terminated
	}
	if t == nil {
		return false
	}
	return t.Reason == "StartError" || t.Reason == "ContainerCannotRun" || (t.ExitCode == 127 || t.ExitCode == 128) && containsAny(t.Message, startTexts)
}

func byName(cs []corev1.Container) map[string]*corev1.Container {
	out := make(map[string]*corev1.Container, len(cs))
	for i := range cs {
		out[cs[i].Name] = &cs[i]
	}
	return out
}

func ephemeral(pod *corev1.Pod) map[string]*corev1.Container {
	out := map[string]*corev1.Container{}
	for i := range pod.Spec.EphemeralContainers {
		c := corev1.Container(pod.Spec.EphemeralContainers[i].EphemeralContainerCommon)
		out[c.Name] = &c
	}
	return out
}

func imageVolumes(pod *corev1.Pod) map[string]Volume {
	out := map[string]Volume{}
	for _, v := range pod.Spec.Volumes {
		if v.Image != nil {
			out[v.Name] = Volume{Name: v.Name, Reference: evidence.CleanReference(v.Image.Reference), Policy: string(v.Image.PullPolicy)}
		}
	}
	return out
}

func containsAny(s string, texts []string) bool {
	for _, t := range texts {
		if strings.Contains(s, t) {
			return true
		}
	}
	return false
}
