package cli

import (
	"context"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/kube"
	"github.com/refloat-dev/refloat/kube/nodeprobe"
	"github.com/refloat-dev/refloat/observe"
	"github.com/refloat-dev/refloat/registry"
)

// targetFlags say which pods are meant.
type targetFlags struct {
	kube     *genericclioptions.ConfigFlags
	all      bool
	selector string
	noProbe  bool
	noNode   bool
	// registry and nodes are kept from one look of a watch to the next: they ask nothing again at once.
	registry *registry.Source
	nodes    *nodeprobe.Source
}

// nodesKeep is how long a watch takes what a node saw for what it sees.
const nodesKeep = time.Minute

func (f *targetFlags) bind(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&f.all, "all-namespaces", "A", false, "in every namespace")
	cmd.Flags().StringVarP(&f.selector, "selector", "l", "", "only pods with these labels, such as app=web,tier!=db")
	cmd.Flags().BoolVar(&f.noProbe, "no-probe", false, "ask the API only: nothing is sent to registries, and no node is asked")
	cmd.Flags().BoolVar(&f.noNode, "no-node", false, "do not ask the agents on nodes: create no NodeProbes")
}

// scope turns arguments and flags into what is asked for.
func (f *targetFlags) scope(args []string) (evidence.Scope, error) {
	s := evidence.Scope{AllNamespaces: f.all, Selector: f.selector}
	if len(args) == 1 {
		s.Target = args[0]
	}
	switch {
	case s.Target != "" && f.all:
		return s, usage("leave out -A, or the name", "a target by name is in one namespace, not in all: %s", s.Target)
	case s.Target != "" && f.selector != "":
		return s, usage("leave out -l, or the name", "a target is given by name or by labels, not both: %s", s.Target)
	}
	if _, err := labels.Parse(f.selector); err != nil {
		return s, usage("write it as kubectl does: -l app=web,tier!=db", "the selector %q does not parse: %v", f.selector, err)
	}
	raw, err := f.kube.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return s, &userError{what: "the kubeconfig cannot be read: " + err.Error(), do: "check KUBECONFIG or --kubeconfig", code: exitFailed, err: err}
	}
	context := raw.CurrentContext
	if *f.kube.Context != "" {
		context = *f.kube.Context
	}
	if _, known := raw.Contexts[context]; context != "" && !known {
		return s, usage("list them with: kubectl config get-contexts", "there is no context %q in the kubeconfig", context)
	}
	s.Context, s.Kubeconfig = *f.kube.Context, *f.kube.KubeConfig
	if !f.all {
		if s.Namespace, _, err = f.kube.ToRawKubeConfigLoader().Namespace(); err != nil {
			return s, err
		}
	}
	return s, nil
}

// see looks at the cluster from the api vantage point and, unless that is not wanted, asks the registries and the nodes; a terminal is told how far it is.
func (f *targetFlags) see(ctx context.Context, terminal io.Writer, args []string) (*evidence.Collection, error) {
	scope, err := f.scope(args)
	if err != nil {
		return nil, err
	}
	config, err := f.kube.ToRESTConfig()
	if err != nil {
		return nil, &userError{what: "no cluster is configured: " + err.Error(), do: "set KUBECONFIG, or give --kubeconfig and --context", code: exitFailed, err: err}
	}
	client, err := kube.New(config)
	if err != nil {
		return nil, err
	}
	c, err := kube.Find(ctx, client, scope)
	if err != nil {
		return nil, err
	}
	api := &kube.API{Client: client, Keep: !f.noProbe}
	sources := []observe.Named{{Vantage: evidence.API, Source: api}}
	if !f.noProbe {
		if f.registry == nil {
			f.registry = newRegistrySource(nil)
		}
		f.registry.Secrets = api
		tell, done := progress(terminal, askingRegistries)
		defer done()
		f.registry.Progress = tell
		sources = append(sources, observe.Named{Vantage: evidence.Registry, Source: f.registry})
	}
	if err := observe.Run(ctx, c.Cases, sources...); err != nil || f.noProbe || f.noNode {
		return c, err
	}
	if f.nodes == nil {
		f.nodes = &nodeprobe.Source{Keep: nodesKeep, Verify: storeInDoubt}
	}
	f.nodes.Config = config
	tell, done := progress(terminal, "%d of %d questions to nodes answered")
	defer done()
	f.nodes.Progress = tell
	return c, askNodes(ctx, c, f.nodes, observe.Named{Vantage: evidence.API, Source: &kube.API{Client: client}})
}

// askNodes asks the nodes about all that fails there, and about the suspects what they have stored. A suspect that its node
// shows to be a pull failure is then looked up like any other.
func askNodes(ctx context.Context, c *evidence.Collection, nodes *nodeprobe.Source, api observe.Named) error {
	nodes.Stored = func(one *evidence.Case) bool { return slices.Contains(c.Suspects, one) }
	err := observe.Run(ctx, slices.Concat(c.Cases, c.Suspects), observe.Named{Vantage: evidence.Node, Source: nodes})
	if err != nil {
		return err
	}
	shown := slices.DeleteFunc(slices.Clone(c.Suspects), func(one *evidence.Case) bool {
		_, ok := diagnose.Suspected(one, c.ObservedAt)
		return !ok
	})
	if len(shown) == 0 {
		return nil
	}
	return observe.Run(ctx, shown, api)
}

// coreClient is what completion lists with.
func coreClient(k *genericclioptions.ConfigFlags) (*corev1client.CoreV1Client, error) {
	config, err := k.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	return corev1client.NewForConfig(config)
}

// completeTarget offers the namespace's pods, and the types that lead to pods.
func (f *targetFlags) completeTarget(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	client, err := coreClient(f.kube)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	ns, _, err := f.kube.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	pods, err := client.Pods(ns).List(cmd.Context(), metav1.ListOptions{Limit: 500})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	names := []string{"deploy/", "sts/", "ds/", "job/", "cronjob/"}
	for _, p := range pods.Items {
		names = append(names, p.Name)
	}
	return slices.Clip(names), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}
