package cluster

import (
	"errors"
	"net"
	"net/netip"
)

// maxLabs and maxNodes follow from the address plan below.
const (
	maxLabs  = 16
	maxNodes = 15
)

// plan is a lab's share of 10.231.0.0/16 (bridge), 10.232.0.0/16 (pods) and 10.233.0.0/16 (services), by its index.
type plan struct{ index int }

func (p plan) addr(second, third, fourth int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(second), byte(third), byte(fourth)})
}

func (p plan) infra() netip.Prefix { return netip.PrefixFrom(p.addr(231, p.index, 0), 24) }

// api is the host's end of the bridge: the API server, etcd and the nodes' default route.
func (p plan) api() netip.Addr { return p.addr(231, p.index, 1) }
func (p plan) dns() netip.Addr { return p.addr(231, p.index, 2) }

// dead is an address that nobody has: DNS can point there.
func (p plan) dead() netip.Addr           { return p.addr(231, p.index, 99) }
func (p plan) node(i int) netip.Addr      { return p.addr(231, p.index, 10+i) }
func (p plan) host(octet byte) netip.Addr { return p.addr(231, p.index, int(octet)) }
func (p plan) pods(i int) netip.Prefix {
	return netip.PrefixFrom(p.addr(232, p.index*16+i, 0), 24)
}
func (p plan) services() netip.Prefix { return netip.PrefixFrom(p.addr(233, p.index, 0), 24) }

// kubernetes is the ClusterIP that the API server gives its own service: the first of the range.
func (p plan) kubernetes() netip.Addr { return p.addr(233, p.index, 1) }

// all is every prefix that the lab puts on this machine.
func (p plan) all() []netip.Prefix {
	return []netip.Prefix{p.infra(), netip.PrefixFrom(p.addr(232, p.index*16, 0), 20), p.services()}
}

var errNoSubnet = errors.New("all 16 subnets are taken by other labs or by this machine's own networks")

// freePlan picks the first index that no other lab has and that meets no address of this machine.
func freePlan(taken map[int]bool, own []netip.Prefix) (plan, error) {
	for i := range maxLabs {
		p := plan{i}
		if !taken[i] && !meets(p.all(), own) {
			return p, nil
		}
	}
	return plan{}, errNoSubnet
}

func meets(a, b []netip.Prefix) bool {
	for _, p := range a {
		for _, q := range b {
			if p.Overlaps(q) {
				return true
			}
		}
	}
	return false
}

// ownPrefixes lists the networks this machine is on.
func ownPrefixes() []netip.Prefix {
	addrs, _ := net.InterfaceAddrs()
	var out []netip.Prefix
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			out = append(out, p.Masked())
		}
	}
	return out
}
