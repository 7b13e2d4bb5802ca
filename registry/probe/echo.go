package probe

import (
	"slices"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/keyring"
	"github.com/refloat-dev/refloat/registry/wire/hide"
)

// minEcho is the length from which a password is taken out of what names things too: a shorter one may well be a platform's or a
// tag's own name.
const minEcho = 8

// echo finds what was offered in what registries send: the wire takes it out of errors and headers, and what manifests, configs and
// tag lists hold passes by it.
type echo struct{ all, long hide.Secrets }

func echoOf(offered []keyring.Credential) *echo {
	var e echo
	for _, c := range offered {
		e.all.Login(c.Username, c.Password)
		if len(c.Password) >= minEcho {
			e.long.Login(c.Username, c.Password)
		}
	}
	return &e
}

// probe takes it out of a whole answer, whose steps others share.
func (e *echo) probe(p *evidence.Probe) {
	for i := range p.Attempts {
		a := &p.Attempts[i]
		if a.Found != nil {
			m := *a.Found
			m.MediaType, m.Artifact, m.Platforms = e.long.Take(m.MediaType), e.long.Take(m.Artifact), e.names(m.Platforms)
			a.Found = &m
		}
		for j, s := range a.Steps {
			if text := e.all.Take(s.Text); text != s.Text {
				a.Steps = slices.Clone(a.Steps)
				a.Steps[j].Text = text
			}
		}
	}
	if p.Tags != nil {
		t := *p.Tags
		t.Text, t.Tags = e.all.Take(t.Text), e.names(t.Tags)
		p.Tags = &t
	}
}

// names are those that hold nothing of it.
func (e *echo) names(all []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return e.long.Take(s) != s })
}
