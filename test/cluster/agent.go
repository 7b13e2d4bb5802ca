package cluster

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// AgentNamespace is where the agent is installed, AgentImage what its nodes know it by.
const (
	AgentNamespace = "refloat-system"
	AgentImage     = "ghcr.io/refloat-dev/refloat-agent:dev"
	agent          = "refloat-agent"
)

// InstallAgent builds the agent as it is now and installs it from deploy/agent, or replaces the one that is there. It returns
// when one runs on every node.
func (l *Lab) InstallAgent(ctx context.Context) error {
	root, err := sourceRoot(ctx)
	if err != nil {
		return err
	}
	module := filepath.Join(root, "..", "..")
	tarball := l.path("agent.tar")
	build := exec.CommandContext(ctx, "go", "run", "-trimpath", "./deploy/image", "-o", tarball, "-image", AgentImage)
	build.Dir, build.Env = module, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the agent's image: %w: %s", err, bytes.TrimSpace(out))
	}
	data, err := os.ReadFile(tarball)
	if err != nil {
		return err
	}
	g, loading := errgroup.WithContext(ctx)
	for _, n := range l.state.Nodes {
		g.Go(func() error { return l.LoadImage(loading, n.Name, tarball) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	if err := l.applyAgent(ctx, filepath.Join(module, "deploy", "agent"), hex.EncodeToString(sum[:])); err != nil {
		return fmt.Errorf("installing the agent: %w", err)
	}
	return l.waitAgent(ctx)
}

// LoadImage imports an image from a file of this machine into a node's runtime.
func (l *Lab) LoadImage(ctx context.Context, node, tarball string) error {
	f, err := os.Open(tarball)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	cmd, err := l.Command(ctx, node, "ctr", "-n", "k8s.io", "images", "import", "-")
	if err != nil {
		return err
	}
	cmd.Stdin = f
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("loading %s on %s: %w: %s", filepath.Base(tarball), node, err, bytes.TrimSpace(out))
	}
	return nil
}

// applyAgent applies a kustomization. The build's name in the pods' template has them replaced where the program is another one.
func (l *Lab) applyAgent(ctx context.Context, dir, build string) error {
	objects, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		return err
	}
	client, err := dynamic.NewForConfig(l.config)
	if err != nil {
		return err
	}
	groups, err := restmapper.GetAPIGroupResources(l.client.Discovery())
	if err != nil {
		return err
	}
	mapper := restmapper.NewDiscoveryRESTMapper(groups)
	for _, o := range objects.Resources() {
		fields, err := o.Map()
		if err != nil {
			return err
		}
		u := &unstructured.Unstructured{Object: fields}
		if u.GetKind() == "DaemonSet" {
			if err := unstructured.SetNestedField(fields, build, "spec", "template", "metadata", "annotations", "build"); err != nil {
				return err
			}
		}
		kind := u.GroupVersionKind()
		mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
		if err != nil {
			return err
		}
		_, err = client.Resource(mapping.Resource).Namespace(u.GetNamespace()).Apply(ctx, u.GetName(), u,
			metav1.ApplyOptions{FieldManager: "lab", Force: true})
		if err != nil {
			return err
		}
	}
	return nil
}

// waitAgent waits until this build of the agent runs on every node.
func (l *Lab) waitAgent(ctx context.Context) error {
	return l.wait(ctx, "the agent on every node", func(ctx context.Context) error {
		ds, err := l.client.AppsV1().DaemonSets(AgentNamespace).Get(ctx, agent, getOptions)
		if err != nil {
			return err
		}
		s, all := ds.Status, int32(len(l.state.Nodes))
		switch {
		case s.ObservedGeneration < ds.Generation:
			return errors.New("nothing has been made of it yet")
		case s.UpdatedNumberScheduled < all || s.NumberAvailable < all:
			return fmt.Errorf("%d of %d are of this build, %d run", s.UpdatedNumberScheduled, all, s.NumberAvailable)
		}
		return nil
	})
}
