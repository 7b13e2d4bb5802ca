package owner

import (
	"context"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refloat-dev/refloat/evidence"
)

// known gets an owner of Kubernetes' own kinds; no Object and no error for any other.
func (r *Reader) known(ctx context.Context, ref evidence.Ref) (*Object, metav1.Object, error) {
	group, _, _ := strings.Cut(ref.APIVersion, "/")
	get := metav1.GetOptions{}
	switch group + "/" + ref.Kind {
	case "apps/ReplicaSet":
		o, err := r.Apps.ReplicaSets(ref.Namespace).Get(ctx, ref.Name, get)
		return replicas(err, o.Spec.Replicas, o.Status.Replicas, o.Status.AvailableReplicas, &o.Spec.Template, o.Spec.Selector), o, err
	case "apps/Deployment":
		o, err := r.Apps.Deployments(ref.Namespace).Get(ctx, ref.Name, get)
		if err != nil {
			return nil, nil, err
		}
		return deployment(o), o, nil
	case "apps/StatefulSet":
		o, err := r.Apps.StatefulSets(ref.Namespace).Get(ctx, ref.Name, get)
		if err != nil {
			return nil, nil, err
		}
		return statefulSet(o), o, nil
	case "apps/DaemonSet":
		o, err := r.Apps.DaemonSets(ref.Namespace).Get(ctx, ref.Name, get)
		if err != nil {
			return nil, nil, err
		}
		return daemonSet(o), o, nil
	case "batch/Job":
		o, err := r.Batch.Jobs(ref.Namespace).Get(ctx, ref.Name, get)
		if err != nil {
			return nil, nil, err
		}
		return job(o), o, nil
	case "batch/CronJob":
		o, err := r.Batch.CronJobs(ref.Namespace).Get(ctx, ref.Name, get)
		if err != nil {
			return nil, nil, err
		}
		return cronJob(o), o, nil
	case "v1/ReplicationController":
		o, err := r.Core.ReplicationControllers(ref.Namespace).Get(ctx, ref.Name, get)
		return replicas(err, o.Spec.Replicas, o.Status.Replicas, o.Status.AvailableReplicas, o.Spec.Template,
			&metav1.LabelSelector{MatchLabels: o.Spec.Selector}), o, err
	}
	return nil, nil, nil
}

func want(n *int32) int32 {
	if n == nil {
		return 1
	}
	return *n
}

func replicas(err error, wanted *int32, have, available int32, t *corev1.PodTemplateSpec, s *metav1.LabelSelector) *Object {
	if err != nil {
		return nil
	}
	return &Object{
		Rollout: fmt.Sprintf("%d of %d replicas available", available, want(wanted)),
		Short:   have < want(wanted), Images: images(t), Selector: s,
	}
}

func deployment(o *appsv1.Deployment) *Object {
	parts := []string{fmt.Sprintf("%d of %d replicas available", o.Status.AvailableReplicas, want(o.Spec.Replicas))}
	if o.Status.UpdatedReplicas < o.Status.Replicas {
		parts = append(parts, fmt.Sprintf("%d still on the revision before", o.Status.Replicas-o.Status.UpdatedReplicas))
	}
	for _, c := range o.Status.Conditions {
		if c.Type == appsv1.DeploymentProgressing && c.Reason == "ProgressDeadlineExceeded" {
			parts = append(parts, "progress deadline exceeded")
		}
	}
	if o.Spec.Paused {
		parts = append(parts, "paused")
	}
	return &Object{
		Rollout: strings.Join(parts, "; "), Short: o.Status.Replicas < want(o.Spec.Replicas),
		Images: images(&o.Spec.Template), Selector: o.Spec.Selector,
	}
}

func statefulSet(o *appsv1.StatefulSet) *Object {
	line := fmt.Sprintf("%d of %d replicas ready", o.Status.ReadyReplicas, want(o.Spec.Replicas))
	if o.Status.UpdateRevision != o.Status.CurrentRevision {
		line += fmt.Sprintf("; %d on the new revision", o.Status.UpdatedReplicas)
	}
	if o.Spec.PodManagementPolicy != appsv1.ParallelPodManagement && o.Status.ReadyReplicas < want(o.Spec.Replicas) {
		line += "; ordered: the others wait for the one that is stuck"
	}
	return &Object{
		Rollout: line, Short: o.Status.Replicas < want(o.Spec.Replicas),
		Images: images(&o.Spec.Template), Selector: o.Spec.Selector, Revision: o.Status.UpdateRevision,
	}
}

func daemonSet(o *appsv1.DaemonSet) *Object {
	return &Object{
		Rollout: fmt.Sprintf("available on %d of %d nodes; %d updated", o.Status.NumberAvailable, o.Status.DesiredNumberScheduled, o.Status.UpdatedNumberScheduled),
		Short:   o.Status.CurrentNumberScheduled < o.Status.DesiredNumberScheduled,
		Images:  images(&o.Spec.Template), Selector: o.Spec.Selector,
	}
}

func job(o *batchv1.Job) *Object {
	line := fmt.Sprintf("%d active, %d succeeded, %d failed", o.Status.Active, o.Status.Succeeded, o.Status.Failed)
	done := o.Status.CompletionTime != nil
	for _, c := range o.Status.Conditions {
		if c.Type == batchv1.JobFailed && c.Status == corev1.ConditionTrue {
			line, done = line+"; failed: "+c.Reason, true
		}
	}
	return &Object{Rollout: line, Short: !done && o.Status.Active == 0, Images: images(&o.Spec.Template), Selector: o.Spec.Selector}
}

func cronJob(o *batchv1.CronJob) *Object {
	line := fmt.Sprintf("schedule %q, %d active", o.Spec.Schedule, len(o.Status.Active))
	if o.Spec.Suspend != nil && *o.Spec.Suspend {
		line += ", suspended"
	}
	if o.Spec.ConcurrencyPolicy == batchv1.ForbidConcurrent && len(o.Status.Active) > 0 {
		line += "; concurrency Forbid: no further run until the active one ends"
	}
	return &Object{Rollout: line, Images: images(&o.Spec.JobTemplate.Spec.Template)}
}
