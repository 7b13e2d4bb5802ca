package kube

import (
	"context"
	"sort"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/refloat-dev/refloat/evidence"
)

// typeNames are the types that lead to pods, by the short name that kubectl takes.
var typeNames = []string{"pod", "deploy", "rs", "sts", "ds", "job", "cronjob", "rc"}

// kinds are the types as people write them.
var kinds = map[string]evidence.Ref{
	"po": {APIVersion: "v1", Kind: "Pod"}, "pod": {APIVersion: "v1", Kind: "Pod"},
	"rc": {APIVersion: "v1", Kind: "ReplicationController"}, "replicationcontroller": {APIVersion: "v1", Kind: "ReplicationController"},
	"deploy": {APIVersion: "apps/v1", Kind: "Deployment"}, "deployment": {APIVersion: "apps/v1", Kind: "Deployment"},
	"rs": {APIVersion: "apps/v1", Kind: "ReplicaSet"}, "replicaset": {APIVersion: "apps/v1", Kind: "ReplicaSet"},
	"sts": {APIVersion: "apps/v1", Kind: "StatefulSet"}, "statefulset": {APIVersion: "apps/v1", Kind: "StatefulSet"},
	"ds": {APIVersion: "apps/v1", Kind: "DaemonSet"}, "daemonset": {APIVersion: "apps/v1", Kind: "DaemonSet"},
	"job": {APIVersion: "batch/v1", Kind: "Job"},
	"cj":  {APIVersion: "batch/v1", Kind: "CronJob"}, "cronjob": {APIVersion: "batch/v1", Kind: "CronJob"},
}

// selection is which pods and owners are looked at.
type selection struct {
	namespace string // empty for all
	labels    string
	pod       *corev1.Pod // asked for by name
	// owners are the UIDs that a pod's controller must have; nil takes every pod.
	owners map[string]bool
}

func parseTarget(target, namespace string) (evidence.Ref, error) {
	kind, name, ok := strings.Cut(target, "/")
	if !ok {
		kind, name = "pod", target
	}
	kind, _, _ = strings.Cut(strings.ToLower(kind), ".") // deployments.apps
	ref, known := kinds[kind]
	if !known {
		ref, known = kinds[strings.TrimSuffix(kind, "s")]
	}
	if !known || name == "" || strings.Contains(name, "/") {
		return ref, &TypeError{Type: target}
	}
	ref.Namespace, ref.Name = namespace, name
	return ref, nil
}

// resolve turns a scope into a selection.
func (c *Client) resolve(ctx context.Context, scope evidence.Scope) (selection, error) {
	s := selection{namespace: scope.Namespace, labels: scope.Selector}
	if scope.AllNamespaces {
		s.namespace = ""
	}
	if scope.Target == "" {
		return s, nil
	}
	s.namespace = scope.Namespace
	ref, err := parseTarget(scope.Target, scope.Namespace)
	if err != nil {
		return s, err
	}
	if ref.Kind == "Pod" {
		s.pod, err = c.core.Pods(ref.Namespace).Get(ctx, ref.Name, metav1.GetOptions{})
		return s, c.missing(ctx, ref, err)
	}
	o, err := c.owners().Get(ctx, ref)
	if err != nil {
		return s, c.missing(ctx, ref, err)
	}
	s.owners = map[string]bool{o.Ref.UID: true}
	if o.Selector != nil {
		sel, err := metav1.LabelSelectorAsSelector(o.Selector)
		if err != nil {
			return s, c.failure("reading the selector of "+scope.Target, err)
		}
		s.labels = sel.String()
	}
	return s, c.below(ctx, ref, s)
}

// below adds the owners that stand between a workload and its pods.
func (c *Client) below(ctx context.Context, ref evidence.Ref, s selection) error {
	switch ref.Kind {
	case "Deployment":
		list, err := c.apps.ReplicaSets(ref.Namespace).List(ctx, metav1.ListOptions{LabelSelector: s.labels})
		if err != nil {
			return c.failure("listing the replica sets of "+ref.Name, err)
		}
		for i := range list.Items {
			s.adopt(&list.Items[i])
		}
	case "CronJob":
		list, err := c.batch.Jobs(ref.Namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return c.failure("listing the jobs of "+ref.Name, err)
		}
		for i := range list.Items {
			s.adopt(&list.Items[i])
		}
	}
	return nil
}

func (s selection) adopt(m metav1.Object) {
	if o := metav1.GetControllerOfNoCopy(m); o != nil && s.owners[string(o.UID)] {
		s.owners[string(m.GetUID())] = true
	}
}

// has tells whether a pod belongs to the selection.
func (s selection) has(pod *corev1.Pod) bool {
	if s.owners == nil {
		return true
	}
	o := metav1.GetControllerOfNoCopy(pod)
	return o != nil && s.owners[string(o.UID)]
}

// missing makes a NotFoundError with names that look alike.
func (c *Client) missing(ctx context.Context, ref evidence.Ref, err error) error {
	if err == nil {
		return nil
	}
	if !apierrors.IsNotFound(err) {
		return c.failure("getting "+strings.ToLower(ref.Kind)+" "+ref.Name, err)
	}
	e := &NotFoundError{Kind: strings.ToLower(ref.Kind), Namespace: ref.Namespace, Name: ref.Name}
	gv, _ := schema.ParseGroupVersion(ref.APIVersion)
	list, err := c.metadata.Resource(gv.WithResource(e.Kind+"s")).Namespace(ref.Namespace).List(ctx, metav1.ListOptions{Limit: 500})
	if err != nil {
		return e
	}
	for i := range list.Items {
		if alike(list.Items[i].Name, ref.Name) {
			e.Similar = append(e.Similar, list.Items[i].Name)
		}
	}
	sort.Strings(e.Similar)
	e.Similar = e.Similar[:min(len(e.Similar), 5)]
	return e
}

// alike tells names of which one holds the other, or that share all but their ends.
func alike(a, b string) bool {
	if strings.Contains(a, b) || strings.Contains(b, a) {
		return true
	}
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	m := 0
	for m < len(a)-n && m < len(b)-n && a[len(a)-1-m] == b[len(b)-1-m] {
		m++
	}
	return 4*(n+m) >= 3*max(len(a), len(b))
}
