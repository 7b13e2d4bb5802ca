package kube

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/distribution/reference"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/kube/nodestate"
)

const (
	// maxNodeRequests bounds what goes to nodes in one run: gets, stats, configz and metrics together. With the version, the list of
	// refused pods and the events of nodes, which no case adds to, it is fifty.
	maxNodeRequests = 47
	// proxyPatience ends a question to a kubelet that may be the very thing that is down.
	proxyPatience = 5 * time.Second
	maxProxyBody  = 32 << 20
)

// diskTexts and throttleTexts are in messages that the kubelet's disks and settings explain.
var (
	diskTexts = []string{
		"no space left", "disk quota", "inode", "input/output error", "read-only file system", "invaliddiskcapacity", "evict",
	}
	throttleTexts = []string{"pull qps exceeded", "context canceled", "deadline exceeded"}
	// refusals are in messages whose cause a credential provider of the node may be.
	refusals   = []string{"401", "403", "denied", "unauthorized", "forbidden", "authoriz", "credential", "token"}
	diskEvents = map[string]bool{
		"FreeDiskSpaceFailed": true, "ImageGCFailed": true, "InvalidDiskCapacity": true, "EvictionThresholdMet": true, "ContainerGCFailed": true,
	}
)

func nodeKeys(c *evidence.Case) []string {
	if c.Pull.Node == "" {
		return nil
	}
	return []string{c.Pull.Node}
}

// addNodes gets the nodes of the most cases. Their disks and the kubelet's
// settings cost requests of their own, which are spent only where a message, a
// silent pull or DiskPressure asks for them.
func (o *observer) addNodes(ctx context.Context) {
	count, wanted, deep := map[string]int{}, map[string]bool{}, map[string]bool{}
	disk, auth := map[string]bool{}, map[string]bool{}
	for _, c := range o.cases {
		wanted[normal(c.Pull.Image)] = true
		for _, n := range nodeKeys(c) {
			count[n]++
			full := says(c, diskTexts)
			disk[n], auth[n] = disk[n] || full, auth[n] || says(c, refusals)
			pod := podOf(c)
			deep[n] = deep[n] || full || says(c, throttleTexts) || pod != nil && !pod.PullingSince.IsZero()
		}
	}
	names := byCount(count)
	chosen := names[:min(len(names), maxNodeRequests)]
	var left atomic.Int64
	left.Store(int64(maxNodeRequests - len(chosen)))
	present := each(ctx, chosen, func(ctx context.Context, n string) nodeSeen {
		return o.node(ctx, n, looks{deep[n], auth[n]}, &left, wanted)
	})
	got := map[string]seen{}
	for _, n := range chosen {
		got[n] = present[n].seen
	}
	for _, n := range names[len(chosen):] {
		got[n] = seen{gaps: []evidence.Gap{{
			Vantage: evidence.API, What: "node " + n, Why: fmt.Sprintf("%d nodes with more failing pulls were looked at", maxNodeRequests),
			How: "kubectl describe node " + evidence.Quote(n),
		}}}
	}
	o.addNodeEvents(ctx, disk, got)
	attach(o.cases, nodeKeys, got, nil)
	o.addPresent(chosen, present)
}

type nodeSeen struct {
	seen
	images map[string]bool // of those wanted
}

// looks are what is asked of a kubelet beyond what its Node object tells.
type looks struct{ deep, auth bool }

func (o *observer) node(ctx context.Context, n string, look looks, left *atomic.Int64, wanted map[string]bool) nodeSeen {
	node, err := o.core.Nodes().Get(ctx, n, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nodeSeen{seen: seen{facts: []*evidence.Fact{o.fact(fmt.Sprintf("node %q does not exist any more", n), "node "+n, evidence.Fact{})}}}
	}
	if err != nil {
		return nodeSeen{seen: seen{gaps: []evidence.Gap{gap("node "+n, err, "kubectl get node "+evidence.Quote(n))}}}
	}
	state := nodestate.Read(node)
	var gaps []evidence.Gap
	if (look.deep || state.DiskPressure == "True") && left.Add(-2) >= 0 {
		gaps = o.proxy(ctx, &state)
	}
	if look.auth && left.Add(-1) >= 0 {
		if raw, err := o.askKubelet(ctx, n, "metrics"); err == nil { // unknown otherwise, as it is without the request
			nodestate.AddMetrics(&state, raw)
		}
	}
	out := nodeSeen{images: map[string]bool{}}
	for image := range nodestate.Present(node) {
		if wanted[image] {
			out.images[image] = true
		}
	}
	out.facts = []*evidence.Fact{o.fact(nodestate.Sentence(&state), "node "+n, evidence.Fact{NodeState: &state})}
	out.gaps = gaps
	return out
}

