package cluster

import (
	"net/netip"

	"github.com/refloat-dev/refloat/test/cluster/internal/daemon"
)

// daemonAddresses spells out the address plan for the daemon.
func daemonAddresses(p plan) daemon.Config {
	cfg := daemon.Config{
		DNS:         p.dns(),
		Hosts:       map[string]netip.Addr{daemon.Storage: p.host(daemon.StorageOctet), "dead.lab": p.dead(), "api.lab": p.api()},
		Nodes:       map[string][]netip.Prefix{},
		ForwardFrom: netip.AddrPortFrom(p.kubernetes(), 443),
		ForwardTo:   netip.AddrPortFrom(p.api(), 6443),
	}
	for _, r := range daemon.Registries() {
		cfg.Hosts[r.Name] = p.host(r.Octet)
	}
	for _, name := range []string{"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"} {
		cfg.Hosts[name] = p.kubernetes()
	}
	return cfg
}

func prefixes(p plan, i int) []netip.Prefix {
	return []netip.Prefix{netip.PrefixFrom(p.node(i), 32), p.pods(i)}
}

// bridgeAddresses is what the host's end of the bridge answers on.
func bridgeAddresses(p plan) []netip.Prefix {
	out := []netip.Prefix{netip.PrefixFrom(p.api(), 24), netip.PrefixFrom(p.dns(), 24),
		netip.PrefixFrom(p.host(daemon.StorageOctet), 24), netip.PrefixFrom(p.kubernetes(), 32)}
	for _, r := range daemon.Registries() {
		out = append(out, netip.PrefixFrom(p.host(r.Octet), 24))
	}
	return out
}
