package daemon

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/miekg/dns"
)

// Answer is what the DNS server says about a name.
type Answer string

// The answers DNS can give.
const (
	AnswerOK       Answer = ""
	AnswerNXDomain Answer = "nxdomain"
	AnswerServFail Answer = "servfail"
	AnswerNothing  Answer = "nothing"
)

// Rule changes the answer for a name ("*": every name) to a node (empty: to everybody). The latest rule that fits acts.
type Rule struct {
	Node   string `json:"node"`
	Name   string `json:"name"`
	Answer Answer `json:"answer"`
}

type resolver struct {
	cfg   Config
	mu    sync.RWMutex
	rules []Rule
}

// set replaces the rule for the same node and name; an OK answer removes it.
func (r *resolver) set(rule Rule) error {
	switch rule.Answer {
	case AnswerOK, AnswerNXDomain, AnswerServFail, AnswerNothing:
	default:
		return fmt.Errorf("DNS cannot answer %q", rule.Answer)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rules = slices.DeleteFunc(r.rules, func(o Rule) bool { return o.Node == rule.Node && o.Name == rule.Name })
	if rule.Answer != AnswerOK {
		r.rules = append(r.rules, rule)
	}
	return nil
}

func (r *resolver) list() []Rule {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return append([]Rule{}, r.rules...)
}

func (r *resolver) answer(client netip.Addr, name string) Answer {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, rule := range slices.Backward(r.rules) {
		if (rule.Name == "*" || rule.Name == name) && (rule.Node == "" || r.from(client, rule.Node)) {
			return rule.Answer
		}
	}
	return AnswerOK
}

func (r *resolver) from(client netip.Addr, node string) bool {
	return slices.ContainsFunc(r.cfg.Nodes[node], func(p netip.Prefix) bool { return p.Contains(client) })
}

// ServeDNS implements dns.Handler.
func (r *resolver) ServeDNS(w dns.ResponseWriter, req *dns.Msg) {
	m := new(dns.Msg)
	m.SetReply(req)
	m.Authoritative = true
	if len(req.Question) != 1 {
		m.Rcode = dns.RcodeFormatError
		_ = w.WriteMsg(m)
		return
	}
	q := req.Question[0]
	name := strings.ToLower(strings.TrimSuffix(q.Name, "."))
	client, _ := netip.ParseAddrPort(w.RemoteAddr().String())
	addr, known := r.cfg.Hosts[name]
	switch a := r.answer(client.Addr().Unmap(), name); {
	case a == AnswerNothing:
		return
	case a == AnswerServFail:
		m.Rcode = dns.RcodeServerFailure
	case a == AnswerNXDomain, !known:
		m.Rcode = dns.RcodeNameError
	case q.Qtype == dns.TypeA:
		hdr := dns.RR_Header{Name: q.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 0}
		m.Answer = append(m.Answer, &dns.A{Hdr: hdr, A: net.IP(addr.AsSlice())})
	}
	_ = w.WriteMsg(m)
}

// listen serves UDP and TCP on the lab's DNS address.
func (r *resolver) listen() (stop func(), err error) {
	addr := netip.AddrPortFrom(r.cfg.DNS, 53).String()
	pc, err := net.ListenPacket("udp", addr)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, errors.Join(err, pc.Close())
	}
	servers := []*dns.Server{{PacketConn: pc, Handler: r}, {Listener: l, Handler: r}}
	for _, s := range servers {
		go func() { _ = s.ActivateAndServe() }()
	}
	return func() {
		for _, s := range servers {
			_ = s.Shutdown()
		}
	}, nil
}
