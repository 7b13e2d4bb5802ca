package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/refloat-dev/refloat/api/v1alpha1"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/kube/nodeprobe"
	"github.com/refloat-dev/refloat/kube/wire"
	"github.com/refloat-dev/refloat/report"
)

const nodeLong = `Node shows what one node sees, through the refloat-agent that runs there: whether
its runtime is well and how it is configured, the room on its disks, what it has
stored, downloads that stand still, and the kubelet's credential providers. With
--image also the way to every host that a pull of that image would touch: names
by each resolver, connections, certificates, proxies, mirrors, the registry's own
answer. What is wrong comes first.

It creates a NodeProbe that names no pod, which takes a permission of its own
(cluster role refloat-probe-free), and changes nothing on the node. Without the
agent the same can be had on the node itself: refloat-agent probe IMAGE.

Exit codes: 0 nothing is wrong there; 3 something is; 4 could not tell.`

const nodeExample = `  kubectl refloat node worker-7
  kubectl refloat node worker-7 --image reg.example.com/shop/web:2.0
  kubectl refloat node worker-7 --verify        read all stored content, and compare it with its digests
  kubectl refloat node worker-7 -o json`

// verifyWait is how long an answer is awaited where all stored content is read: the agent's own limit, and a little.
const verifyWait = time.Hour + time.Minute

var nodeFormats = []string{string(report.Text), string(report.JSON), string(report.YAML)}

type nodeFlags struct {
	kube   *genericclioptions.ConfigFlags
	image  string
	verify bool
	rate   int64
	format string
}

func newNode(s Streams, kube *genericclioptions.ConfigFlags) *cobra.Command {
	f := nodeFlags{kube: kube}
	cmd := &cobra.Command{
		Use:     "node NODE",
		Short:   "Show what one node sees: registries, runtime, disk, stored content",
		Long:    nodeLong,
		Example: nodeExample,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return usage("list them with: kubectl get nodes", "node takes one NODE, not %d", len(args))
			}
			return nil
		},
		ValidArgsFunction: f.complete,
		RunE:              func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), s, args[0]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.image, "image", "", "what a pull of this image would meet there")
	flags.BoolVar(&f.verify, "verify", false, "read stored content and compare it with its digests: all of it, or the image's")
	flags.Int64Var(&f.rate, "rate", 0, "bytes that --verify may read in a second; 0 is the agent's own limit")
	flags.StringVarP(&f.format, "output", "o", "text", "format: text, json, yaml")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(nodeFormats, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (f *nodeFlags) run(ctx context.Context, s Streams, name string) error {
	if err := checkFormat(f.format, nodeFormats); err != nil {
		return err
	}
	if f.rate < 0 {
		return usage("leave it out for the agent's own limit", "--rate cannot be negative: %d", f.rate)
	}
	target := targetFlags{kube: f.kube}
	scope, err := target.scope(nil)
	if err != nil {
		return err
	}
	config, err := f.kube.ToRESTConfig()
	if err != nil {
		return &userError{what: "no cluster is configured: " + err.Error(), do: "set KUBECONFIG, or give --kubeconfig and --context", code: exitFailed, err: err}
	}
	api, err := wire.New(config)
	if err != nil {
		return err
	}
	defer api.Close()
	if err := knownNode(ctx, api, name); err != nil {
		return interrupted(ctx, err)
	}
	namespace := nodeprobe.Namespace // who may read NodeProbes of a tenant's namespace may not see a whole node
	if *f.kube.Namespace != "" {
		namespace = *f.kube.Namespace
	}
	q := nodeprobe.Question{Namespace: namespace, Spec: v1alpha1.NodeProbeSpec{NodeName: name, Image: f.image, Verify: f.verify, Rate: f.rate}}
	asker := nodeprobe.Asker{API: api}
	if f.verify {
		asker.Wait = verifyWait
	}
	began := time.Now()
	done := waiting(s.Err, name)
	answer, err := asker.Ask(ctx, q)
	done()
	if err != nil {
		return unanswered(ctx, err, q)
	}
	v := report.NodeView{ObservedAt: began, Node: name, Image: evidence.CleanReference(f.image), Facts: answer.Facts, Gaps: aimGaps(answer.Gaps, scope), Cut: answer.Cut}
	if err := report.WriteNode(s.Out, report.Format(f.format), v, report.OptionsFor(s.Out)); err != nil {
		return err
	}
	return exitOf(report.ExitNode(v))
}

// knownNode refuses a name that no node has: nobody would answer. Who may not read nodes is believed.
func knownNode(ctx context.Context, api *wire.Client, name string) error {
	err := api.Do(ctx, wire.Request{Path: "/api/v1/nodes/" + name}, nil)
	switch {
	case apierrors.IsNotFound(err):
		return usage("list them with: kubectl get nodes", "there is no node %q", name)
	case apierrors.IsForbidden(err):
		return nil
	}
	return err
}

// unanswered is why nothing was seen of a node, as exit code 4 where refloat and the API server did what they could.
func unanswered(ctx context.Context, err error, q nodeprobe.Question) error {
	var refused *nodeprobe.RefusedError
	var silent *nodeprobe.SilentError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case apierrors.IsForbidden(err), errors.As(err, &refused), errors.As(err, &silent), errors.Is(err, nodeprobe.ErrNotInstalled):
		why, how := nodeprobe.Explain(err, q)
		if errors.Is(err, nodeprobe.ErrNotInstalled) {
			how = "install it with: " + how + ", or run on the node: refloat-agent probe"
		}
		return &userError{what: why, do: how, code: exitCannotTell, err: err}
	}
	return err
}

// waiting shows on a terminal that an answer is awaited, and takes that away again.
func waiting(w io.Writer, node string) (end func()) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return func() {}
	}
	const again = "\r\x1b[K"
	began, tick, stop, stopped := time.Now(), time.NewTicker(time.Second), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				fmt.Fprint(f, again)
				return
			case <-tick.C:
				fmt.Fprintf(f, again+"waiting for the agent on %s, %d s", report.OneLine(node), int(time.Since(began).Seconds()))
			}
		}
	}()
	return func() {
		tick.Stop()
		close(stop)
		<-stopped
	}
}

// complete offers the cluster's nodes.
func (f *nodeFlags) complete(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	client, err := coreClient(f.kube)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	nodes, err := client.Nodes().List(cmd.Context(), metav1.ListOptions{Limit: 500})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []string
	for _, n := range nodes.Items {
		names = append(names, n.Name)
	}
	return slices.Clip(names), cobra.ShellCompDirectiveNoFileComp
}
