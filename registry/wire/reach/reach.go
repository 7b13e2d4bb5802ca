// Package reach says how far inside an address is, so that a registry on the internet cannot send its callers to
// what only this machine or its network can reach.
//
// It is pure: it resolves nothing and asks nobody. An address is judged when it is dialled, which a name that resolves
// differently the second time does not get around; a name is judged where no address will be seen, behind a proxy.
package reach

import (
	"net/netip"
	"strings"
)

// Class is where an address is; a greater one is further inside.
type Class int

// The classes.
const (
	Public   Class = iota
	Private        // RFC 1918, carrier-grade NAT (RFC 6598), unique local IPv6 (RFC 4193), benchmarks (RFC 2544)
	Loopback       // this machine
	Never          // link-local with its metadata services, unspecified, multicast, broadcast: no registry is there
)

// String is an adjective.
func (c Class) String() string {
	switch c {
	case Public:
		return "public"
	case Private:
		return "private"
	case Loopback:
		return "loopback"
	}
	return "link-local or special"
}

// May tells whether somebody at from may send a caller to c.
func (c Class) May(from Class) bool { return c != Never && c <= from }

var special = []struct {
	prefix netip.Prefix
	class  Class
}{
	// Metadata services that are not at a link-local address: AWS over IPv6, Alibaba, Azure's host agent, Oracle.
	{netip.MustParsePrefix("fd00:ec2::254/128"), Never},
	{netip.MustParsePrefix("100.100.100.200/32"), Never},
	{netip.MustParsePrefix("168.63.129.16/32"), Never},
	{netip.MustParsePrefix("192.0.0.192/32"), Never},
	{netip.MustParsePrefix("0.0.0.0/8"), Never},
	{netip.MustParsePrefix("255.255.255.255/32"), Never},
	{netip.MustParsePrefix("100.64.0.0/10"), Private},
	{netip.MustParsePrefix("192.0.0.0/24"), Private},
	{netip.MustParsePrefix("198.18.0.0/15"), Private},
	{netip.MustParsePrefix("240.0.0.0/4"), Private},
	{netip.MustParsePrefix("fec0::/10"), Private}, // site-local, deprecated and still routed
}

// carriers are IPv6 prefixes that hold an IPv4 address, and at which byte.
var carriers = []struct {
	prefix netip.Prefix
	at     int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12},
	{netip.MustParsePrefix("64:ff9b:1::/48"), 12},
	{netip.MustParsePrefix("2002::/16"), 2},
	{netip.MustParsePrefix("::/96"), 12}, // deprecated; :: and ::1 are known by then
}

// Of is the class of an address.
func Of(a netip.Addr) Class {
	a = a.Unmap().WithZone("")
	switch {
	case !a.IsValid(), a.IsUnspecified(), a.IsMulticast(), a.IsLinkLocalUnicast():
		return Never
	case a.IsLoopback():
		return Loopback
	}
	for _, s := range special {
		if s.prefix.Contains(a) {
			return s.class
		}
	}
	if a.IsPrivate() {
		return Private
	}
	for _, c := range carriers {
		if c.prefix.Contains(a) {
			b := a.As16()
			return Of(netip.AddrFrom4([4]byte(b[c.at : c.at+4])))
		}
	}
	return Public
}

// metadata are names that cloud machines give to their metadata services.
var metadata = map[string]bool{
	"metadata": true, "metadata.google.internal": true, "metadata.goog": true, "instance-data": true, "instance-data.ec2.internal": true,
}

// OfHost is the class of a host without its port, by what it says itself: an address by its class, localhost, a metadata
// service's name; any other name is Public, wherever it resolves to. What reads as an address in another notation (0x7f.1,
// 2130706433) is Never, since resolvers differ on it.
func OfHost(host string) Class {
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if a, err := netip.ParseAddr(host); err == nil {
		return Of(a)
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	last := host[strings.LastIndexByte(host, '.')+1:]
	switch {
	case host == "", strings.ContainsAny(host, ":%"), metadata[host]:
		return Never
	case host == "localhost", strings.HasSuffix(host, ".localhost"):
		return Loopback
	case strings.Trim(last, "0123456789") == "", strings.HasPrefix(last, "0x"):
		return Never
	}
	return Public
}
