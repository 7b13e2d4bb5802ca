package names

import (
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"
	"go.uber.org/goleak"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/host"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// behave is how a resolver answers one name; names that it does not know it denies.
type behave map[string]func(*dns.Msg)

func address(a string) func(*dns.Msg) {
	return func(m *dns.Msg) {
		if m.Question[0].Qtype == dns.TypeA {
			m.Answer = append(m.Answer, &dns.A{Hdr: dns.RR_Header{Name: m.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.ParseIP(a)})
		}
	}
}

func code(rcode int) func(*dns.Msg) { return func(m *dns.Msg) { m.Rcode = rcode } }

// resolver starts one over UDP and TCP and returns its address. mute never answers over UDP, and cut never in whole.
func resolver(t *testing.T, b behave) string {
	t.Helper()
	var pc net.PacketConn
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if pc, err = net.ListenPacket("udp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		_, udp := w.LocalAddr().(*net.UDPAddr)
		say := b[q.Question[0].Name]
		switch {
		case b["mute"] != nil:
			return
		case b["cut"] != nil && udp:
			m.Truncated = true
		case say != nil:
			say(m)
		default:
			m.Rcode = dns.RcodeNameError
		}
		_ = w.WriteMsg(m)
	})
	for _, s := range []*dns.Server{{PacketConn: pc, Handler: handler}, {Listener: l, Handler: handler}} {
		started, ended := make(chan struct{}), make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		go func() { defer close(ended); _ = s.ActivateAndServe() }()
		<-started
		t.Cleanup(func() { _ = s.Shutdown(); <-ended })
	}
	return l.Addr().String()
}

// short is what each source says, by result.
func short(a Answer) []string {
	var all []string
	for _, r := range a.Said {
		s := string(r.Result)
		if r.Asked != "" {
			s += " for " + r.Asked
		}
		if len(r.Addresses) > 0 {
			s += " " + strings.Join(r.Addresses, ",")
		}
		all = append(all, s)
	}
	return all
}

func TestLook(t *testing.T) {
	t.Parallel()
	well := behave{"reg.lab.": address("192.0.2.1")}
	closed := func() string {
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = pc.Close() }()
		return pc.LocalAddr().String()
	}()
	for _, tc := range []struct {
		name   string
		host   string // reg.lab
		server []behave
		dead   bool // one before the others
		config Config
		want   []string // by server, then the node
		text   string
	}{
		{name: "well", server: []behave{well}, want: []string{"answer 192.0.2.1", "answer 192.0.2.1"}},
		{name: "its case", host: "REG.lab", server: []behave{well}, want: []string{"answer 192.0.2.1", "answer 192.0.2.1"}},
		{name: "cut, and then over TCP", server: []behave{{"cut": code(0), "reg.lab.": address("192.0.2.1")}}, want: []string{"answer 192.0.2.1", "answer 192.0.2.1"}},
		{name: "no such name", server: []behave{{}}, want: []string{"nxdomain", "nxdomain"}, text: "no such host"},
		{name: "without an address", server: []behave{{"reg.lab.": code(0)}}, want: []string{"empty", "empty"}, text: "no such host"},
		{name: "server failure", server: []behave{{"reg.lab.": code(dns.RcodeServerFailure)}}, want: []string{"servfail", "servfail"}, text: "server misbehaving"},
		{name: "refuses", server: []behave{{"reg.lab.": code(dns.RcodeRefused)}}, want: []string{"refused", "refused"}, text: "server misbehaving"},
		{name: "nobody listens", dead: true, want: []string{"refused", "refused"}, text: "connection refused"},
		{name: "nobody listens, and then one that works", dead: true, server: []behave{well}, want: []string{"refused", "answer 192.0.2.1", "answer 192.0.2.1"}},
		{name: "one fails, one works", server: []behave{{"reg.lab.": code(dns.RcodeServerFailure)}, well}, want: []string{"servfail", "answer 192.0.2.1", "answer 192.0.2.1"}},
		{name: "the first denies, and nobody else is asked", server: []behave{{}, well}, want: []string{"nxdomain", "answer 192.0.2.1", "nxdomain"}, text: "no such host"},
		{name: "silent, and then one that works", server: []behave{{"mute": code(0)}, well}, want: []string{"timeout", "answer 192.0.2.1", "answer 192.0.2.1"}},
		{name: "silent", server: []behave{{"mute": code(0)}}, want: []string{"timeout", "timeout"}, text: "i/o timeout"},
		{name: "by a search domain", host: "reg", server: []behave{well}, config: Config{Search: []string{"corp.", "lab."}},
			want: []string{"answer for reg.lab 192.0.2.1", "answer for reg.lab 192.0.2.1"}},
		{name: "a search domain has it too, and comes first", server: []behave{{"reg.lab.": address("192.0.2.1"), "reg.lab.corp.": address("192.0.2.9")}},
			config: Config{Search: []string{"corp."}, NDots: 5}, want: []string{"answer for reg.lab.corp 192.0.2.9", "answer for reg.lab.corp 192.0.2.9"}},
		{name: "the search domain fails, and the error is the name's own", server: []behave{{"reg.lab.corp.": code(dns.RcodeServerFailure)}},
			config: Config{Search: []string{"corp."}, NDots: 5}, want: []string{"nxdomain", "nxdomain"}, text: "no such host"},
		{name: "in the hosts file", server: []behave{well}, config: Config{hosts: parseHosts([]byte("10.0.0.9 Reg.Lab x # y\n"))},
			want: []string{"answer 10.0.0.9", "answer 192.0.2.1", "answer 10.0.0.9"}},
		{name: "an address", host: "192.0.2.7"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := tc.config
			c.NDots, c.Timeout, c.Attempts = max(c.NDots, 1), 5, 1
			if tc.dead {
				c.Servers = append(c.Servers, closed)
			}
			for _, b := range tc.server {
				c.Servers = append(c.Servers, resolver(t, b))
			}
			name := tc.host
			if name == "" {
				name = "reg.lab"
			}
			r := &Resolver{Config: &c}
			a := r.Look(t.Context(), name)
			if diff := cmp.Diff(tc.want, short(a)); diff != "" {
				t.Error(diff)
			}
			if !strings.Contains(a.Text, tc.text) || (len(a.Addresses) == 0) != (tc.text != "") {
				t.Errorf("%q %v", a.Text, a.Addresses)
			}
			if diff := cmp.Diff(short(a), short(r.Look(t.Context(), name))); diff != "" {
				t.Error("again: ", diff)
			}
		})
	}
}

