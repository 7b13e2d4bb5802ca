package cli

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/plan"
	"github.com/refloat-dev/refloat/report"
)

// formats are the values of -o.
var formats = []string{"text", "json", "yaml", "markdown", "sarif", "junit"}

func bindOutput(cmd *cobra.Command, format *string) {
	cmd.Flags().StringVarP(format, "output", "o", "text", "format: "+strings.Join(formats, ", "))
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
}

func checkFormat(format string, known []string) error {
	if slices.Contains(known, format) {
		return nil
	}
	return usage("use one of: "+strings.Join(known, ", "), "unknown output format %q", format)
}

// diagnoseAll is the pure half of the pipeline: the same for a live cluster and for a saved case.
func diagnoseAll(c *evidence.Collection) report.Report {
	findings := diagnose.Findings(c)
	plans := make([]plan.Plan, len(findings))
	for i, f := range findings {
		plans[i] = plan.For(f).Aim(c.Scope.Context, c.Scope.Kubeconfig)
		findings[i].Gaps = aimGaps(f.Gaps, c.Scope)
	}
	r := report.New(c, findings, plans)
	r.Gaps = aimGaps(r.Gaps, c.Scope)
	return r
}

// aimGaps makes the commands that would close gaps act on the cluster that was looked at.
func aimGaps(gaps []evidence.Gap, s evidence.Scope) []evidence.Gap {
	out := make([]evidence.Gap, len(gaps))
	for i, g := range gaps {
		g.How = plan.Aim(g.How, s.Context, s.Kubeconfig)
		out[i] = g
	}
	return out
}

// render prints r and gives the exit code as an error.
func render(w io.Writer, format string, r report.Report) error {
	if err := report.Write(w, report.Format(format), r, report.OptionsFor(w)); err != nil {
		return err
	}
	return exitFor(r)
}

// exitFor is nil where nothing is wrong.
func exitFor(r report.Report) error { return exitOf(report.Exit(r)) }

func exitOf(v report.Verdict) error {
	switch v {
	case report.Failing:
		return found(exitFailing)
	case report.CannotTell:
		return found(exitCannotTell)
	}
	return nil
}

// interrupted tells an error that only says that the run was stopped.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
