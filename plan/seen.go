package plan

import (
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// maxChoices is for how many references the commands are printed; the others are only named.
const maxChoices = 3

// see keeps what a registry was seen to serve instead of an image: for all of the owner's pods, whose platforms may differ.
func (o *owner) see(image string, items []evidence.Alternative) {
	usable := slices.DeleteFunc(slices.Clone(items), func(a evidence.Alternative) bool {
		return a.Image == image || !printableReference(a.Image)
	})
	known, again := o.seen[image]
	if again {
		usable = slices.DeleteFunc(slices.Clone(known), func(a evidence.Alternative) bool {
			return !slices.ContainsFunc(usable, func(b evidence.Alternative) bool { return a.Image == b.Image })
		})
	}
	if o.seen == nil {
		o.seen = map[string][]evidence.Alternative{}
	}
	o.seen[image] = usable
}

// certain is the one alternative that is; with none, or with several, a person must choose.
func certain(all []evidence.Alternative) (evidence.Alternative, bool) {
	var found []evidence.Alternative
	for _, a := range all {
		if a.Certain {
			found = append(found, a)
		}
	}
	if len(found) != 1 {
		return evidence.Alternative{}, false
	}
	return found[0], true
}

// images are the owner's that cannot be pulled.
func (o owner) images() []string {
	var out []string
	for _, p := range o.pulls {
		if !slices.Contains(out, p.Image) {
			out = append(out, p.Image)
		}
	}
	return out
}

// alternatives are all that is seen for the owner's images, the best first.
func (o owner) alternatives() []evidence.Alternative {
	var out []evidence.Alternative
	for _, image := range o.images() {
		out = append(out, o.seen[image]...)
	}
	return out
}

// anySeen tells whether there is something to choose from.
func (s subject) anySeen() bool {
	return slices.ContainsFunc(s.owners, func(o owner) bool { return len(o.alternatives()) > 0 })
}

// changeToSeen is changeImage with references that the registry was seen to serve, where it was.
func (s subject) changeToSeen(why string) []Step {
	if !s.anySeen() || s.pull.Kind == evidence.Sandbox {
		return s.changeImage(why)
	}
	var steps []Step
	for _, o := range s.owners {
		made := o.choose(len(s.owners) == 1 && s.more == 0)
		if made == nil {
			step := o.setImage()
			step.Title += ": " + why
			made = []Step{step}
		}
		steps = append(steps, made...)
	}
	return s.moreOwners(steps)
}

// choose sets the owner's image to what is certain; else it leaves the choice to a person: one step for each reference
// where that is short enough to read, one step that names them where it is not.
func (o owner) choose(alone bool) []Step {
	all, images := o.alternatives(), o.images()
	if len(all) == 0 {
		return nil
	}
	var sure, left []evidence.Alternative
	picked := map[string]string{}
	for _, image := range images {
		one, ok := certain(o.seen[image])
		if ok {
			picked[image] = one.Image
			sure = append(sure, one)
		}
		left = append(left, slices.DeleteFunc(slices.Clone(o.seen[image]), func(a evidence.Alternative) bool { return ok && a == one })...)
	}
	short := alone && len(images) == 1 && o.workload.Manager == ""
	switch {
	case len(sure) == len(images) && short:
		return append([]Step{o.pick(picked).setTo("", sure)}, o.eachOf(images[0], left, 1)...)
	case len(sure) == len(images):
		step := o.pick(picked).setTo("", sure)
		if len(left) > 0 {
			step.Note = join(step.Note, "If another was meant, the registry serves too: "+list(left)+".")
		}
		return []Step{step}
	case short:
		return o.eachOf(images[0], all, 0)
	}
	step := o.pick(picked).setImage()
	step.Title += ": one that the registry serves"
	step.Note = join(step.Note, "The registry serves: "+list(all)+".")
	return []Step{step}
}

// eachOf is one step for each of a few references, after some that are there already.
func (o owner) eachOf(image string, all []evidence.Alternative, before int) []Step {
	var steps []Step
	few := min(len(all), maxChoices-before)
	for i, a := range all[:few] {
		lead := "If this was meant: "
		if i+before > 0 {
			lead = "Or if this was meant: "
		}
		steps = append(steps, o.pick(map[string]string{image: a.Image}).setTo(lead, []evidence.Alternative{a}))
	}
	if len(all) > few {
		steps[few-1].Note = join(steps[few-1].Note, "Served as well: "+list(all[few:])+".")
	}
	return steps
}

// setTo is setImage with what it is set to in its title.
func (o owner) setTo(lead string, to []evidence.Alternative) Step {
	step := o.setImage()
	step.Title = lead + lowerFirst(step.Title, lead != "") + ": " + list(to)
	for _, a := range to {
		if a.Source != "" {
			step.Note = join(step.Note, "See "+a.Source+".")
		}
	}
	return step
}

func join(note, more string) string { return strings.TrimSpace(note + " " + more) }

func lowerFirst(s string, lower bool) string {
	if !lower || s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// list names references and why each may be the one.
func list(all []evidence.Alternative) string {
	var parts []string
	for _, a := range all {
		parts = append(parts, a.Image+" ("+a.Why+")")
	}
	return strings.Join(parts, ", ")
}

// pick is the owner with the images chosen that its commands set.
func (o owner) pick(picked map[string]string) owner {
	o.picked = picked
	return o
}

// allPicked tells that no command waits for a person's choice.
func (o owner) allPicked() bool {
	return len(o.picked) > 0 && !slices.ContainsFunc(o.images(), func(image string) bool { return o.picked[image] == "" })
}

// image is the shell's word for what a pull's image is set to.
func (o owner) image(p evidence.Pull) string {
	if to := o.picked[p.Image]; to != "" {
		return quote(to)
	}
	return `"$IMAGE"`
}

// imageNote warns of the word that a person must fill in.
func (o owner) imageNote() string {
	if o.allPicked() {
		return ""
	}
	return imageNote
}
