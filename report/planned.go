package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
)

// Checked is what a check of planned images looked at.
type Checked struct {
	// Images is how many different images were asked for.
	Images    int      `json:"images"`
	Platforms []string `json:"platforms"`
	// Pull are the images that would pull wherever they were asked for.
	Pull []string `json:"pull"`
	// Warnings are about images that would pull.
	Warnings []diagnose.Warning `json:"warnings"`
}

// newChecked sums up the planned images of a run; nil where there is none.
func newChecked(c *evidence.Collection, findings []Finding) *Checked {
	var images, platforms set[string]
	for _, one := range c.Cases {
		if one != nil && one.Pull.Kind == evidence.Planned {
			images.add(one.Pull.Image)
			platforms.add(one.Pull.Platform)
		}
	}
	if len(images.list) == 0 {
		return nil
	}
	found := map[string]bool{}
	for _, f := range findings {
		for _, image := range f.Images {
			found[image] = true
		}
	}
	out := &Checked{Images: len(images.list), Platforms: list(platforms.list), Warnings: list(diagnose.Warnings(c))}
	out.Pull = slices.DeleteFunc(list(images.list), func(image string) bool { return found[image] })
	slices.Sort(out.Platforms)
	return out
}

// checkedHeadline is one line that says how many of the planned images would pull, and where.
func checkedHeadline(r Report) string {
	c := r.Checked
	if c.Images == 0 && Exit(r) == CannotTell {
		return "cannot tell: no image is known yet"
	}
	if c.Images == 0 {
		return "no image to check"
	}
	failing := map[string]bool{}
	for _, f := range r.Findings {
		if f.Cause != diagnose.Unknown {
			for _, image := range f.Images {
				failing[image] = true
			}
		}
	}
	on := " on " + names(c.Platforms)
	open := c.Images - len(c.Pull) - len(failing)
	switch {
	case len(failing) > 0 && open > 0:
		return fmt.Sprintf("%d of %s would not pull%s; of %d it cannot be told", len(failing), count(c.Images, "image"), on, open)
	case len(failing) > 0:
		return fmt.Sprintf("%d of %s would not pull%s", len(failing), count(c.Images, "image"), on)
	case open > 0:
		return fmt.Sprintf("cannot tell whether %d of %s would pull%s", open, count(c.Images, "image"), on)
	case Exit(r) == CannotTell:
		return fmt.Sprintf("cannot tell: %s would pull%s, but not all could be seen", count(c.Images, "image"), on)
	}
	return fmt.Sprintf("%s would pull%s", count(c.Images, "image"), on)
}

func (p *printer) warnings(all []diagnose.Warning) {
	p.prose(bold, "", "", "Worth knowing")
	for _, w := range all[:min(len(all), maxBecause)] {
		p.prose("", "  ", "- ", warning(w))
	}
	p.more("  ", len(all)-maxBecause)
}

func warning(w diagnose.Warning) string {
	return fmt.Sprintf("%s: %s (%s)", clean(w.Image), clean(w.Text), clean(string(w.Cause)))
}

// title is the finding's heading: an image of which nothing is known has not failed, and what is served now did.
func (f Finding) title() string {
	if f.Planned && f.Cause == diagnose.Unknown {
		return "Cannot tell whether it would pull"
	}
	if t := Title(f.Cause); f.ServedNow {
		return "Served now; before: " + strings.ToLower(t[:1]) + t[1:]
	}
	return Title(f.Cause)
}

// placeNames are the lines of manifests that ask for a finding's images.
func (f Finding) placeNames() []string {
	out := make([]string, 0, len(f.Places))
	for _, p := range f.Places {
		out = append(out, placeName(p))
	}
	return out
}

func placeName(p evidence.Place) string {
	file := p.File
	if file == "-" {
		file = "standard input"
	}
	if p.Line == 0 {
		return file
	}
	return fmt.Sprintf("%s:%d", file, p.Line)
}
