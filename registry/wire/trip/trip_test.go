package trip_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/internal/registrytest/nettest"
	"github.com/refloat-dev/refloat/registry/wire/reach"
	"github.com/refloat-dev/refloat/registry/wire/trip"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func newCA(t *testing.T) *nettest.CA {
	t.Helper()
	ca, err := nettest.NewCA("lab CA")
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func leaf(t *testing.T, ca *nettest.CA, f nettest.Flaw) tls.Certificate {
	t.Helper()
	c, err := ca.Leaf(f, "reg.lab")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func serve(t *testing.T, h http.Handler, c *tls.Config) string {
	t.Helper()
	l := listen(t)
	s := nettest.Serve(l, h, c)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// base is a transport for which every host is at addr.
func base(ca *nettest.CA, addr string) *http.Transport {
	return &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: ca.Pool(), InsecureSkipVerify: true},
		DialContext: func(ctx context.Context, n, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, n, addr)
		},
	}
}

// get asks the registry at root for root and what follows, and returns how the last went.
func get(t *testing.T, tr *http.Transport, timeout time.Duration, root string, then ...string) (evidence.Failure, string) {
	t.Helper()
	lines := trip.New(tr, timeout)
	defer lines.Close()
	u, err := url.Parse(root)
	if err != nil {
		t.Fatal(err)
	}
	line := lines.To(u)
	var (
		f    evidence.Failure
		text string
	)
	for _, to := range append([]string{root}, then...) {
		f, text = once(t, line, timeout, to)
	}
	return f, text
}

func once(t *testing.T, line *trip.Line, timeout time.Duration, to string) (evidence.Failure, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, to, nil)
	if err != nil {
		t.Fatal(err)
	}
	var w trip.Watch
	resp, err := line.Trip(req, &w)
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
	if err != nil {
		return trip.Explain(err, &w)
	}
	if w.Timing().Total == 0 {
		t.Error("no time passed")
	}
	return "", resp.Status
}

var hello = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })

func TestTLS(t *testing.T) {
	t.Parallel()
	ca, other := newCA(t), newCA(t)
	self, err := nettest.SelfSigned("reg.lab")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name   string
		config *tls.Config
		want   evidence.Failure
		text   string
	}{
		{"sound", nettest.TLS(leaf(t, ca, nettest.Sound)), "", "200 OK"},
		{"expired", nettest.TLS(leaf(t, ca, nettest.Expired)), evidence.FailedTLS, "certificate has expired or is not yet valid"},
		{"not yet valid", nettest.TLS(leaf(t, ca, nettest.NotYetValid)), evidence.FailedTLS, "is before"},
		{"wrong name", nettest.TLS(leaf(t, ca, nettest.WrongName)), evidence.FailedTLS, "certificate is valid for other.lab, not reg.lab"},
		{"cn only", nettest.TLS(leaf(t, ca, nettest.CNOnly)), evidence.FailedTLS, "legacy Common Name"},
		{"other ca", nettest.TLS(leaf(t, other, nettest.Sound)), evidence.FailedUntrusted, "certificate signed by unknown authority"},
		{"self-signed", nettest.TLS(self), evidence.FailedUntrusted, "certificate signed by unknown authority"},
		{"mutual", nettest.MutualTLS(leaf(t, ca, nettest.Sound), ca.Pool()), evidence.FailedTLS, "certificate required"},
		{"old", nettest.OldTLS(leaf(t, ca, nettest.Sound)), evidence.FailedTLS, "protocol version"},
		{"plain", nil, evidence.FailedPlain, "http: server gave HTTP response to HTTPS client"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f, text := get(t, base(ca, serve(t, hello, tc.config)), 10*time.Second, "https://reg.lab/")
			if f != tc.want || !strings.Contains(text, tc.text) {
				t.Errorf("%q %q", f, text)
			}
		})
	}
}

