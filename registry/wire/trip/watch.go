package trip

import (
	"context"
	"crypto/tls"
	"net/http/httptrace"
	"sync"
	"time"

	"github.com/refloat-dev/refloat/evidence"
)

// phase is how far a request has come.
type phase int

const (
	idle phase = iota
	resolving
	connecting
	handshake
	waiting
	reading
)

// Watch sees where the time of one request goes, redirects included. Its zero value starts with the first trip.
type Watch struct {
	mu      sync.Mutex // diallers go on in the background after a request has ended
	phase   phase
	proxied bool
	settled bool // there is a connection: what a dialler still does is for others

	start, mark time.Time
	sums
	before sums // the present trip
}

type sums struct{ resolve, connect, tls, first time.Duration }

// Timing is what was seen so far. What took part of a millisecond took one.
func (w *Watch) Timing() evidence.Timing {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := evidence.Timing{Resolve: millis(w.resolve), Connect: millis(w.connect), TLS: millis(w.tls), FirstByte: millis(w.first)}
	if !w.start.IsZero() {
		t.Total = millis(time.Since(w.start))
	}
	return t
}

func millis(d time.Duration) int64 { return int64((d + time.Millisecond - 1) / time.Millisecond) }

func (w *Watch) state() (phase, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.phase, w.proxied
}

// enter starts a phase, of which the time begins now.
func (w *Watch) enter(p phase) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.settled || p > handshake {
		w.phase, w.mark = p, time.Now()
	}
}

// leave adds the time since then to what that phase took.
func (w *Watch) leave(p phase, sum *time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.phase == p && (!w.settled || p > handshake) {
		*sum += time.Since(w.mark)
	}
}

// got ends connecting. A connection from the pool cost nothing, whatever a dialler tried meanwhile.
func (w *Watch) got(c httptrace.GotConnInfo) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settled = true
	if c.Reused {
		w.sums, w.phase = w.before, idle
	}
}

func (w *Watch) begin(ctx context.Context, proxied bool) context.Context {
	w.mu.Lock()
	w.phase, w.mark, w.proxied, w.settled, w.before = idle, time.Now(), proxied, false, w.sums
	if w.start.IsZero() {
		w.start = w.mark
	}
	w.mu.Unlock()
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart: func(httptrace.DNSStartInfo) { w.enter(resolving) },
		DNSDone:  func(httptrace.DNSDoneInfo) { w.leave(resolving, &w.resolve) },
		ConnectStart: func(_, _ string) {
			if p, _ := w.state(); p != connecting { // the second address of two that are tried at once
				w.enter(connecting)
			}
		},
		ConnectDone: func(_, _ string, err error) {
			if err == nil {
				w.leave(connecting, &w.connect)
			}
		},
		GotConn:              w.got,
		TLSHandshakeStart:    func() { w.enter(handshake) },
		TLSHandshakeDone:     func(tls.ConnectionState, error) { w.leave(handshake, &w.tls) },
		WroteRequest:         func(httptrace.WroteRequestInfo) { w.enter(waiting) },
		GotFirstResponseByte: func() { w.leave(waiting, &w.first); w.enter(reading) },
	})
}
