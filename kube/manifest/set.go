package manifest

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/refloat-dev/refloat/evidence"
)

// Set is what was read.
type Set struct {
	Images []Image
	// Later are images that something fills in before the pods exist: they cannot be asked for.
	Later []Later
	// Secrets are those that bear on pulls, with their data: it must go nowhere but into a keyring.
	Secrets []*corev1.Secret
	// Promised are secrets that other kinds will write: their contents are not known here.
	Promised []Promise
	Accounts []*corev1.ServiceAccount
	// Objects is how many objects of the API were read.
	Objects int
}

// Image is one reference, where it stands, and the pods that would pull it.
type Image struct {
	Reference string
	Policy    string
	Kind      evidence.ContainerKind // App, Init, Ephemeral, VolumeImage
	Container string
	Volume    string // the image volume's name, for VolumeImage
	Place     evidence.Place
	Pod       *Pod
}

// Pod is what decides with which credentials and on which nodes the pods of a template pull.
type Pod struct {
	// Namespace is empty where the manifest names none.
	Namespace string
	// PullSecrets are the template's own, without empty names. OwnSecrets is set where it lists any, even an
	// empty name: the service account's are not copied then.
	PullSecrets    []string
	OwnSecrets     bool
	ServiceAccount string // empty is `default`
	OS             string // spec.os.name
	NodeSelector   map[string]string
	// Required is the node affinity that scheduling insists on; nil for none.
	Required    *corev1.NodeSelector
	Tolerations []corev1.Toleration
}

// Later is an image that is not there yet.
type Later struct {
	Reference string
	// Why, such as `a parameter of the Workflow`.
	Why   string
	Place evidence.Place
}

// Promise is a secret that a controller will write.
type Promise struct {
	Namespace, Name string
	By              string // such as `ExternalSecret regcred`
	Place           evidence.Place
}
