package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/plan"
)

func writeMarkdown(w io.Writer, r Report) {
	fmt.Fprintf(w, "# Image pulls\n\n%s\n", md(headline(r)))
	for i, f := range r.Findings {
		fmt.Fprintf(w, "\n## %d. %s\n\n", i+1, md(f.title()))
		fmt.Fprintf(w, "%s: %s\n\n%s\n\n", code(string(f.Cause)), md(confidence(f)), md(clean(f.Summary)))
		markdownBlast(w, f)
		markdownFacts(w, f, r)
		markdownPlan(w, f.Plan.Steps)
		markdownGaps(w, "###", f.Gaps)
	}
	if len(r.Crashes) > 0 {
		fmt.Fprint(w, "\n## Not a pull failure\n\n")
		for _, c := range r.Crashes {
			fmt.Fprintf(w, "- %s\n", md(crashLine(c)))
		}
	}
	if r.Checked != nil && len(r.Checked.Warnings) > 0 {
		fmt.Fprint(w, "\n## Worth knowing\n\n")
		for _, warn := range r.Checked.Warnings {
			fmt.Fprintf(w, "- %s\n", md(warning(warn)))
		}
	}
	markdownGaps(w, "##", r.Gaps)
}

func markdownBlast(w io.Writer, f Finding) {
	fmt.Fprint(w, "| what | which |\n| --- | --- |\n")
	owners := make([]string, 0, len(f.Workloads))
	for _, o := range f.Workloads {
		owners = append(owners, refName(o))
	}
	for _, row := range []struct {
		name string
		all  []string
	}{{"image", f.Images}, {"place", f.placeNames()}, {"platform", f.Platforms}, {"workload", owners}, {"pod", f.podNames()}, {"node", f.Nodes}} {
		if len(row.all) > 0 {
			fmt.Fprintf(w, "| %s | %s |\n", count(len(row.all), row.name), md(names(row.all)))
		}
	}
}

func markdownFacts(w io.Writer, f Finding, r Report) {
	if len(f.Because) > 0 {
		fmt.Fprint(w, "\n### Because\n\n")
		for _, b := range f.Because {
			fmt.Fprintf(w, "- %s  \n  *%s*\n", md(clean(b.Fact)), md(origin(b, r.ObservedAt)))
		}
	}
	if len(f.RuledOut) > 0 {
		fmt.Fprint(w, "\n### Ruled out\n\n")
		for _, o := range f.RuledOut {
			fmt.Fprintf(w, "- %s: %s\n", code(string(o.Cause)), md(clean(o.Why)))
		}
	}
	if len(f.Masks) > 0 {
		fmt.Fprintf(w, "\nShows only because of this: %s\n", md(join(f.Masks)))
	}
}

func markdownPlan(w io.Writer, steps []plan.Step) {
	if len(steps) > 0 {
		fmt.Fprint(w, "\n### What to do\n")
	}
	for i, s := range steps {
		fmt.Fprintf(w, "\n%d. %s\n", i+1, md(clean(s.Title)))
		if s.Note != "" {
			fmt.Fprintf(w, "\n   %s\n", md(clean(s.Note)))
		}
		if len(s.Commands) > 0 {
			markdownCommands(w, s.Commands)
		}
		if s.Undo != "" {
			fmt.Fprintf(w, "\n   Undo: %s\n", md(clean(s.Undo)))
		}
		if s.After != "" {
			fmt.Fprintf(w, "\n   Then: %s\n", md(clean(s.After)))
		}
	}
}

func markdownCommands(w io.Writer, commands []string) {
	var body []string
	longest := 2
	for _, c := range commands {
		line := escapeCommand(c)
		longest = max(longest, ticks(line))
		body = append(body, line)
	}
	fence := strings.Repeat("`", longest+1)
	fmt.Fprintf(w, "\n   %ssh\n", fence)
	for _, line := range body {
		fmt.Fprintf(w, "   %s\n", line)
	}
	fmt.Fprintf(w, "   %s\n", fence)
}

func markdownGaps(w io.Writer, level string, gaps []evidence.Gap) {
	if len(gaps) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s Could not be seen\n\n", level)
	for _, g := range gaps {
		text := clean(g.What) + ": " + clean(g.Why)
		if g.Deciding {
			text += " (could change the verdict)"
		}
		if g.How != "" {
			text += "; to see it: " + clean(g.How)
		}
		fmt.Fprintf(w, "- %s\n", md(text))
	}
}

// md keeps outside text from being read as Markdown or HTML.
func md(s string) string { return markdownEscaper.Replace(s) }

// Mentions and links are broken up too: a message must not notify anybody or point anywhere.
var markdownEscaper = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "|", `\|`,
	"#", `\#`, "&", "&amp;", "@", "&#64;", "~", `\~`, "://", ":&#47;&#47;", "!", `\!`)

// code is a code span whose fence is longer than any run of backticks inside.
func code(s string) string {
	s = clean(s)
	fence := strings.Repeat("`", ticks(s)+1)
	return fence + s + fence
}

func ticks(s string) int {
	longest, run := 0, 0
	for _, r := range s {
		if r == '`' {
			run++
			longest = max(longest, run)
			continue
		}
		run = 0
	}
	return longest
}
