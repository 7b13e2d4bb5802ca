package owner

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Previous is the newest image other than image that a container had in the
// workload's history, and whether pods of that revision are up; empty where the
// history holds none. It costs one list.
func (r *Reader) Previous(ctx context.Context, o *Object, container, image string) (previous string, up bool, err error) {
	if o.Selector == nil {
		return "", false, nil
	}
	selector, err := metav1.LabelSelectorAsSelector(o.Selector)
	if err != nil {
		return "", false, fmt.Errorf("the selector of %s: %w", o.Ref.Name, err)
	}
	opts := metav1.ListOptions{LabelSelector: selector.String(), Limit: 100}
	switch o.Ref.Kind {
	case "Deployment":
		return r.replicaSets(ctx, o, opts, container, image)
	case "StatefulSet", "DaemonSet":
		return r.revisions(ctx, o, opts, container, image)
	}
	return "", false, nil
}

func (r *Reader) replicaSets(ctx context.Context, o *Object, opts metav1.ListOptions, container, image string) (string, bool, error) {
	list, err := r.Apps.ReplicaSets(o.Ref.Namespace).List(ctx, opts)
	if err != nil {
		return "", false, err
	}
	var best string
	var up bool
	newest := -1
	for i := range list.Items {
		rs := &list.Items[i]
		n, _ := strconv.Atoi(rs.Annotations["deployment.kubernetes.io/revision"])
		was := imageOf(images(&rs.Spec.Template), container)
		if !controlledBy(rs, o) || n <= newest || was == "" || was == image {
			continue
		}
		newest, best, up = n, was, rs.Status.AvailableReplicas > 0
	}
	return best, up, nil
}

// revisions reads ControllerRevisions; they do not say whether pods of theirs are up.
func (r *Reader) revisions(ctx context.Context, o *Object, opts metav1.ListOptions, container, image string) (string, bool, error) {
	list, err := r.Apps.ControllerRevisions(o.Ref.Namespace).List(ctx, opts)
	if err != nil {
		return "", false, err
	}
	var best string
	newest := int64(-1)
	for i := range list.Items {
		rev := &list.Items[i]
		var data struct {
			Spec struct {
				Template corev1.PodTemplateSpec `json:"template"`
			} `json:"spec"`
		}
		if !controlledBy(rev, o) || rev.Revision <= newest || json.Unmarshal(rev.Data.Raw, &data) != nil {
			continue
		}
		if was := imageOf(images(&data.Spec.Template), container); was != "" && was != image {
			newest, best = rev.Revision, was
		}
	}
	return best, false, nil
}

func imageOf(list []Image, container string) string {
	for _, c := range list {
		if c.Container == container {
			return c.Image
		}
	}
	return ""
}

func controlledBy(m metav1.Object, o *Object) bool {
	return Controller(o.Ref.Namespace, m).UID == o.Ref.UID
}
