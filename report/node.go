package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/refloat-dev/refloat/evidence"
)

// NodeKind is the kind of a NodeView document.
const NodeKind = "NodeView"

// NodeView is what one node sees.
type NodeView struct {
	APIVersion string    `json:"apiVersion"`
	Kind       string    `json:"kind"`
	ObservedAt time.Time `json:"observedAt"`
	Node       string    `json:"node"`
	// Image is what was asked about; empty is the node as a whole.
	Image string           `json:"image,omitempty"`
	Facts []*evidence.Fact `json:"facts"`
	Gaps  []evidence.Gap   `json:"gaps"`
	// Cut counts the facts and parts of facts that did not fit where they were carried.
	Cut int `json:"cut,omitempty"`
}

// NodeFormats are what WriteNode takes.
func NodeFormats() []Format { return []Format{Text, JSON, YAML} }

// ExitNode says what a look at a node comes to.
func ExitNode(v NodeView) Verdict {
	switch {
	case slices.ContainsFunc(v.Facts, evidence.Fault):
		return Failing
	case deciding(v.Gaps):
		return CannotTell
	}
	return NothingWrong
}

// WriteNode prints what a node sees, what is wrong first; the empty format is Text.
func WriteNode(w io.Writer, format Format, v NodeView, o Options) error {
	v.APIVersion, v.Kind, v.ObservedAt = evidence.APIVersion, NodeKind, v.ObservedAt.UTC()
	v.Facts, v.Gaps = list(v.Facts), list(v.Gaps)
	b := bufio.NewWriter(w)
	var err error
	switch format {
	case Text, "":
		p := &printer{w: b, columns: o.width(), colour: o.Colour}
		p.node(v)
	case JSON:
		err = writeJSON(b, v)
	case YAML:
		err = writeYAML(b, v)
	default:
		err = fmt.Errorf("no output format %q for a node", format)
	}
	if err != nil {
		return err
	}
	return b.Flush()
}

func (p *printer) node(v NodeView) {
	var wrong, fine []*evidence.Fact
	for _, f := range v.Facts {
		if evidence.Fault(f) {
			wrong = append(wrong, f)
		} else {
			fine = append(fine, f)
		}
	}
	p.prose(bold, "", "", nodeHeadline(v, len(wrong)))
	if len(wrong) > 0 {
		p.heading("Wrong")
		for _, f := range wrong {
			p.prose(red, "  ", "- ", clean(f.Text))
			p.details(f, v.ObservedAt)
			p.prose(dim, "    ", "", "("+clean(f.Source)+")")
		}
	}
	if len(fine) > 0 {
		p.heading("Seen")
		for _, f := range fine {
			p.prose("", "  ", "- ", clean(f.Text))
			p.problems(f.RegistryConfig)
		}
	}
	if len(v.Gaps) > 0 {
		p.heading("Could not be seen")
		p.gaps("  ", v.Gaps)
	}
	if v.Cut > 0 {
		p.blank()
		p.prose(dim, "", "", fmt.Sprintf("%s left out: the answer may have 64 KiB", count(v.Cut, "part")))
	}
}

func nodeHeadline(v NodeView, wrong int) string {
	of := ""
	if v.Image != "" {
		of = " for " + clean(v.Image)
	}
	node := "node " + clean(v.Node)
	switch {
	case wrong == 1:
		return node + ": one thing is wrong" + of
	case wrong > 0:
		return fmt.Sprintf("%s: %d things are wrong%s", node, wrong, of)
	case ExitNode(v) == CannotTell:
		return node + ": cannot tell: nothing wrong was seen" + of + ", but not all could be seen"
	}
	return node + ": nothing is wrong" + of
}

// maxDetails bounds what is printed under one fact; JSON has the rest.
const maxDetails = 8

// details are what a fault's sentence leaves out.
func (p *printer) details(f *evidence.Fact, now time.Time) {
	switch {
	case f.Host != nil:
		if h := f.Host; h.Costs > 0 {
			p.detail(fmt.Sprintf("a pull loses %s here", time.Duration(h.Costs)*time.Millisecond))
		}
	case f.RegistryConfig != nil:
		p.problems(f.RegistryConfig)
	case f.Runtime != nil:
		logs := f.Runtime.Logs
		for _, l := range logs[max(0, len(logs)-maxDetails):] {
			p.detail(clean(l.From) + ", " + age(l.Time, now) + ": " + clean(l.Text))
		}
	case f.Disk != nil:
		for _, u := range f.Disk.Unused[:min(len(f.Disk.Unused), maxDetails)] {
			p.detail(fmt.Sprintf("unused: %s, %s", bytesText(u.Size), cmp.Or(names(u.Names), clean(u.ID))))
		}
	case f.Content != nil:
		for _, d := range f.Content.Damages[:min(len(f.Content.Damages), maxDetails)] {
			p.detail(clean(cmp.Or(d.Digest, d.Role)) + ": " + clean(string(d.Kind)) + ", " + clean(d.Path) + imagesOf(d))
		}
		if more := len(f.Content.Damages) - maxDetails + f.Content.MoreDamages; more > 0 {
			p.detail(fmt.Sprintf("and %d more", more))
		}
	}
}

// problems are the faults of a configuration that its sentence, which has the worst, does not name.
func (p *printer) problems(c *evidence.RegistryConfig) {
	if c == nil || len(c.Problems) < 2 {
		return
	}
	for _, one := range c.Problems[1:min(len(c.Problems), maxDetails)] {
		at := clean(one.File)
		if one.Line > 0 {
			at = fmt.Sprintf("%s, line %d", at, one.Line)
		}
		p.detail(at + ": " + clean(one.Text) + " (" + clean(string(one.Effect)) + ")")
	}
}

func (p *printer) detail(s string) { p.prose("", "    ", "", s) }

func imagesOf(d evidence.Damage) string {
	if len(d.Images) == 0 {
		return ""
	}
	return ", in " + names(d.Images)
}

func bytesText(n int64) string {
	if n >= 1<<30 {
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
