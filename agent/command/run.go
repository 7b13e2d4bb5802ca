package command

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/refloat-dev/refloat/agent"
	"github.com/refloat-dev/refloat/node"
	"github.com/refloat-dev/refloat/node/host"
)

const runHelp = `Run stays on a node and answers the NodeProbes that name it. It opens no port,
watches its own node's NodeProbes alone, and changes nothing on the node. It is
what the DaemonSet of deploy/agent runs.
`

func runAgent(ctx context.Context, args []string, s Streams) error {
	f := flag.NewFlagSet("run", flag.ContinueOnError)
	name := f.String("node-name", os.Getenv("NODE_NAME"), "this node's `NAME` in the API; NODE_NAME otherwise")
	root := f.String("host-root", "/", "`FOLDER` where the node's own / is mounted")
	kubeconfig := f.String("kubeconfig", "", "`FILE` in place of the pod's service account")
	rest, err := parse(f, args, s.Out, runHelp)
	switch {
	case err != nil:
		return err
	case len(rest) > 0:
		return &usageError{"run takes no arguments: " + rest[0], "see: refloat-agent run --help"}
	case *name == "":
		return &usageError{"the node's name is not known", "set NODE_NAME, or give --node-name"}
	}
	config, err := clusterConfig(*kubeconfig)
	if err != nil {
		return err
	}
	config.UserAgent = "refloat-agent/" + version()
	engine := &node.Engine{Host: &host.Host{Root: *root}, Name: *name}
	defer func() { _ = engine.Close() }()
	return agent.Run(ctx, agent.Config{
		Node: *name, API: config, Looker: engine, Version: version(), Log: slog.New(slog.NewTextHandler(s.Err, nil)),
	})
}

func clusterConfig(kubeconfig string) (*rest.Config, error) {
	if kubeconfig == "" {
		config, err := rest.InClusterConfig()
		if err != nil {
			return nil, fmt.Errorf("finding the cluster that this pod is in (elsewhere, give --kubeconfig): %w", err)
		}
		return config, nil
	}
	return clientcmd.BuildConfigFromFlags("", kubeconfig)
}
