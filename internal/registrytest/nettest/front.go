package nettest

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"slices"
)

// Front is a server under many names.
type Front struct {
	// Transport finds the names here, trusts their certificate, and knows no other host: it never leaves the machine.
	Transport *http.Transport

	server *Server
}

// NewFront serves h over TLS on a port of loopback under each of hosts, which may name ports.
func NewFront(h http.Handler, hosts ...string) (*Front, error) {
	ca, err := NewCA("front")
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(hosts))
	for _, host := range hosts {
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		names = append(names, host)
	}
	cert, err := ca.Leaf(Sound, names...)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen on loopback: %w", err)
	}
	addr := l.Addr().String()
	return &Front{server: Serve(l, h, TLS(cert)), Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: ca.Pool()},
		DialContext: func(ctx context.Context, network, to string) (net.Conn, error) {
			name, _, err := net.SplitHostPort(to)
			if err != nil || !slices.Contains(names, name) {
				return nil, &net.OpError{Op: "dial", Net: network, Err: &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}}
			}
			return (&net.Dialer{}).DialContext(ctx, network, addr)
		},
	}}, nil
}

// Close ends the server and the transport's idle connections.
func (f *Front) Close() error {
	f.Transport.CloseIdleConnections()
	return f.server.Close()
}
