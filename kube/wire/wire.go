// Package wire speaks to the API server in plain JSON, for the few requests
// about one resource that an agent and its askers make: over client-go's
// connections and credentials, without its codecs, caches and typed clients.
//
// It keeps nothing and tries nothing again. What it reads is bounded; a
// request ends with its context, or after Timeout.
package wire

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

const (
	// Timeout ends a request, other than a watch, where the configuration names none.
	Timeout = 30 * time.Second
	// maxAnswer bounds an answer: a page of a list is the largest.
	maxAnswer = 64 << 20
	// maxEvent bounds one event of a watch; an object has 1.5 MiB at most in etcd.
	maxEvent = 4 << 20
)

// Client talks to one API server. Make it with New.
type Client struct {
	http    *http.Client
	base    *url.URL
	timeout time.Duration
}

// New returns a client for a configuration, which it copies.
func New(config *rest.Config) (*Client, error) {
	config = rest.CopyConfig(config)
	c := &Client{timeout: config.Timeout}
	if c.timeout == 0 {
		c.timeout = Timeout
	}
	config.Timeout = 0 // it would end a watch
	var err error
	if c.base, _, err = rest.DefaultServerUrlFor(config); err != nil {
		return nil, fmt.Errorf("reading the address of the API server: %w", err)
	}
	if c.http, err = rest.HTTPClientFor(config); err != nil {
		return nil, fmt.Errorf("setting up the connection to %s: %w", config.Host, err)
	}
	return c, nil
}

// Close lets go of connections that nothing uses.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Request is one request.
type Request struct {
	Method string // empty is GET
	Path   string // such as /api/v1/namespaces/shop/pods/web-1
	Query  url.Values
	// Body is sent as JSON; Type is its content type where that is another one.
	Body any
	Type string
}

// Do makes a request and reads its answer into out, unless that is nil. A refusal is an APIStatus error, as client-go's are.
func (c *Client) Do(ctx context.Context, r Request, out any) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	resp, err := c.send(ctx, r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body := io.LimitReader(resp.Body, maxAnswer)
	if out == nil {
		_, err = io.Copy(io.Discard, body)
		return err
	}
	if err := json.NewDecoder(body).Decode(out); err != nil {
		return fmt.Errorf("reading the answer to %s %s: %w", resp.Request.Method, r.Path, err)
	}
	return nil
}

// send makes a request; an answer other than 2xx is an error.
func (c *Client) send(ctx context.Context, r Request) (*http.Response, error) {
	u := *c.base
	u.Path, u.RawQuery = strings.TrimRight(u.Path, "/")+r.Path, r.Query.Encode()
	var body io.Reader
	if r.Body != nil {
		b, err := json.Marshal(r.Body)
		if err != nil {
			return nil, fmt.Errorf("writing the body for %s: %w", r.Path, err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, u.String(), body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	if r.Body != nil {
		req.Header.Set("Content-Type", cmp.Or(r.Type, "application/json"))
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		defer resp.Body.Close()
		return nil, refusal(r, resp)
	}
	return resp, nil
}

// refusal is the API server's Status, or one made from the code where something else answered.
func refusal(r Request, resp *http.Response) error {
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return fmt.Errorf("reading the refusal of %s: %w", r.Path, err)
	}
	var s metav1.Status
	if json.Unmarshal(raw, &s) == nil && s.Kind == "Status" && s.Code != 0 {
		return &apierrors.StatusError{ErrStatus: s}
	}
	after, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
	return apierrors.NewGenericServerResponse(resp.StatusCode, r.Method, schema.GroupResource{}, "", string(raw), after, true)
}

// Event is one event of a watch.
type Event struct {
	Type   string          `json:"type"` // ADDED, MODIFIED, DELETED, BOOKMARK
	Object json.RawMessage `json:"object"`
}

// Watch hands events to each, one after the other, until the server ends the watch (nil), the connection breaks, each
// fails, or ctx ends. An ERROR event is an APIStatus error: 410 Gone says that the version asked for is too old.
func (c *Client) Watch(ctx context.Context, path string, query url.Values, each func(Event) error) error {
	resp, err := c.open(ctx, Request{Path: path, Query: query})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	in := &metered{r: resp.Body}
	for dec := json.NewDecoder(in); ; {
		in.left = maxEvent
		var e Event
		switch err := dec.Decode(&e); {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("watching %s: %w", path, err)
		}
		if e.Type == "ERROR" {
			var s metav1.Status
			if err := json.Unmarshal(e.Object, &s); err != nil {
				return fmt.Errorf("watching %s: %w", path, err)
			}
			return &apierrors.StatusError{ErrStatus: s}
		}
		if err := each(e); err != nil {
			return err
		}
	}
}

// open begins a watch: its answer has to begin within the client's timeout, and may then go on.
func (c *Client) open(ctx context.Context, r Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	late := time.AfterFunc(c.timeout, func() { cancel(context.DeadlineExceeded) })
	resp, err := c.send(ctx, r)
	if !late.Stop() && err == nil {
		resp.Body.Close()
		err = context.DeadlineExceeded
	}
	if err != nil {
		cancel(nil)
		return nil, err
	}
	resp.Body = closer{resp.Body, cancel}
	return resp, nil
}

// closer ends a watch's context with its body.
type closer struct {
	io.ReadCloser
	cancel context.CancelCauseFunc
}

func (c closer) Close() error {
	c.cancel(nil)
	return c.ReadCloser.Close()
}

// metered fails a read that goes on for too long without a whole event.
type metered struct {
	r    io.Reader
	left int
}

func (m *metered) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, fmt.Errorf("an event is larger than %d MiB", maxEvent>>20)
	}
	n, err := m.r.Read(p)
	m.left -= n
	return n, err
}
