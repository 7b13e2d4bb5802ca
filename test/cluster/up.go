package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"golang.org/x/sync/errgroup"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/refloat-dev/refloat/test/cluster/internal/daemon"
	"github.com/refloat-dev/refloat/test/cluster/internal/upstream"
)

// Build builds every program of the lab into the cache and returns the folder.
func Build(ctx context.Context, cfg Config) (string, error) {
	root, err := sourceRoot(ctx)
	if err != nil {
		return "", err
	}
	dir, err := upstream.Build(ctx, root, cfg.Progress)
	if err != nil {
		return "", explainBuild(err)
	}
	return dir, pauseTar(dir)
}

// Up starts the lab of that name, or returns the one that is up already after looking whether it is well. When ctx ends
// before it is up, everything that was started is ended again.
func Up(ctx context.Context, cfg Config) (*Lab, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := Supported(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(stateRoot, 0o700); err != nil {
		return nil, err
	}
	unlock, err := upstream.Lock(ctx, lockFile(cfg.Name))
	if err != nil {
		return nil, err
	}
	defer unlock()
	if s, err := readState(cfg.Name); err == nil && s.Ready {
		return existing(ctx, cfg)
	}
	// What is left of a lab that never came up would be in the way.
	if err := down(ctx, cfg.Name); err != nil {
		return nil, err
	}
	l, err := start(ctx, cfg)
	if err == nil {
		return l, nil
	}
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	return nil, errors.Join(err, down(clean, cfg.Name), os.Remove(lockFile(cfg.Name)))
}

// existing checks a lab that is up and says so.
func existing(ctx context.Context, cfg Config) (*Lab, error) {
	l, err := Open(cfg.Name)
	if err != nil {
		return nil, err
	}
	st := l.Status(ctx)
	if !st.Healthy {
		return nil, &UserError{What: fmt.Sprintf("the lab %q is up but not well: %s", cfg.Name, st.Problem()),
			Do: "heal its broken cases, or start it anew: test/cluster/lab down && test/cluster/lab up"}
	}
	if have := len(l.state.Nodes); have != cfg.Nodes {
		return nil, &UserError{What: fmt.Sprintf("the lab %q is up with %d nodes, not %d", cfg.Name, have, cfg.Nodes),
			Do: "take it down first, or use another --name"}
	}
	fmt.Fprintf(cfg.Progress, "lab: %q is up already, %d nodes Ready\n", cfg.Name, len(l.state.Nodes))
	return l, nil
}

func start(ctx context.Context, cfg Config) (*Lab, error) {
	bin, err := Build(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := upstream.Install(ctx, upstream.MissingTools(), cfg.Progress); err != nil {
		return nil, explainBuild(err)
	}
	if cfg.Program == "" {
		root, err := sourceRoot(ctx)
		if err != nil {
			return nil, err
		}
		if cfg.Program, err = upstream.Lab(ctx, root); err != nil {
			return nil, err
		}
	}
	begin := time.Now()
	l, err := claim(ctx, cfg, bin)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(cfg.Progress, "lab: starting %q with %d nodes on %s\n", cfg.Name, cfg.Nodes, l.state.plan().infra())
	if err := l.boot(ctx, cfg); err != nil {
		return nil, err
	}
	l.state.Ready = true
	if err := l.state.write(); err != nil {
		return nil, err
	}
	fmt.Fprintf(cfg.Progress, "lab: up, %d nodes Ready after %s\n", cfg.Nodes, time.Since(begin).Round(100*time.Millisecond))
	return l, nil
}

// claim takes a subnet, under a lock that all labs share, and writes the state that Down goes by.
func claim(ctx context.Context, cfg Config, bin string) (*Lab, error) {
	unlock, err := upstream.Lock(ctx, filepath.Join(stateRoot, ".subnets.lock"))
	if err != nil {
		return nil, err
	}
	defer unlock()
	p, err := freePlan(takenIndexes(), ownPrefixes())
	if err != nil {
		return nil, &UserError{What: err.Error(), Do: "take a lab down: test/cluster/lab down --name NAME"}
	}
	l := &Lab{state: newState(cfg, p), dir: stateDir(cfg.Name)}
	l.state.Bin = bin
	for _, d := range []string{"log", "pids", "pki"} {
		if err := os.MkdirAll(l.path(d), 0o700); err != nil {
			return nil, err
		}
	}
	// The lab keeps a copy, because the program is built anew by whoever calls next.
	l.state.Program = l.path("lab")
	if err := copyProgram(cfg.Program, l.state.Program); err != nil {
		return nil, err
	}
	return l, l.state.write()
}

func copyProgram(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

func (l *Lab) boot(ctx context.Context, cfg Config) error {
	if err := l.issue(); err != nil {
		return err
	}
	if err := l.bridgeUp(ctx); err != nil {
		return err
	}
	if err := l.startControlPlane(); err != nil {
		return err
	}
	if err := l.startDaemon(); err != nil {
		return err
	}
	if err := l.connect(); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return l.waitAPI(ctx) })
	g.Go(func() error { return l.waitDaemon(ctx) })
	for i := range l.state.Nodes {
		g.Go(func() error { return l.startNode(ctx, i+1, cfg) })
	}
	g.Go(func() error { return l.waitNodes(ctx) })
	return g.Wait()
}

func (l *Lab) waitDaemon(ctx context.Context) error {
	return l.wait(ctx, "DNS and registries", func(ctx context.Context) error {
		return l.control().Call(ctx, "GET", "/ports", nil, nil)
	})
}

func (l *Lab) waitNodes(ctx context.Context) error {
	return l.wait(ctx, "the nodes to be Ready", func(ctx context.Context) error {
		nodes, err := l.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		ready := 0
		for _, n := range nodes.Items {
			if nodeReady(&n) == "" {
				ready++
			}
		}
		if ready < len(l.state.Nodes) {
			return fmt.Errorf("%d of %d are", ready, len(l.state.Nodes))
		}
		return nil
	})
}

// nodeReady is empty for a node that takes pods, and otherwise says why not.
func nodeReady(n *v1.Node) string {
	for _, t := range n.Spec.Taints {
		if t.Effect != v1.TaintEffectPreferNoSchedule {
			return "tainted " + t.Key
		}
	}
	for _, c := range n.Status.Conditions {
		if c.Type == v1.NodeReady && c.Status != v1.ConditionTrue {
			return c.Message
		}
		if c.Type == v1.NodeReady {
			return ""
		}
	}
	return "no Ready condition yet"
}

// pauseTar leaves the image that nodes import beside the programs.
func pauseTar(bin string) error {
	path := filepath.Join(bin, "pause.tar")
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	img, err := daemon.ProgramImage(bin, "pause", 0)
	if err != nil {
		return err
	}
	ref, err := name.NewTag(daemon.Pause)
	if err != nil {
		return err
	}
	tmp := fmt.Sprintf("%s.%d", path, os.Getpid())
	if err := tarball.WriteToFile(tmp, ref, img); err != nil {
		return fmt.Errorf("packing the pause image: %w", err)
	}
	return os.Rename(tmp, path)
}
