package path

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/wire/hide"
	"github.com/refloat-dev/refloat/registry/wire/reach"
	"github.com/refloat-dev/refloat/registry/wire/trip"
)

const (
	// dialTime is how long one address is waited for.
	dialTime     = 3 * time.Second
	maxAddresses = 8
	dialsAtOnce  = 4
)

// resolve asks for the names of the host that is connected to, and returns its addresses; it fails h where there are none.
func (k *look) resolve(ctx context.Context, h *evidence.Host, target string) []netip.Addr {
	name, _, err := net.SplitHostPort(target)
	if err != nil {
		return nil
	}
	a := k.names.Look(ctx, name)
	for _, r := range a.Said {
		if h.Proxy != "" && r.Asked == "" {
			r.Asked = name
		}
		h.Names = append(h.Names, r)
	}
	if len(a.Addresses) == 0 {
		h.Fails, h.Failure, h.Text = evidence.HopName, evidence.FailedDNS, "dial tcp: "+a.Text
	}
	return a.Addresses[:min(len(a.Addresses), maxAddresses)]
}

// connect tries each address by itself and returns those that can be connected to.
func connect(ctx context.Context, h *evidence.Host, target string, addresses []netip.Addr, p *place) (good []string) {
	_, port, _ := net.SplitHostPort(target) // resolve split it already
	h.Addresses = make([]evidence.Address, len(addresses))
	slots := make(chan struct{}, dialsAtOnce)
	var wg sync.WaitGroup
	for i, a := range addresses {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			h.Addresses[i] = try(ctx, a, port, p, h.Proxy != "")
		})
	}
	wg.Wait()
	for _, a := range h.Addresses {
		if a.Failure == "" {
			good = append(good, a.Address)
		}
	}
	if len(good) == 0 && len(h.Addresses) > 0 {
		a := failing(h.Addresses)
		h.Fails, h.Failure, h.Text = evidence.HopConnect, a.Failure, a.Text
	}
	return good
}

// failing is the address whose error counts where none can be connected to. Those that the node has no route for, such as all of IPv6 on a
// node without it, sort behind the others in the runtime (RFC 6724, rule 1).
func failing(all []evidence.Address) evidence.Address {
	for _, a := range all {
		if !strings.Contains(a.Text, "network is unreachable") && !strings.Contains(a.Text, "cannot assign requested address") {
			return a
		}
	}
	return all[0]
}

// try connects to one address and hangs up.
func try(ctx context.Context, a netip.Addr, port string, p *place, proxy bool) evidence.Address {
	to := evidence.Address{Address: join(a.String(), port)}
	limit := p.limit
	if proxy {
		limit = reach.Loopback // a proxy's address is the node's own business
	}
	if class := reach.Of(a); !class.May(limit) {
		to.Failure, to.Text = evidence.FailedUnsafe, fmt.Sprintf("%s is a %s address, which is not connected to", to.Address, class)
		return to
	}
	start := time.Now()
	conn, err := (&net.Dialer{Timeout: min(dialTime, p.patience)}).DialContext(ctx, "tcp", to.Address)
	to.Took = millis(time.Since(start))
	if err == nil {
		_ = conn.Close()
		return to
	}
	to.Failure, to.Text = explain(err)
	return to
}

// explain says how a connection failed, in Go's words.
func explain(err error) (evidence.Failure, string) {
	f, text := trip.Explain(err, &trip.Watch{})
	var op *net.OpError
	if f == evidence.FailedTimeout && errors.As(err, &op) {
		text = op.Error()
	}
	// A packet filter of the node's own, and a route that forbids.
	if errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EPERM) {
		f = evidence.FailedRefused
	}
	return f, hide.Shorten(evidence.Clean(text), 2<<10)
}

func millis(d time.Duration) int64 { return int64((d + time.Millisecond - 1) / time.Millisecond) }

// dialer connects to the first of some addresses that lets it, whatever is asked for.
func dialer(good []string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		var failed error
		for _, to := range good {
			conn, err := (&net.Dialer{Timeout: dialTime}).DialContext(ctx, network, to)
			if err == nil {
				return conn, nil
			}
			failed = err
		}
		return nil, failed
	}
}
