package manifest

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"

	"github.com/refloat-dev/refloat/evidence"
)

const (
	// maxImages bounds what one run reads.
	maxImages = 100000
	// maxPullSecrets bounds what one pod may name.
	maxPullSecrets = 100
)

// templates reads the images of every pod template that an object holds.
func (o *object) templates(s shape) error {
	var settings []*yaml.Node
	for _, path := range s.settings {
		settings = append(settings, at(o.node, path)...)
	}
	for _, path := range s.specs {
		for _, spec := range at(o.node, path) {
			if err := o.template(spec, s.containers, settings); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *object) template(spec *yaml.Node, slots []slot, settings []*yaml.Node) error {
	p, err := o.pod(append([]*yaml.Node{spec}, settings...))
	if err != nil {
		return err
	}
	for _, sl := range slots {
		found := []*yaml.Node{spec}
		if sl.path != "" {
			found = at(spec, sl.path)
		}
		for _, n := range found {
			for _, c := range listOf(n) {
				err := o.image(field(c, "image"), Image{
					Kind: sl.kind, Container: evidence.Clean(text(field(c, "name"))), Policy: evidence.Clean(text(field(c, "imagePullPolicy"))), Pod: p,
				})
				if err != nil {
					return err
				}
			}
		}
	}
	for _, v := range at(spec, "volumes.*") {
		source := field(v, "image")
		err := o.image(field(source, "reference"), Image{
			Kind: evidence.VolumeImage, Volume: evidence.Clean(text(field(v, "name"))), Policy: evidence.Clean(text(field(source, "pullPolicy"))), Pod: p,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// image keeps one reference; n is its scalar.
func (o *object) image(n *yaml.Node, i Image) error {
	ref := text(n)
	if ref == "" {
		return nil // a patch, or a container whose image a controller knows
	}
	i.Reference, i.Place = evidence.CleanReference(ref), o.place(n.Line)
	if why := o.later(ref); why != "" {
		o.set.Later = append(o.set.Later, Later{i.Reference, why, i.Place})
		return nil
	}
	if strings.Contains(ref, "{{") {
		return o.fail(n.Line, render, "the image %q is a template that nobody has rendered", i.Reference)
	}
	if o.images++; o.images > maxImages {
		return o.fail(n.Line, "check them in parts", "there are more than %d images", maxImages)
	}
	o.set.Images = append(o.set.Images, i)
	return nil
}

// later says why an image can only be known once something else has run; empty where it stands there.
func (o *object) later(ref string) string {
	group, _, _ := strings.Cut(o.ref.APIVersion, "/")
	switch {
	case group == argoproj && strings.Contains(ref, "{{"):
		return "a parameter of the " + o.ref.Kind
	case group == tekton && strings.Contains(ref, "$("):
		return "a parameter of the " + o.ref.Kind
	case strings.Contains(ref, "${"):
		return "a variable that nobody has filled in"
	case strings.HasPrefix(ref, "ko://"):
		return "ko builds it: pipe what `ko resolve` prints"
	case ref == "auto":
		return "a webhook puts it in when the pod is made"
	}
	return ""
}

// pod reads what decides about pulls from the first of the nodes that says it.
func (o *object) pod(from []*yaml.Node) (*Pod, error) {
	first := func(key string) *yaml.Node {
		for _, n := range from {
			if v := field(n, key); v != nil && resolve(v).Tag != "!!null" {
				return v
			}
		}
		return nil
	}
	p := &Pod{Namespace: o.ref.Namespace, ServiceAccount: evidence.Clean(text(first("serviceAccountName"))), OS: evidence.Clean(text(field(first("os"), "name")))}
	if p.ServiceAccount == "" {
		p.ServiceAccount = evidence.Clean(text(first("serviceAccount")))
	}
	for _, s := range values(first("imagePullSecrets")) {
		p.OwnSecrets = true
		if name := text(field(s, "name")); name != "" && len(p.PullSecrets) < maxPullSecrets {
			p.PullSecrets = append(p.PullSecrets, evidence.Clean(name))
		}
	}
	var affinity corev1.Affinity
	for _, part := range []struct {
		key  string
		into any
	}{{"nodeSelector", &p.NodeSelector}, {"affinity", &affinity}, {"tolerations", &p.Tolerations}} {
		n := first(part.key)
		if n == nil || resolve(n).Kind == yaml.ScalarNode {
			continue // an expression that a controller fills in, or nothing
		}
		if err := decode(n, part.into); err != nil {
			return nil, &Error{File: o.file, Line: n.Line, What: fmt.Sprintf("%s does not read: %s", part.key, evidence.Clean(err.Error())), Do: "the API server would refuse it too: mend it", Err: err}
		}
	}
	if affinity.NodeAffinity != nil {
		p.Required = affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution
	}
	return p, nil
}
