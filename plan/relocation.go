package plan

import "strings"

// Relocation is a public repository, or a family of them, that is known to have moved or gone.
type Relocation struct {
	// From are the old places as HOST/PATH; a `*` at the end stands for all that begin so.
	From []string
	// To are the new places, the best first; a `*` stands for what From's stood for, or for the last segment of one without.
	// None where no place has the same under a known name.
	To []string
	// Same is set where the new place has the very images under the same tags.
	Same bool
	// When is when the old place closes or the new one took over: a year, a month or a day.
	When string
	// Source is where that is announced or was seen; empty only where Unverified.
	Source string
	// Note is what to know before moving: one clause, empty where there is nothing.
	Note string
	// Unverified is set for a lead that nobody has checked.
	Unverified bool
}

// Relocated are the relocations that fit an image best: those of its longest matching From.
func Relocated(image string) []Relocation {
	r := parse(image)
	name := r.host + "/" + r.repo
	var out []Relocation
	best := 0
	for _, x := range Relocations {
		switch n, _ := x.fits(name); {
		case n == 0 || n < best:
		case n > best:
			out, best = []Relocation{x}, n
		default:
			out = append(out, x)
		}
	}
	return out
}

// fits is how much of a name the longest of From says, and what a star in To stands for; 0 where none fits.
func (x Relocation) fits(name string) (longest int, rest string) {
	for _, from := range x.From {
		if s, ok := under(from, name); ok && len(from) > longest {
			longest, rest = len(from), s
		}
	}
	return longest, rest
}

// under is what a pattern leaves open of a name: what its star stands for, or the last segment where it has none.
func under(pattern, name string) (string, bool) {
	prefix, open := strings.CutSuffix(pattern, "*")
	if !open {
		return name[strings.LastIndex(name, "/")+1:], pattern == name
	}
	rest, ok := strings.CutPrefix(name, prefix)
	return rest, ok && rest != ""
}

// Places are the repositories (HOST/PATH) where an image is to be looked for instead, the best first.
func (x Relocation) Places(image string) []string {
	r := parse(image)
	n, rest := x.fits(r.host + "/" + r.repo)
	if n == 0 {
		return nil
	}
	var out []string
	for _, to := range x.To {
		out = append(out, strings.Replace(to, "*", rest, 1))
	}
	return out
}

// clause says the relocation of an image that it fits, in one sentence.
func (x Relocation) clause(image string) string {
	r := parse(image)
	var b strings.Builder
	b.WriteString(r.host + "/" + r.repo)
	if to := x.Places(image); len(to) > 0 {
		b.WriteString(" has moved to " + strings.Join(to, " or "))
	} else {
		b.WriteString(" is no more, or ends")
	}
	about := []string{x.When}
	if x.Note != "" {
		about = append(about, x.Note)
	}
	if x.Unverified {
		about = append(about, "not verified")
	}
	if x.Source != "" {
		about = append(about, x.Source)
	}
	return b.String() + " (" + strings.Join(about, "; ") + ")."
}

// relocated says where a repository went; the new place is a lead to check, not an answer.
func relocated(image string) string {
	if !printableReference(image) {
		return ""
	}
	var clauses []string
	for _, x := range Relocated(image) {
		clauses = append(clauses, x.clause(image))
	}
	return strings.Join(clauses, " ")
}
