package cluster

import (
	"context"
	"errors"
	"strings"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refloat-dev/refloat/internal/registrytest"
)

// scene is what most cases are made of: a namespace with pull secrets and one workload, and what registries do meanwhile.
// Its names are those of any shop's cluster, since a tool that reads the cluster must not find the answer in them.
type scene struct {
	namespace, app, image string
	owner                 ownerKind
	replicas              int32 // of a Deployment or StatefulSet; zero: 1
	// secrets are made first; the pods name them, and then those in alsoNamed.
	secrets   []v1.Secret
	alsoNamed []string
	users     []registrytest.User // of the image's registry
	// faults need no ID, and no Where.Host or Where.Repository: they are the image's own.
	faults []registrytest.Fault
}

// of completes a case: where its pods are, how it breaks and how it heals.
func (s scene) of(c Case) Case {
	c.Pods = Selector{s.namespace, "app=" + s.app}
	c.Image = s.image
	if s.owner != barePod {
		c.Owner = string(s.owner) + "/" + s.app
	}
	c.Break = func(ctx context.Context, l *Lab) error { return s.start(ctx, l, c.Name) }
	c.Heal = func(ctx context.Context, l *Lab) error { return s.end(ctx, l, c.Name) }
	return c
}

func (s scene) start(ctx context.Context, l *Lab, id string) error {
	if err := s.prepare(ctx, l, id); err != nil {
		return err
	}
	return l.makeWorkload(ctx, s.owner, s.namespace, s.app, s.replicas, s.pod(l).Spec)
}

// prepare makes everything but the workload.
func (s scene) prepare(ctx context.Context, l *Lab, id string) error {
	host, repo := splitImage(s.image)
	for _, u := range s.users {
		if err := l.SetUser(ctx, host, u); err != nil {
			return err
		}
	}
	for _, f := range s.faults {
		f.ID = id
		f.Where.Host, f.Where.Repository = host, repo
		if err := l.AddFault(ctx, f); err != nil {
			return err
		}
	}
	if err := l.MakeNamespace(ctx, s.namespace); err != nil {
		return err
	}
	for _, secret := range s.secrets {
		if err := l.makeSecret(ctx, s.namespace, secret); err != nil {
			return err
		}
	}
	return nil
}

// end leaves nothing behind, on the nodes neither: where somebody mended the failure the image is there by now, and the
// next break would not pull.
func (s scene) end(ctx context.Context, l *Lab, id string) error {
	err := errors.Join(l.ClearFault(ctx, id), l.DropNamespace(ctx, s.namespace))
	for _, n := range l.workers() {
		err = errors.Join(err, l.ForgetImage(ctx, n.Name, s.image))
	}
	return err
}

func (s scene) pod(l *Lab) *v1.Pod {
	p := Pod(s.namespace, s.app, s.image)
	for _, secret := range s.secrets {
		p.Spec.ImagePullSecrets = append(p.Spec.ImagePullSecrets, v1.LocalObjectReference{Name: secret.Name})
	}
	for _, name := range s.alsoNamed {
		p.Spec.ImagePullSecrets = append(p.Spec.ImagePullSecrets, v1.LocalObjectReference{Name: name})
	}
	p.Spec.Affinity = l.awayFromSpare()
	return p
}

// splitImage returns an image's host, without the port that all of the lab's have, and repository.
func splitImage(image string) (host, repo string) {
	host, repo, _ = strings.Cut(image, "/")
	host = strings.TrimSuffix(host, ":443")
	repo, _, _ = strings.Cut(repo, "@")
	repo, _, _ = strings.Cut(repo, ":")
	return host, repo
}

// workers are the nodes where pods run that awayFromSpare keeps: the spare one's runtime may be down.
func (l *Lab) workers() []Node {
	nodes := l.Nodes()
	return nodes[:max(len(nodes)-1, min(len(nodes), 2))]
}

// awayFromSpare keeps pods off the node that other cases take whole. With two nodes or fewer there is none to keep off.
func (l *Lab) awayFromSpare() *v1.Affinity {
	if len(l.state.Nodes) < 3 {
		return nil
	}
	other := v1.NodeSelectorRequirement{Key: v1.LabelHostname, Operator: v1.NodeSelectorOpNotIn, Values: []string{l.Spare().Name}}
	return &v1.Affinity{NodeAffinity: &v1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &v1.NodeSelector{
		NodeSelectorTerms: []v1.NodeSelectorTerm{{MatchExpressions: []v1.NodeSelectorRequirement{other}}},
	}}}
}

func (l *Lab) makeSecret(ctx context.Context, namespace string, secret v1.Secret) error {
	_, err := l.client.CoreV1().Secrets(namespace).Create(ctx, &secret, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// waitForPod waits until the API server has a pod, whatever becomes of it.
func (l *Lab) waitForPod(ctx context.Context, s Selector) error {
	return l.wait(ctx, "a pod in "+s.Namespace, func(ctx context.Context) error {
		pods, err := l.client.CoreV1().Pods(s.Namespace).List(ctx, metav1.ListOptions{LabelSelector: s.Label})
		if err == nil && len(pods.Items) == 0 {
			return errors.New("there is none")
		}
		return err
	})
}

// ForgetImage removes an image from a node under all its names; one that is not there is no error.
func (l *Lab) ForgetImage(ctx context.Context, node, image string) error {
	out, err := l.Exec(ctx, node, "ctr", "images", "ls")
	if err != nil {
		return err
	}
	digest := ""
	names := map[string][]string{} // by digest: the CRI plugin keeps an image as tag, as digest and as ID
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) > 2 {
			names[f[2]] = append(names[f[2]], f[0])
			if f[0] == image {
				digest = f[2]
			}
		}
	}
	if digest == "" {
		return nil
	}
	_, err = l.Exec(ctx, node, append([]string{"ctr", "images", "rm", "--sync"}, names[digest]...)...)
	return err
}
