package evidence

import "time"

// APIVersion is written into every document; it changes when a field changes its meaning.
const APIVersion = "refloat.dev/v1alpha1"

// CollectionKind is the kind of a saved Collection.
const CollectionKind = "Collection"

// Collection is what one run saw.
type Collection struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// ObservedAt is the only clock that anything downstream may use.
	ObservedAt time.Time `json:"observedAt"`
	Scope      Scope     `json:"scope"`
	Cluster    Cluster   `json:"cluster"`
	Cases      []*Case   `json:"cases"`
	// Crashes are containers whose image was pulled and that then exit: no pull failure, named so that nobody takes them for one.
	Crashes []Crash `json:"crashes,omitempty"`
	// Suspects are those of the crashes that could never start. Their image was pulled; it is a pull failure only where the
	// node's own store shows that what was pulled is damaged, so that nobody but the node is asked about them.
	Suspects []*Case `json:"suspects,omitempty"`
	// Gaps concern the whole run, such as a list that was Forbidden.
	Gaps []Gap `json:"gaps,omitempty"`
}

// Scope is what was asked for.
type Scope struct {
	// Context and Kubeconfig are set where they were given by flag: printed commands then name them too.
	Context       string `json:"context,omitempty"`
	Kubeconfig    string `json:"kubeconfig,omitempty"`
	Namespace     string `json:"namespace,omitempty"`
	AllNamespaces bool   `json:"allNamespaces,omitempty"`
	// Target is POD or TYPE/NAME as it was typed; empty means the whole namespace.
	Target   string `json:"target,omitempty"`
	Selector string `json:"selector,omitempty"`
	// Pods is how many pods were looked at.
	Pods int `json:"pods"`
}

// Cluster is what is known about the cluster as a whole.
type Cluster struct {
	Version string `json:"version,omitempty"` // of the API server, such as v1.36.3
}

// Case is what is known about one pull that fails, or about one planned image.
// Facts that several cases share (a node, a secret) are shared pointers: never changed once added.
type Case struct {
	Pull  Pull    `json:"pull"`
	Facts []*Fact `json:"facts"`
	Gaps  []Gap   `json:"gaps,omitempty"`
	// Places are where a planned image was asked for; empty for one given by hand.
	Places []Place `json:"places,omitempty"`
}

// Place is a line of a manifest.
type Place struct {
	// File is as it was given, - for standard input.
	File string `json:"file"`
	Line int    `json:"line,omitempty"`
	// Object is what the manifest makes there.
	Object Ref `json:"object,omitzero"`
}

// Pull names one image that one container cannot get.
type Pull struct {
	Namespace string `json:"namespace,omitempty"`
	// Pod is empty where admission refused the pod before it existed.
	Pod       string        `json:"pod,omitempty"`
	UID       string        `json:"uid,omitempty"`
	Container string        `json:"container,omitempty"`
	Kind      ContainerKind `json:"kind"`
	Volume    string        `json:"volume,omitempty"` // the image volume's name, for VolumeImage
	// Image is the reference as the pod spec has it, without any defaulting.
	Image  string `json:"image"`
	Policy string `json:"policy,omitempty"` // Always, IfNotPresent, Never
	Node   string `json:"node,omitempty"`
	// Platform is what a planned image is asked for, such as linux/arm64; empty where the node tells.
	Platform string `json:"platform,omitempty"`
	// Reason is the kubelet's waiting.reason, which may be a raw error text; empty where the container waits for nothing.
	Reason string `json:"reason,omitempty"`
	// Workload is the owner at the top of the chain; the pod itself where it has none.
	Workload Ref `json:"workload"`
}

// ContainerKind says which part of a pod wants the image.
type ContainerKind string

// The parts of a pod that pull images.
const (
	App         ContainerKind = "container"
	Init        ContainerKind = "init"
	Ephemeral   ContainerKind = "ephemeral"
	VolumeImage ContainerKind = "volume"
	Sandbox     ContainerKind = "sandbox" // the pause image, pulled by the runtime without pod secrets
	Refused     ContainerKind = "refused" // admission refused the pod: there is none
	Planned     ContainerKind = "planned" // an image that nothing runs yet
)

// Ref names an object of the API.
type Ref struct {
	APIVersion string `json:"apiVersion,omitempty"`
	Kind       string `json:"kind,omitempty"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name,omitempty"`
	UID        string `json:"uid,omitempty"`
}

// Crash is a container whose image is there and whose process does not stay up.
type Crash struct {
	Namespace string `json:"namespace"`
	Pod       string `json:"pod"`
	Container string `json:"container"`
	Image     string `json:"image"`
	// Reason is the last termination's or the waiting reason: Error, OOMKilled, RunContainerError …
	Reason   string `json:"reason"`
	ExitCode int32  `json:"exitCode"`
	Restarts int32  `json:"restarts"`
	Message  string `json:"message,omitempty"`
}

// Gap is something that could not be seen. It is printed, never guessed over.
type Gap struct {
	Vantage Vantage `json:"vantage"`
	// What could not be seen, such as `events in namespace shop`.
	What string `json:"what"`
	// Why it could not, such as `Forbidden: events is forbidden: User …`.
	Why string `json:"why"`
	// How to see it: a command or a sentence; empty where there is no way.
	How string `json:"how,omitempty"`
	// Deciding is set where the verdict could change with it.
	Deciding bool `json:"deciding,omitempty"`
}
