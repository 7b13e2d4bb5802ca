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
	"cmp"
	"slices"
	"strings"

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
	// Process is the runtime's; nil where it does not run or cannot be seen.
	Process *host.Process
	// File is the configuration's main file; empty where there is none. Version is the one that it names.
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
	// release is the runtime's own version; zero where nobody has told. unread is what could not be read.
	release release
	unread  []string
	// kubeletSocket is what the kubelet is told; empty where that is not known.
	kubeletSocket string
	// one of these, by Kind
	containerd *containerdFiles
	crio       *crioFiles
	docker     *dockerFiles
}

// Running tells the runtime's own version, as CRI has it: what containerd does with its files depends on that. Without it
// the newest that is known counts, and where it would matter nothing is called a fault.
func (r *Runtime) Running(version string) {
	r.release = parseRelease(version)
	if r.containerd != nil {
		r.settle()
	}
}

// Read finds the node's runtime and reads its configuration. It never returns nil.
func Read(h *host.Host) (*Runtime, []evidence.Gap) {
	k := readKubelet(h)
	r := &Runtime{Kind: k.kind(h), host: h, kubeletSocket: k.socket, Socket: k.socket}
	var gaps []evidence.Gap
	if p, err := h.Process(programs[r.Kind]...); err == nil {
		r.Process = p
	} else if k.socket == "" {
		gaps = append(gaps, evidence.Gap{Vantage: evidence.Node, What: "which configuration the node's runtime was started with",
			Why: "neither the runtime's process nor the kubelet's setting for it is seen from here"})
	}
	switch r.Kind {
	case CRIO:
		r.readCRIO()
	case Docker:
		r.readDocker()
	default:
		r.readContainerd(k)
	}
	for _, what := range append(k.unread, r.unread...) {
		path, why, _ := strings.Cut(what, ": ")
		gaps = append(gaps, evidence.Gap{Vantage: evidence.Node, What: evidence.Clean(path), Why: evidence.Clean(why)})
	}
	return r, gaps
}

// For is the configuration for one registry, as evidence. The registry is the reference's own, with its port: docker.io,
// localhost:5000. What follows a slash is the repository, which only CRI-O looks at.
func (r *Runtime) For(registry string) evidence.RegistryConfig {
	c := evidence.RegistryConfig{Runtime: r.Kind, File: r.File, Version: r.Version, ConfigPath: slices.Clone(r.ConfigPath)}
	c.Registry, _, _ = strings.Cut(registry, "/")
	l := r.look(registry)
	c.HostsFile, c.Unread = l.file, append(slices.Clone(r.unread), l.unread...)
	c.Problems = worstFirst(append(slices.Clone(r.Problems), l.problems...))
	for _, e := range l.endpoints() {
		c.Hosts = append(c.Hosts, e.ConfiguredHost)
	}
	evidence.EachText(&c, evidence.Clean)
	return c
}

// Endpoints are the places where the runtime looks for the registry's images, in its order, as For takes it.
func (r *Runtime) Endpoints(registry string) []Endpoint { return r.look(registry).endpoints() }

func (r *Runtime) look(registry string) *look {
	name, _, _ := strings.Cut(registry, "/")
	l := &look{host: r.host, registry: name}
	switch r.Kind {
	case CRIO:
		r.crio.look(l, registry)
	case Docker:
		r.docker.look(l)
	default:
		r.containerd.look(l, r)
	}
	return l
}

// worstFirst sorts problems by what they do, keeps each once, and at most thirty.
func worstFirst(ps []evidence.ConfigProblem) []evidence.ConfigProblem {
	order := []evidence.ConfigEffect{evidence.EffectStops, evidence.EffectFails, evidence.EffectBypassed, evidence.EffectUnused, evidence.EffectWarns}
	slices.SortStableFunc(ps, func(a, b evidence.ConfigProblem) int {
		return cmp.Or(slices.Index(order, a.Effect)-slices.Index(order, b.Effect), cmp.Compare(a.File, b.File), a.Line-b.Line, cmp.Compare(a.Text, b.Text))
	})
	ps = slices.Compact(ps)
	return ps[:min(len(ps), 30)]
}
