package config

import (
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/refloat-dev/refloat/evidence"
)

// Endpoint is a ConfiguredHost with what a connection to it takes. It prints
// without the values of its headers.
type Endpoint struct {
	evidence.ConfiguredHost
	Base   *url.URL
	Header http.Header
	// Plain is set where plain HTTP is asked in the same moment that the host turns out not to speak TLS.
	Plain bool
	// CAFiles are files of the node whose certificates are trusted besides the system's own.
	CAFiles []string
	// ClientCerts are pairs of certificate and key; an empty key is in the certificate's file.
	ClientCerts [][2]string
}

// String is its URL.
func (e Endpoint) String() string { return e.URL }

// Format prints its URL, whatever the verb: a header may hold a password.
func (e Endpoint) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.URL) }

// endpoints are the look's hosts with the registry's own defaults for what they leave out.
func (l *look) endpoints() []Endpoint {
	out := make([]Endpoint, len(l.hosts))
	for i, h := range l.hosts {
		out[i] = h.endpoint(l.registry)
	}
	return out
}

func (h configured) endpoint(registry string) Endpoint {
	e := Endpoint{Header: h.header, CAFiles: h.cas, ClientCerts: h.pairs}
	scheme := h.scheme
	// A host in plain HTTP that has TLS settings is asked over TLS first (C24 core/remotes/docker/config/hosts.go:213).
	if _, port, _ := net.SplitHostPort(h.host); scheme == "http" && h.explicitTLS() && port != "80" {
		scheme, e.Plain = "https", true
	}
	e.Plain = e.Plain || h.plain
	e.Base = &url.URL{Scheme: scheme, Host: h.host, Path: h.path}
	e.ConfiguredHost = evidence.ConfiguredHost{
		URL: scheme + "://" + h.host + h.path, Role: evidence.RoleMirror, Capabilities: slices.Clone(h.capabilities),
		CAs: slices.Clone(h.cas), ClientCert: len(h.pairs) > 0, SkipVerify: h.skipVerify != nil && *h.skipVerify,
		Headers: slices.Sorted(maps.Keys(h.header)), File: h.file,
	}
	// What the runtime itself takes for a mirror and marks with ?ns= (C24 core/remotes/docker/registry.go:78).
	if h.host == registry || registry == "docker.io" && h.host == "registry-1.docker.io" {
		e.Role = evidence.RoleRegistry
	}
	if h.dialTimeout != nil {
		e.DialTimeout = milliseconds(*h.dialTimeout)
	}
	return e
}

// milliseconds rounds up, since 0 is the runtime's own limit; no limit at all is -1.
func milliseconds(d time.Duration) int64 {
	switch {
	case d == 0:
		return -1
	case d < time.Millisecond: // one that is negative is over at once
		return 1
	}
	return d.Milliseconds()
}
