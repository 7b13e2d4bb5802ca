package reach_test

import (
	"net/netip"
	"testing"

	"github.com/refloat-dev/refloat/registry/wire/reach"
)

func TestOf(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]reach.Class{
		"8.8.8.8":                reach.Public,
		"192.0.2.1":              reach.Public,
		"2606:4700::1":           reach.Public,
		"172.32.0.1":             reach.Public,
		"10.0.0.1":               reach.Private,
		"172.31.255.255":         reach.Private,
		"192.168.1.1":            reach.Private,
		"100.64.0.1":             reach.Private,
		"fd12:3456::1":           reach.Private,
		"fec0::1":                reach.Private,
		"240.0.0.1":              reach.Private,
		"::ffff:10.0.0.1":        reach.Private,
		"64:ff9b::a00:1":         reach.Private,
		"2002:a00:1::":           reach.Private,
		"127.0.0.1":              reach.Loopback,
		"127.9.9.9":              reach.Loopback,
		"::1":                    reach.Loopback,
		"::ffff:127.0.0.1":       reach.Loopback,
		"64:ff9b::7f00:1":        reach.Loopback,
		"::7f00:1":               reach.Loopback,
		"169.254.169.254":        reach.Never,
		"::ffff:169.254.169.254": reach.Never,
		"64:ff9b::a9fe:a9fe":     reach.Never,
		"fe80::1":                reach.Never,
		"fe80::1%eth0":           reach.Never,
		"fd00:ec2::254":          reach.Never,
		"100.100.100.200":        reach.Never,
		"168.63.129.16":          reach.Never,
		"0.0.0.0":                reach.Never,
		"0.1.2.3":                reach.Never,
		"::":                     reach.Never,
		"224.0.0.1":              reach.Never,
		"ff02::1":                reach.Never,
		"255.255.255.255":        reach.Never,
	} {
		if got := reach.Of(netip.MustParseAddr(in)); got != want {
			t.Errorf("Of(%s) = %v, want %v", in, got, want)
		}
	}
	if got := reach.Of(netip.Addr{}); got != reach.Never {
		t.Errorf("no address: %v", got)
	}
}

func TestOfHost(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]reach.Class{
		"auth.docker.io":           reach.Public,
		"reg.corp.internal":        reach.Public,
		"203.0.113.9":              reach.Public,
		"[2606:4700::1]":           reach.Public,
		"10.1.2.3":                 reach.Private,
		"[fd00::1]":                reach.Private,
		"localhost":                reach.Loopback,
		"LocalHost.":               reach.Loopback,
		"a.localhost":              reach.Loopback,
		"[::1]":                    reach.Loopback,
		"169.254.169.254":          reach.Never,
		"[fe80::1%25eth0]":         reach.Never,
		"metadata.google.internal": reach.Never,
		"0x7f.1":                   reach.Never,
		"2130706433":               reach.Never,
		"127.1":                    reach.Never,
		"0177.0.0.1":               reach.Never,
		"a.0x7f000001":             reach.Never,
		"":                         reach.Never,
	} {
		if got := reach.OfHost(in); got != want {
			t.Errorf("OfHost(%q) = %v, want %v", in, got, want)
		}
	}
}

func TestMay(t *testing.T) {
	t.Parallel()
	all := []reach.Class{reach.Public, reach.Private, reach.Loopback, reach.Never}
	for _, from := range all {
		for _, to := range all {
			want := to != reach.Never && to <= from
			if got := to.May(from); got != want {
				t.Errorf("from %v to %v: %v", from, to, got)
			}
		}
	}
}
