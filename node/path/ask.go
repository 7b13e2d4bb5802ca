package path

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/config"
	"github.com/refloat-dev/refloat/registry/keyring"
	"github.com/refloat-dev/refloat/registry/probe"
	"github.com/refloat-dev/refloat/registry/wire"
	"github.com/refloat-dev/refloat/registry/wire/reach"
)

// askTime is what one of the probe's requests may take; two thirds of it for a connection.
const askTime = 4500 * time.Millisecond

// probe asks the registry for the image, as package registry/probe does from elsewhere: over the node's names, proxy and certificates. It is left
// out where the runtime asks without TLS or does not verify: no credential goes there.
func (k *look) probe(ctx context.Context, endpoints []config.Endpoint, creds []keyring.Credential) (*evidence.Probe, []evidence.Gap) {
	at := place{roots: k.system}
	for _, e := range endpoints {
		if e.Role != evidence.RoleRegistry {
			continue
		}
		at = *k.configured(e, 0)
		if reach.OfHost(at.base.Hostname()) != reach.Loopback && (at.skip || at.base.Scheme != "https") {
			return nil, []evidence.Gap{gap("what "+k.domain+" answers to the node",
				fmt.Sprintf("the runtime asks %s without verifying who answers, where this program sends nothing", shown(at.base.Host)))}
		}
	}
	client := &wire.Client{Now: k.now, Timeout: askTime, Transport: &http.Transport{
		Proxy:           func(r *http.Request) (*url.URL, error) { p, _ := k.proxies.of(r.URL); return p, nil },
		DialContext:     k.dial,
		TLSClientConfig: &tls.Config{RootCAs: at.roots.Pool, Certificates: at.certs, Time: k.now},
	}}
	defer client.CloseIdleConnections()
	w := &probe.Walker{Wire: client, Refusals: k.Refusals, Now: k.now}
	p := w.Ask(ctx, probe.Question{Image: k.domain + "/" + k.repository + k.suffix(), Credentials: creds, Platform: k.platform, Layers: true})
	return &p, nil
}

func (k *look) suffix() string {
	if k.digest != "" {
		return "@" + k.object
	}
	return ":" + k.object
}

// dial connects as the node does: by its own names, to no link-local address.
func (k *look) dial(ctx context.Context, network, address string) (net.Conn, error) {
	name, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", address, err)
	}
	a := k.names.Look(ctx, name)
	failed := error(&net.OpError{Op: "dial", Net: network, Err: lookupError{&net.DNSError{Name: name}, a.Text}})
	for i, to := range a.Addresses {
		if reach.Of(to) == reach.Never {
			failed = fmt.Errorf("%s is a %s address, which is not connected to", to, reach.Never)
			continue
		}
		conn, err := dialOne(ctx, network, net.JoinHostPort(to.String(), port), len(a.Addresses)-i)
		if err == nil {
			return conn, nil
		}
		failed = err
	}
	return nil, failed
}

// dialOne gives an address its share of the time, so that the next one has some too.
func dialOne(ctx context.Context, network, address string, share int) (net.Conn, error) {
	timeout := dialTime
	if until, ok := ctx.Deadline(); ok {
		timeout = min(timeout, time.Until(until)/time.Duration(share))
	}
	return (&net.Dialer{Timeout: max(timeout, time.Millisecond)}).DialContext(ctx, network, address)
}

// lookupError has a resolver's words in the type by which the error of a name is known.
type lookupError struct {
	*net.DNSError
	text string
}

func (e lookupError) Error() string { return e.text }

func (e lookupError) Unwrap() error { return e.DNSError }

func classOf(address string) reach.Class {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return reach.Never
	}
	return reach.Of(to.Addr())
}
