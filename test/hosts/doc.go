// Package hosts holds node/config to containerd's own code.
//
// It is a module of its own, because nothing else here may depend on all of containerd.
package hosts
