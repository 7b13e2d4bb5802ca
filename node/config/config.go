// Package config reads how a node's container runtime is configured, from its
// files as they are on disk, and says where it would look for the images of a
// registry and with what.
//
// containerd's own rules are held to containerd's code by test/hosts. The
// values of headers, and keys and passwords, never leave an Endpoint. The
// package opens no connection, changes nothing, and does not say whether a
// fault explains a failing pull.
package config

import (
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/host"
)

// The kinds of Runtime.
const (
	Containerd = "containerd"
	CRIO       = "cri-o"
	Docker     = "docker"
)

// Runtime is the configuration of a node's container runtime. It is of the
// files as they are now: a running one may have read others, and reads
// hosts.toml alone anew.
type Runtime struct {
	Kind string
	// File is the configuration's main file; empty where there is none. Version is containerd's, after what it imports.
	File    string
	Version int
	// Root and State are its folders, Socket is where it answers CRI, without a scheme.
	Root, State, Socket string
	Snapshotter         string
	// TempDir is where it is told to put temporary files; empty leaves that to its environment.
	TempDir string
	// ConfigPath are the folders in which hosts.toml are looked for, in their order.
	ConfigPath []string
	// DiscardUnpacked is set where layers are dropped once they are unpacked.
	DiscardUnpacked bool
	// Problems are those of File and of what it imports, the worst first.
	Problems []evidence.ConfigProblem

	host *host.Host
}

// Endpoint is a ConfiguredHost with what a connection to it takes. It prints
// without the values of its headers.
type Endpoint struct {
	evidence.ConfiguredHost
	Base   *url.URL
	Header http.Header
	// CAFiles are files of the node whose certificates are trusted besides the system's own.
	CAFiles []string
	// ClientCerts are pairs of certificate and key; an empty key is in the certificate's file.
	ClientCerts [][2]string
}

// String is its URL.
func (e Endpoint) String() string { return e.URL }

// Format prints its URL, whatever the verb: a header may hold a password.
func (e Endpoint) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.URL) }

// Read finds the node's runtime and reads its configuration. It never returns nil.
func Read(h *host.Host) (*Runtime, []evidence.Gap) {
	return &Runtime{
		Kind: Containerd, File: "/etc/containerd/config.toml", Version: 2,
		Root: "/var/lib/containerd", State: "/run/containerd", Socket: "/run/containerd/containerd.sock",
		Snapshotter: "overlayfs", ConfigPath: []string{"/etc/containerd/certs.d", "/etc/docker/certs.d"}, host: h,
	}, nil
}

// For is the configuration for one registry, as evidence.
func (r *Runtime) For(registry string) evidence.RegistryConfig {
	c := evidence.RegistryConfig{Runtime: r.Kind, File: r.File, Version: r.Version, ConfigPath: r.ConfigPath,
		Registry: registry, Problems: r.Problems}
	for _, e := range r.Endpoints(registry) {
		c.Hosts = append(c.Hosts, e.ConfiguredHost)
	}
	return c
}

// Endpoints are the places where the runtime looks for the registry's images, in its order. The registry is the
// reference's own, with its port: docker.io, localhost:5000.
func (r *Runtime) Endpoints(registry string) []Endpoint {
	host := registry
	if host == "docker.io" {
		host = "registry-1.docker.io"
	}
	base := &url.URL{Scheme: "https", Host: host, Path: "/v2"}
	return []Endpoint{{Base: base, ConfiguredHost: evidence.ConfiguredHost{URL: base.String(), Role: evidence.RoleRegistry,
		Capabilities: []string{"pull", "resolve"}}}}
}
