package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// squadNodes is how many nodes the pods of all pairs are on.
const squadNodes = 10

// fillPairs makes everything that the pairs need, and their pods; it returns what the registries have of each.
func (f *filler) fillPairs(ctx context.Context) ([]shelf, error) {
	if err := f.each(ctx, "nodes", 0, squadNodes, f.plainNode); err != nil {
		return nil, err
	}
	shelves := make([]shelf, len(pairs))
	err := f.each(ctx, "squads", 0, len(pairs), func(ctx context.Context, n int) error {
		var err error
		if shelves[n], err = pairs[n].stock(ctx, f.lab); err != nil {
			return err
		}
		return f.squad(ctx, n, shelves[n].gone)
	})
	return shelves, err
}

// plainNode is a node of no cloud: there the kubelet would have credentials of its own, which nobody sees from here.
func (f *filler) plainNode(ctx context.Context, n int) error {
	node := &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: nodeName(n), Labels: map[string]string{
		v1.LabelArchStable: "amd64", v1.LabelOSStable: "linux", v1.LabelHostname: nodeName(n)}}}
	made, err := f.core.Nodes().Create(ctx, node, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	made.Status.NodeInfo = v1.NodeSystemInfo{KubeletVersion: "v1.36.3", ContainerRuntimeVersion: "containerd://2.4.2", OperatingSystem: "linux",
		Architecture: "amd64", OSImage: "Debian GNU/Linux 13 (trixie)", KernelVersion: "6.12.0"}
	made.Status.Conditions = []v1.NodeCondition{{Type: v1.NodeReady, Status: v1.ConditionTrue, LastHeartbeatTime: metav1.Now(), Reason: "KubeletReady"}}
	_, err = f.core.Nodes().UpdateStatus(ctx, made, metav1.UpdateOptions{})
	return err
}

// squad makes a pair's namespace: its pull secrets and their users, its Deployment and its pods.
func (f *filler) squad(ctx context.Context, n int, gone string) error {
	p, ns := pairs[n], squad(n)
	if err := f.lab.MakeNamespace(ctx, ns); err != nil {
		return err
	}
	host, _, _ := p.parts()
	for i := range p.logins {
		u := p.user(n, i)
		if err := f.lab.SetUser(ctx, host, u); err != nil {
			return err
		}
		secret, err := secretFor(secretName(i), host, u.Name, p.offered(n, i))
		if err != nil {
			return err
		}
		if _, err := f.core.Secrets(ns).Create(ctx, secret, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	owner, err := f.squadOwner(ctx, n)
	if err != nil {
		return err
	}
	for i := range podsOfPair {
		if err := f.squadPod(ctx, n, i, owner, p.error(n, gone)); err != nil {
			return err
		}
	}
	return nil
}

func secretName(i int) string { return fmt.Sprintf("pull-%d", i+1) }

func secretFor(name, host, user, password string) (*v1.Secret, error) {
	type entry struct {
		Username string `json:"username"`
		Password string `json:"password"`
	}
	data, err := json.Marshal(map[string]map[string]entry{"auths": {host: {user, password}}})
	if err != nil {
		return nil, err
	}
	return &v1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, Type: v1.SecretTypeDockerConfigJson, Data: map[string][]byte{v1.DockerConfigJsonKey: data}}, nil
}

func squadSpec(n int) v1.PodSpec {
	spec := v1.PodSpec{Containers: []v1.Container{{Name: "app", Image: pairs[n].image}}, ServiceAccountName: defaultName}
	for i := range pairs[n].logins {
		spec.ImagePullSecrets = append(spec.ImagePullSecrets, v1.LocalObjectReference{Name: secretName(i)})
	}
	return spec
}

// squadOwner makes a Deployment and its ReplicaSet.
func (f *filler) squadOwner(ctx context.Context, n int) (metav1.OwnerReference, error) {
	var none metav1.OwnerReference
	replicas, labels := int32(podsOfPair), map[string]string{"app": "web"}
	template := v1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: squadSpec(n)}
	selector := &metav1.LabelSelector{MatchLabels: labels}
	d, err := f.apps.Deployments(squad(n)).Create(ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Labels: labels},
		Spec:       appsv1.DeploymentSpec{Replicas: &replicas, Selector: selector, Template: template},
	}, metav1.CreateOptions{})
	if err != nil {
		return none, err
	}
	rs, err := f.apps.ReplicaSets(squad(n)).Create(ctx, &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Name: "web-" + templateHash(1), Labels: labels, OwnerReferences: []metav1.OwnerReference{controller("Deployment", &d.ObjectMeta)},
			Annotations: map[string]string{"deployment.kubernetes.io/revision": "1"},
		},
		Spec: appsv1.ReplicaSetSpec{Replicas: &replicas, Selector: selector, Template: template},
	}, metav1.CreateOptions{})
	if err != nil {
		return none, err
	}
	return controller("ReplicaSet", &rs.ObjectMeta), nil
}

func squadPodName(i int) string { return fmt.Sprintf("web-%s-%05d", templateHash(1), i) }

// squadPod makes a pod that waits for its image, and the events that the kubelet told of it.
func (f *filler) squadPod(ctx context.Context, n, i int, owner metav1.OwnerReference, text string) error {
	ns, image := squad(n), pairs[n].image
	spec := squadSpec(n)
	spec.NodeName = nodeName((n*podsOfPair + i) % squadNodes)
	made, err := f.core.Pods(ns).Create(ctx, &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: squadPodName(i), Labels: map[string]string{"app": "web"}, OwnerReferences: []metav1.OwnerReference{owner}},
		Spec:       spec,
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	now := time.Now()
	at := metav1.NewTime(now.Add(-10 * time.Minute).Truncate(time.Second))
	waiting := &v1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: fmt.Sprintf("Back-off pulling image %q: ErrImagePull: %s", image, text)}
	if i%5 == 0 {
		waiting = &v1.ContainerStateWaiting{Reason: "ErrImagePull", Message: text}
	}
	made.Status = v1.PodStatus{
		Phase: v1.PodPending, QOSClass: v1.PodQOSBestEffort, StartTime: &at,
		Conditions: []v1.PodCondition{condition(v1.PodInitialized, true, at), condition(v1.PodReady, false, at),
			condition(v1.ContainersReady, false, at), condition(v1.PodScheduled, true, at)},
		ContainerStatuses: []v1.ContainerStatus{{Name: "app", Image: image, State: v1.ContainerState{Waiting: waiting}}},
	}
	if _, err := f.core.Pods(ns).UpdateStatus(ctx, made, metav1.UpdateOptions{}); err != nil {
		return err
	}
	for _, e := range failedEvents(made, image, text, now) {
		if _, err := f.core.Events(ns).Create(ctx, e, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	return nil
}
