// Package nodestate reads what the API tells of a node: its runtime, its
// conditions, its home, and, where nodes/proxy is allowed, its disks and the
// kubelet's live configuration.
//
// nodes/proxy is close to root on the node: nothing here needs it, and a refusal
// only leaves a field empty.
package nodestate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/refloat-dev/refloat/evidence"
)

// Read is the state that the Node object tells.
func Read(n *corev1.Node) evidence.NodeState {
	info := n.Status.NodeInfo
	runtime, version, _ := strings.Cut(info.ContainerRuntimeVersion, "://")
	out := evidence.NodeState{
		Name: n.Name, Runtime: runtime, RuntimeVersion: version, Kubelet: info.KubeletVersion,
		OS: info.OperatingSystem, Arch: info.Architecture, OSImage: info.OSImage, Kernel: info.KernelVersion, Home: home(n),
	}
	for _, c := range n.Status.Conditions {
		switch c.Type {
		case corev1.NodeReady:
			out.Ready = string(c.Status)
			if c.Status != corev1.ConditionTrue {
				out.ReadyReason = evidence.Clean(c.Reason + ": " + c.Message)
			}
		case corev1.NodeDiskPressure:
			out.DiskPressure = string(c.Status)
		}
	}
	return out
}

// home tells the distribution: its operating system first, since that decides
// where files are; then the kubelet's version, then labels.
func home(n *corev1.Node) evidence.Home {
	info := n.Status.NodeInfo
	has := func(label string) bool { _, ok := n.Labels[label]; return ok }
	switch {
	case strings.HasPrefix(info.OSImage, "Bottlerocket"):
		return evidence.HomeBottlerocket
	case strings.HasPrefix(info.OSImage, "Talos"):
		return evidence.HomeTalos
	case has("node.openshift.io/os_id"):
		return evidence.HomeOpenShift
	case strings.Contains(info.KubeletVersion, "+k3s"):
		return evidence.HomeK3s
	case strings.Contains(info.KubeletVersion, "+rke2"):
		return evidence.HomeRKE2
	case strings.Contains(info.KubeletVersion, "-gke."), has("cloud.google.com/gke-nodepool"):
		return evidence.HomeGKE
	case strings.Contains(info.KubeletVersion, "-eks-"), has("eks.amazonaws.com/nodegroup"), has("alpha.eksctl.io/nodegroup-name"):
		return evidence.HomeEKS
	case has("kubernetes.azure.com/cluster"), has("kubernetes.azure.com/agentpool"):
		return evidence.HomeAKS
	case strings.HasPrefix(n.Spec.ProviderID, "k3s://"):
		return evidence.HomeK3s
	}
	return ""
}

// Sentence is a node's state for a person.
func Sentence(s *evidence.NodeState) string {
	out := fmt.Sprintf("node %q is %s/%s with %s %s, kubelet %s", s.Name, s.OS, s.Arch, s.Runtime, s.RuntimeVersion, s.Kubelet)
	if s.Ready != "" && s.Ready != "True" {
		out += "; not ready: " + s.ReadyReason
	}
	if s.DiskPressure == "True" {
		out += "; under disk pressure"
	}
	if s.ImageFS != nil && s.ImageFS.Capacity > 0 {
		out += fmt.Sprintf("; image filesystem %d%% free", s.ImageFS.Available*100/s.ImageFS.Capacity)
	}
	return out
}

// Present are the images of a node's status, by every name it lists.
func Present(n *corev1.Node) map[string]bool {
	out := map[string]bool{}
	for _, i := range n.Status.Images {
		for _, name := range i.Names {
			out[name] = true
		}
	}
	return out
}

type filesystem struct {
	AvailableBytes *uint64 `json:"availableBytes"`
	CapacityBytes  *uint64 `json:"capacityBytes"`
	InodesFree     *uint64 `json:"inodesFree"`
	Inodes         *uint64 `json:"inodes"`
}

// AddStats reads the kubelet's stats/summary into a state.
func AddStats(s *evidence.NodeState, raw []byte) error {
	var summary struct {
		Node struct {
			FS      *filesystem `json:"fs"`
			Runtime struct {
				ImageFS *filesystem `json:"imageFs"`
			} `json:"runtime"`
		} `json:"node"`
	}
	if err := json.Unmarshal(raw, &summary); err != nil {
		return fmt.Errorf("reading stats/summary: %w", err)
	}
	s.NodeFS, s.ImageFS = summary.Node.FS.read(), summary.Node.Runtime.ImageFS.read()
	return nil
}

func (f *filesystem) read() *evidence.Filesystem {
	if f == nil {
		return nil
	}
	value := func(p *uint64) uint64 {
		if p == nil {
			return 0
		}
		return *p
	}
	return &evidence.Filesystem{
		Available: value(f.AvailableBytes), Capacity: value(f.CapacityBytes), InodesFree: value(f.InodesFree), Inodes: value(f.Inodes),
	}
}

// AddConfig reads the kubelet's configz into a state.
func AddConfig(s *evidence.NodeState, raw []byte) error {
	var config struct {
		Kubelet struct {
			Serialize *bool  `json:"serializeImagePulls"`
			QPS       *int32 `json:"registryPullQPS"`
			Burst     int32  `json:"registryBurst"`
			High      *int32 `json:"imageGCHighThresholdPercent"`
			Low       *int32 `json:"imageGCLowThresholdPercent"`
			Verify    string `json:"imagePullCredentialsVerificationPolicy"`
		} `json:"kubeletconfig"`
	}
	if err := json.Unmarshal(raw, &config); err != nil {
		return fmt.Errorf("reading configz: %w", err)
	}
	k := config.Kubelet
	out := &evidence.KubeletConfig{PullBurst: k.Burst, CredentialVerification: k.Verify}
	out.SerializePulls = k.Serialize == nil || *k.Serialize
	for _, v := range []struct {
		from *int32
		to   *int32
	}{{k.QPS, &out.PullQPS}, {k.High, &out.ImageGCHighPercent}, {k.Low, &out.ImageGCLowPercent}} {
		if v.from != nil {
			*v.to = *v.from
		}
	}
	s.Config = out
	return nil
}

// AddMetrics reads from the kubelet's metrics whether it has credential providers. Since 1.36 it tells of their configuration
// once it has one (K36 pkg/credentialprovider/plugin/metrics.go:56-75); before, only a provider that ran leaves a trace.
func AddMetrics(s *evidence.NodeState, raw []byte) {
	switch {
	case bytes.Contains(raw, []byte("\nkubelet_credential_provider_")):
		s.Providers = evidence.Yes
	case bytes.Contains(raw, []byte("\nkubelet_")) && tellsProviders(s.Kubelet):
		s.Providers = evidence.No
	}
}

func tellsProviders(kubelet string) bool {
	var major, minor int
	n, err := fmt.Sscanf(kubelet, "v%d.%d", &major, &minor)
	return n == 2 && err == nil && (major > 1 || minor >= 36)
}
