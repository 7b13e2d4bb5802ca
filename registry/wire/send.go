package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/wire/trip"
)

const (
	maxRedirects = 5
	maxLocation  = 8 << 10
	userAgent    = "refloat"
)

// call is one request before it is sent.
type call struct {
	step    evidence.StepName
	method  string
	url     *url.URL
	accept  []string
	form    []byte // the body of a POST
	maxBody int64
	// login is the Authorization for a URL; away is set once a redirect has left the host that was asked. Nil is none.
	login func(u *url.URL, away bool) string
	// secret is set where form or login hold the credential itself: it goes to this host and nowhere else.
	secret bool
}

// reply is what a request brought.
type reply struct {
	header http.Header
	body   []byte   // of an answer below 300
	url    *url.URL // where it was answered
}

// send makes one request, follows its redirects and keeps what came back, within the client's Timeout.
func (s *Session) send(ctx context.Context, c call) (evidence.Step, reply) {
	ctx, cancel := context.WithTimeout(ctx, s.client.timeout())
	defer cancel()
	step := evidence.Step{Name: c.step, Method: c.method, URL: shown(c.url)}
	var (
		w   trip.Watch
		rep reply
	)
	resp, err := s.follow(ctx, c, &w, &step)
	if err == nil {
		rep.url = resp.Request.URL
		rep.header = resp.Header
		rep.body, err = s.record(&step, c, resp)
		_ = resp.Body.Close()
	}
	if err != nil {
		rep = reply{url: rep.url}
		step.Failure, step.Text = explain(err, &w)
	}
	step.Took = w.Timing()
	s.hide.step(&step)
	return step, rep
}

// failure is one that the client finds itself.
type failure struct {
	kind evidence.Failure
	text string
}

func (f *failure) Error() string { return f.text }

func explain(err error, w *trip.Watch) (evidence.Failure, string) {
	var own *failure
	if errors.As(err, &own) {
		return own.kind, own.text
	}
	return trip.Explain(err, w)
}

// follow sends the request on to where it is redirected, without the login where that is another host, and without cookies.
func (s *Session) follow(ctx context.Context, c call, w *trip.Watch, step *evidence.Step) (*http.Response, error) {
	u, seen, away := c.url, map[string]bool{}, false
	for {
		seen[u.String()] = true
		away = away || origin(u) != origin(c.url)
		req, err := newRequest(ctx, c, u, away)
		if err != nil {
			return nil, &failure{evidence.FailedUnsafe, "the request cannot be written"}
		}
		resp, err := s.line.Trip(req, w)
		if err != nil {
			return nil, err
		}
		next, err := redirect(c, u, resp)
		if err == nil && next == nil {
			return resp, nil
		}
		_ = resp.Body.Close()
		step.Status = resp.StatusCode
		if next != nil {
			step.Redirects = append(step.Redirects, next.Host)
		}
		switch {
		case err != nil:
			return nil, err
		case seen[next.String()]:
			return nil, &failure{evidence.FailedRedirect, "redirected in a circle"}
		case len(step.Redirects) > maxRedirects:
			return nil, &failure{evidence.FailedRedirect, fmt.Sprintf("redirected more than %d times", maxRedirects)}
		}
		step.Status = 0
		u = next
	}
}

func newRequest(ctx context.Context, c call, u *url.URL, away bool) (*http.Request, error) {
	var body io.Reader
	if c.form != nil {
		body = bytes.NewReader(c.form)
	}
	req, err := http.NewRequestWithContext(ctx, c.method, u.String(), body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Accept-Encoding", "identity") // a compressed answer could be any size
	if accept := strings.Join(c.accept, ", "); accept != "" {
		req.Header.Set("Accept", accept)
	} else if c.form == nil {
		req.Header.Set("Accept", "*/*")
	}
	if c.form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	}
	if c.login != nil {
		if a := c.login(u, away); a != "" {
			req.Header.Set("Authorization", a)
		}
	}
	return req, nil
}

// redirect is where an answer sends its caller; nil where it is the answer.
func redirect(c call, from *url.URL, resp *http.Response) (*url.URL, error) {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil, nil
	}
	location := resp.Header.Get("Location")
	if location == "" {
		return nil, nil
	}
	to, err := from.Parse(location)
	if err != nil || len(location) > maxLocation || to.Hostname() == "" && strings.HasPrefix(to.Scheme, "http") {
		return nil, &failure{evidence.FailedRedirect, "redirected to an address that does not parse"}
	}
	to.Fragment, to.User = "", nil
	switch {
	case to.Scheme != "https" && !(to.Scheme == "http" && from.Scheme == "http" && isLoopback(to)):
		return to, &failure{evidence.FailedRedirect, fmt.Sprintf("redirected from %s to %s, which is not followed", from.Scheme, to.Scheme)}
	case c.secret && origin(to) != origin(c.url):
		return to, &failure{evidence.FailedRedirect, "redirected to another host, to which no credential is sent after"}
	case c.form != nil && resp.StatusCode < http.StatusTemporaryRedirect:
		return to, &failure{evidence.FailedRedirect, "a POST was redirected to a GET, which would lose the credential"}
	}
	return to, nil
}

// shown is a URL without what may be secret.
func shown(u *url.URL) string {
	v := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	return v.String()
}
