// Package challenge reads WWW-Authenticate headers: which scheme a registry wants, and what it says with it.
//
// It takes any bytes, in time linear in them, and bounds what it keeps. It refuses to judge a realm: whether a credential may
// go there is for its caller to say.
package challenge

import "strings"

const (
	maxHeaders    = 32
	maxHeader     = 16 << 10 // bytes of one header that are read
	maxChallenges = 32       // of one header
	maxParams     = 32       // of one challenge
)

// Challenge is one scheme and what comes with it.
type Challenge struct {
	// Scheme is in lower case: bearer, basic.
	Scheme string
	// Params are by their names in lower case; the last of one name counts, as with containerd.
	Params map[string]string
}

// Name is the scheme as people write it.
func (c Challenge) Name() string {
	if c.Scheme == "" {
		return ""
	}
	s := c.Scheme[:min(len(c.Scheme), 32)]
	return strings.ToUpper(s[:1]) + s[1:]
}

// Pick chooses among the headers of one answer what containerd would answer: Bearer before Basic, and of each header only the first
// challenge, since that is all it reads (C24 core/remotes/docker/auth/parse.go:98-145). Where it would answer none, the first is returned for naming,
// and ok is false.
func Pick(headers []string) (c Challenge, ok bool) {
	for i, h := range headers {
		if i == maxHeaders {
			break
		}
		all := Parse(h)
		if len(all) == 0 {
			continue
		}
		first := all[0]
		switch {
		case first.Scheme == "bearer":
			return first, true
		case first.Scheme == "basic" && !ok:
			c, ok = first, true
		case c.Scheme == "":
			c = first
		}
	}
	return c, ok
}

// Parse reads one header as RFC 9110, section 11.6.1, writes it: a list of challenges, each with a list of parameters or one token68. It stops
// where the text stops making sense, and returns what it has.
func Parse(header string) []Challenge {
	p := parser{rest: header[:min(len(header), maxHeader)]}
	var all []Challenge
	for len(all) < maxChallenges {
		p.skip(" \t,")
		word := p.token()
		if word == "" {
			break
		}
		if value, is := p.value(); is {
			if len(all) == 0 {
				break // a parameter of nothing
			}
			if c := all[len(all)-1]; len(c.Params) < maxParams {
				c.Params[strings.ToLower(word)] = value
			}
			continue
		}
		all = append(all, Challenge{Scheme: strings.ToLower(word), Params: map[string]string{}})
		p.token68()
	}
	return all
}

type parser struct{ rest string }

func (p *parser) skip(set string) { p.rest = strings.TrimLeft(p.rest, set) }

// token takes what RFC 9110, section 5.6.2, calls one.
func (p *parser) token() string {
	i := 0
	for i < len(p.rest) && isToken(p.rest[i]) {
		i++
	}
	t := p.rest[:i]
	p.rest = p.rest[i:]
	return t
}

// value takes `= value` where it follows.
func (p *parser) value() (string, bool) {
	after := strings.TrimLeft(p.rest, " \t")
	if !strings.HasPrefix(after, "=") {
		return "", false
	}
	p.rest = strings.TrimLeft(after[1:], " \t")
	if strings.HasPrefix(p.rest, `"`) {
		return p.quoted(), true
	}
	return p.token(), true
}

// quoted takes a quoted string; one that does not end is empty, and nothing follows it.
func (p *parser) quoted() string {
	var b strings.Builder
	s := p.rest[1:]
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			p.rest = s[i+1:]
			return b.String()
		case '\\':
			if i++; i < len(s) {
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(s[i])
		}
	}
	p.rest = ""
	return ""
}

// token68 passes over what a scheme such as Negotiate carries in place of parameters.
func (p *parser) token68() {
	s := strings.TrimLeft(p.rest, " \t")
	i := 0
	for i < len(s) && (isToken(s[i]) || s[i] == '/') {
		i++
	}
	for i > 0 && i < len(s) && s[i] == '=' {
		i++
	}
	after := strings.TrimLeft(s[i:], " \t")
	if i > 0 && len(p.rest) > len(s) && (after == "" || after[0] == ',') {
		p.rest = after
	}
}

func isToken(c byte) bool {
	return c > ' ' && c < 0x7f && strings.IndexByte(`()<>@,;:\"/[]?={}`, c) < 0
}
