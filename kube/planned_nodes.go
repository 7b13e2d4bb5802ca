package kube

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/kube/manifest"
	"github.com/refloat-dev/refloat/kube/nodestate"
)

// maxRooms bounds the nodes whose disks are asked for.
const maxRooms = 20

// plannedNode is a node that pods could land on.
type plannedNode struct {
	state    evidence.NodeState
	labels   labels.Set
	taints   []corev1.Taint
	platform string
	capacity int64 // of its disk, in bytes
	fact     *evidence.Fact
	cases    map[*evidence.Case]bool // that could be pulled there
}

// listNodes lists the nodes, 500 a request, and keeps what decides where pods land.
func (r *planner) listNodes(ctx context.Context) error {
	opts := metav1.ListOptions{Limit: 500}
	for {
		list, err := r.core.Nodes().List(ctx, opts)
		if apierrors.IsForbidden(err) {
			g := gap("the nodes' platforms and disks", err, "name the platforms: --platform "+anywhere)
			if len(r.Platforms) > 0 {
				g.What, g.How = "the nodes' disks", "kubectl auth can-i list nodes"
			}
			g.Deciding = len(r.Platforms) == 0
			r.out.Gaps = append(r.out.Gaps, g)
			return nil
		}
		if err != nil {
			return r.failure("listing nodes", err)
		}
		for i := range list.Items {
			r.addNode(&list.Items[i])
		}
		if opts.Continue = list.Continue; opts.Continue == "" {
			break
		}
	}
	sort.Slice(r.nodes, func(i, j int) bool { return r.nodes[i].state.Name < r.nodes[j].state.Name })
	builds := map[string]string{}
	for _, n := range r.nodes {
		n.platform = platformOf(&n.state, builds)
	}
	return nil
}

func (r *planner) addNode(node *corev1.Node) {
	n := &plannedNode{state: nodestate.Read(node), labels: node.Labels, taints: node.Spec.Taints}
	if n.state.OS == "" || n.state.Arch == "" {
		return // it has not reported yet
	}
	if q, ok := node.Status.Capacity[corev1.ResourceEphemeralStorage]; ok {
		n.capacity = q.Value()
	}
	r.nodes = append(r.nodes, n)
}

// platformOf is what a node wants of an index. Windows matches by build, and the nodes of one build count as one.
func platformOf(s *evidence.NodeState, builds map[string]string) string {
	out := s.OS + "/" + s.Arch
	if s.OS != "windows" || s.Kernel == "" {
		return out
	}
	parts := strings.SplitN(s.Kernel, ".", 4)
	build := out + ":" + strings.Join(parts[:min(len(parts), 3)], ".")
	if builds[build] == "" {
		builds[build] = out + ":" + s.Kernel
	}
	return builds[build]
}

// platforms are those that a template's pods could land on, each once.
func (r *planner) platforms(pod *manifest.Pod) []string {
	if len(r.Platforms) > 0 {
		return named(pod, r.Platforms)
	}
	var out []string
	for _, n := range r.landing(pod) {
		if !slices.Contains(out, n.platform) {
			out = append(out, n.platform)
		}
	}
	if len(out) == 0 && namesArch(pod) {
		return named(pod, nil)
	}
	if len(out) == 0 {
		return named(pod, []string{anywhere})
	}
	sort.Strings(out)
	return out
}

// landing are the nodes that the pods could land on: by their labels and taints, or by their labels alone where no
// node is left, for what is tainted today may not be tomorrow.
func (r *planner) landing(pod *manifest.Pod) []*plannedNode {
	if nodes, ok := r.landed[pod]; ok {
		return nodes
	}
	var fit, open []*plannedNode
	for _, n := range r.nodes {
		if fits(pod, n.labels, n.state.Name, n.state.OS, nil) {
			fit = append(fit, n)
			if tolerates(pod, n.taints) {
				open = append(open, n)
			}
		}
	}
	if len(open) > 0 {
		fit = open
	}
	if r.landed == nil {
		r.landed = map[*manifest.Pod][]*plannedNode{}
	}
	r.landed[pod] = fit
	return fit
}

