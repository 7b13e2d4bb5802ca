package daemon

import (
	"net"
	"net/netip"
	"testing"

	"github.com/miekg/dns"
)

// asked records what a handler writes; nothing written stays nil.
type asked struct {
	dns.ResponseWriter
	from string
	got  *dns.Msg
}

func (a *asked) RemoteAddr() net.Addr {
	return net.UDPAddrFromAddrPort(netip.MustParseAddrPort(a.from + ":4000"))
}
func (a *asked) WriteMsg(m *dns.Msg) error { a.got = m; return nil }

func TestResolver(t *testing.T) {
	t.Parallel()
	const node1, pod1, node2 = "10.231.0.11", "10.232.1.7", "10.231.0.12"
	ok, nx, fail, none := dns.RcodeSuccess, dns.RcodeNameError, dns.RcodeServerFailure, -1
	rule := func(node, name string, a Answer) Rule { return Rule{node, name, a} }
	tests := []struct {
		name  string
		rules []Rule
		from  string
		ask   string
		want  int
	}{
		{name: "known", from: node1, ask: "hub.lab.", want: ok},
		{name: "capitals", from: node1, ask: "HUB.Lab.", want: ok},
		{name: "unknown", from: node1, ask: "nowhere.lab.", want: nx},
		{name: "one node fails", rules: []Rule{rule("node-1", "hub.lab", AnswerNXDomain)}, from: node1, ask: "hub.lab.", want: nx},
		{name: "its pods too", rules: []Rule{rule("node-1", "hub.lab", AnswerNXDomain)}, from: pod1, ask: "hub.lab.", want: nx},
		{name: "the other does not", rules: []Rule{rule("node-1", "hub.lab", AnswerNXDomain)}, from: node2, ask: "hub.lab.", want: ok},
		{name: "other names do not", rules: []Rule{rule("", "hub.lab", AnswerServFail)}, from: node2, ask: "ecr.lab.", want: ok},
		{name: "every name", rules: []Rule{rule("", "*", AnswerServFail)}, from: node2, ask: "ecr.lab.", want: fail},
		{name: "silence", rules: []Rule{rule("", "hub.lab", AnswerNothing)}, from: node2, ask: "hub.lab.", want: none},
		{name: "latest rule", rules: []Rule{rule("", "*", AnswerServFail), rule("node-2", "hub.lab", AnswerNXDomain)}, from: node2, ask: "hub.lab.", want: nx},
		{name: "taken back", rules: []Rule{rule("", "*", AnswerServFail), rule("", "*", AnswerOK)}, from: node2, ask: "hub.lab.", want: ok},
	}
	cfg := Config{
		Hosts: map[string]netip.Addr{"hub.lab": netip.MustParseAddr("10.231.0.101"), "ecr.lab": netip.MustParseAddr("10.231.0.102")},
		Nodes: map[string][]netip.Prefix{
			"node-1": {netip.MustParsePrefix(node1 + "/32"), netip.MustParsePrefix("10.232.1.0/24")},
			"node-2": {netip.MustParsePrefix(node2 + "/32")},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := &resolver{cfg: cfg}
			for _, rule := range tt.rules {
				if err := r.set(rule); err != nil {
					t.Fatal(err)
				}
			}
			w := &asked{from: tt.from}
			r.ServeDNS(w, new(dns.Msg).SetQuestion(tt.ask, dns.TypeA))
			got := -1
			if w.got != nil {
				got = w.got.Rcode
			}
			if got != tt.want || (got == ok && len(w.got.Answer) != 1) {
				t.Errorf("%s answers %v; want code %d", tt.ask, w.got, tt.want)
			}
		})
	}
	if err := (&resolver{}).set(Rule{Answer: "maybe"}); err == nil {
		t.Error("an unknown answer was taken")
	}
}
