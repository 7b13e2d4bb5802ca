package names

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"github.com/miekg/dns"

	"github.com/refloat-dev/refloat/evidence"
)

const (
	// tries is how often a question is sent where nothing comes back, each time for patience: a datagram gets lost.
	tries    = 2
	patience = time.Second
	// maxAddresses bounds what is kept of an answer.
	maxAddresses = 32
)

// said is what one resolver says about one name.
type said struct {
	result    evidence.ResolveResult
	addresses []netip.Addr
	text      string // in the words of Go's resolver, behind `lookup NAME on SERVER: `
	took      time.Duration
}

// dead reports whether asking for another name would not help.
func (s said) dead() bool {
	return s.result == evidence.DNSTimeout || s.result == evidence.DNSRefused && s.text != misbehaving
}

// Go's words (net/dnsclient_unix.go:25).
const (
	noSuchHost  = "no such host"
	misbehaving = "server misbehaving"
)

// ask asks one resolver for one name's addresses, both kinds at once.
func (r *Resolver) ask(ctx context.Context, server, fqdn string) said {
	start := time.Now()
	kinds := []uint16{dns.TypeA, dns.TypeAAAA}
	answers := make([]said, len(kinds))
	done := make(chan struct{})
	go func() {
		defer close(done)
		answers[1] = r.question(ctx, server, fqdn, kinds[1])
	}()
	answers[0] = r.question(ctx, server, fqdn, kinds[0])
	<-done
	s := both(answers[0], answers[1])
	s.took = time.Since(start)
	return s
}

// weight orders how a question ended: where the two kinds differ, the greater says more.
var weight = map[evidence.ResolveResult]int{
	evidence.NoAddress: 0, evidence.NXDomain: 1, evidence.ServFail: 2, evidence.DNSRefused: 3, evidence.DNSTimeout: 4, evidence.Answered: 5,
}

func both(a, b said) said {
	if weight[b.result] > weight[a.result] {
		a, b = b, a
	}
	if a.result == evidence.Answered {
		a.addresses = append(slices.Clone(a.addresses), b.addresses...)
		if weight[b.result] > weight[evidence.NXDomain] && b.result != evidence.Answered {
			a.text = "the question for the other kind of address: " + b.text
		}
	}
	return a
}

func (r *Resolver) question(ctx context.Context, server, fqdn string, kind uint16) said {
	m := new(dns.Msg).SetQuestion(fqdn, kind)
	m.SetEdns0(1232, false)
	network := "udp"
	if r.Config.TCP {
		network = "tcp"
	}
	var (
		reply *dns.Msg
		err   error
	)
	for range tries {
		reply, err = exchange(ctx, network, server, m)
		if !timedOut(err) || ctx.Err() != nil {
			break
		}
	}
	if err == nil && reply.Truncated && network == "udp" {
		reply, err = exchange(ctx, "tcp", server, m)
	}
	if err != nil {
		return failed(err)
	}
	return read(reply, kind)
}

// exchange sends a question once. It ends as soon as ctx does.
func exchange(ctx context.Context, network, server string, m *dns.Msg) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, network, server)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	// The client sets deadlines of its own; closing ends what waits.
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	client := dns.Client{Net: network, Timeout: patience, UDPSize: 1232}
	reply, _, err := client.ExchangeWithConn(m, &dns.Conn{Conn: conn, UDPSize: 1232})
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return reply, err
}

func timedOut(err error) bool {
	var netErr net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &netErr) && netErr.Timeout()
}

func failed(err error) said {
	switch {
	case errors.Is(err, context.Canceled):
		return said{result: evidence.DNSTimeout, text: "given up by the caller"}
	case timedOut(err):
		return said{result: evidence.DNSTimeout, text: "i/o timeout"}
	case errors.Is(err, syscall.ECONNREFUSED):
		return said{result: evidence.DNSRefused, text: "connection refused"}
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return said{result: evidence.DNSTimeout, text: evidence.Clean(err.Error())}
	}
	return said{result: evidence.ServFail, text: "cannot unmarshal DNS message"} // what Go says of an answer that is none
}

// read takes the addresses out of an answer, whatever aliases lead to them: a resolver that recurses gives them in one.
func read(m *dns.Msg, kind uint16) said {
	switch m.Rcode {
	case dns.RcodeSuccess:
	case dns.RcodeNameError:
		return said{result: evidence.NXDomain, text: noSuchHost}
	case dns.RcodeRefused:
		return said{result: evidence.DNSRefused, text: misbehaving}
	case dns.RcodeServerFailure:
		return said{result: evidence.ServFail, text: misbehaving}
	default:
		return said{result: evidence.ServFail, text: fmt.Sprintf("%s (%s)", misbehaving, dns.RcodeToString[m.Rcode])}
	}
	s := said{result: evidence.NoAddress, text: noSuchHost}
	for _, rr := range m.Answer {
		var ip net.IP
		switch rr := rr.(type) {
		case *dns.A:
			ip = rr.A
		case *dns.AAAA:
			ip = rr.AAAA
		}
		a, ok := netip.AddrFromSlice(ip)
		if ok && rr.Header().Rrtype == kind && len(s.addresses) < maxAddresses {
			s.addresses = append(s.addresses, a.Unmap())
		}
	}
	if len(s.addresses) > 0 {
		s.result, s.text = evidence.Answered, ""
	}
	return s
}
