package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/plan"
)

// How much of a list is printed before the rest is only counted.
const (
	maxNames   = 4
	maxBecause = 8
	maxRuled   = 8
	maxCrashes = 10
)

// printer writes lines that fit, with colour where it is allowed.
type printer struct {
	w       io.Writer
	columns int
	colour  bool
}

// The few colours: headings, the cause, commands.
const (
	bold = "\x1b[1m"
	red  = "\x1b[1;31m"
	cyan = "\x1b[36m"
	dim  = "\x1b[2m"
)

func (p *printer) paint(style, s string) string {
	if !p.colour || s == "" {
		return s
	}
	return style + s + "\x1b[0m"
}

func (p *printer) blank() { fmt.Fprintln(p.w) }

// prose prints escaped text, wrapped, with a first-line mark such as "- " and the rest aligned under it.
func (p *printer) prose(style, indent, mark, text string) {
	rest := indent + strings.Repeat(" ", len(mark))
	for i, line := range wrap(text, p.columns-len(rest)) {
		lead := rest
		if i == 0 {
			lead = indent + mark
		}
		fmt.Fprintln(p.w, lead+p.paint(style, line))
	}
}

func (p *printer) heading(s string) {
	p.blank()
	fmt.Fprintln(p.w, "  "+p.paint(bold, s))
}

func writeText(w io.Writer, r Report, o Options) {
	p := &printer{w: w, columns: o.width(), colour: o.Colour}
	p.prose(bold, "", "", headline(r))
	for i, f := range r.Findings {
		p.blank()
		p.finding(f, i+1, len(r.Findings), r.ObservedAt)
	}
	if len(r.Crashes) > 0 {
		p.blank()
		p.crashes(r.Crashes)
	}
	if r.Checked != nil && len(r.Checked.Warnings) > 0 {
		p.blank()
		p.warnings(r.Checked.Warnings)
	}
	if len(r.Gaps) > 0 {
		p.blank()
		fmt.Fprintln(w, p.paint(bold, "Could not be seen"))
		p.gaps("  ", r.Gaps)
	}
}

// headline is one line that says what was found and what was looked at.
func headline(r Report) string {
	if r.Checked != nil {
		return checkedHeadline(r)
	}
	where := lookedAt(r.Scope)
	switch n := len(r.Findings); {
	case n == 0 && Exit(r) == CannotTell:
		return "cannot tell: no failing pulls seen among " + where + ", but not all could be seen"
	case n == 0:
		return "no failing pulls among " + where
	default:
		pods := podCount(r.Findings)
		if pods == 0 {
			return fmt.Sprintf("%s that keeps pods from being made, seen beside %s", count(n, "root cause"), where)
		}
		return fmt.Sprintf("%s cannot get an image: %s, among %s", count(pods, "pod"), count(n, "root cause"), where)
	}
}

func podCount(findings []Finding) int {
	var names set[string]
	for _, f := range findings {
		for _, n := range f.podNames() {
			names.add(n)
		}
	}
	return len(names.list)
}

func lookedAt(s evidence.Scope) string {
	text := count(s.Pods, "pod")
	switch {
	case s.AllNamespaces:
		text += " in all namespaces"
	case s.Namespace != "":
		text += " in namespace " + clean(s.Namespace)
	}
	if s.Target != "" {
		text += ", asked for " + clean(s.Target)
	}
	if s.Selector != "" {
		text += ", with labels " + clean(s.Selector)
	}
	if s.Context != "" {
		text += ", context " + clean(s.Context)
	}
	return text
}

func (p *printer) finding(f Finding, i, n int, now time.Time) {
	mark := ""
	if n > 1 {
		mark = fmt.Sprintf("[%d/%d] ", i, n)
	}
	p.prose(red, "", mark, f.title())
	p.prose(dim, "  ", "", fmt.Sprintf("%s, %s", clean(string(f.Cause)), confidence(f)))
	p.prose("", "  ", "", clean(f.Summary))
	p.blast(f)
	if len(f.Because) > 0 {
		p.heading("Because")
		p.because(f.Because, now)
	}
	if len(f.RuledOut) > 0 {
		p.heading("Ruled out")
		for _, r := range f.RuledOut[:min(len(f.RuledOut), maxRuled)] {
			p.prose("", "  ", "- ", clean(string(r.Cause))+": "+clean(r.Why))
		}
		p.more("  ", len(f.RuledOut)-maxRuled)
	}
	if len(f.Masks) > 0 {
		p.heading("Shows only because of this")
		p.prose("", "  ", "- ", join(f.Masks))
	}
	if len(f.Plan.Steps) > 0 {
		p.heading("What to do")
		for i, s := range f.Plan.Steps {
			p.step(i+1, s)
		}
	}
	if len(f.Gaps) > 0 {
		p.heading("Could not be seen")
		p.gaps("  ", f.Gaps)
	}
}

