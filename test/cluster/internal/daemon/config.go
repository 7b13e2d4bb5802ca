// Package daemon is the part of a lab that stays: the DNS server for *.lab, the registries with their TLS, and the socket
// that changes how both behave while the lab runs. It refuses to know Kubernetes: it is what stands outside a cluster.
package daemon

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/refloat-dev/refloat/internal/registrytest"
)

// Paths in the lab's state directory.
const (
	File   = "daemon.json"
	Socket = "control.sock"
	// CA is the pair in pki/ that signs the registries' certificates.
	CA = "registry-ca"
)

// Config is what the daemon is told at its start.
type Config struct {
	DNS   netip.Addr            `json:"dns"`
	Hosts map[string]netip.Addr `json:"hosts"` // every name that DNS answers
	// Nodes tells whose question it is: a node asks from its own address, its pods from their subnet.
	Nodes map[string][]netip.Prefix `json:"nodes"`
	// Forward passes TCP connections on, for the API service address that no kube-proxy serves here.
	ForwardFrom netip.AddrPort `json:"forwardFrom"`
	ForwardTo   netip.AddrPort `json:"forwardTo"`
	Bin         string         `json:"bin"`
}

// Registry is one registry host of every lab.
type Registry struct {
	Name  string
	Octet byte // last octet of its own address
	Style registrytest.Style
	Mode  Mode // how it answers at first
	Bare  bool // holds nothing but what is pushed later
}

// Mode is how a registry's port 443 answers.
type Mode string

// The modes of a registry's port.
const (
	ModeTLS       Mode = "tls"        // a good certificate of the lab's CA
	ModeExpired   Mode = "expired"    // of the lab's CA, expired
	ModeNotYet    Mode = "not-yet"    // of the lab's CA, valid from tomorrow
	ModeWrongName Mode = "wrong-name" // of the lab's CA, for another host
	ModeUntrusted Mode = "untrusted"  // of a CA that no node knows
	ModePlain     Mode = "plain"      // plain HTTP where TLS is expected
	ModeRefused   Mode = "refused"    // nobody listens
)

// Registries lists the hosts. All share one set of faults, told apart by host.
func Registries() []Registry {
	return []Registry{
		{Name: "open.lab", Octet: 100, Style: registrytest.Open, Mode: ModeTLS},
		{Name: "hub.lab", Octet: 101, Style: registrytest.BearerHub, Mode: ModeTLS},
		{Name: "ecr.lab", Octet: 102, Style: registrytest.BasicECR, Mode: ModeTLS},
		{Name: "faulty.lab", Octet: 103, Style: registrytest.Open, Mode: ModeTLS},
		{Name: "cloud.lab", Octet: 105, Style: registrytest.BasicECR, Mode: ModeTLS},
		{Name: "mirror.lab", Octet: 106, Style: registrytest.Open, Mode: ModeTLS},
		{Name: "expired.lab", Octet: 110, Style: registrytest.Open, Mode: ModeExpired},
		{Name: "untrusted.lab", Octet: 111, Style: registrytest.Open, Mode: ModeUntrusted},
		{Name: "wrongname.lab", Octet: 112, Style: registrytest.Open, Mode: ModeWrongName},
		{Name: "plain.lab", Octet: 113, Style: registrytest.Open, Mode: ModePlain},
		{Name: "refused.lab", Octet: 114, Style: registrytest.Open, Mode: ModeRefused},
		// One for each case that changes a whole host. Their names tell nothing: a tool that reads them must not find the answer.
		{Name: "harbor.lab", Octet: 130, Style: registrytest.Open, Mode: ModeTLS, Bare: true},
		{Name: "quay.lab", Octet: 131, Style: registrytest.Open, Mode: ModeTLS, Bare: true},
		{Name: "nexus.lab", Octet: 132, Style: registrytest.Open, Mode: ModeTLS, Bare: true},
		{Name: "artifacts.lab", Octet: 133, Style: registrytest.Open, Mode: ModeTLS, Bare: true},
		{Name: "images.lab", Octet: 134, Style: registrytest.Open, Mode: ModeTLS, Bare: true},
		{Name: "depot.lab", Octet: 135, Style: registrytest.Open, Mode: ModeTLS, Bare: true},
		{Name: "oci.lab", Octet: 136, Style: registrytest.Open, Mode: ModeTLS, Bare: true},
		{Name: "packages.lab", Octet: 137, Style: registrytest.Open, Mode: ModeTLS, Bare: true},
		{Name: "builds.lab", Octet: 138, Style: registrytest.Open, Mode: ModeTLS, Bare: true},
		{Name: "nas.lab", Octet: 139, Style: registrytest.Open, Mode: ModeTLS, Bare: true},
		{Name: "gitlab.lab", Octet: 140, Style: registrytest.Open, Mode: ModeTLS, Bare: true},
		{Name: "releases.lab", Octet: 141, Style: registrytest.Open, Mode: ModeTLS, Bare: true},
		{Name: "cache.lab", Octet: 142, Style: registrytest.Open, Mode: ModeTLS, Bare: true},
		{Name: "campus.lab", Octet: 144, Style: registrytest.Open, Mode: ModeTLS, Bare: true},
		{Name: "forge.lab", Octet: 145, Style: registrytest.Open, Mode: ModeTLS, Bare: true},
		{Name: "studio.lab", Octet: 146, Style: registrytest.Open, Mode: ModeTLS, Bare: true},
		{Name: "annex.lab", Octet: 147, Style: registrytest.Open, Mode: ModeTLS, Bare: true},
		{Name: "works.lab", Octet: 148, Style: registrytest.Open, Mode: ModeTLS, Bare: true},
		{Name: "relay.lab", Octet: 149, Style: registrytest.Open, Mode: ModeTLS, Bare: true},
		{Name: "edge.lab", Octet: 150, Style: registrytest.Open, Mode: ModeTLS, Bare: true},
		{Name: "egress.lab", Octet: 143, Style: registrytest.Open, Mode: ModePlain, Bare: true},
	}
}

// Storage is the host that blobs are redirected to by a fault.
const (
	Storage      = "storage.lab"
	StorageOctet = 104
)

func load(dir string) (Config, error) {
	var cfg Config
	data, err := os.ReadFile(filepath.Join(dir, File))
	if err != nil {
		return cfg, err
	}
	if err := json.Unmarshal(data, &cfg); err != nil {
		return cfg, fmt.Errorf("reading %s: %w", File, err)
	}
	return cfg, nil
}
