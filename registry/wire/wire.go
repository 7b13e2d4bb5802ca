package wire

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/wire/trip"
)

// Client asks registries. Its zero value works, and many goroutines may use one; set the fields before the first use.
type Client struct {
	// Transport gives its Proxy, DialContext and TLSClientConfig, of which InsecureSkipVerify is not used; the rest of it is not either.
	// Nil is the environment's proxy and Go's dialler and roots.
	Transport *http.Transport
	// Now is the clock that Retry-After and a token's end are measured with; nil is time.Now.
	Now func() time.Time
	// Timeout is what one request may take in all, its redirects and its body included; 0 is 15 seconds.
	Timeout time.Duration

	once  sync.Once
	lines *trip.Lines
}

const (
	defaultTimeout = 15 * time.Second
	defaultBody    = 4 << 20 // containerd takes manifests up to 4.2 MiB (C24 core/remotes/docker/resolver.go:64)
)

func (c *Client) timeout() time.Duration { return cmp.Or(c.Timeout, defaultTimeout) }

func (c *Client) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

func (c *Client) net() *trip.Lines {
	c.once.Do(func() { c.lines = trip.New(c.Transport, c.timeout()) })
	return c.lines
}

// CloseIdleConnections lets go of connections that no request uses, and forgets at what addresses the registries were.
func (c *Client) CloseIdleConnections() { c.net().Close() }

// Credential is what a session offers to its registry and to the token realm that the registry names.
type Credential struct{ Username, Password string }

const hidden = "wire.Credential(hidden)"

// String does not show the password, nor does anything else that prints.
func (Credential) String() string { return hidden }

// GoString is for %#v.
func (Credential) GoString() string { return hidden }

// Format is for every other verb.
func (Credential) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, hidden) }

// MarshalJSON writes a text that is no credential.
func (Credential) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// LogValue is for slog.
func (Credential) LogValue() slog.Value { return slog.StringValue(hidden) }

// Ask is one question to a registry.
type Ask struct {
	// Step is what the answer is called in evidence.
	Step evidence.StepName
	// Method is GET or HEAD; empty is GET.
	Method string
	// Path is under the registry's root, with its query: /v2/library/nginx/manifests/1.25.
	Path string
	// Accept are the media types, the wanted ones first; none accepts everything.
	Accept []string
	// MaxBody bounds the body of an answer below 300, in bytes; 0 is 4 MiB.
	MaxBody int64
}

// Answer is what came back.
type Answer struct {
	// Steps are every request made for this ask, in order: a first 401, the token request, the request again. The last is the answer itself,
	// or where asking ended. There is always one.
	Steps []evidence.Step
	// Header is the last answer's, as it came: nothing of it is cleaned. Nil where there was none, where it failed, and where
	// asking ended at the token realm.
	Header http.Header
	// Body is the whole body of an answer below 300, and nil for any other: what an error says is in its step.
	Body []byte
}

// Last is the step in which asking ended.
func (a Answer) Last() evidence.Step {
	if len(a.Steps) == 0 {
		return evidence.Step{}
	}
	return a.Steps[len(a.Steps)-1]
}

// OK reports whether the ask was answered with what it asked for.
func (a Answer) OK() bool {
	s := a.Last()
	return s.Failure == "" && s.Status >= 200 && s.Status < 300
}
