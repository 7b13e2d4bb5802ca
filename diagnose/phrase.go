package diagnose

import (
	"math/bits"
	"strings"
)

// maxPhrases bounds the phrases that the rules may use; compile panics beyond it, so a test sees it.
const maxPhrases = 1536

// bitset is the set of phrases that a text contains.
type bitset [maxPhrases / 64]uint64

func (b *bitset) set(i uint16)      { b[i>>6] |= 1 << (i & 63) }
func (b *bitset) has(i uint16) bool { return b[i>>6]&(1<<(i&63)) != 0 }

// automaton finds all phrases in one pass (Aho-Corasick as a full transition
// table), whatever their number: the rules may grow without slowing a reading.
type automaton struct {
	class   [256]uint8 // byte to column: upper case folds to lower, white space to a blank
	columns int
	next    []uint16   // state*columns + column
	found   []uint16   // state to index in phrases; 0 means nothing ends here
	phrases [][]uint16 // the phrases that end at a state, by found
}

type node struct {
	child map[uint8]uint16
	fail  uint16
	ends  []uint16
}

func newAutomaton(phrases map[string]uint16) *automaton {
	a := &automaton{columns: 1}
	for p := range phrases {
		for i := range len(p) {
			if a.class[p[i]] == 0 {
				a.class[p[i]] = uint8(a.columns)
				a.columns++
			}
		}
	}
	for c := 'A'; c <= 'Z'; c++ {
		a.class[c] = a.class[c+'a'-'A']
	}
	for _, c := range "\n\r\t" {
		a.class[c] = a.class[' ']
	}
	nodes := []node{{child: map[uint8]uint16{}}}
	for p, id := range phrases {
		at := uint16(0)
		for i := range len(p) {
			c := a.class[p[i]]
			to, ok := nodes[at].child[c]
			if !ok {
				to = uint16(len(nodes))
				nodes = append(nodes, node{child: map[uint8]uint16{}})
				nodes[at].child[c] = to
			}
			at = to
		}
		nodes[at].ends = append(nodes[at].ends, id)
	}
	a.link(nodes)
	return a
}

// link fills the table breadth first, so that a state's failure state is complete before it is used.
func (a *automaton) link(nodes []node) {
	a.next = make([]uint16, len(nodes)*a.columns)
	a.found = make([]uint16, len(nodes))
	a.phrases = [][]uint16{nil}
	queue := []uint16{0}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		n := &nodes[at]
		if at != 0 {
			n.ends = append(n.ends, nodes[n.fail].ends...)
		}
		if len(n.ends) > 0 {
			a.found[at] = uint16(len(a.phrases))
			a.phrases = append(a.phrases, n.ends)
		}
		for c := range a.columns {
			slot := int(at)*a.columns + c
			elsewhere := uint16(0)
			if at != 0 {
				elsewhere = a.next[int(n.fail)*a.columns+c]
			}
			if to, ok := n.child[uint8(c)]; ok {
				nodes[to].fail = elsewhere
				a.next[slot] = to
				queue = append(queue, to)
			} else {
				a.next[slot] = elsewhere
			}
		}
	}
}

// scan adds to seen every phrase in text, and to first where each of the
// markers (ids below len(first)) ends for the first time. Backslashes are
// skipped and an escaped line break is a blank, because klog and the kubelet
// quote one another's errors (k8s.io/klog/v2 internal/serialize).
func (a *automaton) scan(text string, seen *bitset, first *[markers]int32) {
	next, found, columns := a.next, a.found, a.columns
	row := func(state uint16, c byte) uint16 { return next[int(state)*columns+int(a.class[c])] }
	// A text that starts with a word reads like one that follows a wrapper.
	state := row(row(0, ':'), ' ')
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\\' {
			if i+1 == len(text) || !strings.ContainsRune("ntr", rune(text[i+1])) {
				continue
			}
			i++
			c = ' '
		}
		state = next[int(state)*columns+int(a.class[c])]
		if f := found[state]; f != 0 {
			a.note(f, i+1, seen, first)
		}
	}
	if f := found[row(state, ' ')]; f != 0 {
		a.note(f, len(text), seen, first)
	}
}

func (a *automaton) note(f uint16, end int, seen *bitset, first *[markers]int32) {
	for _, id := range a.phrases[f] {
		if id < markers && first[id] == 0 {
			first[id] = int32(end)
		}
		seen.set(id)
	}
}

// meets reports whether the sets share a member.
func (b *bitset) meets(o *bitset) bool {
	for w := range b {
		if b[w]&o[w] != 0 {
			return true
		}
	}
	return false
}

// each calls f for every member in ascending order until f returns false.
func (b *bitset) each(f func(uint16) bool) {
	for w, word := range b {
		for word != 0 {
			i := bits.TrailingZeros64(word)
			word &= word - 1
			if !f(uint16(w<<6 | i)) {
				return
			}
		}
	}
}
