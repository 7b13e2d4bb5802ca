package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

const imageNote = "Set IMAGE first, to a reference that the registry is seen to hold; no tag is guessed here."

// changeImage is one step a workload: each kind takes a new image in its own way.
func (s subject) changeImage(why string) []Step {
	if len(s.owners) == 0 {
		return []Step{manual("Correct the image in the manifest: "+why, "", "the registry answers for the corrected name")}
	}
	if s.pull.Kind == evidence.Sandbox {
		return []Step{s.sandboxImage()}
	}
	var steps []Step
	for _, o := range s.owners {
		step := o.setImage()
		step.Title += ": " + why
		steps = append(steps, step)
	}
	return s.moreOwners(steps)
}

func (s subject) moreOwners(steps []Step) []Step {
	if s.more > 0 && len(steps) > 0 {
		steps[len(steps)-1].Note += fmt.Sprintf(" The same for %d more workloads.", s.more)
	}
	return steps
}

func (o owner) kind() string { return strings.ToLower(o.ref.Kind) }

// setImage changes what the pods are made from; a live edit where nobody else owns the object.
func (o owner) setImage() Step {
	if o.workload.Manager != "" {
		return o.atSource("the image")
	}
	step := Step{Risk: Manual, Target: o.ref, Note: o.imageNote(), Title: "Set the image of " + o.name()}
	target := object(o.ref.Kind, o.ref.Name)
	switch o.kind() {
	case "deployment":
		step.Commands = o.imageCommands(target, "spec.template.spec")
		step.After = "the rollout replaces the failing pods by itself"
	case "daemonset":
		step.Commands = o.imageCommands(target, "spec.template.spec")
		step.After = "RollingUpdate replaces the failing pods first; with OnDelete delete them by hand"
	case "statefulset", "replicaset", "replicationcontroller":
		step.Commands = append(o.imageCommands(target, "spec.template.spec"), o.deletePods()...)
		step.Note += " The failing pods must be deleted by hand: "
		if o.kind() == "statefulset" {
			step.Note += "an OrderedReady StatefulSet waits for them for ever."
		} else {
			step.Note += "a " + o.ref.Kind + " does not replace pods for a new template."
		}
	case "cronjob":
		step.Commands = o.imageCommands(target, "spec.jobTemplate.spec.template.spec")
		step.Commands = append(step.Commands, o.deleteJobs()...)
		step.Note += " Jobs already made keep the old image, and with concurrencyPolicy Forbid they block every later run."
	case "job":
		step.Title = "Set the image on the pods of " + o.name()
		step.Commands = o.podImage()
		step.Note += " A Job's template cannot change: correct the manifest too, or the next Job fails again."
	case "pod", "":
		step = o.barePodImage(step)
	default:
		step.Title = "Set the image in " + o.name() + ", which makes these pods"
		step.Commands = []string{kubectl(o.namespace, "edit", object(groupKind(o.ref), o.ref.Name))}
		step.Note = "Its controller takes back a change to what it made."
	}
	step.Note = strings.TrimSpace(step.Note)
	return step
}

// groupKind is a custom resource's type as kubectl takes it without doubt.
func groupKind(r evidence.Ref) string {
	if group, _, ok := strings.Cut(r.APIVersion, "/"); ok && strings.Contains(group, ".") {
		return r.Kind + "." + group
	}
	return r.Kind
}

func (o owner) name() string {
	if o.ref.Kind == "" {
		return o.ref.Name
	}
	return o.ref.Kind + " " + o.ref.Name
}

// imageCommands covers containers and init containers with `set image`, image volumes with a patch.
func (o owner) imageCommands(target, path string) []string {
	var pairs, out []string
	for _, p := range o.pulls {
		switch p.Kind {
		case evidence.VolumeImage:
			cmd := kubectl(o.namespace, "patch", target, "--type=strategic", "-p", volumePatch(path, p.Volume, o.image(p)))
			if !slices.Contains(out, cmd) {
				out = append(out, cmd)
			}
		case evidence.Ephemeral:
		default:
			if pair := quote(p.Container) + "=" + o.image(p); p.Container != "" && !slices.Contains(pairs, pair) {
				pairs = append(pairs, pair)
			}
		}
	}
	if len(pairs) > 0 {
		out = append(out, kubectl(o.namespace, append([]string{"set image", target}, pairs...)...))
	}
	if len(out) == 0 { // a refused pod has no container to name
		out = []string{kubectl(o.namespace, "edit", target)}
	}
	return out
}

