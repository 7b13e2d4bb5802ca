package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// surroundings makes what pods need before they can be created: namespaces, their accounts and secrets.
func (f *filler) surroundings(ctx context.Context) error {
	return f.each(ctx, "namespaces", 0, namespaces, func(ctx context.Context, n int) error {
		ns := namespace(n)
		if err := f.lab.MakeNamespace(ctx, ns); err != nil {
			return err
		}
		for _, name := range []string{"deployer", "runtime"} {
			account := &v1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}
			if err := fresh(f.core.ServiceAccounts(ns).Create(ctx, account, metav1.CreateOptions{})); err != nil {
				return err
			}
		}
		names := []string{"team-pull"}
		if hasRegcred(n) {
			names = append(names, "regcred")
		}
		for _, name := range names {
			if err := fresh(f.core.Secrets(ns).Create(ctx, pullSecret(name), metav1.CreateOptions{})); err != nil {
				return err
			}
		}
		return nil
	})
}

func pullSecret(name string) *v1.Secret {
	auth := base64.StdEncoding.EncodeToString([]byte("robot:not-a-password"))
	return &v1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Type: v1.SecretTypeDockerConfigJson,
		Data: map[string][]byte{v1.DockerConfigJsonKey: fmt.Appendf(nil, `{"auths":{"registry.corp.example":{"auth":%q}}}`, auth)},
	}
}

// node makes one Node with the status that a kubelet keeps there.
func (f *filler) node(ctx context.Context, n int) error {
	node := &v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: nodeName(n), Labels: map[string]string{
			v1.LabelArchStable: "amd64", v1.LabelOSStable: "linux", v1.LabelHostname: nodeName(n),
			v1.LabelTopologyZone: fmt.Sprintf("eu-west-1%c", 'a'+n%3), v1.LabelInstanceTypeStable: "m6i.4xlarge",
		}},
		Spec: v1.NodeSpec{ProviderID: fmt.Sprintf("aws:///eu-west-1/i-%08x", n)},
	}
	made, err := f.core.Nodes().Create(ctx, node, metav1.CreateOptions{})
	if err != nil {
		return fresh(made, err)
	}
	now := metav1.Now()
	made.Status = v1.NodeStatus{
		Addresses: []v1.NodeAddress{{Type: v1.NodeInternalIP, Address: fmt.Sprintf("10.20.%d.%d", n>>8, n&255)}},
		Capacity:  v1.ResourceList{v1.ResourceCPU: resource.MustParse("16"), v1.ResourceMemory: resource.MustParse("64Gi"), v1.ResourcePods: resource.MustParse("110")},
		NodeInfo: v1.NodeSystemInfo{KubeletVersion: "v1.36.3", ContainerRuntimeVersion: "containerd://2.4.2", OperatingSystem: "linux",
			Architecture: "amd64", OSImage: "Debian GNU/Linux 13 (trixie)", KernelVersion: "6.12.0"},
	}
	for _, kind := range []v1.NodeConditionType{v1.NodeMemoryPressure, v1.NodeDiskPressure, v1.NodePIDPressure, v1.NodeReady} {
		c := v1.NodeCondition{Type: kind, Status: v1.ConditionFalse, LastHeartbeatTime: now, LastTransitionTime: now, Reason: "Kubelet" + string(kind)}
		if kind == v1.NodeReady {
			c.Status = v1.ConditionTrue
		}
		made.Status.Conditions = append(made.Status.Conditions, c)
	}
	for i := range imagesNode {
		image := workload{n*7 + i}.image(1)
		made.Status.Images = append(made.Status.Images, v1.ContainerImage{Names: []string{imageID(image), image}, SizeBytes: int64(i+1) << 20})
	}
	return fresh(f.core.Nodes().UpdateStatus(ctx, made, metav1.UpdateOptions{}))
}

// deployment makes a Deployment and its ReplicaSets, which nothing runs after: the bare lab has no such controllers.
func (f *filler) deployment(ctx context.Context, n int) error {
	w := workload{n}
	replicas := int32(perWorkload)
	selector := &metav1.LabelSelector{MatchLabels: map[string]string{"app.kubernetes.io/name": w.name()}}
	template := v1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: w.labels()}, Spec: w.spec(1)}
	if w.fails() {
		template.Spec = w.spec(2)
	}
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: w.name(), Labels: w.labels()},
		Spec:       appsv1.DeploymentSpec{Replicas: &replicas, Selector: selector, Template: template},
	}
	made, err := f.apps.Deployments(w.namespace()).Create(ctx, d, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	for revision := 1; revision == 1 || revision == 2 && w.fails(); revision++ {
		if err := f.replicaSet(ctx, w, revision, controller("Deployment", &made.ObjectMeta)); err != nil {
			return err
		}
	}
	return nil
}

func (f *filler) replicaSet(ctx context.Context, w workload, revision int, owner metav1.OwnerReference) error {
	replicas := int32(perWorkload)
	labels := w.labels()
	labels["pod-template-hash"] = templateHash(revision)
	rs := &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Name: w.name() + "-" + templateHash(revision), Labels: labels, OwnerReferences: []metav1.OwnerReference{owner},
			Annotations: map[string]string{"deployment.kubernetes.io/revision": fmt.Sprint(revision)},
		},
		Spec: appsv1.ReplicaSetSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: v1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: w.spec(revision)},
		},
	}
	made, err := f.apps.ReplicaSets(w.namespace()).Create(ctx, rs, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	f.owned(w.n, revision, controller("ReplicaSet", &made.ObjectMeta))
	return nil
}

func controller(kind string, m *metav1.ObjectMeta) metav1.OwnerReference {
	yes := true
	return metav1.OwnerReference{APIVersion: "apps/v1", Kind: kind, Name: m.Name, UID: m.UID, Controller: &yes, BlockOwnerDeletion: &yes}
}

// events are what the kubelet told of a failing pod, or of the last start of a healthy one.
func (p pod) events(made *v1.Pod, now time.Time) []*v1.Event {
	image := p.workload().image(p.revision())
	if !p.fails() {
		return []*v1.Event{event(made, now, "Normal", "Pulled", fmt.Sprintf("Container image %q already present on machine", image), 1)}
	}
	return failedEvents(made, image, p.workload().cause().error(image, p), now)
}

func failedEvents(made *v1.Pod, image, text string, now time.Time) []*v1.Event {
	return []*v1.Event{
		event(made, now, "Normal", "Pulling", fmt.Sprintf("Pulling image %q", image), 5),
		event(made, now, "Warning", "Failed", fmt.Sprintf("Failed to pull image %q: %s", image, text), 5),
		event(made, now, "Warning", "Failed", "Error: ErrImagePull", 5),
		event(made, now, "Normal", "BackOff", fmt.Sprintf("Back-off pulling image %q", image), 20),
	}
}

func event(made *v1.Pod, now time.Time, kind, reason, message string, count int32) *v1.Event {
	at := metav1.NewTime(now.Add(-time.Minute))
	return &v1.Event{
		ObjectMeta: metav1.ObjectMeta{GenerateName: made.Name + "."},
		InvolvedObject: v1.ObjectReference{
			APIVersion: "v1", Kind: "Pod", Namespace: made.Namespace, Name: made.Name, UID: made.UID, FieldPath: "spec.containers{app}",
		},
		Type: kind, Reason: reason, Message: message, Count: count, FirstTimestamp: at, LastTimestamp: at,
		Source: v1.EventSource{Component: "kubelet", Host: made.Spec.NodeName},
	}
}
