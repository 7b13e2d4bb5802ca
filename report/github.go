package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
)

// maxAnnotations bounds the lines for one finding: GitHub shows ten of a kind in a step.
const maxAnnotations = 10

// writeGitHub writes workflow commands, which GitHub Actions shows at the lines of the files
// (docs.github.com, Workflow commands for GitHub Actions).
func writeGitHub(w io.Writer, r Report) {
	for _, f := range r.Findings {
		level := "error"
		if Exit(Report{Findings: []Finding{f}}) == CannotTell {
			level = "warning"
		}
		places := f.Places
		if len(places) == 0 {
			places = []evidence.Place{{}}
		}
		for _, p := range places[:min(len(places), maxAnnotations)] {
			annotate(w, level, p, f.title(), githubFinding(f))
		}
		if more := len(places) - maxAnnotations; more > 0 {
			annotate(w, "notice", evidence.Place{}, f.title(), fmt.Sprintf("%s: %s more", names(f.Images), count(more, "line")))
		}
	}
	for _, g := range r.Gaps {
		level := "notice"
		if g.Deciding {
			level = "warning"
		}
		annotate(w, level, evidence.Place{}, "Could not be seen", gapLine(g))
	}
	if r.Checked != nil {
		for _, warn := range r.Checked.Warnings {
			annotate(w, "warning", evidence.Place{}, Title(warn.Cause), warning(warn))
		}
	}
	annotate(w, "notice", evidence.Place{}, "refloat", headline(r))
}

// githubFinding is what an annotation says: what is wrong with which image, what to do first, and where to read on.
func githubFinding(f Finding) string {
	lines := []string{clean(f.Summary)}
	switch {
	case len(f.Images) > 1:
		lines = append(lines, count(len(f.Images), "image")+": "+names(f.Images))
	case !strings.Contains(f.Summary, f.Image):
		lines = append(lines, "Image: "+clean(f.Image))
	}
	if len(f.Plan.Steps) > 0 {
		lines = append(lines, "First: "+clean(f.Plan.Steps[0].Title))
	}
	for _, g := range f.Gaps {
		if g.Deciding {
			lines = append(lines, "Could not be seen: "+gapLine(g))
		}
	}
	if f.Cause != diagnose.Unknown {
		lines = append(lines, "kubectl refloat explain "+clean(string(f.Cause)))
	}
	return strings.Join(lines, "\n")
}

func gapLine(g evidence.Gap) string {
	text := clean(g.What) + ": " + clean(g.Why)
	if g.How != "" {
		text += "; to see it: " + clean(g.How)
	}
	return text
}

// annotate writes one command. Escaping keeps every text on its line and inside its field, so that none can
// be read as another command (actions/toolkit, packages/core/src/command.ts, has the same two lists).
func annotate(w io.Writer, level string, at evidence.Place, title, message string) {
	var fields []string
	if at.File != "" && at.File != "-" {
		fields = append(fields, "file="+githubProperty.Replace(escape(at.File)))
		if at.Line > 0 {
			fields = append(fields, fmt.Sprintf("line=%d", at.Line))
		}
	}
	fields = append(fields, "title="+githubProperty.Replace(title))
	fmt.Fprintf(w, "::%s %s::%s\n", level, strings.Join(fields, ","), githubData.Replace(message))
}

var (
	githubData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)
