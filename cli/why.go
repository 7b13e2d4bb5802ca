package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/refloat-dev/refloat/kube"
	"github.com/refloat-dev/refloat/report"
)

const whyLong = `Why says what keeps pods from getting their images, one finding for each root
cause, with the facts it rests on, what was ruled out, what to do, and what
could not be seen.

It also asks each image's registry as the kubelet would: with the pull secrets
of the pod, in the kubelet's order, and with no other credentials. A credential
that was refused is not tried again for ten minutes, and none is where the
registry may have locked the login out.

Where refloat-agent is installed it also asks the node: for each image that
fails there it creates a NodeProbe, which is all that it ever writes, and which
goes by itself. --no-node leaves that out; --no-probe asks neither registries
nor nodes.

It looks at init, app and ephemeral containers, image volumes, the sandbox's
pause image, images that fail to unpack, pulls that have gone silent, and pods
that admission refused.`

const whyExample = `  kubectl refloat why                  in the current namespace
  kubectl refloat why web-7d4b9c-x2x1p one pod
  kubectl refloat why deploy/web       one workload
  kubectl refloat why -A -o markdown   everywhere, for a ticket
  kubectl refloat why -A --watch       again whenever something changes`

// watchEvery is how often --watch looks again; the kubelet's own retries are 10 s apart at the closest.
const watchEvery = 5 * time.Second

type whyFlags struct {
	targetFlags
	format string
	watch  bool
}

func newWhy(s Streams, kube *genericclioptions.ConfigFlags) *cobra.Command {
	f := whyFlags{targetFlags: targetFlags{kube: kube}}
	cmd := &cobra.Command{
		Use:               "why [POD | TYPE/NAME]",
		Short:             "Say why pods cannot pull their images (the default)",
		Long:              whyLong,
		Example:           whyExample,
		Args:              oneTarget,
		ValidArgsFunction: f.completeTarget,
		RunE:              func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), s, args) },
	}
	f.bindAll(cmd)
	return cmd
}

func (f *whyFlags) bindAll(cmd *cobra.Command) {
	f.bind(cmd)
	bindOutput(cmd, &f.format)
	cmd.Flags().BoolVarP(&f.watch, "watch", "w", false, "look again every few seconds and print what changed, until interrupted")
}

func (f *whyFlags) run(ctx context.Context, s Streams, args []string) error {
	if err := checkFormat(f.format, formats); err != nil {
		return err
	}
	if f.watch {
		return f.runWatch(ctx, s, args)
	}
	c, err := f.see(ctx, s.Err, args)
	if err != nil {
		return interrupted(ctx, err)
	}
	return render(s.Out, f.format, diagnoseAll(c))
}

// runWatch prints the report whenever it differs from the last one but for its clock.
func (f *whyFlags) runWatch(ctx context.Context, s Streams, args []string) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var last string
	for {
		c, err := f.see(ctx, io.Discard, args)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && (last == "" || !passing(err)):
			return err
		case err != nil:
			explainError(s.Err, err) // an API server that is away for a moment ends no watch
		default:
			r := diagnoseAll(c)
			if now := fingerprint(r); now != last {
				last = now
				if err := printChange(s.Out, c.ObservedAt, f.format, r); err != nil {
					return err
				}
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// passing tells an error that may be gone at the next look.
func passing(err error) bool {
	var away *kube.UnreachableError
	return errors.As(err, &away) || errors.Is(err, context.DeadlineExceeded) ||
		apierrors.IsTooManyRequests(err) || apierrors.IsServiceUnavailable(err) || apierrors.IsTimeout(err) || apierrors.IsInternalError(err)
}

// fingerprint is what a report says, without what changes by itself: texts that hold an age, and counts of restarts.
func fingerprint(r report.Report) string {
	var b strings.Builder
	b.WriteString("report\n") // never empty: the first report is news, whatever it says
	for _, f := range r.Findings {
		fmt.Fprintln(&b, f.Cause, f.Confidence, f.Images, f.Nodes, f.Pods)
	}
	for _, c := range r.Crashes {
		fmt.Fprintln(&b, c.Namespace, c.Pod, c.Container)
	}
	for _, g := range r.Gaps {
		fmt.Fprintln(&b, g.What)
	}
	return b.String()
}

// printChange writes one report of a watch, its time first; what the report found is no error here.
func printChange(w io.Writer, at time.Time, format string, r report.Report) error {
	if format == "text" {
		fmt.Fprintf(w, "%s\n\n", at.Local().Format(time.TimeOnly))
	}
	err := render(w, format, r)
	var f found
	if err != nil && !errors.As(err, &f) {
		return err
	}
	_, err = fmt.Fprintln(w)
	return err
}
