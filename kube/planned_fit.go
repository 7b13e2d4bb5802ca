package kube

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	operator "k8s.io/apimachinery/pkg/selection"

	"github.com/refloat-dev/refloat/kube/manifest"
)

// platformLabels are the labels that a platform alone decides.
var platformLabels = []string{corev1.LabelOSStable, corev1.LabelArchStable, "beta.kubernetes.io/os", "beta.kubernetes.io/arch"}

func platformLabel(key string) bool { return slices.Contains(platformLabels, key) }

// fits tells whether the scheduler would let the pods onto a node by its labels: nodeSelector, and the node
// affinity that is required. Labels that are not considered fit; nil considers all.
func fits(pod *manifest.Pod, node labels.Set, name, os string, considered func(string) bool) bool {
	if pod.OS != "" && os != "" && pod.OS != os {
		return false
	}
	for key, value := range pod.NodeSelector {
		if (considered == nil || considered(key)) && (!node.Has(key) || node.Get(key) != value) {
			return false
		}
	}
	if pod.Required == nil {
		return true
	}
	// One term is enough; an empty one fits nothing (component-helpers scheduling/corev1/nodeaffinity).
	return slices.ContainsFunc(pod.Required.NodeSelectorTerms, func(t corev1.NodeSelectorTerm) bool {
		if len(t.MatchExpressions) == 0 && len(t.MatchFields) == 0 {
			return false
		}
		for _, e := range t.MatchExpressions {
			if (considered == nil || considered(e.Key)) && !holds(e, node) {
				return false
			}
		}
		for _, f := range t.MatchFields {
			if considered == nil && !holds(f, labels.Set{"metadata.name": name}) {
				return false
			}
		}
		return true
	})
}

var operators = map[corev1.NodeSelectorOperator]operator.Operator{
	corev1.NodeSelectorOpIn: operator.In, corev1.NodeSelectorOpNotIn: operator.NotIn, corev1.NodeSelectorOpExists: operator.Exists,
	corev1.NodeSelectorOpDoesNotExist: operator.DoesNotExist, corev1.NodeSelectorOpGt: operator.GreaterThan, corev1.NodeSelectorOpLt: operator.LessThan,
}

func holds(e corev1.NodeSelectorRequirement, node labels.Set) bool {
	q, err := labels.NewRequirement(e.Key, operators[e.Operator], e.Values)
	return err == nil && q.Matches(node)
}

// passing are taints that come and go with a node's state, or with its last minutes.
var passing = []string{
	"node.kubernetes.io/", "node.cloudprovider.kubernetes.io/", "node.cilium.io/", "karpenter.sh/",
	"ToBeDeletedByClusterAutoscaler", "DeletionCandidateOfClusterAutoscaler",
}

// tolerates tells whether no lasting taint keeps the pods away.
func tolerates(pod *manifest.Pod, taints []corev1.Taint) bool {
	return !slices.ContainsFunc(taints, func(t corev1.Taint) bool {
		if t.Effect == corev1.TaintEffectPreferNoSchedule || slices.ContainsFunc(passing, func(p string) bool { return strings.HasPrefix(t.Key, p) }) {
			return false
		}
		return !slices.ContainsFunc(pod.Tolerations, func(o corev1.Toleration) bool {
			return (o.Effect == "" || o.Effect == t.Effect) && (o.Key == t.Key || o.Key == "" && o.Operator == corev1.TolerationOpExists) &&
				(o.Operator == corev1.TolerationOpExists || o.Value == t.Value)
		})
	})
}

// knownPlatforms are the platforms that Kubernetes runs on, the most usual first.
var knownPlatforms = []string{
	anywhere, "linux/arm64", "linux/ppc64le", "linux/s390x", "linux/arm", "linux/386", "linux/riscv64", "windows/amd64",
}

// named are those of the platforms that the pods' own rules allow. Where none is, the rules themselves name the
// platforms: they know of nodes that are not here yet.
func named(pod *manifest.Pod, platforms []string) []string {
	out := allowed(pod, platforms)
	if len(out) > 0 {
		return out
	}
	out = allowed(pod, knownPlatforms)
	switch {
	case len(out) == 0:
		return []string{anywhere} // no node has such labels: the pods land nowhere, and the image can still be asked for
	case !namesArch(pod):
		return out[:1] // any architecture will do: one stands for all
	}
	if strings.HasPrefix(out[0], "linux/") {
		out = slices.DeleteFunc(out, func(p string) bool { return !strings.HasPrefix(p, "linux/") })
	}
	return out
}

func allowed(pod *manifest.Pod, platforms []string) []string {
	var out []string
	for _, platform := range platforms {
		short, _, _ := strings.Cut(platform, ":")
		parts := strings.Split(short, "/")
		if len(parts) < 2 || fits(pod, labels.Set{
			platformLabels[0]: parts[0], platformLabels[1]: parts[1], platformLabels[2]: parts[0], platformLabels[3]: parts[1],
		}, "", parts[0], platformLabel) {
			out = append(out, platform)
		}
	}
	return out
}

// namesArch tells whether the pods' rules name architectures, rather than none or those that will not do.
func namesArch(pod *manifest.Pod) bool {
	if pod.NodeSelector[platformLabels[1]] != "" || pod.NodeSelector[platformLabels[3]] != "" {
		return true
	}
	return pod.Required != nil && slices.ContainsFunc(pod.Required.NodeSelectorTerms, func(t corev1.NodeSelectorTerm) bool {
		return slices.ContainsFunc(t.MatchExpressions, func(e corev1.NodeSelectorRequirement) bool {
			return (e.Key == platformLabels[1] || e.Key == platformLabels[3]) && e.Operator == corev1.NodeSelectorOpIn
		})
	})
}
