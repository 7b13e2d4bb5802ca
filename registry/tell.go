package registry

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// here is where everything is seen from.
const here = "this machine"

// tell adds the facts of every pull to its case. Pulls with the same secrets and the same question share them.
func (r *run) tell(pulls []*pull) {
	told := map[string][]*evidence.Fact{}
	for _, p := range pulls {
		key := fmt.Sprintf("%q %q %q %q", p.ring.Repository, p.ring.Broken, p.ring.NodeMay, p.secrets)
		if p.question != nil {
			key += p.question.key
		}
		if told[key] == nil {
			told[key] = r.facts(p)
		}
		p.c.Facts = append(p.c.Facts, told[key]...)
	}
}

func (r *run) facts(p *pull) []*evidence.Fact {
	source := "pull secrets of the pod"
	if r.Config != nil {
		source = r.ConfigName
	}
	out := []*evidence.Fact{r.fact(ringSentence(p.ring, len(p.secrets)), source, evidence.Fact{Keyring: &p.ring})}
	if p.question == nil {
		return out
	}
	answer := p.logins()
	return append(out, r.fact(Sentence(&answer), "registry "+answer.Host, evidence.Fact{Probe: &answer}))
}

func (r *run) fact(text, source string, f evidence.Fact) *evidence.Fact {
	f.Text, f.Vantage, f.Where, f.Source, f.Time = evidence.Clean(text), evidence.Registry, here, source, r.at
	return &f
}

func ringSentence(k evidence.Keyring, named int) string {
	var matching []string
	for _, e := range k.Entries {
		if e.Matches {
			matching = append(matching, fmt.Sprintf("%s (%s)", e.Secret, who(e.Login)))
		}
	}
	switch {
	case k.Broken != "" && k.BrokenBy == "":
		return "the image's name does not parse, so the kubelet looks up no credential: " + k.Broken
	case k.Broken != "":
		return fmt.Sprintf("secret %s fails the lookup of every credential: %s", k.BrokenBy, k.Broken)
	case len(matching) > 0:
		return fmt.Sprintf("credentials that the kubelet tries for %s, in this order: %s", k.Repository, strings.Join(matching, ", "))
	case len(k.Unread) > 0:
		return fmt.Sprintf("no credential for %s in the secrets that could be read; not read: %s", k.Repository, strings.Join(k.Unread, ", "))
	case named == 0 && len(k.Entries) == 0:
		return fmt.Sprintf("the pod names no pull secret: %s is pulled without credentials of its own", k.Repository)
	case len(k.Entries) > 0 && k.Entries[0].Near:
		e := k.Entries[0]
		return fmt.Sprintf("no entry matches %s; nearest is %q in %s: %s", k.Repository, e.Key, e.Secret, e.Why)
	}
	return fmt.Sprintf("no entry of the pull secrets matches %s: it is pulled without credentials", k.Repository)
}

func who(l evidence.Login) string {
	if l.User == "" {
		return "no user"
	}
	return "user " + l.User
}

// Sentence is what a registry answered, for a person: the last attempt that the kubelet would make.
func Sentence(p *evidence.Probe) string {
	var last *evidence.Attempt
	for i := range p.Attempts {
		if a := &p.Attempts[i]; !a.Compared || last == nil {
			last = a
		}
	}
	if last == nil {
		return p.Host + " was not asked: " + cmp.Or(p.Withheld, "there was nothing to ask with")
	}
	with := "without credentials"
	if l := last.Login; l != nil {
		with = fmt.Sprintf("with %s (%s)", l.Secret, who(*l))
	}
	switch {
	case last.Skipped != "":
		return fmt.Sprintf("%s was not asked for %s %s: %s", p.Host, p.Image, with, last.Skipped)
	case last.Served:
		return fmt.Sprintf("%s serves %s %s", p.Host, p.Image, with)
	case len(last.Steps) == 0:
		return fmt.Sprintf("%s was not asked for %s", p.Host, p.Image)
	}
	return with + ": " + step(last.Steps[len(last.Steps)-1])
}

// step is one request and its answer in half a line.
func step(s evidence.Step) string {
	out := fmt.Sprintf("%s %s: ", s.Method, s.URL)
	if s.Status == 0 {
		return out + cmp.Or(s.Text, string(s.Failure))
	}
	out += fmt.Sprintf("%d %s", s.Status, http.StatusText(s.Status))
	if len(s.Codes) > 0 {
		out += " " + strings.Join(s.Codes, ", ")
	}
	if s.Text != "" {
		out += ": " + s.Text
	}
	return out
}
