package nettest_test

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

	"github.com/refloat-dev/refloat/internal/registrytest/nettest"
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

// get asks https://reg.lab, which is at addr, and returns body or error as text.
func get(t *testing.T, ca *nettest.CA, addr string, proxy *url.URL) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.Pool()}, DialContext: func(ctx context.Context, n, a string) (net.Conn, error) {
		if strings.HasPrefix(a, "reg.lab:") {
			a = addr
		}
		return (&net.Dialer{}).DialContext(ctx, n, a)
	}}
	if proxy != nil {
		tr.Proxy = http.ProxyURL(proxy)
	}
	defer tr.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://reg.lab/", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Transport: tr}).Do(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

var hello = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })

func TestTLS(t *testing.T) {
	t.Parallel()
	ca, other := newCA(t), newCA(t)
	leaf := func(ca *nettest.CA, f nettest.Flaw) tls.Certificate {
		c, err := ca.Leaf(f, "reg.lab")
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	self, err := nettest.SelfSigned("reg.lab")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name   string
		config *tls.Config
		want   string
	}{
		{"sound", nettest.TLS(leaf(ca, nettest.Sound)), "hello"},
		{"expired", nettest.TLS(leaf(ca, nettest.Expired)), "certificate has expired or is not yet valid: current time"},
		{"not yet valid", nettest.TLS(leaf(ca, nettest.NotYetValid)), "is before"},
		{"wrong name", nettest.TLS(leaf(ca, nettest.WrongName)), "certificate is valid for other.lab, not reg.lab"},
		{"cn only", nettest.TLS(leaf(ca, nettest.CNOnly)), "relies on legacy Common Name field, use SANs instead"},
		{"other ca", nettest.TLS(leaf(other, nettest.Sound)), "certificate signed by unknown authority"},
		{"self-signed", nettest.TLS(self), "certificate signed by unknown authority"},
		{"mutual", nettest.MutualTLS(leaf(ca, nettest.Sound), ca.Pool()), "remote error: tls: certificate required"},
		{"old", nettest.OldTLS(leaf(ca, nettest.Sound)), "remote error: tls: protocol version not supported"},
		{"plain", nil, "http: server gave HTTP response to HTTPS client"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			l := listen(t)
			s := nettest.Serve(l, hello, tc.config)
			if got := get(t, ca, l.Addr().String(), nil); !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want %q in it", got, tc.want)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	for how, want := range map[nettest.Refusal]string{
		nettest.HangUp: "EOF|reset by peer",
		nettest.Reset:  "reset by peer",
		nettest.Mute:   "context deadline exceeded",
	} {
		t.Run(string(how), func(t *testing.T) {
			t.Parallel()
			l := listen(t)
			stop := nettest.Refuse(l, how)
			got := get(t, newCA(t), l.Addr().String(), nil)
			stop()
			for w := range strings.SplitSeq(want, "|") {
				if strings.Contains(got, w) {
					return
				}
			}
			t.Errorf("got %q, want %q", got, want)
		})
	}
}

func TestProxy(t *testing.T) {
	t.Parallel()
	ca := newCA(t)
	cert, err := ca.Leaf(nettest.Sound, "reg.lab")
	if err != nil {
		t.Fatal(err)
	}
	target := listen(t)
	server := nettest.Serve(target, hello, nettest.TLS(cert))
	p := &nettest.Proxy{Dial: func(ctx context.Context, n, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, n, target.Addr().String())
	}}
	l := listen(t)
	proxy := nettest.Serve(l, p, nil)
	u := &url.URL{Scheme: "http", Host: l.Addr().String()}
	for _, tc := range []struct {
		deny int
		want string
	}{{0, "hello"}, {403, "Forbidden"}, {407, "Proxy Authentication Required"}, {502, "Bad Gateway"}, {0, "hello"}} {
		p.Deny(tc.deny)
		if got := get(t, ca, "", u); !strings.HasSuffix(got, tc.want) {
			t.Errorf("deny %d: got %q, want %q", tc.deny, got, tc.want)
		}
	}
	if got := p.Requests(); got != 5 {
		t.Errorf("%d requests, want 5", got)
	}
	_ = proxy.Close()
	_ = server.Close()
}

func newCA(t *testing.T) *nettest.CA {
	t.Helper()
	ca, err := nettest.NewCA("lab CA")
	if err != nil {
		t.Fatal(err)
	}
	return ca
}
