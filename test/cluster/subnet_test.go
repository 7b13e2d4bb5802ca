package cluster

import (
	"errors"
	"net/netip"
	"testing"
)

func TestFreePlan(t *testing.T) {
	t.Parallel()
	full := map[int]bool{}
	for i := range maxLabs {
		full[i] = true
	}
	tests := []struct {
		name  string
		taken map[int]bool
		own   []netip.Prefix
		want  int
		err   error
	}{
		{name: "first", want: 0},
		{name: "beside another lab", taken: map[int]bool{0: true, 1: true}, want: 2},
		{name: "beside a network of the machine", own: []netip.Prefix{netip.MustParsePrefix("10.231.0.0/23")}, want: 2},
		{name: "beside a network in the pods' range", own: []netip.Prefix{netip.MustParsePrefix("10.232.20.0/24")}, want: 0},
		{name: "pods' range taken", own: []netip.Prefix{netip.MustParsePrefix("10.232.3.0/24")}, want: 1},
		{name: "whole range taken", own: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, err: errNoSubnet},
		{name: "all taken", taken: full, err: errNoSubnet},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := freePlan(tt.taken, tt.own)
			if !errors.Is(err, tt.err) || p.index != tt.want {
				t.Errorf("freePlan = %d, %v; want %d, %v", p.index, err, tt.want, tt.err)
			}
		})
	}
}

// TestPlansApart holds the address plan to what it promises: no two labs, and no two nodes, share an address.
func TestPlansApart(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	claim := func(what, who string) {
		if other, ok := seen[what]; ok {
			t.Errorf("%s belongs to %s and to %s", what, other, who)
		}
		seen[what] = who
	}
	for i := range maxLabs {
		p := plan{i}
		if i > 0 && meets(p.all(), plan{i - 1}.all()) {
			t.Errorf("labs %d and %d meet", i-1, i)
		}
		for _, a := range bridgeAddresses(p) {
			claim(a.Addr().String(), "the bridge")
		}
		claim(p.dead().String(), "nobody")
		for n := 1; n <= maxNodes; n++ {
			claim(p.node(n).String(), "a node")
			claim(p.pods(n).String(), "a node's pods")
			if !meets([]netip.Prefix{p.pods(n)}, p.all()) {
				t.Errorf("lab %d does not own the pods' subnet of node %d", i, n)
			}
		}
	}
}
