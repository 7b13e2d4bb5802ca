package config

import (
	"fmt"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/refloat-dev/refloat/node/host"
)

// programs are those of each kind of runtime.
var programs = map[string][]string{Containerd: {"containerd"}, CRIO: {"crio"}, Docker: {"dockerd"}}

// kubelet is what the kubelet's settings tell of the runtime.
type kubelet struct {
	// socket is the endpoint that it is given, without a scheme; empty where that is not known.
	socket string
	// rancher is set where it is k3s's or RKE2's.
	rancher bool
	unread  []string
}

// readKubelet reads the kubelet's flags, and the file that they name: flags win over it.
func readKubelet(h *host.Host) kubelet {
	var k kubelet
	p, err := h.Kubelet()
	if err != nil {
		return k
	}
	k.socket = p.Flag("container-runtime-endpoint")
	if file := p.Flag("config"); k.socket == "" && p.Name == "kubelet" && file != "" {
		var doc struct {
			Endpoint string `json:"containerRuntimeEndpoint"`
		}
		b, err := readFile(h, file)
		if err == nil && len(b) > 256<<10 { // YAML's anchors make more of it than its size tells
			err = fmt.Errorf("%s: %w", file, errBounds)
		}
		if err == nil {
			err = yaml.Unmarshal(b, &doc)
		}
		if err != nil {
			k.unread = append(k.unread, fmt.Sprintf("%s: %v", file, plain(err)))
		}
		k.socket = doc.Endpoint
	}
	k.socket = strings.TrimPrefix(k.socket, "unix://")
	k.rancher = strings.HasPrefix(p.Name, "k3s") || p.Name == "rke2" || strings.HasPrefix(k.socket, "/run/k3s/")
	return k
}

// kind is the runtime that the kubelet uses: by its endpoint, by what runs, by what is there; containerd where nothing tells.
func (k kubelet) kind(h *host.Host) string {
	switch {
	case strings.Contains(k.socket, "crio"):
		return CRIO
	case strings.Contains(k.socket, "dockerd"), strings.Contains(k.socket, "dockershim"):
		return Docker
	case strings.Contains(k.socket, "containerd"):
		return Containerd
	}
	if p, err := h.Runtime(); err == nil {
		switch p.Name {
		case "crio":
			return CRIO
		case "cri-dockerd", "dockerd":
			return Docker
		}
		return Containerd
	}
	for _, c := range []struct{ kind, path string }{{Containerd, containerdFile}, {CRIO, "/etc/crio"}, {Docker, dockerFile}} {
		if _, err := h.Stat(c.path); err == nil {
			return c.kind
		}
	}
	return Containerd
}
