package cluster

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ownerKind is what makes a case's pods, as kubectl spells it.
type ownerKind string

const (
	barePod     ownerKind = ""
	deployment  ownerKind = "deployment"
	statefulSet ownerKind = "statefulset"
	daemonSet   ownerKind = "daemonset"
	job         ownerKind = "job"
	cronJob     ownerKind = "cronjob"
)

// makeWorkload creates pods labelled app=NAME through an owner of that kind.
func (l *Lab) makeWorkload(ctx context.Context, kind ownerKind, namespace, name string, replicas int32, spec v1.PodSpec) error {
	labels := map[string]string{"app": name}
	meta := metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels}
	selector := &metav1.LabelSelector{MatchLabels: labels}
	template := v1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: spec}
	replicas = max(replicas, 1)
	var err error
	switch kind {
	case barePod:
		_, err = l.client.CoreV1().Pods(namespace).Create(ctx, &v1.Pod{ObjectMeta: meta, Spec: spec}, metav1.CreateOptions{})
	case deployment:
		_, err = l.client.AppsV1().Deployments(namespace).Create(ctx, &appsv1.Deployment{ObjectMeta: meta,
			Spec: appsv1.DeploymentSpec{Replicas: &replicas, Selector: selector, Template: template}}, metav1.CreateOptions{})
	case statefulSet:
		_, err = l.client.AppsV1().StatefulSets(namespace).Create(ctx, &appsv1.StatefulSet{ObjectMeta: meta,
			Spec: appsv1.StatefulSetSpec{Replicas: &replicas, Selector: selector, Template: template, ServiceName: name}}, metav1.CreateOptions{})
	case daemonSet:
		_, err = l.client.AppsV1().DaemonSets(namespace).Create(ctx, &appsv1.DaemonSet{ObjectMeta: meta,
			Spec: appsv1.DaemonSetSpec{Selector: selector, Template: template}}, metav1.CreateOptions{})
	default:
		err = l.makeJob(ctx, kind, meta, template)
	}
	return err
}

// makeJob creates a Job, or a CronJob that runs at night and one run of it made by hand.
func (l *Lab) makeJob(ctx context.Context, kind ownerKind, meta metav1.ObjectMeta, template v1.PodTemplateSpec) error {
	template.Spec.RestartPolicy = v1.RestartPolicyNever
	run := &batchv1.Job{ObjectMeta: meta, Spec: batchv1.JobSpec{Template: template}}
	if kind == cronJob {
		cron, err := l.client.BatchV1().CronJobs(meta.Namespace).Create(ctx, &batchv1.CronJob{ObjectMeta: meta, Spec: batchv1.CronJobSpec{
			Schedule: "15 3 * * *", JobTemplate: batchv1.JobTemplateSpec{Spec: run.Spec}}}, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		// As kubectl create job --from does it, its owner reference and annotation included.
		run.Name += "-by-hand"
		run.Annotations = map[string]string{"cronjob.kubernetes.io/instantiate": "manual"}
		run.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(cron, batchv1.SchemeGroupVersion.WithKind("CronJob"))}
	}
	_, err := l.client.BatchV1().Jobs(meta.Namespace).Create(ctx, run, metav1.CreateOptions{})
	return err
}