// blast says how far it reaches: workloads, pods, nodes, images.
func (p *printer) blast(f Finding) {
	p.blank()
	p.field("Image", names(f.Images))
	owners := make([]string, 0, len(f.Workloads))
	for _, w := range f.Workloads {
		owners = append(owners, refName(w))
	}
	p.field("At", names(f.placeNames()))
	p.field("Platform", names(f.Platforms))
	p.field("Workload", names(owners))
	pods := f.podNames()
	if len(pods) > maxNames {
		p.field("Pods", fmt.Sprintf("%d: %s", len(pods), names(pods)))
	} else {
		p.field("Pods", names(pods))
	}
	p.field("Nodes", names(f.Nodes))
	p.containers(f)
}

// containers names those that are not plain app containers, for people look at the wrong one.
func (p *printer) containers(f Finding) {
	var special set[string]
	for _, pod := range f.Pods {
		switch pod.Kind {
		case evidence.Init, evidence.Ephemeral:
			special.add(string(pod.Kind) + " container " + pod.Container)
		case evidence.VolumeImage:
			special.add("image volume of container " + pod.Container)
		case evidence.Sandbox:
			special.add("the pod sandbox (pause image)")
		}
	}
	p.field("In", names(special.list))
}

func (p *printer) field(name, value string) {
	if value != "" {
		p.prose("", "  ", fmt.Sprintf("%-10s", name), value)
	}
}

func (p *printer) because(all []Because, now time.Time) {
	for _, b := range all[:min(len(all), maxBecause)] {
		p.prose("", "  ", "- ", clean(b.Fact))
		p.prose(dim, "    ", "", "("+origin(b, now)+")")
	}
	p.more("  ", len(all)-maxBecause)
}

// origin is where and when a fact was seen.
func origin(b Because, now time.Time) string {
	parts := []string{clean(string(b.Vantage))}
	for _, s := range []string{clean(b.Where), clean(b.Source), age(b.Time, now)} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ", ")
}

func (p *printer) step(n int, s plan.Step) {
	mark := fmt.Sprintf("%d. ", n)
	p.prose("", "  ", mark, clean(s.Title))
	under := "  " + strings.Repeat(" ", len(mark))
	if s.Note != "" {
		p.prose(dim, under, "", clean(s.Note))
	}
	for _, c := range s.Commands {
		for _, line := range wrapCommand(escapeCommand(c), p.columns-len(under)-2) {
			fmt.Fprintln(p.w, under+"  "+p.paint(cyan, line))
		}
	}
	if s.Undo != "" {
		p.prose(dim, under, "Undo: ", clean(s.Undo))
	}
	if s.After != "" {
		p.prose(dim, under, "Then: ", clean(s.After))
	}
}

func (p *printer) gaps(indent string, gaps []evidence.Gap) {
	for _, g := range gaps {
		text := clean(g.What) + ": " + clean(g.Why)
		if g.Deciding {
			text += " (could change the verdict)"
		}
		p.prose("", indent, "- ", text)
		if g.How != "" {
			p.prose(dim, indent+"  ", "", "to see it: "+clean(g.How))
		}
	}
}

func (p *printer) crashes(all []evidence.Crash) {
	p.prose(bold, "", "", "Not a pull failure: the image is there, the container does not stay up")
	for _, c := range all[:min(len(all), maxCrashes)] {
		p.prose("", "  ", "- ", crashLine(c))
	}
	p.more("  ", len(all)-maxCrashes)
}

func (p *printer) more(indent string, n int) {
	if n > 0 {
		fmt.Fprintf(p.w, "%s- and %d more\n", indent, n)
	}
}

func confidence(f Finding) string {
	switch f.Confidence {
	case diagnose.Confirmed:
		return "confirmed: two vantage points agree"
	case diagnose.Likely:
		return "likely: one vantage point, unambiguous"
	case diagnose.Possible:
		var others []diagnose.Code
		for _, c := range f.Candidates {
			if c.Cause != f.Cause {
				others = append(others, c.Cause)
			}
		}
		if len(others) == 0 {
			return "possible"
		}
		return "possible: could also be " + join(others)
	}
	return "cannot tell"
}
