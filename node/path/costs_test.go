package path

import (
	"net/url"
	"testing"
	"time"

	"github.com/refloat-dev/refloat/evidence"
)

func TestCosts(t *testing.T) {
	t.Parallel()
	answered := func(ms int64) *evidence.Step { return &evidence.Step{Status: 200, Took: evidence.Timing{Total: ms}} }
	names := func(result evidence.ResolveResult, took int64) []evidence.Resolution {
		return []evidence.Resolution{{By: "node", Result: result, Took: took}}
	}
	for _, tc := range []struct {
		name  string
		host  evidence.Host
		dial  time.Duration
		image parts
		last  bool
		want  time.Duration
	}{
		{name: "answers", host: evidence.Host{Answer: answered(20)}},
		{name: "answers slowly", host: evidence.Host{Answer: answered(2000)}, want: 8 * time.Second},
		{name: "refuses", host: evidence.Host{Fails: evidence.HopConnect, Failure: evidence.FailedRefused}},
		// Both tried: 2 minutes, and 0.8 s (containerd 2.4.2).
		{name: "lost", host: evidence.Host{Fails: evidence.HopConnect, Failure: evidence.FailedTimeout}, want: 2 * time.Minute},
		{name: "lost, with little patience", host: evidence.Host{Fails: evidence.HopConnect, Failure: evidence.FailedTimeout}, dial: 200 * time.Millisecond, want: 800 * time.Millisecond},
		{name: "lost, for an index of seven layers", host: evidence.Host{Fails: evidence.HopConnect, Failure: evidence.FailedTimeout}, image: parts{index: true, layers: 7}, want: 210 * time.Second},
		{name: "lost, and nobody else to ask", host: evidence.Host{Fails: evidence.HopConnect, Failure: evidence.FailedTimeout}, last: true, want: 150 * time.Second},
		{name: "no end of the handshake", host: evidence.Host{Fails: evidence.HopTLS, Failure: evidence.FailedTimeout}, want: 40 * time.Second},
		{name: "no answer", host: evidence.Host{Fails: evidence.HopHTTP, Failure: evidence.FailedTimeout}, want: 2 * time.Minute},
		{name: "a resolver is silent", host: evidence.Host{Answer: answered(20), Names: names(evidence.Answered, 5000)}, want: 4 * 5020 * time.Millisecond},
		{name: "no resolver answers", host: evidence.Host{Fails: evidence.HopName, Failure: evidence.FailedDNS, Names: names(evidence.DNSTimeout, 10000)}, last: true, want: 50 * time.Second},
		{name: "no such name", host: evidence.Host{Fails: evidence.HopName, Failure: evidence.FailedDNS, Names: names(evidence.NXDomain, 3)}, last: true},
	} {
		v := &visit{place: &place{patience: runtimeDial}, h: &tc.host}
		if tc.dial > 0 {
			v.patience = tc.dial
		}
		if got := v.costs(tc.image, tc.last); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

// TestShow has the cases that were tried with both (chapter 3.2 of the facts).
func TestShow(t *testing.T) {
	t.Parallel()
	mirror := func(status int) *evidence.Host {
		h := &evidence.Host{Name: "mirror", Role: evidence.RoleMirror, Order: 1, Answer: &evidence.Step{Status: status}}
		if status == 0 {
			h.Answer, h.Fails = nil, evidence.HopConnect
		}
		return h
	}
	registry := func() *evidence.Host { return &evidence.Host{Name: "registry", Role: evidence.RoleRegistry, Order: 2} }
	says := func(status int) *evidence.Probe {
		return &evidence.Probe{Attempts: []evidence.Attempt{{Served: status == 200, Steps: []evidence.Step{{Name: evidence.StepManifest, Status: status}}}}}
	}
	dead := &evidence.Host{Name: "dead", Role: evidence.RoleRegistry, Order: 2, Fails: evidence.HopName}
	for _, tc := range []struct {
		name, version, want string
		mirror, registry    *evidence.Host
		probe               *evidence.Probe
	}{
		{name: "the mirror wants a login, and what it would say then is not known", mirror: mirror(401), registry: dead, want: ""},
		{name: "the mirror is dead, the registry denies", mirror: mirror(0), registry: registry(), probe: says(403), want: "registry"},
		{name: "the same, to an old runtime", version: "1.7.27", mirror: mirror(0), registry: registry(), probe: says(403), want: "mirror"},
		{name: "the mirror has it not, the registry denies", version: "v1.7.27", mirror: mirror(404), registry: registry(), probe: says(403), want: "registry"},
		{name: "both have it not", mirror: mirror(404), registry: registry(), probe: says(404), want: "mirror"},
		{name: "the mirror denies, the registry is dead", mirror: mirror(403), registry: dead, want: "mirror"},
		{name: "the registry serves it", mirror: mirror(0), registry: registry(), probe: says(200)},
		{name: "the mirror serves it", mirror: mirror(200), registry: dead},
		{name: "the registry was not asked", mirror: mirror(0), registry: registry()},
	} {
		at := *tc.registry
		hosts := []*evidence.Host{tc.mirror, &at}
		show(hosts, tc.probe, tc.version)
		got := ""
		for _, h := range hosts {
			if h.Shown {
				got += h.Name
			}
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

// TestNoProxyAlone does not take this machine's own exemption for an entry's.
func TestNoProxyAlone(t *testing.T) {
	t.Parallel()
	p := proxiesOf(map[string]string{"https_proxy": "proxy.lab:3128", "no_proxy": "a.lab, 10.0.0.0/8"})
	for host, want := range map[string][2]string{
		"https://b.lab/": {"proxy.lab:3128", ""}, "https://x.a.lab/": {"", "a.lab"}, "https://10.1.2.3/": {"", "10.0.0.0/8"}, "https://127.0.0.1/": {"", ""},
		"http://b.lab/": {"", ""},
	} {
		u := mustParse(t, host)
		proxy, exempt := p.of(u)
		got := [2]string{"", exempt}
		if proxy != nil {
			got[0] = address(proxy)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", host, got, want)
		}
	}
}

func mustParse(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
