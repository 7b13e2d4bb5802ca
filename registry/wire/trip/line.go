package trip

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"syscall"
	"time"

	"github.com/refloat-dev/refloat/registry/wire/reach"
)

// MaxHeader bounds the header of an answer, in bytes.
const MaxHeader = 64 << 10

// maxLines is how many registries' connections are kept before all are let go.
const maxLines = 256

// Lines are the connections to all registries. Many goroutines may use them.
type Lines struct {
	base    *http.Transport
	dial    time.Duration
	proxied *http.Transport

	mu    sync.Mutex
	lines map[string]*Line
}

// New takes proxy, dialler and TLS configuration (but InsecureSkipVerify) from base; nil is the environment's proxy and what Go does.
// Resolving and connecting, and again the TLS handshake, may take two thirds of timeout.
func New(base *http.Transport, timeout time.Duration) *Lines {
	if base == nil {
		base = &http.Transport{Proxy: http.ProxyFromEnvironment}
	}
	l := &Lines{base: base, dial: timeout * 2 / 3, lines: map[string]*Line{}}
	l.proxied = l.transport()
	l.proxied.Proxy = proxyOf
	l.proxied.ProxyConnectHeader, l.proxied.GetProxyConnectHeader = base.ProxyConnectHeader, base.GetProxyConnectHeader
	l.proxied.OnProxyConnectResponse = refusedByProxy
	l.proxied.DialContext = base.DialContext
	if base.DialContext == nil {
		l.proxied.DialContext = (&net.Dialer{Timeout: l.dial}).DialContext
	}
	return l
}

// transport has all bounds and neither proxy nor dialler.
func (l *Lines) transport() *http.Transport {
	t := &http.Transport{
		TLSClientConfig:        &tls.Config{},
		TLSHandshakeTimeout:    l.dial,
		MaxIdleConns:           8,
		MaxIdleConnsPerHost:    4,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: MaxHeader,
		DisableCompression:     true,
		DisableKeepAlives:      l.base.DisableKeepAlives,
		ForceAttemptHTTP2:      true,
	}
	if l.base.TLSClientConfig != nil {
		t.TLSClientConfig = l.base.TLSClientConfig.Clone()
		t.TLSClientConfig.InsecureSkipVerify = false
	}
	return t
}

// To is the line to one registry.
func (l *Lines) To(registry *url.URL) *Line {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := registry.Scheme + "://" + registry.Host
	if line := l.lines[key]; line != nil {
		return line
	}
	if len(l.lines) >= maxLines {
		l.forget()
	}
	line := &Line{lines: l, name: registry.Hostname()}
	line.direct = l.transport()
	line.direct.DialContext = line.dial
	l.lines[key] = line
	return line
}

// Close lets go of the connections that nobody uses, and forgets where the registries were.
func (l *Lines) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget()
	l.proxied.CloseIdleConnections()
}

func (l *Lines) forget() {
	for _, line := range l.lines {
		line.direct.CloseIdleConnections()
	}
	clear(l.lines)
}

// Unsafe is why nothing was sent.
type Unsafe struct{ Rule string }

func (e *Unsafe) Error() string { return e.Rule }

// Line is one registry's connections.
type Line struct {
	lines  *Lines
	name   string
	direct *http.Transport

	mu    sync.Mutex
	known bool
	class reach.Class
}

// Class is how far inside the registry is: by its address once it was connected to, before that and behind a proxy by its name.
func (l *Line) Class() reach.Class {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known {
		return l.class
	}
	return reach.OfHost(l.name)
}

// Check judges a host by its name alone.
func (l *Line) Check(host string) error {
	c := reach.OfHost(host)
	if host == l.name && c != reach.Never || c.May(l.Class()) {
		return nil
	}
	return l.unsafe(host, c)
}

func (l *Line) unsafe(host string, c reach.Class) error {
	if c == reach.Never {
		return &Unsafe{fmt.Sprintf("%s is a %s address, to which nothing is sent", host, c)}
	}
	return &Unsafe{fmt.Sprintf("%s is a %s address and the registry %s is at a %s one: nothing is sent further inside", host, c, l.name, l.Class())}
}

type proxyKey struct{}

func proxyOf(req *http.Request) (*url.URL, error) {
	u, ok := req.Context().Value(proxyKey{}).(*url.URL)
	if !ok {
		return nil, &Unsafe{"no proxy was chosen"}
	}
	return u, nil
}

// Trip sends req once, with what w needs to see of it. The caller closes the body.
func (l *Line) Trip(req *http.Request, w *Watch) (*http.Response, error) {
	if err := l.Check(req.URL.Hostname()); err != nil {
		return nil, err
	}
	var proxy *url.URL
	if choose := l.lines.base.Proxy; choose != nil && req.URL.Scheme == "https" {
		var err error
		if proxy, err = choose(req); err != nil {
			// The error holds the address, which may hold a password.
			return nil, &proxyError{"the address of this machine's proxy does not parse"}
		}
	}
	ctx := w.begin(req.Context(), proxy != nil)
	if proxy == nil {
		return l.direct.RoundTrip(req.WithContext(ctx))
	}
	return l.lines.proxied.RoundTrip(req.WithContext(context.WithValue(ctx, proxyKey{}, proxy)))
}

// dial connects to an address that the registry may send to.
func (l *Line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", address, err)
	}
	dial := l.lines.base.DialContext
	if dial == nil {
		d := net.Dialer{Timeout: l.lines.dial, Control: func(_, to string, _ syscall.RawConn) error { return l.permit(host, to, false) }}
		dial = d.DialContext
	}
	ctx, cancel := context.WithTimeout(ctx, l.lines.dial)
	defer cancel()
	conn, err := dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if err := l.permit(host, conn.RemoteAddr().String(), true); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// permit judges the address that host turned out to be, and settles the registry's own class at its first connection.
func (l *Line) permit(host, address string, connected bool) error {
	class := reach.Loopback // an address that is none: a pipe within this process
	if to, err := netip.ParseAddrPort(address); err == nil {
		class = reach.Of(to.Addr())
	}
	l.mu.Lock()
	limit := reach.OfHost(l.name)
	switch {
	case l.known:
		limit = l.class
	case host == l.name:
		limit = reach.Loopback
		if connected && class != reach.Never {
			l.known, l.class = true, class
		}
	}
	l.mu.Unlock()
	switch {
	case !class.May(limit):
		return l.unsafe(host+" at "+address, class)
	case reach.OfHost(host) == reach.Loopback && class != reach.Loopback:
		return &Unsafe{fmt.Sprintf("%s is at %s, which is not this machine", host, address)}
	}
	return nil
}
