package diagnose

import (
	"fmt"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

const (
	// maxProof bounds the part of a message that proves a verdict: four lines of a terminal.
	maxProof = 250
	// shownDigest is how much of a digest tells it apart for a person, as docker and git show it.
	shownDigest = 12
)

// proof is a copy of the deciding message's fact whose text holds what decided: the
// fact's own sentence begins with wrappers and ends before the cause.
func (v *view) proof(f *evidence.Fact, r Reading) *evidence.Fact {
	m := f.Message
	var said string
	switch m.Origin {
	case evidence.Waiting:
		said = fmt.Sprintf("container %q waits", v.c.Pull.Container)
		if v.c.Pull.Kind == evidence.VolumeImage {
			said += fmt.Sprintf(" for its image volume %q", v.c.Pull.Volume)
		}
		if m.Reason != "" && !strings.ContainsAny(m.Reason, " :") { // else the reason is the text itself: see decide
			said += " with " + m.Reason
		}
	case evidence.Terminated:
		said = fmt.Sprintf("container %q ended with %s", v.c.Pull.Container, orElse(m.Reason, "an error"))
	case evidence.Event, evidence.OwnerEvent, evidence.NodeEvent:
		said = strings.TrimSpace("event " + m.Reason)
		if m.Count > 1 {
			said += fmt.Sprintf(" (%d times)", m.Count)
		}
	default:
		said = "the message"
	}
	if d := middle(shortDigests(r.Detail), maxProof); d != "" {
		said += ": " + d
	}
	out := *f
	out.Text = clean(said, 2*maxRef)
	return &out
}

// shortDigests cuts every sha256 in s to its beginning: two of them would fill a line each.
func shortDigests(s string) string {
	const name = "sha256:"
	var b strings.Builder
	for {
		i := strings.Index(s, name)
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		i += len(name)
		n := 0
		for i+n < len(s) && strings.IndexByte("0123456789abcdef", s[i+n]) >= 0 {
			n++
		}
		b.WriteString(s[:i+min(n, shownDigest)])
		if n > shownDigest {
			b.WriteString("…")
		}
		s = s[i+n:]
	}
}

// middle shortens s in its middle: runtimes say last what went wrong, and first at what.
func middle(s string, limit int) string {
	r := []rune(s)
	if len(r) <= limit {
		return s
	}
	first := limit * 2 / 5
	return string(r[:first]) + " … " + string(r[len(r)-(limit-first-3):])
}
