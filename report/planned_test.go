package report_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/plan"
	"github.com/refloat-dev/refloat/report"
)

func plannedCase(image, platform string, places ...evidence.Place) *evidence.Case {
	return &evidence.Case{
		Pull: evidence.Pull{
			Namespace: "shop", Kind: evidence.Planned, Image: image, Platform: platform,
			Workload: evidence.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "shop", Name: "web"},
		},
		Facts: []*evidence.Fact{}, Places: places,
	}
}

// checkScene is a check of three images: one is not there, of one nothing is known, one would pull.
func checkScene() report.Report {
	web := evidence.Ref{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"}
	fine, typo := plannedCase("reg.lab/shop/web:1", "linux/amd64"), plannedCase("reg.lab/shop/wbe:1", "linux/amd64",
		evidence.Place{File: "deploy/shop, all: 100%.yaml", Line: 12, Object: web}, evidence.Place{File: "deploy/web.yaml", Line: 40, Object: web})
	open := plannedCase("hidden.lab/a:1", "linux/arm64", evidence.Place{File: "-", Line: 7})
	c := &evidence.Collection{ObservedAt: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), Cases: []*evidence.Case{fine, typo, open}}
	c.Gaps = []evidence.Gap{{Vantage: evidence.API, What: "the nodes' disks", Why: "Forbidden: nodes/proxy"}}
	findings := []diagnose.Finding{
		{Diagnosis: diagnose.Diagnosis{Cause: diagnose.RepositoryNotFound, Confidence: diagnose.Likely,
			Summary: "reg.lab has no repository shop/wbe\n::set-env name=X::y"}, Cases: []*evidence.Case{typo}},
		{Diagnosis: diagnose.Diagnosis{Cause: diagnose.Unknown, Summary: "hidden.lab cannot be reached from here", Gaps: []evidence.Gap{
			{Vantage: evidence.Registry, What: "what hidden.lab answers", Why: "no such host", Deciding: true}}}, Cases: []*evidence.Case{open}},
	}
	return report.New(c, findings, []plan.Plan{{Steps: []plan.Step{{Title: "Correct the image in the manifest"}}}})
}

func TestCheckGolden(t *testing.T) {
	t.Parallel()
	for _, format := range append(report.Formats(), report.GitHub) {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			got, err := render(format, checkScene(), report.Options{})
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "check-"+string(format), got)
		})
	}
}

// TestServedNow: what the registry serves by now is not headed by what it once refused alone.
func TestServedNow(t *testing.T) {
	t.Parallel()
	one := plannedCase("reg.lab/shop/web:1", "")
	one.Pull.Kind, one.Pull.Pod = evidence.App, "web-1"
	f := diagnose.Finding{Diagnosis: diagnose.Diagnosis{Cause: diagnose.TagNotFound, Confidence: diagnose.Possible, ServedNow: true, Summary: "reg.lab/shop/web:1 is served now"}, Cases: []*evidence.Case{one}}
	r := report.New(&evidence.Collection{Cases: []*evidence.Case{one}}, []diagnose.Finding{f}, nil)
	for format, want := range map[report.Format]string{report.Text: "Served now; before: the tag does not exist\n", report.Markdown: "Served now; before: the tag does not exist\n", report.JSON: `"servedNow": true`} {
		got, err := render(format, r, report.Options{})
		if err != nil || !strings.Contains(got, want) {
			t.Errorf("%s: %v, no %q in\n%s", format, err, want, got)
		}
	}
}

// TestGitHubCommands: whatever a text holds, a line is one command with one title and one message.
func TestGitHubCommands(t *testing.T) {
	t.Parallel()
	const nasty = "a%b,c:d::error::e\r\n::stop-commands::f\x1b[31m"
	c := plannedCase(nasty, "linux/amd64", evidence.Place{File: nasty, Line: 3})
	r := report.New(&evidence.Collection{Cases: []*evidence.Case{c}, Gaps: []evidence.Gap{{What: nasty, Why: nasty, How: nasty}}},
		[]diagnose.Finding{{Diagnosis: diagnose.Diagnosis{Cause: diagnose.DNS, Summary: nasty}, Cases: []*evidence.Case{c}}}, nil)
	got, err := render(report.GitHub, r, report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
	if len(lines) != 3 || strings.ContainsAny(got, "\r\x1b") {
		t.Fatalf("%d lines: %q", len(lines), got)
	}
	if want := `::error file=a%25b%2Cc%3Ad%3A%3Aerror%3A%3Ae %3A%3Astop-commands%3A%3Af\x1b[31m,line=3,title=`; !strings.HasPrefix(lines[0], want) {
		t.Errorf("%q does not begin with %q", lines[0], want)
	}
	for _, l := range lines {
		head, _, _ := strings.Cut(strings.TrimPrefix(l, "::"), "::")
		if !strings.HasPrefix(head, "error ") && !strings.HasPrefix(head, "notice ") {
			t.Errorf("command %q", head)
		}
	}
}

func TestCheckHeadline(t *testing.T) {
	t.Parallel()
	finding := func(cause diagnose.Code, c *evidence.Case) diagnose.Finding {
		return diagnose.Finding{Diagnosis: diagnose.Diagnosis{Cause: cause}, Cases: []*evidence.Case{c}}
	}
	a, b := plannedCase("a:1", "linux/amd64"), plannedCase("b:1", "linux/arm64")
	deciding := []evidence.Gap{{What: "x", Deciding: true}}
	tests := []struct {
		name     string
		findings []diagnose.Finding
		gaps     []evidence.Gap
		want     string
		exit     report.Verdict
	}{
		{"fine", nil, nil, "2 images would pull on linux/amd64, linux/arm64", report.NothingWrong},
		{"a gap that decides", nil, deciding, "cannot tell: 2 images would pull on linux/amd64, linux/arm64, but not all could be seen", report.CannotTell},
		{"one fails", []diagnose.Finding{finding(diagnose.TagNotFound, a)}, nil, "1 of 2 images would not pull on linux/amd64, linux/arm64", report.Failing},
		{"one is not known", []diagnose.Finding{finding(diagnose.Unknown, b)}, nil, "cannot tell whether 1 of 2 images would pull on linux/amd64, linux/arm64", report.CannotTell},
		{"both", []diagnose.Finding{finding(diagnose.Unknown, b), finding(diagnose.DNS, a)}, nil,
			"1 of 2 images would not pull on linux/amd64, linux/arm64; of 1 it cannot be told", report.Failing},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := report.New(&evidence.Collection{Cases: []*evidence.Case{a, b}, Gaps: tt.gaps}, tt.findings, nil)
			got, err := render(report.Text, r, report.Options{Width: 200})
			if err != nil {
				t.Fatal(err)
			}
			if line, _, _ := strings.Cut(got, "\n"); line != tt.want || report.Exit(r) != tt.exit {
				t.Errorf("%s: %q", report.Exit(r), line)
			}
		})
	}
	var many []*evidence.Case
	for i := range 12 {
		many = append(many, plannedCase(fmt.Sprintf("a:%d", i), "linux/amd64"))
	}
	r := report.New(&evidence.Collection{Cases: many}, nil, nil)
	if got, err := render(report.Text, r, report.Options{}); err != nil || got != "12 images would pull on linux/amd64\n" {
		t.Errorf("%q, %v", got, err)
	}
}
