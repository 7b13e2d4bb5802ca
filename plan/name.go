package plan

import (
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
)

func (s subject) invalidReference() []Step {
	return s.changeToSeen("write it as HOST/PATH:TAG, in lower case, without a scheme or spaces")
}

func (s subject) shortName() []Step {
	steps := s.changeToSeen("name the registry in full, such as docker.io/library/…")
	if s.runtime() == "cri-o" || s.node.Home == evidence.HomeOpenShift {
		steps = append(steps, s.onNode("Or see what short names may mean on "+s.where(), "An alias or a single unqualified-search registry settles it for the whole node.", "",
			`grep -rn unqualified-search-registries /etc/containers/registries.conf /etc/containers/registries.conf.d`))
	}
	return steps
}

// notFound looks at the registry first: containerd prints one 404 for a repository, a tag and a digest.
func (s subject) notFound() []Step {
	steps := []Step{manual("See what the registry holds", s.notFoundNote(), "", s.inspect()...)}
	if s.Cause != diagnose.RepositoryNotFound && printableReference(s.pull.Image) {
		steps[0].Commands = append(steps[0].Commands, "skopeo list-tags "+quote("docker://"+s.ref.host+"/"+s.ref.repo))
	}
	if s.anySeen() {
		steps[0].Title = "Or see what else the registry holds"
		return slices.Concat(s.rollback(), s.changeToSeen("name one that the registry holds"), steps)
	}
	steps = append(steps, s.rollback()...)
	return append(steps, s.changeImage("name one that the registry holds")...)
}

func (s subject) notFoundNote() string {
	note := "The registry was reached and does not have it. Pushed to another place, removed, or mistyped; if it is pushed now, the pods recover by themselves."
	if moved := relocated(s.pull.Image); moved != "" {
		note += " Known: " + moved
	}
	for _, o := range s.owners {
		if w := o.workload; w.Previous != "" && w.Previous != s.pull.Image {
			return note + " The revision before had " + w.Previous + "."
		}
	}
	return note
}

// rollback goes back to the revision before where its image is known; that image was pulled once.
func (s subject) rollback() []Step {
	var steps []Step
	for _, o := range s.owners {
		w := o.workload
		if w.Previous == "" || w.Manager != "" || w.Previous == o.pulls[0].Image {
			continue
		}
		switch o.kind() {
		case "deployment", "statefulset", "daemonset":
		default:
			continue
		}
		step := manual("To be back up first: return "+o.name()+" to the revision before ("+w.Previous+")", "", "the pods of the revision before run")
		if w.PreviousAvailable {
			step.Note = "Pods of that revision are up and serve: this only ends the rollout."
		}
		step.Target = o.ref
		step.Commands = []string{kubectl(o.namespace, "rollout undo", object(o.ref.Kind, o.ref.Name))}
		step.Undo = step.Commands[0]
		if o.kind() == "statefulset" {
			step.Commands = append(step.Commands, o.deletePods()...)
			step.Note = strings.TrimSpace(step.Note + " An OrderedReady StatefulSet waits for the broken pod for ever: delete it.")
		}
		steps = append(steps, step)
	}
	return steps
}

// inspect asks the registry for the image's manifest from where refloat runs.
func (s subject) inspect() []string { return s.inspectWith("") }

func (s subject) inspectWith(flags string) []string {
	if !printableReference(s.pull.Image) {
		return nil
	}
	parts := []string{"skopeo inspect --raw"}
	if flags != "" {
		parts = append(parts, flags)
	}
	r := s.ref
	if r.digest != "" {
		r.tag = "" // skopeo refuses a reference with both
	}
	return []string{strings.Join(append(parts, quote("docker://"+r.String())), " ")}
}
