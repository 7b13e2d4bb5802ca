package evidence

import "time"

// Vantage is a point from which something is seen.
type Vantage string

// The three vantage points.
const (
	API      Vantage = "api"
	Registry Vantage = "registry"
	Node     Vantage = "node"
)

// Fact is one thing that was seen, and where. At most one payload is set; a fact
// without one is its Text.
type Fact struct {
	// Text is one sentence for a person, redacted.
	Text    string  `json:"text"`
	Vantage Vantage `json:"vantage"`
	// Where it was seen from: `API server`, a node's name, `this machine`.
	Where string `json:"where"`
	// Source is the object or request, such as `pod shop/web-1 status` or `event shop/web-1.17c3`.
	Source string    `json:"source"`
	Time   time.Time `json:"time"`

	Message   *Message        `json:"message,omitempty"`
	Pod       *Pod            `json:"pod,omitempty"`
	Secret    *Secret         `json:"secret,omitempty"`
	Account   *ServiceAccount `json:"serviceAccount,omitempty"`
	NodeState *NodeState      `json:"node,omitempty"`
	Elsewhere *Elsewhere      `json:"elsewhere,omitempty"`
	Workload  *Workload       `json:"workload,omitempty"`

	Keyring      *Keyring      `json:"keyring,omitempty"`
	Probe        *Probe        `json:"probe,omitempty"`
	Alternatives *Alternatives `json:"alternatives,omitempty"`

	Host           *Host           `json:"host,omitempty"`
	RegistryConfig *RegistryConfig `json:"registryConfig,omitempty"`
	Runtime        *Runtime        `json:"runtime,omitempty"`
	Downloads      *Downloads      `json:"downloads,omitempty"`
	NodePull       *NodePull       `json:"nodePull,omitempty"`
	Provider       *Provider       `json:"provider,omitempty"`
	Disk           *Disk           `json:"disk,omitempty"`
	Content        *Content        `json:"content,omitempty"`
}

