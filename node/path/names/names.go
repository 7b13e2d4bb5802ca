package names

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/refloat-dev/refloat/evidence"
)

// By is who says something of a name besides the resolvers.
const (
	ByHosts = hostsFile
	ByNode  = "node"
)

// Resolver resolves names for one look. Many goroutines may use it, and a name is asked for once.
type Resolver struct {
	Config *Config

	mu    sync.Mutex
	known map[string]*entry
}

type entry struct {
	done   chan struct{}
	answer Answer
}

// Answer is what the node makes of a name.
type Answer struct {
	// Said is each source's word, the node's as a whole last. It is empty for an address.
	Said []evidence.Resolution
	// Addresses are those that a program on the node gets, and Text is the error that it gets in their place.
	Addresses []netip.Addr
	Text      string
}

// Look resolves a host without its port. It returns at the latest when every resolver has had two seconds for each kind of name.
func (r *Resolver) Look(ctx context.Context, name string) Answer {
	if a, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return Answer{Addresses: []netip.Addr{a}}
	}
	key := strings.ToLower(name)
	r.mu.Lock()
	if r.known == nil {
		r.known = map[string]*entry{}
	}
	e := r.known[key]
	if e == nil {
		e = &entry{done: make(chan struct{})}
		r.known[key] = e
		r.mu.Unlock()
		e.answer = r.look(ctx, key)
		close(e.done)
		return e.answer
	}
	r.mu.Unlock()
	select {
	case <-e.done:
		return e.answer
	case <-ctx.Done():
		return Answer{Text: "lookup " + evidence.Clean(name) + ": " + ctx.Err().Error()}
	}
}

func (r *Resolver) look(ctx context.Context, name string) Answer {
	var a Answer
	fixed := r.Config.hosts[hostKey(name)]
	if len(fixed) > 0 {
		a.Said = append(a.Said, evidence.Resolution{By: ByHosts, Result: evidence.Answered, Addresses: texts(fixed)})
	}
	list := r.Config.List(name)
	servers := slices.Concat(r.Config.Servers, r.Config.Behind)
	table := make([][]said, len(servers)) // by server, then as in list, as far as it was asked
	var wg sync.WaitGroup
	for i, server := range servers {
		wg.Go(func() { table[i] = r.walk(ctx, server, list) })
	}
	wg.Wait()
	for i, server := range servers {
		if len(table[i]) > 0 {
			a.Said = append(a.Said, tell(name, server, list, table[i]))
		}
	}
	whole := evidence.Resolution{By: ByNode, Result: evidence.Answered}
	if len(fixed) > 0 {
		a.Addresses = fixed
	} else {
		whole = r.Config.join(name, list, table[:len(r.Config.Servers)], &a)
	}
	whole.Addresses = texts(a.Addresses)
	a.Said = append(a.Said, whole)
	return a
}

// walk asks one resolver for each name until one is there, or it is plain that the resolver does not answer.
func (r *Resolver) walk(ctx context.Context, server string, list []string) []said {
	var all []said
	for _, fqdn := range list {
		s := r.ask(ctx, server, fqdn)
		all = append(all, s)
		if s.result == evidence.Answered || s.dead() {
			break
		}
	}
	return all
}

// tell is one resolver's word on a name: the answer, or else what it says of the name itself.
func tell(name, server string, list []string, all []said) evidence.Resolution {
	at := len(all) - 1
	if s := all[at]; s.result != evidence.Answered && !s.dead() {
		at = max(0, slices.Index(list, rooted(name)))
	}
	s := all[at]
	res := evidence.Resolution{By: server, Result: s.result, Addresses: texts(s.addresses), Text: s.text}
	if list[at] != rooted(name) {
		res.Asked = evidence.Clean(strings.TrimSuffix(list[at], "."))
	}
	if res.Result != evidence.Answered {
		res.Text = lookup(name, server, s.text)
	}
	for _, s := range all {
		res.Took += s.took.Milliseconds()
	}
	return res
}

func lookup(name, server, text string) string {
	return fmt.Sprintf("lookup %s on %s: %s", evidence.Clean(name), server, text)
}

// join is what Go makes of what the resolvers say: the names in their order, and for each the resolvers in theirs until one
// says that it is there or that it is not (Go 1.26 net/dnsclient_unix.go:289). It also tells how long that takes.
func (c *Config) join(name string, list []string, table [][]said, a *Answer) evidence.Resolution {
	whole := evidence.Resolution{By: ByNode, Result: evidence.NXDomain, Text: fmt.Sprintf("lookup %s: %s", evidence.Clean(name), noSuchHost)}
	var took time.Duration
	last := false // there is an error already
	for n, fqdn := range list {
		s, server, waited := c.one(table, n)
		took += waited
		if s.result == evidence.Answered {
			a.Addresses = s.addresses
			whole.Result, whole.Text, whole.Took = evidence.Answered, "", took.Milliseconds()
			if fqdn != rooted(name) {
				whole.Asked = evidence.Clean(strings.TrimSuffix(fqdn, "."))
			}
			return whole
		}
		if s.result != "" && (!last || fqdn == rooted(name)) {
			last = true
			whole.Result, whole.Text = s.result, lookup(name, c.Servers[server], s.text)
		}
	}
	whole.Took, a.Text = took.Milliseconds(), whole.Text
	return whole
}

// one is what all resolvers say of the nth name, by whom, and after how long.
func (c *Config) one(table [][]said, n int) (s said, server int, waited time.Duration) {
	for i, all := range table {
		if len(all) == 0 {
			continue
		}
		// A resolver that did not answer for a name before would not answer for this one either.
		s, server = all[min(n, len(all)-1)], i
		if s.result == evidence.DNSTimeout {
			waited += time.Duration(cmp.Or(c.Timeout, 5)) * time.Second
			continue
		}
		waited += s.took
		if s.result == evidence.Answered || s.result == evidence.NXDomain || s.result == evidence.NoAddress {
			return s, server, waited
		}
	}
	return s, server, waited * time.Duration(max(c.Attempts, 1))
}

func texts(addresses []netip.Addr) []string {
	var all []string
	for _, a := range addresses {
		all = append(all, a.String())
	}
	return all
}
