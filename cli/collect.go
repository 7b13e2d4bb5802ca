package cli

import (
	"context"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/refloat-dev/refloat/evidence"
)

const collectLong = `Collect saves what "why" would look at: every failing pull with its facts and
gaps, as JSON on standard output. Secrets' contents are not in it, messages are
redacted, and the time of observation is its only clock.`

func newCollect(s Streams, kube *genericclioptions.ConfigFlags) *cobra.Command {
	f := targetFlags{kube: kube}
	cmd := &cobra.Command{
		Use:               "collect [POD | TYPE/NAME] > FILE",
		Short:             "Save what was seen, to replay it elsewhere",
		Long:              collectLong,
		Example:           "  kubectl refloat collect -A > case.json",
		Args:              oneTarget,
		ValidArgsFunction: f.completeTarget,
		RunE:              func(cmd *cobra.Command, args []string) error { return collect(cmd.Context(), s, &f, args) },
	}
	f.bind(cmd)
	return cmd
}

func collect(ctx context.Context, s Streams, f *targetFlags, args []string) error {
	c, err := f.see(ctx, s.Err, args)
	if err != nil {
		return interrupted(ctx, err)
	}
	return evidence.Save(s.Out, c)
}
