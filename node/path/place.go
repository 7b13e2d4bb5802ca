package path

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/config"
	"github.com/refloat-dev/refloat/node/path/roots"
	"github.com/refloat-dev/refloat/registry/wire/hide"
	"github.com/refloat-dev/refloat/registry/wire/reach"
)

// place is one host to look at, and with what.
type place struct {
	role      evidence.HostRole
	order     int
	via, file string
	base      *url.URL
	// ask is the request that tells most: a method and a URL.
	method string
	ask    *url.URL
	header http.Header
	hide   hide.Secrets
	roots  *roots.Store
	certs  []tls.Certificate
	// broken is why the runtime does not even begin: a certificate that cannot be read.
	broken error
	skip   bool
	// plain is set where the runtime asks again over plain HTTP once the host turns out not to speak TLS.
	plain bool
	// dial is what the runtime gives a connection.
	patience time.Duration
	// limit is how far inside its address may be.
	limit reach.Class
}

// configured is an endpoint of the runtime's as a place.
func (k *look) configured(e config.Endpoint, order int) *place {
	p := &place{
		role: e.Role, order: order, file: e.File, base: e.Base, header: e.Header, skip: e.SkipVerify, plain: e.Plain,
		method: http.MethodGet, ask: below(e.Base, ""), patience: runtimeDial, limit: reach.Loopback,
	}
	switch {
	case e.DialTimeout > 0:
		p.patience = time.Duration(e.DialTimeout) * time.Millisecond
	case e.DialTimeout < 0:
		p.patience = systemDial
	}
	switch {
	case k.Runtime.Kind == config.CRIO: // whose mirrors stand for a prefix of the name, and not for a registry
		p.ask = &url.URL{Scheme: e.Base.Scheme, Host: e.Base.Host, Path: "/v2/"}
	case e.Role == evidence.RoleMirror && (k.digest != "" || capable(e, "resolve")):
		p.method, p.ask = http.MethodHead, k.at(p, "manifests", k.object)
	}
	for _, values := range e.Header {
		for _, v := range values {
			p.hide.Add(v)
			if _, secret, ok := strings.Cut(v, " "); ok {
				p.hide.Add(strings.TrimSpace(secret))
			}
		}
	}
	p.roots, p.broken = k.system.With(k.Host, e.CAFiles)
	if p.broken == nil {
		p.certs, p.broken = roots.Pairs(k.Host, e.ClientCerts)
	}
	return p
}

// capable reports whether a host is asked for that; one without capabilities is for everything.
func capable(e config.Endpoint, what string) bool {
	return len(e.Capabilities) == 0 || slices.Contains(e.Capabilities, what)
}

// at is where the runtime asks a host for a part of the image; containerd says for which registry where that is another (C24
// core/remotes/docker/resolver.go:647, registry.go isProxy).
func (k *look) at(p *place, kind, object string) *url.URL {
	u := below(p.base, k.repository+"/"+kind+"/"+object)
	if k.containerd() && p.base.Host != k.domain && (k.domain != "docker.io" || p.base.Host != "registry-1.docker.io") {
		u.RawQuery = url.Values{"ns": {k.domain}}.Encode()
	}
	return u
}

func below(base *url.URL, path string) *url.URL {
	return &url.URL{Scheme: base.Scheme, Host: base.Host, Path: strings.TrimSuffix(base.Path, "/") + "/" + path}
}

// dialled is the host with the port that is connected to.
func dialled(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return join(u.Hostname(), port)
}

func join(host, port string) string { return net.JoinHostPort(host, port) }
