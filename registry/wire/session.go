package wire

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/wire/exchange"
	"github.com/refloat-dev/refloat/registry/wire/hide"
)

// maxTries is how often one ask is sent: plainly, with a token, with the Basic credentials that some registries want after the token, and
// with a token again after one that was kept too long.
const maxTries = 4

const maxPing = 64 << 10 // bytes; a registry's root says {}, and something else may say more

// Session asks one registry about one repository with one credential. It keeps the registry's challenge and its token, so that
// only the first ask pays for them. A token that was refused is not asked for again: a later ask ends in that same step, without a request.
// One goroutine may use a session at a time.
type Session struct {
	client *Client
	root   *url.URL
	err    error // why there is no root
	repo   string
	cred   *Credential
	hide   hide.Secrets
	desk   exchange.Desk
	logins map[string]*login // by origin
	turn   int               // counts the asks
}

// Session starts one; nothing is asked yet. The host is as references spell it (docker.io, reg.lab:5000); repository may be empty where no
// token scope is to be asked for; a nil credential is anonymous.
//
// A credential without a user name is offered as a refresh token and one without a password not at all, as containerd does with what it is
// given. The kubelet gives it neither: CRI takes an entry without user name for anonymous (C24 internal/cri/server/images/image_pull.go:358-394), and
// so must the caller.
func (c *Client) Session(host, repository string, cred *Credential) *Session {
	s := &Session{client: c, repo: repository, cred: cred, logins: map[string]*login{}}
	if cred != nil {
		s.hide.Login(cred.Username, cred.Password)
	}
	if s.root, s.err = rootOf(host); s.err == nil {
		s.desk = exchange.Desk{Line: c.net().To(s.root), Hide: &s.hide, Timeout: c.timeout(), Now: c.now, Named: cred != nil}
	}
	return s
}

// Host is the address that is asked: registry-1.docker.io for docker.io. It is empty where the host cannot be one.
func (s *Session) Host() string {
	if s.err != nil {
		return ""
	}
	return s.root.Host
}

var errHost = errors.New("this is no registry host")

// rootOf is where a registry is: over TLS, but for one on this machine's loopback with a port other than 443, which containerd takes for plain
// HTTP (C24 core/remotes/docker/config/hosts.go:95-121).
func rootOf(host string) (*url.URL, error) {
	if host == "docker.io" || host == "index.docker.io" {
		host = "registry-1.docker.io"
	}
	u, err := url.Parse("https://" + host)
	if err != nil || u.Host != host || u.User != nil || u.Hostname() == "" || len(host) > 300 {
		return nil, errHost
	}
	if p := u.Port(); exchange.Loopback(u) && p != "" && p != "443" {
		u.Scheme = "http"
	}
	return u, nil
}

// target is the URL of a path. A path may not lead to another host.
func (s *Session) target(path string) (*url.URL, error) {
	if s.err != nil {
		return nil, s.err
	}
	u, err := url.Parse(s.root.String() + path)
	if err != nil || !strings.HasPrefix(path, "/") || u.Host != s.root.Host || u.User != nil {
		return nil, errors.New("this is no path at a registry")
	}
	u.Fragment = ""
	return u, nil
}

// Do asks, and authenticates as the registry demands. It always returns, at the latest when each of its requests has had the client's Timeout.
func (s *Session) Do(ctx context.Context, a Ask) Answer {
	if a.Method == "" {
		a.Method = http.MethodGet
	}
	u, err := s.target(a.Path)
	if err == nil && a.Method != http.MethodGet && a.Method != http.MethodHead {
		err = errors.New("nothing but GET and HEAD is sent")
	}
	if err != nil {
		return Answer{Steps: []evidence.Step{{Name: a.Step, Method: a.Method, Failure: evidence.FailedUnsafe, Text: err.Error()}}}
	}
	s.turn++
	var ans Answer
	// A token whose time is over is renewed before it is refused, as containerd does.
	if l := s.logins[exchange.Origin(u)]; l != nil && !s.ready(ctx, &ans, l) {
		return ans
	}
	c := exchange.Call{Step: a.Step, Method: a.Method, URL: u, Accept: a.Accept, MaxBody: a.MaxBody, Login: s.authorization}
	if c.MaxBody <= 0 {
		c.MaxBody = defaultBody
	}
	for range maxTries {
		step, rep := s.desk.Send(ctx, c)
		ans.Steps = append(ans.Steps, step)
		ans.Header, ans.Body = rep.Header, rep.Body
		if step.Failure != "" || step.Status != http.StatusUnauthorized || !s.again(ctx, &ans, rep) {
			break
		}
	}
	return ans
}

// Ping asks for the registry's root and answers no challenge: it costs one request, offers no credential, and tells whether a registry is
// there and how it authenticates. What it says is not used for later asks: a registry may challenge here and serve public images without, and a token asked for
// with a stale credential would then fail a pull that works.
func (s *Session) Ping(ctx context.Context) Answer {
	u, err := s.target("/v2/")
	if err != nil {
		return Answer{Steps: []evidence.Step{{Name: evidence.StepPing, Method: http.MethodGet, Failure: evidence.FailedUnsafe, Text: err.Error()}}}
	}
	step, rep := s.desk.Send(ctx, exchange.Call{Step: evidence.StepPing, Method: http.MethodGet, URL: u, MaxBody: maxPing})
	return Answer{Steps: []evidence.Step{step}, Header: rep.Header, Body: rep.Body}
}

// Fork is a session for one more goroutine, with the challenge and the token that there are by now.
func (s *Session) Fork() *Session {
	f := *s
	f.hide = s.hide.Clone()
	f.desk.Hide = &f.hide
	f.logins = map[string]*login{}
	for key, l := range s.logins {
		own := *l
		f.logins[key] = &own
	}
	return &f
}

// authorization is what is sent to a host: only what that host's own challenge was answered with, and nothing that a credential
// brought where another host sends back here.
func (s *Session) authorization(u *url.URL, away bool) string {
	l := s.logins[exchange.Origin(u)]
	if l == nil || away && l.cred != nil {
		return ""
	}
	return l.header
}
