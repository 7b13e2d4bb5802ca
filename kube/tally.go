package kube

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

const (
	// maxImages and maxNodes bound what is remembered of healthy pods: together 4 MiB at most.
	maxImages = 4096
	maxNodes  = 8192
	// maxNamed is how many nodes a fact names.
	maxNamed = 5
)

// tally remembers which images run on which nodes, one bit each.
type tally struct {
	images map[string]*set
	nodes  map[string]int
	names  []string
}

type set []uint64

func (s *set) add(i int) {
	for len(*s) <= i/64 {
		*s = append(*s, 0)
	}
	(*s)[i/64] |= 1 << (i % 64)
}

func (s set) count() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// first is the first nodes of the set by the order in which they were seen, but for one.
func (s set) first(names []string, max int, but string) []string {
	var out []string
	for i, w := range s {
		for ; w != 0 && len(out) < max; w &= w - 1 {
			if n := names[i*64+bits.TrailingZeros64(w)]; n != but {
				out = append(out, n)
			}
		}
	}
	return out
}

// runs notes that an image runs on a node. What is beyond the bounds is not noted: less is said then, nothing wrong.
func (t *tally) runs(image, node []byte) {
	s := t.images[string(image)]
	if s == nil {
		if len(t.images) >= maxImages {
			return
		}
		if t.images == nil {
			t.images, t.nodes = map[string]*set{}, map[string]int{}
		}
		s = new(set)
		t.images[string(image)] = s
	}
	i, ok := t.nodes[string(node)]
	if !ok {
		if len(t.names) >= maxNodes {
			return
		}
		i = len(t.names)
		t.names = append(t.names, string(node))
		t.nodes[t.names[i]] = i
	}
	s.add(i)
}

// elsewhere adds to each case where the same image runs and where it fails. Cases of one image share the fact.
func (f *finder) elsewhere() {
	failing := map[string][]string{}
	for _, c := range f.out.Cases {
		if c.Pull.Image != "" && c.Pull.Node != "" && !slices.Contains(failing[c.Pull.Image], c.Pull.Node) {
			failing[c.Pull.Image] = append(failing[c.Pull.Image], c.Pull.Node)
		}
	}
	facts := map[string]*evidence.Fact{}
	for _, c := range slices.Concat(f.out.Cases, f.out.Suspects) {
		image := c.Pull.Image
		if image == "" {
			continue
		}
		fact, ok := facts[image]
		if !ok {
			fact = f.elsewhereFact(image, failing[image])
			facts[image] = fact
		}
		if fact != nil {
			c.Facts = append(c.Facts, fact)
		}
	}
}

func (f *finder) elsewhereFact(image string, failing []string) *evidence.Fact {
	e := &evidence.Elsewhere{Image: image}
	if s := f.tally.images[image]; s != nil {
		e.Running = s.first(f.tally.names, maxNamed, "")
		e.RunningMore = s.count() - len(e.Running)
	}
	e.Failing = failing[:min(len(failing), maxNamed)]
	e.FailingMore = len(failing) - len(e.Failing)
	if len(e.Running) == 0 && len(failing) < 2 {
		return nil
	}
	var parts []string
	if len(e.Running) > 0 {
		parts = append(parts, "runs on "+nodes(e.Running, e.RunningMore))
	}
	if len(failing) > 0 {
		parts = append(parts, "cannot be pulled on "+nodes(e.Failing, e.FailingMore))
	}
	return f.fact(fmt.Sprintf("image %q %s", image, strings.Join(parts, " and ")), "pods", evidence.Fact{Elsewhere: e})
}

func nodes(names []string, more int) string {
	s := strings.Join(names, ", ")
	if more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}
