package hosts

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/containerd/containerd/v2/core/remotes/docker"
	theirs "github.com/containerd/containerd/v2/core/remotes/docker/config"
	"github.com/containerd/log"
	"github.com/sirupsen/logrus"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/config"
	"github.com/refloat-dev/refloat/node/host"
)

// node is a folder with a config.toml, a process that was started with it, and a certs.d.
type node struct {
	certs   string
	runtime *config.Runtime
}

// newNode lays it out.
func newNode(dir string) (node, error) {
	n := node{certs: filepath.Join(dir, "certs.d")}
	toml := fmt.Sprintf("version = 3\n[plugins.'io.containerd.cri.v1.images'.registry]\nconfig_path = %q\n", n.certs)
	command := "containerd\x00--config\x00" + filepath.Join(dir, "config.toml") + "\x00"
	err := errors.Join(
		os.MkdirAll(filepath.Join(dir, "proc", "7"), 0o755), os.Mkdir(n.certs, 0o755),
		os.WriteFile(filepath.Join(dir, "config.toml"), []byte(toml), 0o644),
		os.WriteFile(filepath.Join(dir, "proc", "7", "cmdline"), []byte(command), 0o644))
	if err != nil {
		return n, err
	}
	runtime, gaps := config.Read(&host.Host{Proc: filepath.Join(dir, "proc")})
	runtime.Running("2.4.2")
	if len(gaps) > 0 || len(runtime.Problems) > 0 {
		return n, fmt.Errorf("the config.toml is not read well: %v %v", gaps, runtime.Problems)
	}
	n.runtime = runtime
	return n, nil
}

// differ asks containerd and node/config for a registry, and says how they differ; outcome is which way containerd went.
func (n node) differ(registry string) (diff, outcome string) {
	var logged bytes.Buffer
	logger := logrus.New()
	logger.SetOutput(&logged)
	ctx := log.WithLogger(context.Background(), logrus.NewEntry(logger))
	want, err := theirs.ConfigureHosts(ctx, theirs.HostOptions{HostDir: theirs.HostDirFromRoot(n.certs)})(registry)
	bypassed := strings.Contains(logged.String(), "failed to decode")

	got := n.runtime.For(registry)
	if len(got.Unread) > 0 {
		return fmt.Sprintf("unread: %q", got.Unread), ""
	}
	if has := first(got.Problems, evidence.EffectBypassed) != ""; has != bypassed {
		return fmt.Sprintf("bypassed is %v; containerd: %v", has, logged.String()), ""
	}
	text := first(got.Problems, evidence.EffectFails)
	if err != nil {
		if !slices.ContainsFunc(got.Problems, func(p evidence.ConfigProblem) bool {
			return p.Effect == evidence.EffectFails && p.Text == evidence.Clean(err.Error())
		}) {
			return fmt.Sprintf("fails with %q; containerd: %v", text, err), ""
		}
		return "", "fails"
	}
	if text != "" {
		return fmt.Sprintf("fails with %q; containerd does not", text), ""
	}
	outcome = "parsed"
	if bypassed {
		outcome = "bypassed"
	}
	return compare(n.runtime.Endpoints(registry), want), outcome
}

func first(ps []evidence.ConfigProblem, effect evidence.ConfigEffect) string {
	for _, p := range ps {
		if p.Effect == effect {
			return p.Text
		}
	}
	return ""
}

func compare(got []config.Endpoint, want []docker.RegistryHost) string {
	if len(got) != len(want) {
		return fmt.Sprintf("%v; containerd has %d hosts", got, len(want))
	}
	for i, w := range want {
		if diff := compareOne(got[i], w); diff != "" {
			return fmt.Sprintf("host %d, %s: %s", i+1, got[i], diff)
		}
	}
	return ""
}

func compareOne(g config.Endpoint, w docker.RegistryHost) string {
	if g.Base.Scheme != w.Scheme || g.Base.Host != w.Host || g.Base.Path != w.Path {
		return fmt.Sprintf("containerd asks %s://%s%s", w.Scheme, w.Host, w.Path)
	}
	if c := capabilities(g.Capabilities); c != w.Capabilities {
		return fmt.Sprintf("capabilities %v; containerd has %b", g.Capabilities, w.Capabilities)
	}
	if len(g.Header) != len(w.Header) || !maps.EqualFunc(g.Header, w.Header, slices.Equal) {
		return "other headers"
	}
	transport, fallback := unwrap(w.Client.Transport)
	if g.Plain != fallback {
		return fmt.Sprintf("plain is %v, containerd's %v", g.Plain, fallback)
	}
	if limit := dialTimeout(transport); cmp.Or(g.DialTimeout, (30*time.Second).Milliseconds()) != limit {
		return fmt.Sprintf("dial timeout %d; containerd's is %d", g.DialTimeout, limit)
	}
	return compareTLS(g, transport.TLSClientConfig)
}

func capabilities(names []string) (c docker.HostCapabilities) {
	all := map[string]docker.HostCapabilities{"pull": docker.HostCapabilityPull, "resolve": docker.HostCapabilityResolve,
		"push": docker.HostCapabilityPush, "referrers": docker.HostCapabilityReferrers}
	for _, n := range names {
		c |= all[n]
	}
	return c
}

func compareTLS(g config.Endpoint, w *tls.Config) string {
	if g.SkipVerify != w.InsecureSkipVerify {
		return fmt.Sprintf("skip verify is %v", g.SkipVerify)
	}
	var roots *x509.CertPool
	if g.CAFiles != nil {
		roots, _ = x509.SystemCertPool()
		for _, f := range g.CAFiles {
			data, _ := os.ReadFile(f)
			roots.AppendCertsFromPEM(data)
		}
	}
	if (roots == nil) != (w.RootCAs == nil) || roots != nil && !roots.Equal(w.RootCAs) {
		return fmt.Sprintf("other roots than from %v", g.CAFiles)
	}
	if len(g.ClientCerts) != len(w.Certificates) {
		return fmt.Sprintf("%d client certificates; containerd has %d", len(g.ClientCerts), len(w.Certificates))
	}
	for i, pair := range g.ClientCerts {
		if pair[1] == "" {
			pair[1] = pair[0]
		}
		c, err := tls.LoadX509KeyPair(pair[0], pair[1])
		if err != nil || !reflect.DeepEqual(c.Certificate, w.Certificates[i].Certificate) {
			return fmt.Sprintf("another client certificate than %v", pair)
		}
	}
	return ""
}

// unwrap finds the transport below containerd's fallback to plain HTTP.
func unwrap(rt http.RoundTripper) (t *http.Transport, fallback bool) {
	if t, ok := rt.(*http.Transport); ok {
		return t, false
	}
	super := reflect.ValueOf(rt).Elem().FieldByName("super")
	super = reflect.NewAt(super.Type(), unsafe.Pointer(super.UnsafeAddr())).Elem() // the field is containerd's own
	return super.Interface().(*http.Transport), true
}

// dialTimeout is that of the dialer whose method a transport has, in an endpoint's terms.
func dialTimeout(t *http.Transport) int64 {
	f := t.DialContext
	bound := *(**struct {
		_      uintptr
		dialer *net.Dialer
	})(unsafe.Pointer(&f)) // how a method that is taken as a value is laid out
	d := bound.dialer.Timeout
	switch {
	case d == 0:
		return -1
	case d < time.Millisecond:
		return 1
	}
	return d.Milliseconds()
}