// TestWaits tells what a silent resolver costs, without waiting for it.
func TestWaits(t *testing.T) {
	t.Parallel()
	r := &Resolver{Config: &Config{Servers: []string{resolver(t, behave{"mute": code(0)}), resolver(t, behave{"reg.lab.": address("192.0.2.1")})}, NDots: 1, Timeout: 5, Attempts: 2}}
	a := r.Look(t.Context(), "reg.lab")
	if node := a.Said[len(a.Said)-1]; node.Took < 5000 || node.Took > 6000 || node.Result != evidence.Answered {
		t.Errorf("%+v", node)
	}
}

func TestLookEnds(t *testing.T) {
	t.Parallel()
	r := &Resolver{Config: &Config{Servers: []string{resolver(t, behave{"mute": code(0)})}, NDots: 1}}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	done := make(chan Answer)
	for range 2 {
		go func() { done <- r.Look(ctx, "reg.lab") }()
	}
	for range 2 {
		if a := <-done; len(a.Addresses) != 0 || a.Text == "" {
			t.Errorf("%+v", a)
		}
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	h := &host.Host{Root: dir}
	write("/etc/hostname", "node-1.corp.example\n")
	c, gaps := Read(h, nil)
	if diff := cmp.Diff([]string{"127.0.0.1:53", "[::1]:53"}, c.Servers); diff != "" || len(gaps) > 0 {
		t.Error(diff, gaps)
	}
	write("/run/systemd/resolve/resolv.conf", "nameserver 10.0.0.2\nnameserver 127.0.0.53\n")
	write("/etc/resolv.conf", "# none\n;none\nnameserver 127.0.0.53\nnameserver fe80::1%eth0\nnameserver nonsense\noptions ndots:3 timeout:0 attempts:x use-vc trust-ad\n")
	c, gaps = Read(h, nil)
	c.hosts = nil
	want := &Config{Servers: []string{"127.0.0.53:53", "[fe80::1%eth0]:53"}, Behind: []string{"10.0.0.2:53"}, Search: []string{"corp.example."},
		NDots: 3, Timeout: 1, Attempts: 1, TCP: true}
	if diff := cmp.Diff(want, c, cmp.AllowUnexported(Config{})); diff != "" || len(gaps) > 0 {
		t.Error(diff, gaps)
	}
	if err := os.Remove(filepath.Join(dir, "etc/resolv.conf")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../run/elsewhere/resolv.conf", filepath.Join(dir, "etc/resolv.conf")); err != nil {
		t.Fatal(err)
	}
	if _, gaps = Read(h, nil); len(gaps) != 1 || !strings.Contains(gaps[0].Why, "the agent's own is used") {
		t.Errorf("%v", gaps)
	}
	// The runtime sees what the link leads to, and what the resolver at the stub asks.
	write("/seen/run/elsewhere/resolv.conf", "nameserver 127.0.0.53\n")
	write("/seen/etc/hostname", "node-1\n")
	write("/seen/run/systemd/resolve/resolv.conf", "nameserver 10.0.0.9\n")
	if err := os.Symlink("../run/elsewhere/resolv.conf", filepath.Join(dir, "seen/etc/resolv.conf")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "run/systemd/resolve/resolv.conf")); err != nil {
		t.Fatal(err)
	}
	c, gaps = Read(h, &host.Host{Root: filepath.Join(dir, "seen")})
	if diff := cmp.Diff([]string{stub, "10.0.0.9:53"}, append(c.Servers, c.Behind...)); diff != "" || len(gaps) > 0 {
		t.Error(diff, gaps)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, host string
		ndots      int
		want       []string
	}{
		{"a full name first", "reg.lab", 1, []string{"reg.lab.", "reg.lab.a.", "reg.lab.b."}},
		{"too few dots", "reg.lab", 2, []string{"reg.lab.a.", "reg.lab.b.", "reg.lab."}},
		{"a single label", "reg", 1, []string{"reg.a.", "reg.b.", "reg."}},
		{"a single label as it is", "reg", 0, []string{"reg.", "reg.a.", "reg.b."}},
		{"a dot at the end", "reg.lab.", 5, []string{"reg.lab."}},
		{"onion", "x.onion", 1, []string{"x.onion.a.", "x.onion.b."}},
		{"too long", strings.Repeat("x", 255), 1, nil},
		{"nothing", "", 1, nil},
	} {
		c := &Config{Search: []string{"a.", "b."}, NDots: tc.ndots}
		if diff := cmp.Diff(tc.want, c.List(tc.host)); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

func FuzzFiles(f *testing.F) {
	f.Add([]byte("nameserver 10.0.0.1\nsearch a b.\noptions ndots:5 timeout:1\ndomain x\n"), "reg.lab")
	f.Add([]byte("127.0.0.1 localhost # x\n::1 ip6 reg.lab\n"), "reg.lab.")
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		c := parseResolv(data)
		if len(c.Servers) == 0 || len(c.Servers) > maxServers || len(c.Search) > maxSearch || c.Timeout < 1 || c.Attempts < 1 || c.NDots < 0 || c.NDots > 15 {
			t.Errorf("%+v", c)
		}
		for _, n := range c.List(name) {
			if !strings.HasSuffix(n, ".") || len(n) > 255 {
				t.Errorf("%q", n)
			}
		}
		for _, addresses := range parseHosts(data) {
			if len(addresses) == 0 || len(addresses) > maxHosts || !addresses[0].IsValid() {
				t.Errorf("%v", addresses)
			}
		}
	})
}

// FuzzAnswer reads what a resolver sends.
func FuzzAnswer(f *testing.F) {
	m := new(dns.Msg).SetQuestion("reg.lab.", dns.TypeA)
	address("192.0.2.1")(m)
	packed, err := m.Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Fuzz(func(t *testing.T, data []byte) {
		var m dns.Msg
		if m.Unpack(data) != nil {
			return
		}
		s := read(&m, dns.TypeA)
		if (s.result == evidence.Answered) != (len(s.addresses) > 0) || len(s.addresses) > maxAddresses {
			t.Errorf("%+v", s)
		}
		for _, a := range s.addresses {
			if !a.IsValid() || a == (netip.Addr{}) {
				t.Errorf("%v", a)
			}
		}
	})
}
