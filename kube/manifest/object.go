package manifest

import (
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/refloat-dev/refloat/evidence"
)

// maxLists is how deep lists of objects may hold lists.
const maxLists = 4

// object reads one object of the API. What has no apiVersion and kind is some other file, such as a chart's values.
func (s *stream) object(n *yaml.Node, depth int) error {
	apiVersion, kind := text(field(n, "apiVersion")), text(field(n, "kind"))
	if apiVersion == "" || kind == "" {
		if strings.EqualFold(strings.TrimSuffix(filepath.Base(s.file), filepath.Ext(s.file)), "kustomization") && field(n, "resources") != nil {
			return s.kustomization(n)
		}
		return nil
	}
	if list := field(n, "items"); strings.HasSuffix(kind, "List") && list != nil {
		return s.list(list, depth)
	}
	s.set.Objects++
	switch {
	case strings.HasPrefix(apiVersion, "kustomize.config.k8s.io/"):
		return s.kustomization(n)
	case kind == "Template" && field(n, "objects") != nil: // OpenShift's
		return s.list(field(n, "objects"), depth)
	}
	o := &object{stream: s, node: n, ref: evidence.Ref{
		APIVersion: evidence.Clean(apiVersion), Kind: evidence.Clean(kind),
		Namespace: evidence.Clean(text(field(field(n, "metadata"), "namespace"))),
		Name:      evidence.Clean(text(field(field(n, "metadata"), "name"))),
	}}
	if o.ref.Name == "" {
		o.ref.Name = evidence.Clean(text(field(field(n, "metadata"), "generateName")))
	}
	if done, err := o.credentials(apiVersion, kind); done || err != nil {
		return err
	}
	return o.templates(shapeOf(apiVersion, kind))
}

func (s *stream) list(items *yaml.Node, depth int) error {
	if depth >= maxLists {
		return s.fail(items.Line, leave, "lists stand in lists too deep")
	}
	for _, n := range values(items) {
		if err := s.object(resolve(n), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// kustomization fails: what it names is deployed only after it has changed it, images first of all.
func (s *stream) kustomization(n *yaml.Node) error {
	do := build
	if s.file != "-" {
		do = strings.Replace(build, "DIR", evidence.Quote(filepath.ToSlash(filepath.Dir(s.file))), 1)
	}
	return s.fail(n.Line, do, "it is a kustomization: what it deploys is not what stands in its files")
}

// object is one object while it is read.
type object struct {
	*stream
	node *yaml.Node
	ref  evidence.Ref
}

func (o *object) place(line int) evidence.Place {
	return evidence.Place{File: o.file, Line: line, Object: o.ref}
}
