package wire

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/wire/challenge"
	"github.com/refloat-dev/refloat/registry/wire/exchange"
	"github.com/refloat-dev/refloat/registry/wire/trip"
)

const (
	maxScope = 2 << 10 // bytes of the scopes that a challenge may ask for
	maxRealm = 2 << 10
)

// login is how a host was answered that asked who is there.
type login struct {
	header string // Authorization
	turn   int    // the ask for which header was made
	cred   *Credential

	// The rest is for Bearer.
	bearer  bool
	realm   *url.URL
	refused error // why nothing goes to the realm
	service string
	scopes  []string
	until   time.Time      // zero: without end
	failed  *evidence.Step // the token server's last word, which is not asked for twice
}

// again answers the challenge of a 401, and tells whether to send the request again. The rules are containerd's (C24
// core/remotes/docker/authorizer.go:153-213): Bearer before Basic; who answered already and is refused is so for good, unless
// the registry names an error and the token was kept from an earlier ask.
func (s *Session) again(ctx context.Context, ans *Answer, rep exchange.Reply) bool {
	c, ok := challenge.Pick(rep.Header.Values("Www-Authenticate"))
	if !ok {
		return false
	}
	key := exchange.Origin(rep.URL)
	old := s.logins[key]
	last := &ans.Steps[len(ans.Steps)-1]
	if c.Scheme == "bearer" {
		if old != nil && (old.turn == s.turn || c.Params["error"] == "") {
			return false
		}
		l := s.bearer(key, c)
		s.logins[key] = l
		return s.ready(ctx, ans, l)
	}
	cred := s.credentialFor(key)
	if cred == nil || cred.Username == "" || cred.Password == "" {
		last.Text = strings.TrimSuffix("no basic auth credentials; "+last.Text, "; ")
		return false
	}
	if old != nil && !old.bearer {
		return false
	}
	pair := base64.StdEncoding.EncodeToString([]byte(cred.Username + ":" + cred.Password))
	s.logins[key] = &login{header: "Basic " + pair, turn: s.turn, cred: cred}
	return true
}

// credentialFor is nil for every host but the registry itself. containerd asks CRI for whatever host challenges, and CRI gives: a
// redirect can take a credential away there. Not here.
func (s *Session) credentialFor(key string) *Credential {
	if key == exchange.Origin(s.root) {
		return s.cred
	}
	return nil
}

func (s *Session) bearer(key string, c challenge.Challenge) *login {
	l := &login{bearer: true, cred: s.credentialFor(key), service: c.Params["service"]}
	l.realm, l.refused = s.realmOf(c)
	if s.repo != "" {
		l.scopes = append(l.scopes, "repository:"+s.repo+":pull")
	}
	if scope := c.Params["scope"]; scope != "" && len(scope) <= maxScope {
		l.scopes = append(l.scopes, strings.Split(scope, " ")...)
	}
	l.scopes = unique(l.scopes)
	return l
}

// realmOf reads the realm and says whether anything may be sent there.
func (s *Session) realmOf(c challenge.Challenge) (*url.URL, error) {
	text := c.Params["realm"]
	if text == "" {
		return nil, errors.New("no realm specified for token auth challenge")
	}
	u, err := url.Parse(text)
	if err != nil || len(text) > maxRealm || u.Host == "" || u.Hostname() == "" {
		return nil, errors.New("invalid token auth challenge realm")
	}
	u.Fragment = ""
	return u, checkRealm(s.root, u, s.desk.Line.Check)
}

// checkRealm says whether a credential may go from a registry to the realm that it names; inside judges the host.
func checkRealm(registry, realm *url.URL, inside func(host string) error) error {
	near := registry.Scheme == "http" && exchange.Loopback(realm) && realm.Hostname() == registry.Hostname()
	switch {
	case realm.User != nil:
		return &trip.Unsafe{Rule: "the token realm names a user of its own"}
	case realm.Scheme != "https" && (realm.Scheme != "http" || !near):
		return &trip.Unsafe{Rule: fmt.Sprintf("the token realm %s is not https", exchange.Shown(realm))}
	}
	return inside(realm.Hostname())
}

// ready sees to it that a login has what to send: a token that is good for this ask.
func (s *Session) ready(ctx context.Context, ans *Answer, l *login) bool {
	if !l.bearer || l.header != "" && (l.until.IsZero() || s.client.now().Before(l.until)) {
		return true
	}
	l.header, l.turn = "", s.turn
	if l.failed != nil {
		ans.Steps = append(ans.Steps, *l.failed)
	} else {
		s.fetch(ctx, ans, l)
	}
	if l.header == "" {
		ans.Header, ans.Body = nil, nil
	}
	return l.header != ""
}
