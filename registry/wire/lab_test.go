package wire_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/internal/registrytest/imagetest"
	"github.com/refloat-dev/refloat/internal/registrytest/nettest"
	"github.com/refloat-dev/refloat/registry/wire"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lab is a network of its own: names with servers behind them, at addresses that are only said.
type lab struct {
	t      *testing.T
	ca     *nettest.CA
	client *wire.Client

	mu   sync.Mutex
	at   map[string]string // host:port → listener
	said map[string]string // host → the IP address that connections to it seem to have
}

func newLab(t *testing.T) *lab {
	t.Helper()
	ca, err := nettest.NewCA("lab CA")
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{t: t, ca: ca, at: map[string]string{}, said: map[string]string{}}
	l.client = &wire.Client{Transport: &http.Transport{DialContext: l.dial, TLSClientConfig: &tls.Config{RootCAs: ca.Pool()}}}
	t.Cleanup(l.client.CloseIdleConnections)
	return l
}

func (l *lab) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	to, ok := l.at[address]
	said := l.said[host]
	l.mu.Unlock()
	if !ok {
		return nil, &net.OpError{Op: "dial", Net: network, Err: &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}}
	}
	c, err := (&net.Dialer{}).DialContext(ctx, network, to)
	if err != nil || said == "" {
		return c, err
	}
	return elsewhere{c, &net.TCPAddr{IP: net.ParseIP(said), Port: 443}}, nil
}

type elsewhere struct {
	net.Conn
	remote net.Addr
}

func (e elsewhere) RemoteAddr() net.Addr { return e.remote }

// serve answers https://host with h; ip is the address that it seems to be at, empty for the real one.
func (l *lab) serve(host, ip string, h http.Handler) {
	l.t.Helper()
	cert, err := l.ca.Leaf(nettest.Sound, host)
	if err != nil {
		l.t.Fatal(err)
	}
	ln := listen(l.t)
	s := nettest.Serve(ln, h, nettest.TLS(cert))
	l.t.Cleanup(func() {
		l.client.CloseIdleConnections()
		if err := s.Close(); err != nil {
			l.t.Error(err)
		}
	})
	l.move(host, ip)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at[host+":443"] = ln.Addr().String()
}

// hurry connects to reg.lab, however long that takes, and then leaves little time to what follows.
func (l *lab) hurry() {
	l.t.Helper()
	if a := l.client.Session("reg.lab", "", nil).Do(l.t.Context(), wire.Ask{Step: "ping", Path: "/v2/"}); !a.OK() {
		l.t.Fatalf("%+v", a.Last())
	}
	l.client.Timeout = short
}

// move changes where a host seems to be.
func (l *lab) move(host, ip string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said[host] = ip
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// registry is one that holds pub:v1 and team/app:v1, of which ada may pull the second.
func registry(t *testing.T, style registrytest.Style) (*registrytest.Registry, string) {
	t.Helper()
	r := registrytest.New("reg.lab", style)
	r.Private = []string{"team/*"}
	r.SetUser(registrytest.User{Name: "ada", Password: password, Pull: []string{"*"}})
	img := small(t)
	for _, repo := range []string{"pub", "team/app"} {
		if _, err := r.Push(repo, "v1", img); err != nil {
			t.Fatal(err)
		}
	}
	digest, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return r, digest.String()
}

func small(t *testing.T) v1.Image {
	t.Helper()
	img, err := imagetest.Image(imagetest.Spec{Layers: [][]imagetest.File{{{Path: "a", Data: []byte("a")}}}})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

const password = "Tr0ub4dor&3 <x>"

var ada = &wire.Credential{Username: "ada", Password: password}

func manifest(repo string) wire.Ask {
	return wire.Ask{Step: "manifest", Path: "/v2/" + repo + "/manifests/v1", Accept: accept}
}

var accept = []string{
	"application/vnd.docker.distribution.manifest.v2+json", "application/vnd.docker.distribution.manifest.list.v2+json",
	"application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json", "*/*",
}

// trail is an answer's steps in short.
func trail(a wire.Answer) []string {
	var out []string
	for _, s := range a.Steps {
		line := fmt.Sprintf("%s %s %d", s.Name, s.Method, s.Status)
		for _, more := range []string{string(s.Failure), s.Challenge} {
			if more != "" {
				line += " " + more
			}
		}
		out = append(out, line)
	}
	return out
}

// clean fails where a secret is in the evidence, in whatever case.
func clean(t *testing.T, a wire.Answer, secrets ...string) {
	t.Helper()
	b, err := json.Marshal(a.Steps)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) > 64<<10 {
		t.Errorf("%d bytes of evidence", len(b))
	}
	text := strings.ToLower(strings.ReplaceAll(string(b), `\u0026`, "&"))
	text = strings.ReplaceAll(strings.ReplaceAll(text, `\u003c`, "<"), `\u003e`, ">")
	for _, s := range append(secrets, password, "Tr0ub4dor") {
		if strings.Contains(text, strings.ToLower(s)) {
			t.Errorf("%q is in the evidence: %s", s, text)
		}
	}
}

const short = 400 * time.Millisecond

func handle(f func(w http.ResponseWriter, req *http.Request)) http.Handler {
	return http.HandlerFunc(f)
}
