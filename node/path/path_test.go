package path_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/internal/registrytest/nettest"
	"github.com/refloat-dev/refloat/node/config"
)

// TestHops breaks one hop at a time.
func TestHops(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		image   string // PORT is the server's
		serve   func(*node) string
		hop     evidence.Hop
		failure evidence.Failure
		text    string
		check   func(*testing.T, *evidence.Host)
	}{
		{name: "well", serve: func(n *node) string { return n.serve(registry(n.t, ""), n.cert(nettest.Sound, "reg.lab")) },
			check: func(t *testing.T, h *evidence.Host) {
				if h.TLS == nil || h.TLS.Failure != "" || h.Answer == nil || h.Answer.Status != 200 || len(h.TLS.Chain) != 1 || h.Shown {
					t.Errorf("%+v %+v", h, h.TLS)
				}
			}},
		{name: "no name", image: "nowhere.onion:PORT/team/app:1", serve: func(*node) string { return "443" }, hop: evidence.HopName, failure: evidence.FailedDNS, text: "no such host"},
		{name: "refused", serve: func(n *node) string { return closed(n.t) }, hop: evidence.HopConnect, failure: evidence.FailedRefused, text: "connection refused"},
		{name: "metadata", image: "meta.lab:PORT/team/app:1", serve: func(*node) string { return "80" }, hop: evidence.HopConnect, failure: evidence.FailedUnsafe, text: "not connected to"},
		{name: "another CA", serve: func(n *node) string {
			other, err := newCA(n.t).Leaf(nettest.Sound, "reg.lab")
			if err != nil {
				n.t.Fatal(err)
			}
			return n.serve(registry(n.t, ""), nettest.TLS(other))
		}, hop: evidence.HopTLS, failure: evidence.FailedUntrusted, text: "unknown authority", check: func(t *testing.T, h *evidence.Host) {
			if h.TLS.MissingCA != "CN=lab CA" || len(h.TLS.Trusted) != 1 {
				t.Errorf("%+v", h.TLS)
			}
		}},
		{name: "expired, and the clock is right", serve: func(n *node) string { return n.serve(registry(n.t, ""), n.cert(nettest.Expired, "reg.lab")) },
			hop: evidence.HopTLS, failure: evidence.FailedTLS, text: "is after", check: func(t *testing.T, h *evidence.Host) {
				if h.TLS.Skew != 0 || h.TLS.Failure != evidence.FailedTLS {
					t.Errorf("%+v", h.TLS)
				}
			}},
		{name: "the clock is wrong", serve: func(n *node) string {
			n.Now = func() time.Time { return time.Now().AddDate(-3, 0, 0) }
			return n.serve(registry(n.t, ""), n.cert(nettest.Sound, "reg.lab"))
		}, hop: evidence.HopTLS, failure: evidence.FailedTLS, text: "is before", check: func(t *testing.T, h *evidence.Host) {
			if h.TLS.Skew > -1000*24*3600 {
				t.Errorf("skew %d", h.TLS.Skew)
			}
		}},
		{name: "a clock that is off by less than a certificate's life", serve: func(n *node) string {
			n.Now = func() time.Time { return time.Now().Add(time.Hour) }
			return n.serve(registry(n.t, ""), n.cert(nettest.Sound, "reg.lab"))
		}, check: func(t *testing.T, h *evidence.Host) {
			if h.TLS.Skew < 3500 || h.TLS.Skew > 3700 {
				t.Errorf("skew %d", h.TLS.Skew)
			}
		}},
		{name: "an answer from a cache, hours old", serve: func(n *node) string {
			real := registry(n.t, "")
			return n.serve(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				w.Header().Set("Date", time.Now().Add(-5*time.Hour).UTC().Format(http.TimeFormat))
				w.Header().Set("Age", "18000")
				real.ServeHTTP(w, req)
			}), n.cert(nettest.Sound, "reg.lab"))
		}, check: func(t *testing.T, h *evidence.Host) {
			if h.TLS.Skew != 0 {
				t.Errorf("skew %d", h.TLS.Skew)
			}
		}},
		{name: "no /v2/, and the image is there", serve: func(n *node) string {
			real := registry(n.t, "")
			return n.serve(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				if req.URL.Path == "/v2/" {
					w.Header().Set("Content-Type", "text/html")
					w.WriteHeader(http.StatusNotFound)
					return
				}
				real.ServeHTTP(w, req)
			}), n.cert(nettest.Sound, "reg.lab"))
		}},
		{name: "another name", serve: func(n *node) string { return n.serve(registry(n.t, ""), n.cert(nettest.WrongName, "reg.lab")) },
			hop: evidence.HopTLS, failure: evidence.FailedTLS, text: "valid for other.lab, not reg.lab"},
		{name: "no SAN", serve: func(n *node) string { return n.serve(registry(n.t, ""), n.cert(nettest.CNOnly, "reg.lab")) },
			hop: evidence.HopTLS, failure: evidence.FailedTLS, text: "legacy Common Name"},
		{name: "plain HTTP", serve: func(n *node) string { return n.serve(registry(n.t, ""), nil) }, hop: evidence.HopTLS, failure: evidence.FailedPlain,
			text: "server gave HTTP response to HTTPS client"},
		{name: "closes at once", serve: func(n *node) string {
			l := listen(n.t)
			n.t.Cleanup(nettest.Refuse(l, nettest.HangUp))
			return port(l)
		}, hop: evidence.HopTLS, failure: evidence.FailedInterrupted},
		{name: "out of order", serve: func(n *node) string {
			return n.serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				http.Error(w, "maintenance", http.StatusServiceUnavailable)
			}), n.cert(nettest.Sound, "reg.lab"))
		}, hop: evidence.HopHTTP, text: "503 Service Unavailable; maintenance"},
		{name: "a portal", serve: func(n *node) string {
			return n.serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				_, _ = io.WriteString(w, "<html><title>Sign in</title></html>")
			}), n.cert(nettest.Sound, "reg.lab"))
		}, hop: evidence.HopHTTP, text: "no registry"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			image := tc.image
			if image == "" {
				image = "reg.lab:PORT/team/app:1"
			}
			hosts, p, gaps := n.look(strings.Replace(image, "PORT", tc.serve(n), 1))
			if len(hosts) != 1 || p == nil || len(gaps) > 0 {
				t.Fatalf("%d hosts, %v, %v", len(hosts), p, gaps)
			}
			h := hosts[0]
			if h.Fails != tc.hop || h.Failure != tc.failure || !strings.Contains(h.Text, tc.text) || h.Role != evidence.RoleRegistry || h.Order != 1 {
				t.Errorf("%q %q %q", h.Fails, h.Failure, h.Text)
			}
			if h.Shown != (tc.hop != "") {
				t.Errorf("shown: %v", h.Shown)
			}
			if tc.check != nil {
				tc.check(t, h)
			}
		})
	}
}