// couldLand notes which nodes a case could be pulled on.
func (r *planner) couldLand(c *evidence.Case, pod *manifest.Pod) {
	for _, n := range r.landing(pod) {
		same := n.platform == c.Pull.Platform || len(r.Platforms) > 0 && sameArch(n.platform, c.Pull.Platform)
		if same && n.cases == nil {
			n.cases = map[*evidence.Case]bool{}
		}
		if same {
			n.cases[c] = true
		}
	}
}

// sameArch compares platforms without what follows OS and architecture.
func sameArch(a, b string) bool {
	short := func(s string) string {
		s, _, _ = strings.Cut(s, ":")
		parts := strings.Split(s, "/")
		return strings.Join(parts[:min(len(parts), 2)], "/")
	}
	return short(a) == short(b)
}

// readRooms asks the nodes for their disks where that is allowed, and adds to each case the nodes whose room is
// known, or else one that tells what kind of nodes they are.
func (r *planner) readRooms(ctx context.Context) {
	asked := r.askRooms()
	if len(asked) > 0 {
		first := r.room(ctx, asked[0])
		if first != nil {
			g := gap("the nodes' disks", first, "")
			if apierrors.IsForbidden(first) {
				g.How = "allow `get` on nodes/proxy, which is close to root on the node"
				asked = nil
			}
			r.out.Gaps = append(r.out.Gaps, g)
		}
		if len(asked) > 1 {
			each(ctx, asked[1:], r.room) // a node that does not answer leaves its room unknown
		}
	}
	for _, n := range r.nodes {
		if len(n.cases) > 0 {
			n.fact = r.fact(nodestate.Sentence(&n.state), "node "+n.state.Name, evidence.Fact{NodeState: &n.state})
		}
	}
	for _, c := range r.cases {
		var any *evidence.Fact
		rooms := 0
		for _, n := range r.nodes {
			if n.cases[c] && n.state.ImageFS != nil {
				c.Facts = append(c.Facts, n.fact)
				rooms++
			} else if n.cases[c] && any == nil {
				any = n.fact
			}
		}
		if rooms == 0 && any != nil {
			c.Facts = append(c.Facts, any)
		}
	}
}

func (r *planner) room(ctx context.Context, n *plannedNode) error {
	raw, err := r.askKubelet(ctx, n.state.Name, "stats/summary")
	if err != nil {
		return fmt.Errorf("asking node %s: %w", n.state.Name, err)
	}
	if metrics, err := r.askKubelet(ctx, n.state.Name, "metrics"); err == nil { // unknown otherwise
		nodestate.AddMetrics(&n.state, metrics)
	}
	return nodestate.AddStats(&n.state, raw)
}

// askRooms chooses the nodes to ask: of each platform those with the smallest and the largest disks.
func (r *planner) askRooms() []*plannedNode {
	byPlatform := map[string][]*plannedNode{}
	var platforms []string
	for _, n := range r.nodes {
		if len(n.cases) == 0 {
			continue
		}
		if byPlatform[n.platform] == nil {
			platforms = append(platforms, n.platform)
		}
		byPlatform[n.platform] = append(byPlatform[n.platform], n)
	}
	var out []*plannedNode
	for _, p := range platforms {
		nodes, share := byPlatform[p], max(1, maxRooms/len(platforms))
		sort.SliceStable(nodes, func(i, j int) bool { return nodes[i].capacity < nodes[j].capacity })
		if len(nodes) > share {
			nodes = slices.Concat(nodes[:(share+1)/2], nodes[len(nodes)-share/2:])
		}
		out = append(out, nodes...)
	}
	return out[:min(len(out), maxRooms)]
}