func TestHTTP2(t *testing.T) {
	t.Parallel()
	ca := newCA(t)
	config := nettest.TLS(leaf(t, ca, nettest.Sound))
	config.NextProtos = []string{"h2"}
	addr := serve(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		switch req.URL.Path {
		case "/abort":
			panic(http.ErrAbortHandler)
		case "/cut":
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		case "/header":
			w.Header().Set("X", strings.Repeat("x", 2*trip.MaxHeader))
		case "/headers":
			for range 100 {
				w.Header().Add("X", strings.Repeat("x", trip.MaxHeader/64))
			}
		}
		if req.ProtoMajor != 2 {
			w.WriteHeader(http.StatusTeapot)
		}
	}), config)
	for _, tc := range []struct {
		path string
		want evidence.Failure
		text string
	}{
		{"/", "", "200 OK"},
		{"/abort", evidence.FailedInterrupted, "stream error"},
		{"/cut", evidence.FailedInterrupted, "stream error"},
		{"/header", evidence.FailedBody, "COMPRESSION_ERROR"}, // one field over the bound
		{"/headers", evidence.FailedBody, "header list"},
	} {
		if f, text := get(t, base(ca, addr), 10*time.Second, "https://reg.lab"+tc.path); f != tc.want || !strings.Contains(text, tc.text) {
			t.Errorf("%s: %q %q", tc.path, f, text)
		}
	}
}

// raw answers every connection with the same bytes.
func raw(t *testing.T, answer string) string {
	t.Helper()
	l := listen(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 1)) // net/http drops a connection that speaks unasked
			_, _ = io.WriteString(c, answer)
			_ = c.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, c)
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return l.Addr().String()
}

// patience is short where nothing will come.
func patience(name string) time.Duration {
	if strings.HasPrefix(name, "mute") {
		return 500 * time.Millisecond
	}
	return 10 * time.Second
}

