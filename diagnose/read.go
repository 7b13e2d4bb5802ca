package diagnose

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Text is one message about a pull, from wherever it was printed.
type Text struct {
	Message string
	// Reason is the waiting reason or the event's reason; it decides where the message does not.
	Reason string
	// Image is the reference that the pod asks for, where it is known apart from the text.
	Image string
}

// What of a text is looked at: its head and its tail, where the wrappers and the cause stand.
const (
	headBytes = 64 << 10
	tailBytes = 64 << 10
	// maxRef, maxHost and maxDetail bound what a Reading repeats of a hostile text.
	maxRef    = 512
	maxHost   = 255
	maxDetail = 400
)

// signNames are the signs that the reader works out instead of finding them as text.
var signNames = []string{
	"=400", "=401", "=402", "=403", "=404", "=405", "=407", "=412", "=429", "=451", "=4xx", "=5xx",
	"@pinned", "@ecr", "@ghcr", "@proxytext", "@refnotfound", "@cut", "@several",
}

// scan is what one pass over a text found.
type scan struct {
	text  string
	seen  bitset
	first [markers]int32
}

// Read says what one message tells by itself. It looks at a bounded part of
// the text, in linear time, and trusts nothing in it.
func Read(t Text) Reading {
	rules := compiled()
	whole := scan{text: bound(t.Message)}
	rules.run(&whole, t.Image)

	var r Reading
	r.Image = whole.image()
	if r.Image == "" {
		r.Image = clean(t.Image, maxRef)
	}
	r.Runtime = rules.runtime(&whole)

	main, mirror := split(&whole, rules)
	part := &whole
	if len(main) != len(whole.text) {
		part = &scan{text: main}
		rules.run(part, t.Image, r.Image)
		part.seen.set(rules.ids["@several"])
	}
	r.Host = part.host()
	if r.Host == "" {
		r.Host = whole.host()
	}
	r.Registry = registryOf(r.Image, r.Host)
	r.judge(rules, part, t.Reason)
	if mirror != "" {
		r.joinMirror(rules, mirror, t)
	}
	r.viaMirror(part.seen.has(rules.ids["?ns="]))
	r.Detail = detail(part.text)
	if len(t.Message) > 4<<10 { // do not keep a large message alive for a few bytes of it
		r.Image, r.Host, r.Registry = strings.Clone(r.Image), strings.Clone(r.Host), strings.Clone(r.Registry)
		r.Detail = strings.Clone(r.Detail)
	}
	return r
}

// judge lets the rules decide, first on the text, then on the reason.
func (r *Reading) judge(rules *ruleset, s *scan, reason string) {
	rules.signs(s, r)
	hit := rules.decide(&s.seen)
	if hit == nil && reason != "" {
		why := scan{text: bound(reason)}
		rules.auto.scan(why.text, &why.seen, &why.first)
		hit = rules.decide(&why.seen)
	}
	if hit == nil {
		r.Cause, r.Confidence = Unknown, NoConfidence
		r.Candidates = []Candidate{{Unknown, NoConfidence}}
		return
	}
	r.Cause, r.Confidence = hit.say[0], hit.sure
	r.Candidates = make([]Candidate, len(hit.say))
	for i, c := range hit.say {
		r.Candidates[i] = Candidate{c, Possible}
	}
	r.Candidates[0].Confidence = hit.sure
}

// joinMirror weighs what a mirror answered against the upstream's failure. An
// answer beats a failure to connect: in a disconnected cluster the upstream is
// only the fall-back (go.podman.io/image docker/docker_image_src.go, "Mirrors also failed").
func (r *Reading) joinMirror(rules *ruleset, mirror string, t Text) {
	s := scan{text: mirror}
	rules.run(&s, t.Image, r.Image)
	m := Reading{Image: r.Image, Host: s.host()}
	m.judge(rules, &s, "")
	if m.Cause == Unknown || m.Cause == r.Cause {
		return
	}
	if r.Cause == Unknown || (r.Cause.Family() == "network" && m.Cause.Family() != "network") {
		r.Cause, m.Cause = m.Cause, r.Cause
		r.Candidates, m.Candidates = m.Candidates, r.Candidates
	}
	r.Confidence = Possible
	for _, c := range m.Candidates {
		if !slices.ContainsFunc(r.Candidates, func(o Candidate) bool { return o.Cause == c.Cause }) && c.Cause != Unknown {
			r.Candidates = append(r.Candidates, c)
		}
	}
	for i := range r.Candidates {
		r.Candidates[i].Confidence = Possible
	}
}

// viaMirror allows for the node's registry configuration where a mirror failed: containerd
// marks such a request with ?ns=UPSTREAM (core/remotes/docker/resolver.go), and 1.7 shows a dead mirror's error
// in place of the upstream's.
func (r *Reading) viaMirror(marked bool) {
	if !marked || r.Host == "" || r.Host == r.Registry || (r.Cause.Family() != "network" && r.Cause != Unavailable && r.Cause != NotARegistry) {
		return
	}
	r.Confidence, r.Candidates[0].Confidence = Possible, Possible
	r.Candidates = append(r.Candidates, Candidate{RegistryConfig, Possible})
}

// bound cuts the middle out of a text that is longer than anything a runtime prints.
func bound(s string) string {
	if len(s) <= headBytes+tailBytes {
		return s
	}
	return s[:headBytes] + " … " + s[len(s)-tailBytes:]
}

// clean makes s printable, valid and at most limit bytes long.
func clean(s string, limit int) string {
	if len(s) > limit {
		s = s[:limit]
		for len(s) > 0 && !utf8.ValidString(s[max(0, len(s)-4):]) && !utf8.RuneStart(s[len(s)-1]) {
			s = s[:len(s)-1]
		}
	}
	plain := true
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	return strings.Map(func(c rune) rune {
		switch {
		case c == utf8.RuneError || c < ' ' || c == 0x7f || (c >= 0x80 && c < 0xa0):
			return ' '
		case c >= 0x200b && c <= 0x200f, c >= 0x202a && c <= 0x202e, c >= 0x2066 && c <= 0x2069:
			return -1 // invisible or reordering: it could make a report read as something else
		}
		return c
	}, s)
}
