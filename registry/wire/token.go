package wire

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/wire/exchange"
)

const (
	maxTokenBody = 1 << 20
	maxToken     = 64 << 10
	clientID     = "containerd-client"
)

// fetch asks the realm for a token: with a secret first by POST (OAuth 2.0), then by GET with Basic where the realm does not know POST; without
// one by GET (C24 core/remotes/docker/authorizer.go:307-347).
func (s *Session) fetch(ctx context.Context, ans *Answer, l *login) {
	secret := l.cred != nil && l.cred.Password != ""
	if l.refused != nil {
		step := evidence.Step{Name: evidence.StepToken, Method: http.MethodGet, Failure: evidence.FailedUnsafe, Text: s.hide.Clean(l.refused.Error())}
		if secret {
			step.Method = http.MethodPost
		}
		if l.realm != nil {
			step.URL = s.hide.Clean(exchange.Shown(l.realm))
			step.Realm = step.URL
		}
		ans.Steps, l.failed = append(ans.Steps, step), &step
		return
	}
	if !secret {
		s.tokenBy(ctx, ans, l, s.get(l))
		return
	}
	step := s.tokenBy(ctx, ans, l, s.post(l))
	if l.header != "" || step.Failure != "" {
		return
	}
	switch step.Status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusNotFound:
	case http.StatusMethodNotAllowed:
		if l.cred.Username == "" {
			return
		}
	default:
		return
	}
	s.tokenBy(ctx, ans, l, s.get(l))
}

func (s *Session) post(l *login) exchange.Call {
	form := url.Values{"service": {l.service}, "client_id": {clientID}}
	if len(l.scopes) > 0 {
		form.Set("scope", strings.Join(l.scopes, " "))
	}
	if l.cred.Username == "" {
		form.Set("grant_type", "refresh_token")
		form.Set("refresh_token", l.cred.Password)
	} else {
		form.Set("grant_type", "password")
		form.Set("username", l.cred.Username)
		form.Set("password", l.cred.Password)
	}
	return exchange.Call{
		Step: evidence.StepToken, Method: http.MethodPost, URL: l.realm, Form: []byte(form.Encode()), Secret: true, MaxBody: maxTokenBody,
	}
}

func (s *Session) get(l *login) exchange.Call {
	u := *l.realm
	q := u.Query()
	if l.service != "" {
		q.Add("service", l.service)
	}
	for _, scope := range l.scopes {
		q.Add("scope", scope)
	}
	u.RawQuery = q.Encode()
	c := exchange.Call{Step: evidence.StepToken, Method: http.MethodGet, URL: &u, MaxBody: maxTokenBody}
	if l.cred != nil && l.cred.Password != "" {
		c.Secret = true
		basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(l.cred.Username+":"+l.cred.Password))
		c.Login = func(*url.URL, bool) string { return basic } // no other host is asked, since secret is set
	}
	return c
}

// tokenBy sends one token request and keeps what it brings.
func (s *Session) tokenBy(ctx context.Context, ans *Answer, l *login, c exchange.Call) evidence.Step {
	step, rep := s.desk.Send(ctx, c)
	step.Realm = step.URL
	if step.Failure == "" && step.Status < 300 {
		if err := s.keep(l, rep.Body, c.Method == http.MethodPost); err != nil {
			step.Failure, step.Text = evidence.FailedBody, err.Error()
		}
	}
	ans.Steps = append(ans.Steps, step)
	l.failed = nil
	if l.header == "" && step.Status >= 400 && step.Status < 500 {
		l.failed = &step
	}
	return step
}

// tokenAnswer has the types that containerd decodes into: an answer that fails there fails here.
type tokenAnswer struct {
	Token        string    `json:"token"`
	AccessToken  string    `json:"access_token"`
	RefreshToken string    `json:"refresh_token"`
	ExpiresIn    int       `json:"expires_in"`
	IssuedAt     time.Time `json:"issued_at"`
}

var (
	errDecode  = errors.New("unable to decode token response")
	errNoToken = errors.New("authorization server did not include a token in the response")
	errToken   = errors.New("the token is one that no header can carry")
)

// keep reads a token. A POST is answered with access_token alone (C24 core/remotes/docker/auth/fetch.go:98-234).
func (s *Session) keep(l *login, body []byte, posted bool) error {
	var a tokenAnswer
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(&a); err != nil {
		return errDecode
	}
	token := a.AccessToken
	if token == "" && !posted {
		token = a.Token
	}
	for _, t := range []string{a.Token, a.AccessToken, a.RefreshToken} {
		s.hide.Add(t[:min(len(t), maxToken)])
	}
	switch {
	case token == "":
		return errNoToken
	case len(token) > maxToken, strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return errToken
	}
	l.header, l.until = "Bearer "+token, time.Time{}
	if a.ExpiresIn > 0 {
		const year = 365 * 24 * 3600
		l.until = s.client.now().Add(time.Duration(min(a.ExpiresIn, year)) * time.Second)
	}
	return nil
}

// unique sorts, as containerd does, so that the token server sees the same request.
func unique(scopes []string) []string {
	slices.Sort(scopes)
	return slices.Compact(scopes)
}