func TestConnections(t *testing.T) {
	t.Parallel()
	ca := newCA(t)
	closed := listen(t)
	gone := closed.Addr().String()
	_ = closed.Close()
	refuse := func(how nettest.Refusal) string {
		l := listen(t)
		t.Cleanup(nettest.Refuse(l, how))
		return l.Addr().String()
	}
	for _, tc := range []struct {
		name, addr, url string
		want            evidence.Failure
		text            string
	}{
		{"refused", gone, "https://reg.lab/", evidence.FailedRefused, "connection refused"},
		{"hang-up", refuse(nettest.HangUp), "https://reg.lab/", evidence.FailedInterrupted, ""},
		{"reset", refuse(nettest.Reset), "https://reg.lab/", evidence.FailedInterrupted, ""},
		{"mute in TLS", refuse(nettest.Mute), "https://reg.lab/", evidence.FailedTimeout, "no end of the TLS handshake"},
		{"mute", refuse(nettest.Mute), "http://localhost:5000/", evidence.FailedTimeout, "no answer to the request"},
		{"no TLS at all", raw(t, "SSH-2.0-OpenSSH_9.9\r\n"), "https://reg.lab/", evidence.FailedTLS, "first record does not look like a TLS handshake"},
		{"no HTTP", raw(t, "220 smtp ready\r\n\r\n"), "http://localhost:5000/", evidence.FailedBody, "malformed HTTP"},
		{"an endless header", raw(t, "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 1<<20)+"\r\n\r\n"), "http://localhost:5000/", evidence.FailedBody, "headers exceeded"},
		{"half a header", raw(t, "HTTP/1.1 200 OK\r\nX: y"), "http://localhost:5000/", evidence.FailedInterrupted, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f, text := get(t, base(ca, tc.addr), patience(tc.name), tc.url)
			if f != tc.want || !strings.Contains(text, tc.text) {
				t.Errorf("%q %q", f, text)
			}
		})
	}
	t.Run("given up", func(t *testing.T) {
		t.Parallel()
		var w trip.Watch
		if f, _ := trip.Explain(context.Canceled, &w); f != evidence.FailedInterrupted {
			t.Error(f)
		}
		if f, _ := trip.Explain(&net.OpError{Op: "dial", Err: &net.DNSError{Err: "i/o timeout", IsTimeout: true}}, &w); f != evidence.FailedDNS {
			t.Error(f)
		}
	})
}

// TestOwnDialler uses Go's dialler, whose addresses are judged before anything is sent.
func TestOwnDialler(t *testing.T) {
	t.Parallel()
	addr := serve(t, hello, nil)
	tr := &http.Transport{}
	if f, text := get(t, tr, 10*time.Second, "http://"+addr+"/"); f != "" {
		t.Error(f, text)
	}
	f, text := get(t, tr, 10*time.Second, "https://"+addr+"/", "https://169.254.169.254/")
	if f != evidence.FailedUnsafe || !strings.Contains(text, "to which nothing is sent") {
		t.Error(f, text)
	}
}

// TestClass: the first connection settles where a registry is.
func TestClass(t *testing.T) {
	t.Parallel()
	ca := newCA(t)
	lines := trip.New(base(ca, serve(t, hello, nettest.TLS(leaf(t, ca, nettest.Sound)))), 10*time.Second)
	defer lines.Close()
	line := lines.To(&url.URL{Scheme: "https", Host: "reg.lab"})
	if got := line.Class(); got != reach.Public {
		t.Errorf("before: %v", got)
	}
	if f, text := once(t, line, 10*time.Second, "https://reg.lab/"); f != "" {
		t.Error(f, text)
	}
	if got := line.Class(); got != reach.Loopback {
		t.Errorf("after: %v", got)
	}
	if lines.To(&url.URL{Scheme: "https", Host: "reg.lab"}) != line || lines.To(&url.URL{Scheme: "https", Host: "reg.lab:5000"}) == line {
		t.Error("lines are mixed up")
	}
	for i := range 300 {
		lines.To(&url.URL{Scheme: "https", Host: "reg.lab:" + string(rune('a'+i%26)) + strings.Repeat("x", i)})
	}
	if lines.To(&url.URL{Scheme: "https", Host: "reg.lab"}) == line {
		t.Error("300 lines are kept")
	}
}

func TestProxy(t *testing.T) {
	t.Parallel()
	ca := newCA(t)
	target := serve(t, hello, nettest.TLS(leaf(t, ca, nettest.Sound)))
	p := &nettest.Proxy{Dial: func(ctx context.Context, n, addr string) (net.Conn, error) {
		if strings.HasPrefix(addr, "gone.lab") {
			return nil, io.EOF
		}
		return (&net.Dialer{}).DialContext(ctx, n, target)
	}}
	proxy := serve(t, p, nil)
	mute := listen(t)
	t.Cleanup(nettest.Refuse(mute, nettest.Mute))
	hang := listen(t)
	t.Cleanup(nettest.Refuse(hang, nettest.HangUp))
	closed := listen(t)
	_ = closed.Close()
	via := func(addr string) *http.Transport {
		return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.Pool()}, Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: addr, User: url.UserPassword("u", "pr0xypw")})}
	}
	for _, tc := range []struct {
		name, proxy string
		deny        int
		url         string
		want        evidence.Failure
		text        string
	}{
		{"through", proxy, 0, "https://reg.lab/", "", "200 OK"},
		{"403", proxy, 403, "https://reg.lab/", evidence.FailedProxy, "answered 403 Forbidden"},
		{"407", proxy, 407, "https://reg.lab/", evidence.FailedProxy, "answered 407 Proxy Authentication Required"},
		{"502", proxy, 0, "https://gone.lab/", evidence.FailedProxy, "answered 502 Bad Gateway"},
		{"wrong name behind it", proxy, 0, "https://other.lab/", evidence.FailedTLS, "certificate is valid for reg.lab"},
		{"refused", closed.Addr().String(), 0, "https://reg.lab/", evidence.FailedProxy, "connection refused"},
		{"mute", mute.Addr().String(), 0, "https://reg.lab/", evidence.FailedProxy, "no connection"},
		{"hang-up", hang.Addr().String(), 0, "https://reg.lab/", evidence.FailedProxy, ""},
		{"metadata", proxy, 0, "https://metadata.google.internal/", evidence.FailedUnsafe, "to which nothing is sent"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p.Deny(tc.deny)
			f, text := get(t, via(tc.proxy), patience(tc.name), tc.url)
			if f != tc.want || !strings.Contains(text, tc.text) || strings.Contains(text, "pr0xypw") {
				t.Errorf("%q %q", f, text)
			}
		})
	}
	t.Run("said to be inside", func(t *testing.T) {
		p.Deny(0)
		for _, to := range []string{"https://10.0.0.1/", "https://127.0.0.1/", "https://localhost/"} {
			if f, text := get(t, via(proxy), 10*time.Second, "https://reg.lab/", to); f != evidence.FailedUnsafe {
				t.Errorf("%s: %q %q", to, f, text)
			}
		}
	})
}
