// Package keyring holds registry/keyring to the kubelet's own code.
//
// It is a module of its own, because nothing else here may depend on k8s.io/kubernetes.
package keyring
