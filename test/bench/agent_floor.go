package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"time"

	authv1 "k8s.io/api/authentication/v1"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/refloat-dev/refloat/api/v1alpha1"
	"github.com/refloat-dev/refloat/kube/wire"
	"github.com/refloat-dev/refloat/test/cluster"
)

// floorNode is a node that is a name only, so that no agent answers for it but the floor.
const floorNode = "bench-floor"

// floorInTurn asks a client that does not look: what is left is the API server's part, the same for every agent.
func (b agentBench) floorInTurn(ctx context.Context) ([]time.Duration, error) {
	defer b.endFloor(context.WithoutCancel(ctx))
	token, err := b.floorToken(ctx)
	if err != nil {
		return nil, err
	}
	config := rest.AnonymousClientConfig(b.lab.RESTConfig())
	config.BearerToken = token
	api, err := wire.New(config)
	if err != nil {
		return nil, err
	}
	defer api.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() { cancel(errors.Join(errors.New("it does not watch any more"), answerAll(ctx, api))) }()
	took, err := b.inTurn(ctx, floorNode)
	if err != nil {
		return nil, errors.Join(err, context.Cause(ctx))
	}
	return took, nil
}

// answerAll answers each NodeProbe of the floor's node at once, with nothing.
func answerAll(ctx context.Context, api *wire.Client) error {
	q := url.Values{"watch": {"true"}, "fieldSelector": {"spec.nodeName=" + floorNode}}
	return api.Watch(ctx, "/apis/"+v1alpha1.Group+"/"+v1alpha1.Version+"/"+v1alpha1.NodeProbeResource, q, func(e wire.Event) error {
		var p v1alpha1.NodeProbe
		if err := json.Unmarshal(e.Object, &p); err != nil {
			return err
		}
		if e.Type != "ADDED" || p.Status.Phase != "" {
			return nil
		}
		err := api.Do(ctx, wire.Request{
			Method: "PATCH", Path: probes + "/" + p.Name + "/status", Type: "application/json-patch+json",
			Body: []map[string]any{{"op": "add", "path": "/status", "value": map[string]any{
				"phase": v1alpha1.ProbeDone, "finished": time.Now().UTC().Format(time.RFC3339), "evidence": map[string]any{}}}},
		}, nil)
		if apierrors.IsNotFound(err) {
			return nil
		}
		return err
	})
}

// floorToken is the agent's own, as its pod on the floor's node would have it: the policy admits answers by no other.
func (b agentBench) floorToken(ctx context.Context) (string, error) {
	core := b.lab.Client().CoreV1()
	node := &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: floorNode}, Spec: v1.NodeSpec{Unschedulable: true}}
	if _, err := core.Nodes().Create(ctx, node, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return "", err
	}
	pod, err := core.Pods(cluster.AgentNamespace).Create(ctx, &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: floorNode},
		Spec: v1.PodSpec{NodeName: floorNode, ServiceAccountName: "refloat-agent", Tolerations: []v1.Toleration{{Operator: v1.TolerationOpExists}},
			Containers: []v1.Container{{Name: "none", Image: agentImage}}},
	}, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	made, err := core.ServiceAccounts(cluster.AgentNamespace).CreateToken(ctx, "refloat-agent", &authv1.TokenRequest{Spec: authv1.TokenRequestSpec{
		BoundObjectRef: &authv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID}}}, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	return made.Status.Token, nil
}

func (b agentBench) endFloor(ctx context.Context) {
	now := int64(0)
	core := b.lab.Client().CoreV1()
	_ = core.Pods(cluster.AgentNamespace).Delete(ctx, floorNode, metav1.DeleteOptions{GracePeriodSeconds: &now})
	_ = core.Nodes().Delete(ctx, floorNode, metav1.DeleteOptions{})
}