// proxy asks the kubelet through the API server.
func (o *observer) proxy(ctx context.Context, s *evidence.NodeState) (gaps []evidence.Gap) {
	for _, q := range []struct {
		path, what string
		add        func(*evidence.NodeState, []byte) error
	}{
		{"stats/summary", "the disks of node " + s.Name, nodestate.AddStats},
		{"configz", "the kubelet configuration of node " + s.Name, nodestate.AddConfig},
	} {
		raw, err := o.askKubelet(ctx, s.Name, q.path)
		if err == nil {
			err = q.add(s, raw)
		}
		if err != nil {
			how := ""
			if apierrors.IsForbidden(err) {
				how = "allow `get` on nodes/proxy, which is close to root on the node"
			}
			gaps = append(gaps, gap(q.what, err, how))
		}
	}
	return gaps
}

func (o *observer) askKubelet(ctx context.Context, node, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, proxyPatience)
	defer cancel()
	body, err := o.core.RESTClient().Get().Resource("nodes").Name(node).SubResource("proxy").Suffix(path).
		SetHeader("Accept", "application/json").MaxRetries(0).Stream(ctx)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(io.LimitReader(body, maxProxyBody))
}

// addNodeEvents reads what the nodes say of their disks where a message asks for it: one request for all.
func (o *observer) addNodeEvents(ctx context.Context, disk map[string]bool, got map[string]seen) {
	asked := false
	for _, full := range disk {
		asked = asked || full
	}
	if !asked {
		return
	}
	last := map[string]*corev1.Event{}
	opts := metav1.ListOptions{FieldSelector: "involvedObject.kind=Node,type=Warning", Limit: 500}
	list, err := o.core.Events(metav1.NamespaceDefault).List(ctx, opts)
	if err != nil {
		// The conditions and disks say the same, so it decides nothing.
		g := gap("the events of nodes", err, "kubectl get events -n default --field-selector involvedObject.kind=Node")
		for n, s := range got {
			if disk[n] {
				s.gaps = append(s.gaps, g)
				got[n] = s
			}
		}
		return
	}
	for i := range list.Items {
		e := &list.Items[i]
		key := e.InvolvedObject.Name + "/" + e.Reason
		if _, ok := got[e.InvolvedObject.Name]; ok && diskEvents[e.Reason] && (last[key] == nil || older(last[key], e)) {
			last[key] = e
		}
	}
	keys := map[string]int{}
	for k := range last {
		keys[k] = 0
	}
	for _, k := range byCount(keys) {
		e := last[k]
		m := readEvent(e).Message
		m.Origin, m.Text = evidence.NodeEvent, evidence.Clean(m.Text)
		text := fmt.Sprintf("node %q: %s: %s", e.InvolvedObject.Name, m.Reason, sentence(m.Text))
		s := got[e.InvolvedObject.Name]
		s.facts = append(s.facts, newFact(text, "event "+e.Namespace+"/"+e.Name, m.Last, evidence.Fact{Message: &m}))
		got[e.InvolvedObject.Name] = s
	}
}

// addPresent says which of the nodes list the very image. That a node does not list it proves nothing.
func (o *observer) addPresent(chosen []string, got map[string]nodeSeen) {
	facts := map[string]*evidence.Fact{}
	for _, c := range o.cases {
		image := c.Pull.Image
		fact, ok := facts[image]
		if !ok {
			var on []string
			for _, n := range chosen {
				if got[n].images[normal(image)] && len(on) < maxNamed {
					on = append(on, n)
				}
			}
			if len(on) > 0 {
				fact = o.fact(fmt.Sprintf("image %q is stored on %s", image, listed(on)), "node status", evidence.Fact{
					Elsewhere: &evidence.Elsewhere{Image: image, Present: on},
				})
			}
			facts[image] = fact
		}
		if fact != nil {
			c.Facts = append(c.Facts, fact)
		}
	}
}

// normal is an image as a node's status spells it.
func normal(image string) string {
	ref, err := reference.ParseDockerRef(image)
	if err != nil {
		return image
	}
	return ref.String()
}
