package path_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/internal/registrytest/nettest"
)

func TestMirrors(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		mirror func(*node, http.Handler) http.Handler // from one that serves the same
		hop    evidence.Hop
		status int
		lies   string
		extra  string // of hosts.toml
	}{
		{name: "well", status: 200},
		{name: "has not got it", status: 404, mirror: func(*node, http.Handler) http.Handler { return http.NotFoundHandler() }},
		{name: "older", status: 200, lies: "at the registry", mirror: func(n *node, _ http.Handler) http.Handler { return registry(n.t, "old") }},
		{name: "other bytes", status: 200, lies: "have the digest", mirror: func(_ *node, same http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				if req.Method == http.MethodGet && strings.Contains(req.URL.Path, "/blobs/") {
					_, _ = w.Write([]byte("{}"))
					return
				}
				same.ServeHTTP(w, req)
			})
		}},
		{name: "out of order", status: 503, hop: evidence.HopHTTP, mirror: func(*node, http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
		}},
		{name: "wants its header", status: 200, extra: "[host.\"MIRROR\".header]\nAuthorization = 'Basic c2VjcmV0OnNlY3JldA=='\n",
			mirror: func(n *node, same http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
					if req.Header.Get("Authorization") != "Basic c2VjcmV0OnNlY3JldA==" || !strings.HasPrefix(req.URL.Query().Get("ns"), "reg.lab:") {
						n.t.Errorf("%s %s without what it wants", req.Method, req.URL)
					}
					same.ServeHTTP(w, req)
				})
			}},
		{name: "tells its header", status: 403, extra: "[host.\"MIRROR\".header]\nX-Key = 'Basic c2VjcmV0OnNlY3JldA=='\n",
			mirror: func(*node, http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
					w.Header().Set("Content-Type", "text/plain "+req.Header.Get("X-Key"))
					http.Error(w, req.Header.Get("X-Key"), http.StatusForbidden)
				})
			}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			handler := http.Handler(registry(t, ""))
			if tc.mirror != nil {
				handler = tc.mirror(n, handler)
			}
			url := "https://mirror.lab:" + n.serve(handler, n.cert(nettest.Sound, "mirror.lab"))
			reg := "reg.lab:" + n.serve(registry(t, ""), n.cert(nettest.Sound, "reg.lab"))
			n.mirrors(reg, "server = 'https://"+reg+"'\n"+mirror(url)+strings.ReplaceAll(tc.extra, "MIRROR", url))
			hosts, _, gaps := n.look(reg + "/team/app:1")
			if len(hosts) != 2 || len(gaps) > 0 {
				t.Fatalf("%d hosts, %v", len(hosts), gaps)
			}
			h := hosts[0]
			if h.Role != evidence.RoleMirror || h.Order != 1 || h.File == "" || h.Fails != tc.hop || h.Answer == nil || h.Answer.Status != tc.status {
				t.Errorf("%+v %+v", h, h.Answer)
			}
			if (h.Lies == "") != (tc.lies == "") || !strings.Contains(h.Lies, tc.lies) || h.Shown || hosts[1].Shown {
				t.Errorf("lies: %q", h.Lies)
			}
			if a := h.Answer; a != nil && strings.Contains(a.Text+a.MediaType, "c2VjcmV0") {
				t.Errorf("%+v", a)
			}
		})
	}
}

