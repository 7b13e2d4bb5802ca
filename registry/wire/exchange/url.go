package exchange

import (
	"net"
	"net/url"
	"strings"

	"github.com/refloat-dev/refloat/registry/wire/reach"
)

// Shown is a URL without what may be secret: user, query and fragment.
func Shown(u *url.URL) string {
	v := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	return v.String()
}

// Origin is what a login belongs to: scheme, host and port.
func Origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port
}

// Loopback tells what containerd takes for this machine (C24 core/remotes/docker/resolver.go:990): localhost and loopback addresses.
func Loopback(u *url.URL) bool {
	return u.Hostname() == "localhost" || net.ParseIP(u.Hostname()) != nil && reach.OfHost(u.Hostname()) == reach.Loopback
}

// mayLead tells whether a redirect is followed: to HTTPS, and within this machine to HTTP.
func mayLead(from, to *url.URL) bool {
	return to.Scheme == "https" || to.Scheme == "http" && from.Scheme == "http" && Loopback(to)
}
