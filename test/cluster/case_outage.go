package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"

	registryv1 "github.com/google/go-containerregistry/pkg/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/internal/registrytest/imagetest"
)

// outage is a scene whose image is served well, and where something between it and the pod breaks.
type outage struct {
	scene
	// on names the node that the pods are pinned to; nil leaves it to the scheduler.
	on func(*Lab) string
	// files are the image's own, beside the program.
	files []imagetest.File
	// layer is the preset by which the image's own layer fails; empty: it does not.
	layer string
	// served runs once the image is in its registry.
	served func(context.Context, *Lab, registryv1.Image) error
	// fail and restore change what is not a registry's. restore must do where fail stopped half way.
	fail, restore func(context.Context, *Lab) error
	// late runs once the workload is made.
	late func(context.Context, *Lab) error
	// edit changes the pod.
	edit func(*v1.PodSpec)
}

func (o outage) of(c Case) Case {
	c = o.scene.of(c)
	c.Break = func(ctx context.Context, l *Lab) error { return o.begin(ctx, l, c.Name) }
	c.Heal = func(ctx context.Context, l *Lab) error { return o.end(ctx, l, c.Name) }
	return c
}

func (o outage) begin(ctx context.Context, l *Lab, id string) error {
	img, own, err := l.appImage(o.files...)
	if err != nil {
		return err
	}
	if err := errors.Join(l.Push(ctx, o.image, img), o.forget(ctx, l)); err != nil {
		return err
	}
	if o.layer != "" {
		fault := registrytest.Fault{Where: registrytest.Where{Object: own}, Answer: registrytest.Answer{Preset: o.layer}}
		o.faults = append(slices.Clone(o.faults), fault)
	}
	if err := o.prepare(ctx, l, id); err != nil {
		return err
	}
	if o.served != nil {
		if err := o.served(ctx, l, img); err != nil {
			return err
		}
	}
	for _, step := range []func(context.Context, *Lab) error{o.fail, o.start, o.late} {
		if step == nil {
			continue
		}
		if err := step(ctx, l); err != nil {
			return err
		}
	}
	return nil
}

// forget takes the image off the nodes. A break does it too: a pull that the last heal set free, and could not wait for, may
// have put the image there since.
func (o outage) forget(ctx context.Context, l *Lab) error {
	if o.on != nil {
		return l.ForgetImage(ctx, o.on(l), o.image)
	}
	var err error
	for _, n := range l.workers() {
		err = errors.Join(err, l.ForgetImage(ctx, n.Name, o.image))
	}
	return err
}

func (o outage) start(ctx context.Context, l *Lab) error {
	return l.makeWorkload(ctx, o.owner, o.namespace, o.app, o.replicas, o.spec(l))
}

func (o outage) spec(l *Lab) v1.PodSpec {
	spec := o.pod(l).Spec
	if o.on != nil {
		spec.Affinity = nil
		spec.NodeSelector = map[string]string{v1.LabelHostname: o.on(l)}
	}
	if o.edit != nil {
		o.edit(&spec)
	}
	return spec
}

// end restores first: a node whose runtime is down can neither end pods nor forget images.
func (o outage) end(ctx context.Context, l *Lab, id string) error {
	var err error
	if o.restore != nil {
		err = o.restore(ctx, l)
	}
	return errors.Join(err, l.ClearFault(ctx, id), l.DropNamespace(ctx, o.namespace), o.forget(ctx, l))
}

// spareNode is the node that cases may take whole.
func spareNode(l *Lab) string { return l.Spare().Name }

// firstNode is where one node of several is to fail by name or address, with others beside it that do not.
func firstNode(l *Lab) string { return l.Nodes()[0].Name }

// tolerateAll tolerates what a node that is being broken is tainted with.
func tolerateAll(spec *v1.PodSpec) {
	spec.Tolerations = []v1.Toleration{{Operator: v1.TolerationOpExists}}
}

// restartContainerd makes it read its configuration and environment anew, and waits until the node takes pods again.
func (l *Lab) restartContainerd(ctx context.Context, node string) error {
	if err := l.Service(ctx, node, "containerd", "stop"); err != nil {
		return err
	}
	return l.startContainerd(ctx, node)
}

func (l *Lab) startContainerd(ctx context.Context, node string) error {
	if err := l.Service(ctx, node, "containerd", "start"); err != nil {
		return err
	}
	err := l.wait(ctx, node+"'s containerd", func(ctx context.Context) error {
		out, err := l.Exec(ctx, node, "ctr", "--connect-timeout", "1s", "images", "ls", "-q")
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return l.waitNode(ctx, node)
}

// waitPulling waits until the kubelet says that it pulls for a pod of the namespace.
func (l *Lab) waitPulling(ctx context.Context, namespace string) error {
	return l.wait(ctx, "a pull in "+namespace, func(ctx context.Context) error {
		events, err := l.client.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: "reason=Pulling"})
		if err == nil && len(events.Items) == 0 {
			err = errors.New("no event yet")
		}
		return err
	})
}

// waitNode waits until a node is Ready and without taints.
func (l *Lab) waitNode(ctx context.Context, node string) error {
	return l.wait(ctx, node+" to be Ready", func(ctx context.Context) error {
		n, err := l.client.CoreV1().Nodes().Get(ctx, node, getOptions)
		if err != nil {
			return err
		}
		if problem := nodeReady(n); problem != "" {
			return errors.New(problem)
		}
		return nil
	})
}