// volumePatch takes the image as the shell's word and leaves its quotes alone, so that the shell fills in "$IMAGE".
func volumePatch(path, volume, image string) string {
	head, tail := "", ""
	for _, key := range strings.Split(path, ".") {
		head += `{"` + key + `":`
		tail += "}"
	}
	body := head + `{"volumes":[{"name":` + jsonString(volume) + `,"image":{"reference":"`
	return quote(body) + image + quote(`"}}]}`+tail)
}

func (o owner) barePodImage(step Step) Step {
	if o.pod.Mirror {
		step.Title = "Set the image in the static pod's file on " + o.pulls[0].Node
		step.Note = "A static pod comes from a file on the node (" + staticPath + "); the API shows a copy that cannot be edited."
		return step
	}
	if o.pulls[0].Kind == evidence.Ephemeral {
		step.Title = "Start the debug container again with an image that can be pulled"
		step.Note = o.imageNote() + " An ephemeral container can be neither changed nor removed; the failed one stays in the pod, harmless."
		step.Commands = []string{kubectl(o.namespace, "debug -it", object("pod", o.pulls[0].Pod), "--image="+o.image(o.pulls[0]))}
		return step
	}
	step.Commands = o.podImage()
	step.After = "the pod pulls at once: a new image string has no back-off"
	return step
}

const staticPath = "/etc/kubernetes/manifests on most; k3s and RKE2 have agent/pod-manifests"

// podImage patches running pods in place, which Kubernetes allows for containers and init containers only.
func (o owner) podImage() []string {
	var out []string
	for _, p := range o.pulls[:min(len(o.pulls), maxOwners)] {
		if p.Pod != "" && p.Container != "" && p.Kind != evidence.VolumeImage {
			out = append(out, kubectl(o.namespace, "set image", object("pod", p.Pod), quote(p.Container)+"="+o.image(p)))
		}
	}
	if len(out) == 0 && o.ref.Name != "" {
		out = o.recreate()
	}
	return out
}

// recreate is for what cannot be changed in place: saved, edited by hand, replaced.
func (o owner) recreate() []string {
	target := object(o.ref.Kind, o.ref.Name)
	file := quote("./" + strings.ToLower(o.ref.Kind) + ".yaml")
	return []string{
		kubectl(o.namespace, "get", target, "-o yaml >", file),
		`"${EDITOR:-vi}" ` + file,
		kubectl(o.namespace, "replace --force -f", file),
	}
}

func (o owner) podNames() []string {
	var names []string
	for _, p := range o.pulls {
		if p.Pod != "" && !slices.Contains(names, p.Pod) {
			names = append(names, p.Pod)
		}
	}
	return names
}

// deletePods is only for pods that something recreates; where they are many, a rollout does it.
func (o owner) deletePods() []string {
	names := o.podNames()
	if len(names) == 0 || o.kind() == "pod" || o.kind() == "" {
		return nil
	}
	if len(names) > 10 && (o.kind() == "deployment" || o.kind() == "daemonset") {
		return []string{kubectl(o.namespace, "rollout restart", object(o.ref.Kind, o.ref.Name))}
	}
	args := []string{"delete"}
	for _, n := range names[:min(len(names), 10)] {
		args = append(args, object("pod", n))
	}
	return []string{kubectl(o.namespace, args...)}
}

func (o owner) deleteJobs() []string {
	var out []string
	for _, r := range o.workload.Chain {
		if r.Kind == "Job" {
			out = append(out, kubectl(o.namespace, "delete", object("job", r.Name)))
		}
	}
	return out
}