// TestOnward follows the registry's word to storage, well and dead.
func TestOnward(t *testing.T) {
	t.Parallel()
	for _, dead := range []bool{false, true} {
		n := newNode(t)
		r := registry(t, "")
		to := closed(t)
		if !dead {
			to = n.serve(r, n.cert(nettest.Sound, "storage.lab"))
		}
		server := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if strings.Contains(req.URL.Path, "/blobs/") {
				http.Redirect(w, req, "https://storage.lab:"+to+req.URL.Path+"?signature=s3cr3t", http.StatusTemporaryRedirect)
				return
			}
			r.ServeHTTP(w, req)
		})
		hosts, p, gaps := n.look("reg.lab:" + n.serve(server, n.cert(nettest.Sound, "reg.lab")) + "/team/app:1")
		if len(hosts) != 2 || len(gaps) > 0 || p.Attempts[0].Served == dead {
			t.Fatalf("%d hosts, %v", len(hosts), gaps)
		}
		h := first(t, hosts, "storage.lab")
		if h.Role != evidence.RoleStorage || !strings.HasPrefix(h.Via, "reg.lab:") || (h.Fails == evidence.HopConnect) != dead || h.Shown != dead {
			t.Errorf("%+v", h)
		}
		if h.Answer == nil || strings.Contains(h.Answer.URL+h.Answer.Text+h.Text, "s3cr3t") {
			t.Errorf("%+v", h.Answer)
		}
	}
}

