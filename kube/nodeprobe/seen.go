package nodeprobe

import (
	"context"
	"net/url"
	"time"

	"github.com/refloat-dev/refloat/kube/wire"
)

// Where deploy/agent puts the agent.
const (
	// Namespace is also where free questions are asked unless another one is named: tenants do not read there.
	Namespace  = "refloat-system"
	agentLabel = "app.kubernetes.io/name=refloat-agent"
)

// lastSeen says when a node's agent was last seen: by its newest answer, or by its pod. What may not be read is left out.
func (a *Asker) lastSeen(ctx context.Context, p *probe) string {
	ctx, cancel := context.WithTimeout(ctx, removeWithin)
	defer cancel()
	q := url.Values{"fieldSelector": {"spec.nodeName=" + p.Spec.NodeName}, "limit": {"500"}}
	var answered struct {
		Items []struct {
			Status struct {
				Finished time.Time `json:"finished"`
			} `json:"status"`
		} `json:"items"`
	}
	if a.API.Do(ctx, wire.Request{Path: wire.NodeProbes(""), Query: q}, &answered) != nil {
		_ = a.API.Do(ctx, wire.Request{Path: wire.NodeProbes(p.Metadata.Namespace), Query: q}, &answered)
	}
	var last time.Time
	for _, i := range answered.Items {
		if i.Status.Finished.After(last) && time.Until(i.Status.Finished) < time.Minute { // a node whose clock is wrong tells nothing
			last = i.Status.Finished
		}
	}
	if !last.IsZero() {
		return "last seen " + last.UTC().Format(time.RFC3339)
	}
	return a.agentPod(ctx, p.Spec.NodeName)
}

// agentPod is what the agent's own pod tells.
func (a *Asker) agentPod(ctx context.Context, node string) string {
	var pods struct {
		Items []struct {
			Status struct {
				Phase      string `json:"phase"`
				Conditions []struct {
					Type   string    `json:"type"`
					Status string    `json:"status"`
					Since  time.Time `json:"lastTransitionTime"`
				} `json:"conditions"`
			} `json:"status"`
		} `json:"items"`
	}
	q := url.Values{"fieldSelector": {"spec.nodeName=" + node}, "labelSelector": {agentLabel}, "limit": {"5"}}
	if a.API.Do(ctx, wire.Request{Path: "/api/v1/namespaces/" + Namespace + "/pods", Query: q}, &pods) != nil {
		return ""
	}
	if len(pods.Items) == 0 {
		return "and no pod of it is on that node"
	}
	for _, c := range pods.Items[0].Status.Conditions {
		switch {
		case c.Type != "Ready":
		case c.Status == "True":
			return "its pod is ready since " + c.Since.UTC().Format(time.RFC3339) + " and has answered nothing"
		default:
			return "its pod is not ready since " + c.Since.UTC().Format(time.RFC3339)
		}
	}
	return "its pod is " + pods.Items[0].Status.Phase
}
