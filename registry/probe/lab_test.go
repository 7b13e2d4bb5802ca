package probe_test

import (
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"go.uber.org/goleak"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/internal/registrytest/imagetest"
	"github.com/refloat-dev/refloat/internal/registrytest/nettest"
	"github.com/refloat-dev/refloat/registry/keyring"
	"github.com/refloat-dev/refloat/registry/probe"
	"github.com/refloat-dev/refloat/registry/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lab is a group of registries behind one listener with TLS, to which every name leads.
type lab struct {
	*registrytest.Group
	client *wire.Client
	// dead are hosts that refuse connections; dialled counts all that were tried.
	dead    map[string]bool
	mu      sync.Mutex
	dialled map[string]int
}

func newLab(t *testing.T) *lab {
	t.Helper()
	return serve(t, &registrytest.Group{Storage: "storage.lab"}, "*.lab")
}

// serve puts a group behind a listener that has a certificate for hosts.
func serve(t *testing.T, g *registrytest.Group, hosts ...string) *lab {
	t.Helper()
	ca, err := nettest.NewCA("probe test")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Leaf(nettest.Sound, hosts...)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &lab{Group: g, dead: map[string]bool{}, dialled: map[string]int{}}
	s := nettest.Serve(l, b.Group, nettest.TLS(cert))
	b.client = &wire.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: ca.Pool()},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			host, _, _ := net.SplitHostPort(address)
			b.mu.Lock()
			b.dialled[host]++
			b.mu.Unlock()
			if b.dead[host] {
				return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("connection refused")}
			}
			return (&net.Dialer{}).DialContext(ctx, network, l.Addr().String())
		},
	}}
	t.Cleanup(func() {
		b.client.CloseIdleConnections()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *lab) walker() *probe.Walker { return &probe.Walker{Wire: b.client} }

// registry adds one with team/app:1 for two platforms, which alice may pull where it is private.
func (b *lab) registry(t *testing.T, name string, style registrytest.Style) *registrytest.Registry {
	t.Helper()
	r := b.Add(name, style)
	r.SetUser(registrytest.User{Name: "alice", Password: "right", Pull: []string{"*"}})
	r.SetUser(registrytest.User{Name: "bob", Password: "bobs"})
	push(t, r, "team/app", "1", v1.Platform{OS: "linux", Architecture: "amd64"}, v1.Platform{OS: "linux", Architecture: "arm64"})
	return r
}

var linux = v1.Platform{OS: "linux", Architecture: "amd64"}

// push pushes an image of two layers, in an index where there are several platforms.
func push(t *testing.T, r *registrytest.Registry, repo, tag string, platforms ...v1.Platform) v1.Hash {
	t.Helper()
	var images []v1.Image
	for _, p := range platforms {
		img, err := imagetest.Image(imagetest.Spec{Platform: p, Label: repo + tag, Layers: [][]imagetest.File{
			{imagetest.Big("a", 2048, 1)}, {imagetest.Big("b", 1024, 2)}}})
		if err != nil {
			t.Fatal(err)
		}
		images = append(images, img)
	}
	if len(images) == 1 {
		h, err := r.Push(repo, tag, images[0])
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	idx, err := imagetest.Index(images...)
	if err != nil {
		t.Fatal(err)
	}
	h, err := r.PushIndex(repo, tag, idx)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (b *lab) fault(t *testing.T, id string, where registrytest.Where, preset string) {
	t.Helper()
	if err := b.Faults.Add(registrytest.Fault{ID: id, Where: where, Answer: registrytest.Answer{Preset: preset}}); err != nil {
		t.Fatal(err)
	}
}

func (b *lab) count(step registrytest.Step) int {
	n := 0
	for _, e := range b.Log.Entries() {
		if e.Step == step {
			n++
		}
	}
	return n
}

func cred(user, password string) keyring.Credential {
	return keyring.Credential{Username: user, Password: password, Login: evidence.Login{Secret: "shop/" + user, Key: "reg.lab", User: user}}
}

var (
	alice = cred("alice", "right")
	stale = cred("alice", "wrong")
	bob   = cred("bob", "bobs")
)

func creds(c ...keyring.Credential) []keyring.Credential { return c }

// trail is a walk in short: "ping 200, token 200, manifest 404".
func trail(a evidence.Attempt) []string {
	list := []string{}
	for _, s := range a.Steps {
		what := s.Method + " " + string(s.Name) + " "
		if s.Failure != "" {
			what += string(s.Failure)
		} else {
			what += http.StatusText(s.Status)
		}
		list = append(list, what)
	}
	return list
}

// memory is a Refusals that forgets nothing.
type memory struct {
	mu  sync.Mutex
	now func() time.Time
	at  map[string]time.Time
}

func (m *memory) Refused(key string) (time.Time, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, ok := m.at[key]
	return at, ok
}

func (m *memory) Remember(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at == nil {
		m.at = map[string]time.Time{}
	}
	m.at[key] = m.now()
}

func (m *memory) keys() []string { return slices.Sorted(maps.Keys(m.at)) }

// rawOf reads a manifest's bytes.
func rawOf(t *testing.T, b *lab, repo, digest string) []byte {
	t.Helper()
	s := b.client.Session("reg.lab", repo, nil)
	a := s.Do(t.Context(), wire.Ask{Step: evidence.StepManifest, Path: "/v2/" + repo + "/manifests/" + digest})
	if !a.OK() {
		t.Fatalf("read %s: %+v", digest, a.Last())
	}
	return a.Body
}