func TestDeadMirrors(t *testing.T) {
	t.Parallel()
	t.Run("refuses", func(t *testing.T) {
		t.Parallel()
		n := newNode(t)
		reg := "reg.lab:" + n.serve(registry(t, ""), n.cert(nettest.Sound, "reg.lab"))
		n.mirrors(reg, "server = 'https://"+reg+"'\n"+mirror("https://mirror.lab:"+closed(t)))
		hosts, _, _ := n.look(reg + "/team/app:1")
		if h := hosts[0]; h.Fails != evidence.HopConnect || h.Costs != 0 || h.Shown {
			t.Errorf("%+v", h)
		}
	})
	t.Run("says nothing", func(t *testing.T) {
		t.Parallel()
		n := newNode(t)
		reg := "reg.lab:" + n.serve(registry(t, ""), n.cert(nettest.Sound, "reg.lab"))
		quiet := make(chan struct{})
		url := "https://mirror.lab:" + n.serve(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
			select {
			case <-req.Context().Done():
			case <-quiet:
			}
		}), n.cert(nettest.Sound, "mirror.lab"))
		defer close(quiet)
		n.mirrors(reg, "server = 'https://"+reg+"'\n"+mirror(url))
		hosts, _, _ := n.look(reg + "/team/app:1")
		// HEAD, manifest, config and layer, half a minute each (tried with containerd 2.4.2: two minutes).
		if h := hosts[0]; h.Fails != evidence.HopHTTP || h.Failure != evidence.FailedTimeout || h.Costs < 120_000 || h.Costs > 125_000 ||
			!strings.Contains(h.Text, "containerd waits 30s") {
			t.Errorf("%+v", h)
		}
	})
	t.Run("is all there is", func(t *testing.T) {
		t.Parallel()
		n := newNode(t)
		reg := "reg.lab:" + n.serve(registry(t, ""), n.cert(nettest.Sound, "reg.lab"))
		url := "https://mirror.lab:" + closed(t)
		n.mirrors(reg, "server = '"+url+"'\n"+mirror(url))
		hosts, _, _ := n.look(reg + "/team/app:1")
		if h := hosts[len(hosts)-1]; h.Fails != evidence.HopConnect || !hosts[0].Shown {
			t.Errorf("%+v", h)
		}
	})
}

// TestBrokenHost has a file that the runtime gives up the whole pull for.
func TestBrokenHost(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	reg := "reg.lab:" + n.serve(registry(t, ""), n.cert(nettest.Sound, "reg.lab"))
	n.mirrors(reg, "server = 'https://"+reg+"'\n[host.'https://mirror.lab']\nca = '/etc/containerd/gone.pem'\n")
	hosts, _, _ := n.look(reg + "/team/app:1")
	if h := hosts[0]; h.Fails != evidence.HopTLS || !h.Shown || hosts[1].Shown ||
		h.Text != `unable to read CA cert "/etc/containerd/gone.pem": open /etc/containerd/gone.pem: no such file or directory` {
		t.Errorf("%+v", h)
	}
}

// TestDrip has a mirror that sends a byte now and then.
func TestDrip(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	same := registry(t, "")
	reg := "reg.lab:" + n.serve(same, n.cert(nettest.Sound, "reg.lab"))
	url := "https://mirror.lab:" + n.serve(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodHead {
			same.ServeHTTP(w, req)
			return
		}
		for req.Context().Err() == nil {
			_, _ = w.Write([]byte("x"))
			_ = http.NewResponseController(w).Flush()
			time.Sleep(50 * time.Millisecond)
		}
	}), n.cert(nettest.Sound, "mirror.lab"))
	n.mirrors(reg, "server = 'https://"+reg+"'\n"+mirror(url))
	hosts, _, gaps := n.look(reg + "/team/app:1")
	if h := hosts[0]; h.Fails != evidence.HopHTTP || h.Failure != evidence.FailedTimeout || h.Lies != "" || len(gaps) > 0 {
		t.Errorf("%+v %v", h, gaps)
	}
}

// TestInside lets nobody send the node further inside than he is, nor to a metadata service.
func TestInside(t *testing.T) {
	t.Parallel()
	for _, to := range []string{"169.254.169.254", "meta.lab", "metadata.google.internal", "[fd00:ec2::254]", "2130706433"} {
		n := newNode(t)
		reg := "reg.lab:" + n.serve(registry(t, ""), n.cert(nettest.Sound, "reg.lab"))
		url := "https://mirror.lab:" + n.serve(http.RedirectHandler("https://"+to+"/latest/meta-data/", http.StatusFound), n.cert(nettest.Sound, "mirror.lab"))
		n.mirrors(reg, "server = 'https://"+reg+"'\n"+mirror(url))
		hosts, _, _ := n.look(reg + "/team/app:1")
		if h := first(t, hosts, to); h.Fails != evidence.HopConnect || h.Failure != evidence.FailedUnsafe || h.Role != evidence.RoleStorage {
			t.Errorf("%s: %+v", to, h)
		}
	}
}
