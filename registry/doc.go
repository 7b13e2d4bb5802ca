// Package registry is the registry vantage point: it asks a registry for an image
// exactly as the kubelet's runtime would, with the pod's own credentials tried in
// the kubelet's order, and leaves what was answered as facts.
//
// It decides no cause. What it sees is seen from this machine, which is another
// network than the node's: the facts say so, and diagnose weighs them by it.
// Credentials of the node itself (config.json, credential providers) it has not;
// a Keyring fact tells where they may apply. It reads secrets by name only, and
// neither the machine's own docker login nor any other ambient credential.
package registry
