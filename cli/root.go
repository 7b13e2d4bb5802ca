package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
)

// Streams are where a run reads and prints.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// found ends a run whose exit code says what was found; nothing more is printed.
type found int

func (f found) Error() string { return fmt.Sprintf("exit %d", int(f)) }

// Run runs the plugin with args and gives its exit code.
func Run(ctx context.Context, args []string, s Streams) int {
	root := newRoot(s)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var f found
	switch {
	case err == nil:
		return exitFine
	case errors.As(err, &f):
		return int(f)
	case ctx.Err() != nil:
		return explainError(s.Err, context.Canceled)
	}
	return explainError(s.Err, err)
}

const rootLong = `Refloat says why a pod cannot pull its image, with the evidence: from what
Kubernetes knows, from what the registry answers, and from what the failing
node itself sees.

Without a command it runs "why" in the current namespace. Exit codes: 0 nothing
is wrong; 1 refloat itself failed; 2 usage; 3 failing pulls were found; 4 could
not tell; 130 interrupted.`

const rootExample = `  kubectl refloat                      why can pods here not pull?
  kubectl refloat web-7d4b9c-x2x1p     why can this pod not pull?
  kubectl refloat why deploy/web       why can this workload not pull?
  kubectl refloat why -A -o json       everywhere, for a program
  kubectl refloat explain auth.forbidden`

func newRoot(s Streams) *cobra.Command {
	flags := genericclioptions.NewConfigFlags(true)
	w := whyFlags{targetFlags: targetFlags{kube: flags}}
	root := &cobra.Command{
		Use:               "kubectl-refloat [POD | TYPE/NAME]",
		Short:             "Say why pods cannot pull their images",
		Long:              rootLong,
		Example:           rootExample,
		Version:           version(),
		Args:              oneTarget,
		SilenceErrors:     true,
		SilenceUsage:      true,
		ValidArgsFunction: w.completeTarget,
		RunE:              func(cmd *cobra.Command, args []string) error { return w.run(cmd.Context(), s, args) },
		Annotations:       map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl refloat"},
	}
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage("see: "+cmd.CommandPath()+" --help", "%s", err)
	})
	flags.AddFlags(root.PersistentFlags())
	w.bindAll(root)
	root.AddCommand(newWhy(s, flags), newExplain(s), newCollect(s, flags), newReplay(s), newCheck(s, flags), newNode(s, flags))
	return root
}

// oneTarget takes no argument or one.
func oneTarget(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usage("name one POD or TYPE/NAME, or select several with -l",
			"%s takes one target, not %d: %s", cmd.CommandPath(), len(args), strings.Join(args, " "))
	}
	return nil
}

// version is the module's version as the Go toolchain stamped it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
