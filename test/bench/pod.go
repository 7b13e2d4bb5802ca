package main

import (
	"crypto/sha256"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const proxyImage = "registry.corp.example/mesh/proxy:1.24.2"

// labels are those of a chart's pods.
func (w workload) labels() map[string]string {
	return map[string]string{
		"app.kubernetes.io/name": w.name(), "app.kubernetes.io/instance": w.name(), "app.kubernetes.io/part-of": w.namespace(),
		"app.kubernetes.io/version": fmt.Sprintf("1.%d", w.n%7),
	}
}

// spec is the pod template of a revision.
func (w workload) spec(revision int) v1.PodSpec {
	app := v1.Container{
		Name: "app", Image: w.image(revision), ImagePullPolicy: v1.PullIfNotPresent, Args: []string{"serve", "--config=/etc/app/config.yaml"},
		Ports: []v1.ContainerPort{{Name: "http", ContainerPort: 8080}, {Name: "metrics", ContainerPort: 9090}},
		Env: []v1.EnvVar{
			{Name: "LOG_LEVEL", Value: "info"}, {Name: "REGION", Value: "eu-west-1"}, {Name: "DATABASE_HOST", Value: "db." + w.namespace() + ".svc.cluster.local"},
			{Name: "POD_NAME", ValueFrom: &v1.EnvVarSource{FieldRef: &v1.ObjectFieldSelector{FieldPath: "metadata.name"}}},
			{Name: "DATABASE_PASSWORD", ValueFrom: &v1.EnvVarSource{SecretKeyRef: &v1.SecretKeySelector{LocalObjectReference: v1.LocalObjectReference{Name: w.name()}, Key: "password"}}},
		},
		Resources:      resources("250m", "512Mi"),
		ReadinessProbe: probe("/ready"), LivenessProbe: probe("/live"),
		VolumeMounts: []v1.VolumeMount{{Name: "config", MountPath: "/etc/app", ReadOnly: true}, {Name: "tmp", MountPath: "/tmp"}},
	}
	proxy := v1.Container{
		Name: "proxy", Image: proxyImage, ImagePullPolicy: v1.PullIfNotPresent, Args: []string{"proxy", "sidecar", "--domain", "$(POD_NAMESPACE).svc.cluster.local"},
		Env:       []v1.EnvVar{{Name: "POD_NAMESPACE", ValueFrom: &v1.EnvVarSource{FieldRef: &v1.ObjectFieldSelector{FieldPath: "metadata.namespace"}}}},
		Resources: resources("100m", "128Mi"), ReadinessProbe: probe("/healthz/ready"),
	}
	spec := v1.PodSpec{
		Containers: []v1.Container{app, proxy}, ServiceAccountName: w.account(),
		Tolerations: []v1.Toleration{{Operator: v1.TolerationOpExists}},
		Volumes: []v1.Volume{
			{Name: "config", VolumeSource: v1.VolumeSource{ConfigMap: &v1.ConfigMapVolumeSource{LocalObjectReference: v1.LocalObjectReference{Name: w.name()}}}},
			{Name: "tmp", VolumeSource: v1.VolumeSource{EmptyDir: &v1.EmptyDirVolumeSource{}}},
		},
	}
	for _, s := range w.secrets() {
		spec.ImagePullSecrets = append(spec.ImagePullSecrets, v1.LocalObjectReference{Name: s})
	}
	return spec
}

func resources(cpu, memory string) v1.ResourceRequirements {
	list := v1.ResourceList{v1.ResourceCPU: resource.MustParse(cpu), v1.ResourceMemory: resource.MustParse(memory)}
	return v1.ResourceRequirements{Requests: list, Limits: list}
}

func probe(path string) *v1.Probe {
	return &v1.Probe{ProbeHandler: v1.ProbeHandler{HTTPGet: &v1.HTTPGetAction{Path: path, Port: intstr.FromString("http")}}, PeriodSeconds: 10}
}

// object is the pod as its ReplicaSet makes it and the scheduler binds it.
func (p pod) object(owner metav1.OwnerReference) *v1.Pod {
	w := p.workload()
	labels := w.labels()
	labels["pod-template-hash"] = templateHash(p.revision())
	spec := w.spec(p.revision())
	spec.NodeName = nodeName(p.node())
	return &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: w.namespace(), Name: p.name(), GenerateName: w.name() + "-" + templateHash(p.revision()) + "-", Labels: labels,
			Annotations:     map[string]string{"prometheus.io/scrape": "true", "prometheus.io/port": "9090"},
			OwnerReferences: []metav1.OwnerReference{owner},
		},
		Spec: spec,
	}
}

// status is what the kubelet of the pod's node would report.
func (p pod) status(now time.Time) v1.PodStatus {
	started := metav1.NewTime(now.Add(-time.Duration(p.n%5000) * time.Minute).Truncate(time.Second))
	w := p.workload()
	ok := !p.fails() && !p.crashes()
	ip := fmt.Sprintf("10.%d.%d.%d", 64+p.n>>16, p.n>>8&255, p.n&255)
	host := fmt.Sprintf("10.20.%d.%d", p.node()>>8, p.node()&255)
	st := v1.PodStatus{
		Phase: v1.PodRunning, QOSClass: v1.PodQOSGuaranteed, HostIP: host, HostIPs: []v1.HostIP{{IP: host}},
		PodIP: ip, PodIPs: []v1.PodIP{{IP: ip}}, StartTime: &started,
		Conditions: []v1.PodCondition{
			condition(v1.PodReadyToStartContainers, true, started), condition(v1.PodInitialized, true, started),
			condition(v1.PodReady, ok, started), condition(v1.ContainersReady, ok, started), condition(v1.PodScheduled, true, started),
		},
		ContainerStatuses: []v1.ContainerStatus{p.running("app", w.image(p.revision()), started), p.running("proxy", proxyImage, started)},
	}
	app := &st.ContainerStatuses[0]
	switch {
	case p.fails():
		st.Phase = v1.PodPending
		reason, message := w.cause().waiting(w.image(2), p)
		app.State = v1.ContainerState{Waiting: &v1.ContainerStateWaiting{Reason: reason, Message: message}}
		app.Ready, *app.Started, app.ImageID, app.ContainerID = false, false, "", ""
	case p.crashes():
		app.State = v1.ContainerState{Waiting: &v1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off 5m0s restarting failed container=app pod=" + p.name()}}
		app.LastTerminationState.Terminated = &v1.ContainerStateTerminated{ExitCode: 1, Reason: "Error", StartedAt: started, FinishedAt: started}
		app.Ready, *app.Started, app.RestartCount = false, false, 40
	}
	return st
}

func (p pod) running(name, image string, at metav1.Time) v1.ContainerStatus {
	started := true
	return v1.ContainerStatus{
		Name: name, Image: image, ImageID: imageID(image), Ready: true, Started: &started,
		ContainerID: fmt.Sprintf("containerd://%x", sha256.Sum256([]byte(p.name()+name))),
		State:       v1.ContainerState{Running: &v1.ContainerStateRunning{StartedAt: at}},
	}
}

func imageID(image string) string {
	return fmt.Sprintf("registry.corp.example/x@sha256:%x", sha256.Sum256([]byte(image)))
}

func condition(kind v1.PodConditionType, ok bool, at metav1.Time) v1.PodCondition {
	c := v1.PodCondition{Type: kind, Status: v1.ConditionTrue, LastTransitionTime: at}
	if !ok {
		c.Status, c.Reason, c.Message = v1.ConditionFalse, "ContainersNotReady", "containers with unready status: [app]"
	}
	return c
}
