// Package exchange makes one request to a registry or to a token realm: it sends it, follows its redirects, and keeps what came back as a
// step of evidence, within bounds of time and size.
//
// It refuses to take a credential along to another host, to follow to plain HTTP, to inflate a body, to answer a challenge, and to
// ask twice.
package exchange

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/wire/hide"
	"github.com/refloat-dev/refloat/registry/wire/trip"
)

const (
	maxRedirects = 5
	maxLocation  = 8 << 10
	userAgent    = "refloat"
)

// Call is one request before it is sent.
type Call struct {
	Step   evidence.StepName
	Method string
	URL    *url.URL
	Accept []string
	// Form is the body of a POST.
	Form []byte
	// MaxBody bounds the body of an answer below 300, in bytes.
	MaxBody int64
	// Login is the Authorization for a URL; away is set once a redirect has left the host that was asked. Nil is none.
	Login func(u *url.URL, away bool) string
	// Secret is set where Form or Login hold the credential itself: it goes to this host and nowhere else.
	Secret bool
}

// Reply is what a request brought.
type Reply struct {
	// Header is as it came; nil where the request failed.
	Header http.Header
	// Body is that of an answer below 300.
	Body []byte
	// URL is where it was answered.
	URL *url.URL
}

// Desk makes the requests of one session.
type Desk struct {
	Line *trip.Line
	Hide *hide.Secrets
	// Timeout is what one request may take in all.
	Timeout time.Duration
	Now     func() time.Time
	// Named is set where the session has a credential: an answer from a host that does not get it says so.
	Named bool
}

// Send makes one request, follows its redirects and keeps what came back.
func (d *Desk) Send(ctx context.Context, c Call) (evidence.Step, Reply) {
	ctx, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	step := evidence.Step{Name: c.Step, Method: c.Method, URL: Shown(c.URL)}
	var (
		w   trip.Watch
		rep Reply
	)
	resp, err := d.follow(ctx, c, &w, &step)
	if err == nil {
		rep.URL = resp.Request.URL
		rep.Header = resp.Header
		rep.Body, err = d.record(&step, c, resp)
		_ = resp.Body.Close()
	}
	if err != nil {
		rep = Reply{URL: rep.URL}
		step.Failure, step.Text = explain(err, &w)
	}
	step.Took = w.Timing()
	d.Hide.Step(&step)
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
func (d *Desk) follow(ctx context.Context, c Call, w *trip.Watch, step *evidence.Step) (*http.Response, error) {
	u, seen, away := c.URL, map[string]bool{}, false
	for {
		seen[u.String()] = true
		away = away || Origin(u) != Origin(c.URL)
		req, err := newRequest(ctx, c, u, away)
		if err != nil {
			return nil, &failure{evidence.FailedUnsafe, "the request cannot be written"}
		}
		resp, err := d.Line.Trip(req, w)
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

func newRequest(ctx context.Context, c Call, u *url.URL, away bool) (*http.Request, error) {
	var body io.Reader
	if c.Form != nil {
		body = bytes.NewReader(c.Form)
	}
	req, err := http.NewRequestWithContext(ctx, c.Method, u.String(), body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Accept-Encoding", "identity") // a compressed answer could be any size
	if accept := strings.Join(c.Accept, ", "); accept != "" {
		req.Header.Set("Accept", accept)
	} else if c.Form == nil {
		req.Header.Set("Accept", "*/*")
	}
	if c.Form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	}
	if c.Login != nil {
		if a := c.Login(u, away); a != "" {
			req.Header.Set("Authorization", a)
		}
	}
	return req, nil
}

// redirect is where an answer sends its caller; nil where it is the answer.
func redirect(c Call, from *url.URL, resp *http.Response) (*url.URL, error) {
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
	case !mayLead(from, to):
		return to, &failure{evidence.FailedRedirect, fmt.Sprintf("redirected from %s to %s, which is not followed", from.Scheme, to.Scheme)}
	case c.Secret && Origin(to) != Origin(c.URL):
		return to, &failure{evidence.FailedRedirect, "redirected to another host, to which no credential is sent after"}
	case c.Form != nil && resp.StatusCode < http.StatusTemporaryRedirect:
		return to, &failure{evidence.FailedRedirect, "a POST was redirected to a GET, which would lose the credential"}
	}
	return to, nil
}
