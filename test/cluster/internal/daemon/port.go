package daemon

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/refloat-dev/refloat/test/cluster/internal/pki"
)

// authorities sign the registries' certificates: one that every node trusts, one that none does.
type authorities struct{ trusted, stranger *pki.Pair }

// port is a registry's port 443, whose mode can change while it serves.
type port struct {
	host    string
	addr    netip.AddrPort
	certs   map[Mode]*tls.Certificate
	handler http.Handler

	mu       sync.Mutex
	mode     Mode
	listener net.Listener
}

func newPort(host string, addr netip.AddrPort, ca authorities, h http.Handler) (*port, error) {
	now := time.Now()
	good := pki.Request{CommonName: host, Names: []string{host}}
	expired, notYet, wrong := good, good, good
	expired.NotBefore, expired.NotAfter = now.AddDate(0, 0, -60), now.AddDate(0, 0, -2)
	notYet.NotBefore = now.AddDate(0, 0, 1)
	wrong.CommonName, wrong.Names = "other.lab", []string{"other.lab"}
	p := &port{host: host, addr: addr, handler: h, certs: map[Mode]*tls.Certificate{}}
	for _, c := range []struct {
		mode Mode
		ca   *pki.Pair
		req  pki.Request
	}{
		{ModeTLS, ca.trusted, good}, {ModeExpired, ca.trusted, expired}, {ModeNotYet, ca.trusted, notYet},
		{ModeWrongName, ca.trusted, wrong}, {ModeUntrusted, ca.stranger, good},
	} {
		leaf, err := c.ca.Issue(c.req)
		if err != nil {
			return nil, err
		}
		p.certs[c.mode] = &tls.Certificate{Certificate: [][]byte{leaf.Cert.Raw}, PrivateKey: leaf.Key}
	}
	return p, nil
}

// set changes the mode; it opens or closes the port where that is what changes.
func (p *port) set(mode Mode) error {
	if mode != ModePlain && mode != ModeRefused && p.certs[mode] == nil {
		return fmt.Errorf("a port cannot be %q", mode)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode = mode
	if mode == ModeRefused {
		return p.close()
	}
	if p.listener != nil {
		return nil
	}
	l, err := net.Listen("tcp", p.addr.String())
	if err != nil {
		return err
	}
	p.listener = l
	// Without keep-alives a changed mode meets the very next request.
	srv := &http.Server{Handler: p.handler, ReadHeaderTimeout: time.Minute}
	srv.SetKeepAlivesEnabled(false)
	go func() { _ = srv.Serve(&moded{Listener: l, port: p}) }()
	return nil
}

// close is called with the lock held.
func (p *port) close() error {
	if p.listener == nil {
		return nil
	}
	err := p.listener.Close()
	p.listener = nil
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (p *port) current() Mode {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mode
}

// moded wraps each connection as the mode says at that moment.
type moded struct {
	net.Listener
	port *port
}

func (l *moded) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	cert := l.port.certs[l.port.current()]
	if cert == nil {
		return c, nil
	}
	return tls.Server(c, &tls.Config{Certificates: []tls.Certificate{*cert}, NextProtos: []string{"http/1.1"}}), nil
}
