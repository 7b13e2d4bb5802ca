package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refloat-dev/refloat/evidence"
)

// Group, Version and the resource's names.
const (
	Group             = "refloat.dev"
	Version           = "v1alpha1"
	NodeProbeKind     = "NodeProbe"
	NodeProbeResource = "nodeprobes"
	// FreeResource is the subresource that a cluster role must allow to create: only who may may probe without naming a pod.
	FreeResource = "free"
)

// MaxEvidence bounds a status's evidence as JSON, in bytes.
const MaxEvidence = 64 << 10

// NodeProbe asks the agent on one node to look from there. Its spec never changes; the agent removes it a while after it has answered.
type NodeProbe struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   NodeProbeSpec   `json:"spec"`
	Status NodeProbeStatus `json:"status,omitzero"`
}

// NodeProbeSpec is what to look at.
type NodeProbeSpec struct {
	// NodeName is the node that is to look; its agent watches by this field.
	NodeName string `json:"nodeName"`
	// Pod is the pod in this namespace whose container's image is meant; without one the probe is free.
	Pod *PodReference `json:"pod,omitempty"`
	// Image is what a free probe is about; empty is the node as a whole.
	Image string `json:"image,omitempty"`
	// Checks limits the look to some; none is all that cost little.
	Checks []string `json:"checks,omitempty"`
	// Verify has stored content read and hashed, at most Rate bytes in a second; 0 is the agent's own limit.
	Verify bool  `json:"verify,omitempty"`
	Rate   int64 `json:"rate,omitempty"`
}

// PodReference names a container, or an image volume, of one pod.
type PodReference struct {
	Name string `json:"name"`
	UID  string `json:"uid"`
	// Container is the container that waits; Volume the image volume. One of them is set.
	Container string `json:"container,omitempty"`
	Volume    string `json:"volume,omitempty"`
}

// NodeProbePhase is how far a probe is.
type NodeProbePhase string

// The phases. Empty is one that no agent has seen yet.
const (
	ProbeRunning NodeProbePhase = "Running"
	ProbeDone    NodeProbePhase = "Done"
	// ProbeRefused is one that this node may not answer: its pod is not here. Message says why.
	ProbeRefused NodeProbePhase = "Refused"
)

// NodeProbeStatus is the agent's answer.
type NodeProbeStatus struct {
	Phase   NodeProbePhase `json:"phase,omitempty"`
	Message string         `json:"message,omitempty"`
	// Agent is the version of the agent that answered.
	Agent    string       `json:"agent,omitempty"`
	Started  *metav1.Time `json:"started,omitempty"`
	Finished *metav1.Time `json:"finished,omitempty"`
	// Evidence is what was seen, redacted.
	Evidence *Evidence `json:"evidence,omitempty"`
}

// Evidence is facts and gaps of one node, of MaxEvidence bytes at most.
type Evidence struct {
	Facts []*evidence.Fact `json:"facts,omitempty"`
	Gaps  []evidence.Gap   `json:"gaps,omitempty"`
	// Cut counts the facts and parts of facts that did not fit.
	Cut int `json:"cut,omitempty"`
}