// Message is a text that Kubernetes shows about the pull.
type Message struct {
	Origin Origin `json:"origin"`
	// Reason is the waiting reason or the event's reason.
	Reason string `json:"reason,omitempty"`
	// Type is the event's type, Normal or Warning; empty otherwise. A crash's
	// BackOff event is a Warning, an image's is Normal.
	Type string `json:"type,omitempty"`
	// Text is as it was printed, redacted and at most MaxText bytes.
	Text  string    `json:"text"`
	Count int       `json:"count,omitempty"`
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`
}

// Origin is where a Message was printed.
type Origin string

// The origins of a Message, the most trusted first.
const (
	Waiting    Origin = "waiting"    // status.…[].state.waiting.message
	Terminated Origin = "terminated" // state.terminated or lastState.terminated
	Event      Origin = "event"      // an event on the pod
	OwnerEvent Origin = "ownerEvent" // an event on the pod's owner, such as FailedCreate
	NodeEvent  Origin = "nodeEvent"  // an event on the node, such as ImageGCFailed
	Line       Origin = "line"       // given on stdin: `explain -`
)

// Pod is the part of a pod that bears on its pulls.
type Pod struct {
	Created time.Time `json:"created"`
	// PullSecrets is spec.imagePullSecrets: copied from the service account at creation where the template has none.
	PullSecrets    []string `json:"pullSecrets,omitempty"`
	ServiceAccount string   `json:"serviceAccount,omitempty"`
	// SandboxReady is the PodReadyToStartContainers condition: True, False or empty (unknown).
	// True means that sandbox, network and volumes are fine and only images remain.
	SandboxReady string `json:"sandboxReady,omitempty"`
	// PullingSince is when the kubelet last said Pulling without having said anything since; zero otherwise.
	PullingSince time.Time `json:"pullingSince,omitzero"`
	// Mirror is set for a static pod's mirror: it can have no secrets.
	Mirror bool `json:"mirror,omitempty"`
}

// Tri is yes, no, or unknown (the zero value): Forbidden means unknown, not missing.
type Tri string

// The values of Tri.
const (
	Unknown Tri = ""
	Yes     Tri = "yes"
	No      Tri = "no"
)

// Secret is the shape of a pull secret, never its contents.
type Secret struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Exists    Tri    `json:"exists"`
	Type      string `json:"type,omitempty"`
	// Keys are the data keys, such as .dockerconfigjson.
	Keys []string `json:"keys,omitempty"`
	// Registries are the keys under auths, as written.
	Registries []string `json:"registries,omitempty"`
	// Problem is how the kubelet would fail to read it, in the kubelet's words or ours; empty where it reads well.
	Problem string `json:"problem,omitempty"`
	// Breaks is set where Problem fails every pull of the pod rather than only leaving this secret out.
	Breaks  bool      `json:"breaks,omitempty"`
	Created time.Time `json:"created,omitzero"`
	// Changed is the newest write that managedFields tells of; zero where they tell none.
	Changed time.Time `json:"changed,omitzero"`
	// Owner is the controller that writes it, such as `ExternalSecret shop/regcred`; empty where nobody else does.
	Owner string `json:"owner,omitempty"`
}

// ServiceAccount is the pod's service account as it is now, which may differ from when the pod was created.
type ServiceAccount struct {
	Namespace   string   `json:"namespace"`
	Name        string   `json:"name"`
	Exists      Tri      `json:"exists"`
	PullSecrets []string `json:"pullSecrets,omitempty"`
	// Changed is the newest write that managedFields tells of; zero where they tell none.
	Changed time.Time `json:"changed,omitzero"`
}

// NodeState is what the API tells of a node.
type NodeState struct {
	Name           string `json:"name"`
	Runtime        string `json:"runtime,omitempty"` // containerd, cri-o, docker
	RuntimeVersion string `json:"runtimeVersion,omitempty"`
	Kubelet        string `json:"kubelet,omitempty"` // version, such as v1.36.3
	OS             string `json:"os,omitempty"`
	Arch           string `json:"arch,omitempty"`
	OSImage        string `json:"osImage,omitempty"`
	// Kernel is the kernel's version; on Windows the build number that images are matched by.
	Kernel string `json:"kernel,omitempty"`
	// Home is the distribution that runs the node: one of the Home… values; empty where nothing tells.
	Home Home `json:"home,omitempty"`
	// Providers says whether the kubelet has credential providers, by its metrics.
	Providers Tri `json:"providers,omitempty"`
	// Ready is the Ready condition's status: True, False, Unknown.
	Ready       string `json:"ready,omitempty"`
	ReadyReason string `json:"readyReason,omitempty"` // condition reason and message, bounded
	// DiskPressure is the DiskPressure condition's status.
	DiskPressure string `json:"diskPressure,omitempty"`
	// ImageFS is the kubelet's image filesystem; nil where stats/summary could not be read.
	ImageFS *Filesystem `json:"imageFs,omitempty"`
	NodeFS  *Filesystem `json:"nodeFs,omitempty"`
	// Config is the kubelet's live configuration; nil where configz could not be read.
	Config *KubeletConfig `json:"config,omitempty"`
}

// Home is where a node comes from; the commands that fit it differ.
type Home string

// The homes that node facts tell.
const (
	HomeK3s          Home = "k3s"
	HomeRKE2         Home = "rke2"
	HomeBottlerocket Home = "bottlerocket"
	HomeTalos        Home = "talos"
	HomeGKE          Home = "gke"
	HomeEKS          Home = "eks"
	HomeAKS          Home = "aks"
	HomeOpenShift    Home = "openshift"
)

// Filesystem is one filesystem's room, in bytes and inodes.
type Filesystem struct {
	Available  uint64 `json:"available"`
	Capacity   uint64 `json:"capacity"`
	InodesFree uint64 `json:"inodesFree"`
	Inodes     uint64 `json:"inodes"`
}

// KubeletConfig is the part of configz that bears on pulls.
type KubeletConfig struct {
	SerializePulls         bool   `json:"serializePulls"`
	PullQPS                int32  `json:"pullQPS"`
	PullBurst              int32  `json:"pullBurst"`
	ImageGCHighPercent     int32  `json:"imageGCHighPercent"`
	ImageGCLowPercent      int32  `json:"imageGCLowPercent"`
	CredentialVerification string `json:"credentialVerification,omitempty"`
}

// Elsewhere is the same image on other nodes.
type Elsewhere struct {
	Image string `json:"image"`
	// Running are nodes (at most five) where a container of another pod runs this very image; RunningMore counts the others.
	Running     []string `json:"running,omitempty"`
	RunningMore int      `json:"runningMore,omitempty"`
	// Present are nodes (at most five) whose status lists it. Absence proves nothing: a node lists its 50 largest.
	Present []string `json:"present,omitempty"`
	// Failing are nodes (at most five) where a pull of it fails now; FailingMore counts the others.
	Failing     []string `json:"failing,omitempty"`
	FailingMore int      `json:"failingMore,omitempty"`
}

// Workload is the owner at the top and how it stands.
type Workload struct {
	Ref Ref `json:"ref"`
	// Chain is the owners from the pod's own upwards, the top one last.
	Chain []Ref `json:"chain,omitempty"`
	// Manager owns the object's source: argocd, flux, helm, olm, operator; empty where nothing tells.
	Manager string `json:"manager,omitempty"`
	// ManagedBy names the manager's own object, such as `Application shop`.
	ManagedBy string `json:"managedBy,omitempty"`
	// Rollout is one line, such as `3 of 5 replicas available; progress deadline exceeded`.
	Rollout string `json:"rollout,omitempty"`
	// Previous is the image that this container had in the revision before, from the owner's history; empty where unknown.
	Previous string `json:"previous,omitempty"`
	// PreviousAvailable is set where pods of that revision are up.
	PreviousAvailable bool `json:"previousAvailable,omitempty"`
}
