package registrytest

import (
	"bytes"
	"context"
	"crypto/tls"
	"maps"
	"net"
	"net/http"
	"strconv"
	"time"
)

// reply is an answer before it is sent.
type reply struct {
	status int
	header http.Header
	body   []byte
	offset int64 // where body begins in the object, if a range was asked for
}

func (r reply) clone() reply {
	h := r.header.Clone()
	if h == nil {
		h = http.Header{}
	}
	return reply{status: r.status, header: h, body: r.body, offset: r.offset}
}

// send writes rep, in the way f breaks it. A request that is held returns when
// the client goes away, the server closes, or the fault is cleared.
func send(w http.ResponseWriter, req *http.Request, rep reply, f *active) {
	if f == nil {
		writeHeader(w, rep)
		writeBody(w, req, rep.body)
		return
	}
	ctx, cancel := context.WithCancel(req.Context())
	defer cancel()
	go func() {
		select {
		case <-f.gone:
			cancel()
		case <-ctx.Done():
		}
	}()
	a := f.Answer
	if a.DelayMillis > 0 && !sleep(ctx, time.Duration(a.DelayMillis)*time.Millisecond) && req.Context().Err() != nil {
		panic(http.ErrAbortHandler)
	}
	// The request carries the narrower context: it ends with the fault too.
	b := broken{w: w, req: req.WithContext(ctx), rate: a.BytesPerSecond}
	b.send(rep, a)
}

func writeHeader(w http.ResponseWriter, rep reply) {
	maps.Copy(w.Header(), rep.header)
	if rep.status >= 200 && rep.status != http.StatusNoContent && w.Header().Get("Content-Length") == "" {
		w.Header().Set("Content-Length", strconv.Itoa(len(rep.body)))
	}
	w.WriteHeader(rep.status)
}

func writeBody(w http.ResponseWriter, req *http.Request, body []byte) {
	if req.Method != http.MethodHead {
		_, _ = w.Write(body) // the client is gone, and that is its business
	}
}

// broken sends an answer that does not arrive whole.
type broken struct {
	w    http.ResponseWriter
	req  *http.Request
	rate int64
}

func (b broken) send(rep reply, a Answer) {
	switch a.Break {
	case BreakNone:
		writeHeader(b.w, rep)
		b.pour(rep.body)
		return
	case BreakWrong:
		rep.body = falsify(rep.body)
		writeHeader(b.w, rep)
		b.pour(rep.body)
		return
	case BreakEndless:
		b.endless(rep)
	default:
		b.begin(rep, a.After)
	}
	switch a.Break {
	case BreakStall:
		<-b.req.Context().Done()
	case BreakReset:
		reset(b.w)
		return
	}
	panic(http.ErrAbortHandler) // net/http's own way to drop a connection
}

// begin sends the part of rep that after allows. It counts from the start of
// the object, so that a client which resumes does not get past it in steps.
func (b broken) begin(rep reply, after int64) {
	if after == AfterNothing {
		return
	}
	size := int64(len(rep.body))
	switch after {
	case AfterHalf:
		after = (rep.offset + size) / 2
	case AfterHeader:
		after = 0
	}
	size = min(size, max(after-rep.offset, 0))
	writeHeader(b.w, rep)
	b.pour(rep.body[:size])
	_ = http.NewResponseController(b.w).Flush()
}

// pour writes body at the fault's rate, ten portions a second.
func (b broken) pour(body []byte) {
	if b.rate <= 0 {
		writeBody(b.w, b.req, body)
		return
	}
	step := int(max(b.rate/10, 1))
	for len(body) > 0 {
		n := min(step, len(body))
		writeBody(b.w, b.req, body[:n])
		_ = http.NewResponseController(b.w).Flush()
		if body = body[n:]; len(body) > 0 && !sleep(b.req.Context(), 100*time.Millisecond) {
			panic(http.ErrAbortHandler)
		}
	}
}

// endless writes blanks until nobody listens. The pause keeps a careless
// reader's disk from filling within seconds.
func (b broken) endless(rep reply) {
	maps.Copy(b.w.Header(), rep.header)
	b.w.Header().Del("Content-Length")
	b.w.WriteHeader(rep.status)
	blanks := bytes.Repeat([]byte{' '}, 32<<10)
	for {
		if _, err := b.w.Write(blanks); err != nil || !sleep(b.req.Context(), 2*time.Millisecond) {
			return
		}
	}
}

// reset closes the connection with an RST in place of an orderly end.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	if t, ok := conn.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = conn.Close()
}

// falsify returns body with one byte changed. In JSON that is a digit of the
// last digest, so that it still parses and only the digest tells.
func falsify(body []byte) []byte {
	out := bytes.Clone(body)
	const mark = "sha256:"
	if i := bytes.LastIndex(out, []byte(mark)); i >= 0 && i+len(mark) < len(out) && out[0] == '{' {
		p := &out[i+len(mark)]
		if *p == '0' {
			*p = '1'
		} else {
			*p = '0'
		}
	} else if len(out) > 0 {
		out[len(out)/2] ^= 1
	}
	return out
}

// sleep reports whether d passed before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
