package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/refloat-dev/refloat/test/cluster/internal/daemon"
	"github.com/refloat-dev/refloat/test/cluster/internal/nodeinit"
	"github.com/refloat-dev/refloat/test/cluster/internal/pki"
	"github.com/refloat-dev/refloat/test/cluster/internal/proc"
)

// Lab is a lab that is up, or on its way.
type Lab struct {
	state          state
	dir            string
	ca, registryCA *pki.Pair
	config         *rest.Config
	client         kubernetes.Interface
}

var getOptions = metav1.GetOptions{}

// Open returns the lab of that name, which another process may have started.
func Open(name string) (*Lab, error) {
	if name == "" {
		name = defaultName
	}
	s, err := readState(name)
	if err != nil || !s.Ready {
		return nil, notUp(name)
	}
	l := &Lab{state: s, dir: stateDir(name)}
	return l, l.connect()
}

func (l *Lab) connect() error {
	var err error
	if l.ca, err = pki.Read(l.path("pki"), "ca"); err != nil {
		return err
	}
	if l.registryCA, err = pki.Read(l.path("pki"), daemon.CA); err != nil {
		return err
	}
	if l.config, err = clientcmd.BuildConfigFromFlags("", l.Kubeconfig()); err != nil {
		return err
	}
	// The lab's clients are tests and benchmarks: client-go's default of 5 requests a second is for polite strangers.
	l.config.QPS = -1
	l.client, err = kubernetes.NewForConfig(l.config)
	return err
}

func (l *Lab) path(parts ...string) string {
	return filepath.Join(append([]string{l.dir}, parts...)...)
}

// Name is the lab's name.
func (l *Lab) Name() string { return l.state.Name }

// Nodes lists the nodes by ascending number. The last is the spare one where there are more than two.
func (l *Lab) Nodes() []Node { return append([]Node{}, l.state.Nodes...) }

// Kubeconfig is the path of the administrator's kubeconfig.
func (l *Lab) Kubeconfig() string { return filepath.Join(l.dir, "kubeconfig") }

// RESTConfig is a copy of the administrator's client configuration, without client-side rate limit.
func (l *Lab) RESTConfig() *rest.Config { return rest.CopyConfig(l.config) }

// Client is a client of the API server with the administrator's rights.
func (l *Lab) Client() kubernetes.Interface { return l.client }

// Bin is the folder with the lab's programs, kubectl among them.
func (l *Lab) Bin() string { return l.state.Bin }

// RegistryCA is the certificate, in PEM, that signs the registries' own; every node's CABundle holds it.
func (l *Lab) RegistryCA() []byte { return l.registryCA.CertPEM() }

// Address is where the lab's DNS has a name, such as a registry's, at first.
func (l *Lab) Address(host string) (string, bool) {
	a, ok := l.state.daemonConfig().Hosts[host]
	return a.String(), ok
}

// Control talks to the lab's DNS and registries; see the daemon's package for the paths.
func (l *Lab) control() daemon.Client { return daemon.Client{Socket: l.path(daemon.Socket)} }

// Exec runs a command inside a node and returns what it printed, both streams in one.
func (l *Lab) Exec(ctx context.Context, node string, args ...string) ([]byte, error) {
	var out bytes.Buffer
	cmd, err := l.Command(ctx, node, args...)
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return out.Bytes(), fmt.Errorf("%s on %s: %w", args[0], node, err)
	}
	return out.Bytes(), nil
}

// Command is a command that will run inside a node, in its namespaces and with its environment; the caller sets the streams.
func (l *Lab) Command(ctx context.Context, node string, args ...string) (*exec.Cmd, error) {
	rec, err := l.nodeProcess(node)
	if err != nil {
		return nil, err
	}
	env := []string{"env", "PATH=" + nodePath(), "HOME=/root", "TMPDIR=/tmp", "CONTAINERD_ADDRESS=/run/containerd/containerd.sock",
		"CONTAINERD_NAMESPACE=k8s.io", "KUBECONFIG=" + adminConf}
	full := append([]string{"-t", strconv.Itoa(rec.PID), "-m", "-n", "-u", "-p", "-C", "--"}, env...)
	return exec.CommandContext(ctx, "nsenter", append(full, args...)...), nil
}

// Init talks to a node's init, which starts and stops its services.
func (l *Lab) Init(node string) (nodeinit.Client, error) {
	n, err := l.node(node)
	if err != nil {
		return nodeinit.Client{}, err
	}
	return nodeinit.Client{Socket: filepath.Join(l.nodeDir(n), nodeinit.Socket)}, nil
}

func (l *Lab) node(name string) (Node, error) {
	var names []string
	for _, n := range l.state.Nodes {
		if n.Name == name {
			return n, nil
		}
		names = append(names, n.Name)
	}
	return Node{}, noNode(name, names)
}

func (l *Lab) nodeProcess(node string) (proc.Record, error) {
	if _, err := l.node(node); err != nil {
		return proc.Record{}, err
	}
	rec, ok := proc.Find(l.path("pids"), node)
	if !ok || !rec.Alive() {
		return rec, &UserError{What: node + " does not run", Do: "start the lab anew: test/cluster/lab down && test/cluster/lab up"}
	}
	return rec, nil
}

// errGaveUp ends a wait early: what it waits for can no longer come.
var errGaveUp = errors.New("it has ended")

// wait repeats f until it works, for a minute and a half at most.
func (l *Lab) wait(ctx context.Context, what string, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	for {
		err := f(ctx)
		if err == nil {
			return nil
		}
		if errors.Is(err, errGaveUp) {
			return fmt.Errorf("waiting for %s: %w", what, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w (last: %w)", what, ctx.Err(), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Log returns the end of one of the lab's logs: a host program's, or NODE/containerd, NODE/kubelet.
func (l *Lab) Log(name string) ([]byte, error) {
	if node, service := filepath.Split(name); node != "" {
		return os.ReadFile(l.path("nodes", node, "log", service+".log"))
	}
	return os.ReadFile(l.path("log", name+".log"))
}
