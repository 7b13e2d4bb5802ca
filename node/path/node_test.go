package path_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"go.uber.org/goleak"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/internal/registrytest/imagetest"
	"github.com/refloat-dev/refloat/internal/registrytest/nettest"
	"github.com/refloat-dev/refloat/node/config"
	"github.com/refloat-dev/refloat/node/host"
	"github.com/refloat-dev/refloat/node/path"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// node is a node whose names all end on this machine's loopback.
type node struct {
	t   *testing.T
	dir string
	ca  *nettest.CA
	path.Looker
}

func newNode(t *testing.T) *node {
	t.Helper()
	n := &node{t: t, dir: t.TempDir(), ca: newCA(t)}
	n.write("/etc/hosts", "127.0.0.1 reg.lab mirror.lab storage.lab auth.lab proxy.lab\n169.254.169.254 meta.lab\n")
	n.write("/etc/resolv.conf", "nameserver 127.0.0.1\n")
	n.write("/etc/ssl/certs/ca-certificates.crt", string(n.ca.PEM()))
	n.write("/etc/containerd/config.toml", "version = 3\n[plugins.'io.containerd.cri.v1.images'.registry]\nconfig_path = '/etc/containerd/certs.d'\n")
	proc := filepath.Join(n.dir, "proc")
	if err := os.MkdirAll(proc, 0o755); err != nil {
		t.Fatal(err)
	}
	n.Host = &host.Host{Root: n.dir, Proc: proc}
	return n
}

func newCA(t *testing.T) *nettest.CA {
	t.Helper()
	ca, err := nettest.NewCA("lab CA")
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func (n *node) write(name, text string) {
	n.t.Helper()
	at := filepath.Join(n.dir, name)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		n.t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
		n.t.Fatal(err)
	}
}

// cert is one of the CA that the node trusts.
func (n *node) cert(f nettest.Flaw, name string) *tls.Config {
	n.t.Helper()
	c, err := n.ca.Leaf(f, name)
	if err != nil {
		n.t.Fatal(err)
	}
	return nettest.TLS(c)
}

// serve starts a server and returns its port.
func (n *node) serve(h http.Handler, c *tls.Config) string {
	n.t.Helper()
	l := listen(n.t)
	s := nettest.Serve(l, h, c)
	n.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			n.t.Error(err)
		}
	})
	return port(l)
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func port(l net.Listener) string {
	_, p, _ := net.SplitHostPort(l.Addr().String())
	return p
}

// closed is a port at which nobody listens.
func closed(t *testing.T) string {
	t.Helper()
	l := listen(t)
	_ = l.Close()
	return port(l)
}

// registry holds team/app:1, with a content of its own for each label.
func registry(t *testing.T, label string) *registrytest.Registry {
	t.Helper()
	r := registrytest.New("reg.lab", registrytest.Open)
	img, err := imagetest.Image(imagetest.Spec{Platform: v1.Platform{OS: "linux", Architecture: "amd64"}, Label: label,
		Layers: [][]imagetest.File{{imagetest.Big("a", 2048, 1)}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Push("team/app", "1", img); err != nil {
		t.Fatal(err)
	}
	return r
}

// mirrors writes the hosts.toml of a registry.
func (n *node) mirrors(registry, toml string) {
	n.t.Helper()
	n.write("/etc/containerd/certs.d/"+registry+"/hosts.toml", toml)
}

func mirror(url string) string {
	return fmt.Sprintf("[host.%q]\ncapabilities = ['pull', 'resolve']\n", url)
}

func (n *node) look(image string) ([]*evidence.Host, *evidence.Probe, []evidence.Gap) {
	n.t.Helper()
	n.Runtime, _ = config.Read(n.Host)
	return n.Look(n.t.Context(), image, "linux/amd64", nil)
}

// first is the host by a name without its port.
func first(t *testing.T, hosts []*evidence.Host, name string) *evidence.Host {
	t.Helper()
	for _, h := range hosts {
		if h.Name == name || strings.HasPrefix(h.Name, name+":") {
			return h
		}
	}
	t.Fatalf("%s was not looked at: %d hosts were", name, len(hosts))
	return nil
}
