package agent

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/kube/wire"
	"github.com/refloat-dev/refloat/node"
)

// take finds out what a NodeProbe asks, and has it looked for. ctx is the agent's, own ends with the NodeProbe.
func (a *agent) take(ctx, own context.Context, e *entry) {
	var wait backoff
	for own.Err() == nil {
		q, refused, err := a.question(own, &e.record)
		switch {
		case err != nil && own.Err() == nil:
			a.Log.Warn("cannot read a NodeProbe's pod", "probe", e.name(), "error", err)
			wait.sleep(own, err)
			continue
		case refused != "":
			a.refuse(own, e, refused)
		case err == nil:
			a.join(ctx, e, q)
		}
		return
	}
}

// question is what a NodeProbe asks; refused is why it gets no answer here. Nothing that its author could have written in
// place of the pod's own spec is taken.
func (a *agent) question(ctx context.Context, r *record) (q node.Question, refused string, err error) {
	q = node.Question{Image: r.Spec.Image, Verify: r.Spec.Verify}
	if q.Verify {
		q.Rate = a.Rate
		if r.Spec.Rate > 0 {
			q.Rate = min(r.Spec.Rate, a.Rate)
		}
		if r.Spec.Pod != nil {
			q.Rate = max(q.Rate, a.Rate/4) // nobody holds a place for an hour by asking for a byte in a second
		}
	}
	for _, c := range r.Spec.Checks {
		if !slices.Contains(node.Checks(), node.Check(c)) {
			return q, fmt.Sprintf("there is no check %q", evidence.Clean(c)), nil
		}
		q.Checks = append(q.Checks, node.Check(c))
	}
	slices.Sort(q.Checks)
	q.Checks = slices.Compact(q.Checks)
	if r.Spec.Pod != nil {
		q.Image, refused, err = a.podImage(ctx, r)
	}
	if refused == "" && len(q.Image) > evidence.MaxReference {
		refused = fmt.Sprintf("the image reference is longer than %d bytes", evidence.MaxReference)
	}
	return q, refused, err
}

// pod is the part of a Pod that says which images it has, and where it runs.
type pod struct {
	Metadata struct {
		UID string `json:"uid"`
	} `json:"metadata"`
	Spec struct {
		NodeName  string      `json:"nodeName"`
		App       []container `json:"containers"`
		Init      []container `json:"initContainers"`
		Ephemeral []container `json:"ephemeralContainers"`
		Volumes   []struct {
			Name  string `json:"name"`
			Image *struct {
				Reference string `json:"reference"`
			} `json:"image"`
		} `json:"volumes"`
	} `json:"spec"`
}

// podName keeps a name from being another path.
var podName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)

type container struct {
	Name  string `json:"name"`
	Image string `json:"image"`
}

// podImage is the image of the container that a NodeProbe names, by the pod's own spec, if that pod is this node's.
func (a *agent) podImage(ctx context.Context, r *record) (image, refused string, err error) {
	ref := r.Spec.Pod
	if !podName.MatchString(ref.Name) {
		return "", fmt.Sprintf("%q is no pod's name", evidence.Clean(ref.Name)), nil
	}
	name := r.Metadata.Namespace + "/" + ref.Name
	var p pod
	err = a.request(ctx, wire.Request{Path: "/api/v1/namespaces/" + r.Metadata.Namespace + "/pods/" + ref.Name}, &p)
	switch {
	case apierrors.IsNotFound(err):
		return "", "pod " + name + " does not exist", nil
	case apierrors.IsForbidden(err):
		return "", "the agent may not read pod " + name + ": " + evidence.Clean(err.Error()), nil
	case err != nil:
		return "", "", err
	case p.Metadata.UID != ref.UID:
		return "", fmt.Sprintf("pod %s is another one by now: its UID is %s", name, p.Metadata.UID), nil
	case p.Spec.NodeName != a.Node:
		return "", fmt.Sprintf("pod %s is not on this node but on %q", name, p.Spec.NodeName), nil
	}
	if ref.Volume != "" {
		for _, v := range p.Spec.Volumes {
			if v.Name == ref.Volume && v.Image != nil {
				return named(v.Image.Reference, "image volume "+ref.Volume+" of pod "+name)
			}
		}
		return "", fmt.Sprintf("pod %s has no image volume %q", name, ref.Volume), nil
	}
	for _, c := range slices.Concat(p.Spec.App, p.Spec.Init, p.Spec.Ephemeral) {
		if c.Name == ref.Container {
			return named(c.Image, "container "+ref.Container+" of pod "+name)
		}
	}
	return "", fmt.Sprintf("pod %s has no container %q", name, ref.Container), nil
}

// named refuses an image that is empty: a look without one is at the whole node, which takes a permission of its own.
func named(image, of string) (string, string, error) {
	if image == "" {
		return "", of + " names no image", nil
	}
	return image, "", nil
}
