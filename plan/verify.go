package plan

import (
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// unstick is for causes that are gone without any change to the pod: it tries again by itself.
func (s subject) unstick() []Step {
	if s.pull.Pod == "" || s.pull.Kind == evidence.Sandbox || s.pull.Kind == evidence.Planned {
		return nil
	}
	step := manual("Wait, or hurry: each pod tries again by itself within 5 minutes", "", "")
	for _, o := range s.owners {
		if cmds := o.deletePods(); cmds != nil && !o.mirror() {
			step.Note = "To have it at once, have the failing pods made anew by their owner:"
			step.Commands = append(step.Commands, cmds...)
			continue
		}
		p := o.pulls[0]
		if other, ok := respell(p.Image); ok && !o.mirror() && (p.Kind == evidence.App || p.Kind == evidence.Init) {
			step.Note = "Nothing would recreate a bare pod: do not delete it. The same image in another spelling starts without the back-off:"
			step.Commands = append(step.Commands, kubectl(o.namespace, "set image", object("pod", p.Pod), quote(p.Container)+"="+quote(other)))
		}
	}
	return []Step{step}
}

// nextTry puts first what is enough where the cause is gone; what is to be done about the cause comes after it.
func (s subject) nextTry(steps []Step) []Step {
	first := s.unstick()
	if len(first) == 0 {
		return steps
	}
	first[0].Note = strings.TrimSpace("The registry serves it by now, so this may be all; what follows is for where it fails again. " + first[0].Note)
	steps = slices.DeleteFunc(steps, func(x Step) bool { return x.Title == first[0].Title })
	return append(first, steps...)
}

func (o owner) mirror() bool { return o.pod.Mirror }

// verify ends every plan: only a pull by the kubelet after the change proves anything.
func (s subject) verify() Step {
	step := manual("Check that it worked", "", `one "Successfully pulled image" event for each node; "already present" proves nothing`)
	for _, o := range s.owners {
		target := object(o.ref.Kind, o.ref.Name)
		switch o.kind() {
		case "deployment", "statefulset", "daemonset":
			step.Commands = append(step.Commands, kubectl(o.namespace, "rollout status", target, "--timeout=6m"))
		case "pod", "":
			target = object("pod", o.ref.Name)
			step.Commands = append(step.Commands, kubectl(o.namespace, "wait --for=condition=Ready", target, "--timeout=6m"))
		}
		step.Commands = append(step.Commands,
			kubectl(o.namespace, "get events --field-selector reason=Pulled --sort-by=.lastTimestamp"),
			"kubectl refloat why -n "+quote(o.namespace)+" "+target)
	}
	step.Commands = unique(step.Commands)
	return step
}

// quoteImage leaves out a string that no registry tool would take for an image.
func quoteImage(image string) string {
	if !printableReference(image) {
		return `"$IMAGE"`
	}
	return quote(image)
}

func unique(all []string) []string {
	var out []string
	for _, s := range all {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