// TestProxy takes the runtime's environment for the truth.
func TestProxy(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	at := n.serve(registry(t, ""), n.cert(nettest.Sound, "reg.lab"))
	p := &nettest.Proxy{Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		if !strings.HasPrefix(addr, "reg.lab:") {
			return nil, errors.New("not there")
		}
		return (&net.Dialer{}).DialContext(ctx, network, "127.0.0.1:"+at)
	}}
	through := n.serve(p, nil)
	for _, tc := range []struct {
		name, proxy, no string
		deny            int
		hop             evidence.Hop
		exempt, text    string
	}{
		{name: "through", proxy: through},
		{name: "refuses", proxy: through, deny: http.StatusForbidden, hop: evidence.HopProxy, text: "answers 403 Forbidden"},
		{name: "wants a login", proxy: through, deny: http.StatusProxyAuthRequired, hop: evidence.HopProxy, text: "answers 407"},
		{name: "dead", proxy: closed(t), hop: evidence.HopProxy, text: "connection refused"},
		{name: "dead, and not asked", proxy: closed(t), no: "10.0.0.0/8, .lab,other.example", exempt: ".lab"},
	} {
		p.Deny(tc.deny)
		n.Env = map[string]string{"HTTPS_PROXY": "http://user:pr0xypw@proxy.lab:" + tc.proxy, "NO_PROXY": tc.no}
		hosts, probe, _ := n.look("reg.lab:" + at + "/team/app:1")
		h := hosts[0]
		if h.Fails != tc.hop || h.NoProxy != tc.exempt || !strings.Contains(h.Text, tc.text) || (h.Proxy == "") != (tc.exempt != "") {
			t.Errorf("%s: %+v", tc.name, h)
		}
		if served := probe.Attempts[0].Served; served != (tc.hop == "") {
			t.Errorf("%s: served: %v", tc.name, served)
		}
		if strings.Contains(h.Text+h.Proxy, "pr0xypw") {
			t.Errorf("%s: %q %q", tc.name, h.Text, h.Proxy)
		}
	}
}

// TestEnds gives up at once with its caller, and tells what was not seen.
func TestEnds(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	l := listen(t)
	t.Cleanup(nettest.Refuse(l, nettest.Mute))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	n.Runtime, _ = config.Read(n.Host)
	hosts, _, gaps := n.Look(ctx, "reg.lab:"+port(l)+"/team/app:1", "linux/amd64", nil)
	if len(hosts) != 0 || len(gaps) != 1 || !strings.Contains(gaps[0].Why, "ended before") || !gaps[0].Deciding {
		t.Errorf("%v %v", hosts, gaps)
	}
	if hosts, p, gaps := n.Look(ctx, "Not/A:Reference:1", "", nil); hosts != nil || p != nil || len(gaps) != 1 {
		t.Errorf("%v %v %v", hosts, p, gaps)
	}
}

func TestToken(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	r := registrytest.New("reg.lab", registrytest.BearerHub)
	r.Realm = "https://auth.lab:" + closed(t) + "/token"
	hosts, _, _ := n.look("reg.lab:" + n.serve(r, n.cert(nettest.Sound, "reg.lab")) + "/team/app:1")
	h := first(t, hosts, "auth.lab")
	if h.Role != evidence.RoleToken || h.Fails != evidence.HopConnect || !h.Shown || first(t, hosts, "reg.lab").Shown {
		t.Errorf("%+v", h)
	}
}
