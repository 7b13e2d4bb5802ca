package diagnose

import (
	"fmt"
	"math/bits"
	"slices"
	"sync"
)

// rule ties phrases that a program prints to the causes they allow. Phrases are
// lower case; they match as substrings, blank at the text's end included. A
// phrase that starts with "=" or "@" is not text but a sign that the reader
// works out: see signs.go.
type rule struct {
	sure Confidence
	say  []Code   // the cause, then what else the text allows
	any  []string // at least one of these
	all  []string // and all of these
	not  []string // and none of these
}

func likely(c Code) rule            { return rule{sure: Likely, say: []Code{c}} }
func possible(c ...Code) rule       { return rule{sure: Possible, say: c} }
func (r rule) on(p ...string) rule  { r.any = p; return r }
func (r rule) and(p ...string) rule { r.all = p; return r }
func (r rule) no(p ...string) rule  { r.not = p; return r }

// ladder is the order in which rules are tried; the first that holds decides.
// A root cause stands above what it leads to, and words above bare status codes.
func ladder() [][]rule {
	return [][]rule{
		nodeOwn(), policyWords(), nameSyntax(), authWords(), registryWords(),
		networkTransport(), imageWords(), nodeStore(), nameWords(),
		registryStatus(), authStatus(), networkWeak(), nodeWeak(), reasonWords(),
	}
}

// compiledRule is a rule with its phrases as ids.
type compiledRule struct {
	sure     Confidence
	say      []Code
	all, not []uint16
}

const ruleWords = 8 // 512 rules

type ruleset struct {
	auto  *automaton
	ids   map[string]uint16
	plain bitset // what speaks finds around a name that says nothing
	rules []compiledRule
	// by maps a phrase to the rules that it may set off.
	by [maxPhrases][ruleWords]uint64
	// words tell the dialects apart, and where to look for an HTTP status.
	words struct{ status, docker, crio, imageLibrary, kubelet, containerd bitset }
}

var compiled = sync.OnceValue(func() *ruleset { return compile(ladder()) })

func compile(steps [][]rule) *ruleset {
	s := &ruleset{ids: map[string]uint16{}}
	for i, m := range markerPhrases {
		s.ids[m] = uint16(i)
	}
	for _, m := range signNames {
		s.id(m)
	}
	s.id("[")
	s.id("?ns=")
	s.id("not found")
	for set, words := range map[*bitset][]string{&s.words.status: statusWords, &s.words.docker: dockerWords, &s.words.crio: crioWords,
		&s.words.imageLibrary: imageLibraryWords, &s.words.kubelet: kubeletWords, &s.words.containerd: containerdWords} {
		for _, id := range s.idsOf(words) {
			set.set(id)
		}
	}
	for _, step := range steps {
		for _, r := range step {
			n := len(s.rules)
			if n >= ruleWords*64 || len(r.any) == 0 {
				panic(fmt.Sprintf("rule %d for %s: too many rules, or nothing sets it off", n, r.say))
			}
			s.rules = append(s.rules, compiledRule{sure: r.sure, say: r.say, all: s.idsOf(r.all), not: s.idsOf(r.not)})
			for _, id := range s.idsOf(r.any) {
				s.by[id][n>>6] |= 1 << (n & 63)
			}
		}
	}
	text := map[string]uint16{}
	for p, id := range s.ids {
		if (p[0] == '=' || p[0] == '@') && !slices.Contains(signNames, p) {
			panic("no such sign: " + p)
		}
		if p[0] != '=' && p[0] != '@' {
			text[p] = id
		}
	}
	s.auto = newAutomaton(text)
	var first [markers]int32
	s.auto.scan(`/x:x": /x, /x: x/ `, &s.plain, &first)
	return s
}

func (s *ruleset) id(p string) uint16 {
	id, ok := s.ids[p]
	if !ok {
		id = uint16(len(s.ids))
		if id >= maxPhrases {
			panic("too many phrases: raise maxPhrases")
		}
		s.ids[p] = id
	}
	return id
}

func (s *ruleset) idsOf(phrases []string) []uint16 {
	var out []uint16
	for _, p := range phrases {
		out = append(out, s.id(p))
	}
	return out
}

// decide returns the first rule that holds, or nil.
func (s *ruleset) decide(seen *bitset) *compiledRule {
	var open [ruleWords]uint64
	seen.each(func(id uint16) bool {
		for w, word := range &s.by[id] {
			open[w] |= word
		}
		return true
	})
	for w, word := range open {
		for ; word != 0; word &= word - 1 {
			if r := &s.rules[w<<6|bits.TrailingZeros64(word)]; r.holds(seen) {
				return r
			}
		}
	}
	return nil
}

func (r *compiledRule) holds(seen *bitset) bool {
	for _, id := range r.all {
		if !seen.has(id) {
			return false
		}
	}
	for _, id := range r.not {
		if seen.has(id) {
			return false
		}
	}
	return true
}
