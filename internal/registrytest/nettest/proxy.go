package nettest

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Proxy is a forward proxy as HTTPS_PROXY names one: it tunnels CONNECT and
// refuses all else. The zero value tunnels to anywhere.
type Proxy struct {
	// Dial reaches the target; nil dials the network.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	deny atomic.Int32
	seen atomic.Int64
}

// Deny makes the proxy answer CONNECT with this status: 403, 407, 502 …; 0
// lets everything through again.
func (p *Proxy) Deny(status int) { p.deny.Store(int32(status)) }

// Requests is how often the proxy was asked.
func (p *Proxy) Requests() int64 { return p.seen.Load() }

// ServeHTTP tunnels one connection until either side ends it.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	p.seen.Add(1)
	switch status := int(p.deny.Load()); {
	case status == http.StatusProxyAuthRequired:
		w.Header().Set("Proxy-Authenticate", `Basic realm="proxy"`)
		fallthrough
	case status != 0:
		http.Error(w, http.StatusText(status), status)
		return
	case req.Method != http.MethodConnect:
		http.Error(w, "this proxy tunnels only", http.StatusMethodNotAllowed)
		return
	}
	dial := p.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: 10 * time.Second}).DialContext
	}
	to, err := dial(req.Context(), "tcp", req.Host)
	if err != nil {
		http.Error(w, "cannot reach "+req.Host, http.StatusBadGateway)
		return
	}
	defer to.Close()
	from, buf, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "cannot tunnel", http.StatusInternalServerError)
		return
	}
	defer from.Close()
	if _, err := io.WriteString(from, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	join(from, buf, to)
}

// join copies both ways until both ends are closed. Ending one way closes both,
// since neither TLS nor HTTP needs half a connection.
func join(from net.Conn, early io.Reader, to net.Conn) {
	var wg sync.WaitGroup
	wg.Go(func() {
		_, _ = io.Copy(to, early) // early reads from, and what was read with CONNECT first
		_ = to.Close()
		_ = from.Close()
	})
	_, _ = io.Copy(from, to)
	_ = from.Close()
	_ = to.Close()
	wg.Wait()
}
