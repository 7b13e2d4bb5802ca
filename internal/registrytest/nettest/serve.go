package nettest

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// TLS is the configuration of a listener with cert. It offers HTTP/1.1 alone,
// so that a broken transfer is a broken connection.
func TLS(cert tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}}
}

// MutualTLS demands a client certificate that clients signed.
func MutualTLS(cert tls.Certificate, clients *x509.CertPool) *tls.Config {
	c := TLS(cert)
	c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, clients
	return c
}

// OldTLS speaks TLS 1.0 and nothing newer, as appliances do that nobody updates.
func OldTLS(cert tls.Certificate) *tls.Config {
	c := TLS(cert)
	c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS10
	return c
}

// Server is one listener at work.
type Server struct {
	http *http.Server
	done chan struct{}
	once sync.Once
	err  error
}

// Serve starts answering l with h: over TLS with config, or with a nil config
// in plain HTTP, whatever the port. It logs nothing, since failed handshakes
// are what it is there for.
func Serve(l net.Listener, h http.Handler, config *tls.Config) *Server {
	if config != nil {
		l = tls.NewListener(l, config)
	}
	s := &Server{
		http: &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: 30 * time.Second},
		done: make(chan struct{}),
	}
	go func() {
		defer close(s.done)
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.err = err
		}
	}()
	return s
}

// Close ends the listener and every connection, stalled ones too, and returns
// what ended the server before, if anything did.
func (s *Server) Close() error {
	s.once.Do(func() { _ = s.http.Close() })
	<-s.done
	return s.err
}

// Refusal is how a listener below HTTP turns callers away.
type Refusal string

// The refusals.
const (
	HangUp Refusal = "hang-up" // accepts and closes at once
	Reset  Refusal = "reset"   // accepts and resets
	Mute   Refusal = "mute"    // accepts and never says anything
)

// Refuse treats everybody who connects to l alike until stop is called, which
// closes l and waits for the connections to end.
func Refuse(l net.Listener, how Refusal) (stop func()) {
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		conns []net.Conn
	)
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if how != Mute {
				drop(c, how)
				continue
			}
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			// Reading lets a caller who gives up go, and answers nothing.
			wg.Go(func() { _, _ = io.Copy(io.Discard, c) })
		}
	})
	return func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range conns {
			_ = c.Close()
		}
		mu.Unlock()
		wg.Wait()
	}
}

func drop(c net.Conn, how Refusal) {
	if t, ok := c.(*net.TCPConn); ok && how == Reset {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}
