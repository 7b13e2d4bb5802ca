package trip

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/refloat-dev/refloat/evidence"
)

// proxyError is a proxy that does not let the request through.
type proxyError struct{ text string }

func (e *proxyError) Error() string { return e.text }

func refusedByProxy(_ context.Context, proxy *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	return &proxyError{fmt.Sprintf("the proxy %s answered %d %s", proxy.Host, resp.StatusCode, http.StatusText(resp.StatusCode))}
}

// Explain says how a request failed, and its words: Go's own where it has them, since they are what a kubelet's event shows too. They may hold
// what the server wrote, and are neither redacted nor bounded.
func Explain(err error, w *Watch) (evidence.Failure, string) {
	at, proxied := w.state()
	var (
		unsafe *Unsafe
		proxy  *proxyError
		dns    *net.DNSError
		op     *net.OpError
	)
	switch {
	case errors.As(err, &unsafe):
		return evidence.FailedUnsafe, unsafe.Rule
	case errors.As(err, &proxy):
		return evidence.FailedProxy, proxy.text
	case errors.As(err, &op) && op.Op == "proxyconnect":
		return evidence.FailedProxy, err.Error()
	case proxied && at < handshake:
		return evidence.FailedProxy, "the proxy: " + words(err, at)
	case errors.As(err, &dns):
		return evidence.FailedDNS, err.Error()
	}
	if f, text := explainTLS(err); f != "" {
		return f, text
	}
	return explainConn(err, at)
}

func explainTLS(err error) (evidence.Failure, string) {
	var (
		record    tls.RecordHeaderError
		authority x509.UnknownAuthorityError
		roots     x509.SystemRootsError
		verify    *tls.CertificateVerificationError
		alert     tls.AlertError
		op        *net.OpError
	)
	switch {
	case errors.As(err, &record) && string(record.RecordHeader[:]) == "HTTP/":
		return evidence.FailedPlain, "http: server gave HTTP response to HTTPS client"
	case errors.As(err, &authority), errors.As(err, &roots):
		return evidence.FailedUntrusted, err.Error()
	case errors.As(err, &verify) && strings.Contains(err.Error(), "not trusted"): // what macOS's own verifier says
		return evidence.FailedUntrusted, err.Error()
	case errors.As(err, &record), errors.As(err, &verify), errors.As(err, &alert), errors.As(err, &op) && op.Op == "remote error":
		return evidence.FailedTLS, err.Error()
	case strings.HasPrefix(err.Error(), "tls: "):
		return evidence.FailedTLS, err.Error()
	}
	return "", ""
}

func explainConn(err error, at phase) (evidence.Failure, string) {
	switch {
	case errors.Is(err, context.Canceled):
		return evidence.FailedInterrupted, "given up by the caller"
	case isTimeout(err):
		if at == resolving {
			return evidence.FailedDNS, words(err, at)
		}
		return evidence.FailedTimeout, words(err, at)
	case errors.Is(err, syscall.ECONNREFUSED):
		return evidence.FailedRefused, err.Error()
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return evidence.FailedTimeout, err.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return evidence.FailedInterrupted, err.Error()
	case slices.ContainsFunc(unreadable, func(s string) bool { return strings.Contains(err.Error(), s) }):
		return evidence.FailedBody, err.Error()
	}
	if strings.Contains(err.Error(), "readLoopPeekFail") { // net/http's name for it, and no words at all
		return evidence.FailedInterrupted, "the server spoke or hung up before it was asked"
	}
	return evidence.FailedInterrupted, err.Error()
}

// unreadable are net/http's words for an answer that is none, or has too long a header; it has no types for them.
var unreadable = []string{"malformed", "headers exceeded", "header list", "COMPRESSION_ERROR"}

func isTimeout(err error) bool {
	var netErr net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &netErr) && netErr.Timeout()
}

// words names the phase in which the time ran out.
func words(err error, at phase) string {
	if !isTimeout(err) {
		return err.Error()
	}
	switch at {
	case resolving:
		return "no answer while its name was resolved: " + err.Error()
	case idle, connecting:
		return "no connection: " + err.Error()
	case handshake:
		return "no end of the TLS handshake: " + err.Error()
	case waiting:
		return "no answer to the request: " + err.Error()
	}
	return "no end of the answer: " + err.Error()
}
