package path

import (
	"cmp"
	"context"
	_ "crypto/sha256" // the parser of references knows a digest by its algorithm's being there
	_ "crypto/sha512"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/config"
	"github.com/refloat-dev/refloat/node/host"
	"github.com/refloat-dev/refloat/node/path/names"
	"github.com/refloat-dev/refloat/node/path/roots"
	"github.com/refloat-dev/refloat/registry/keyring"
	"github.com/refloat-dev/refloat/registry/probe"
	"github.com/refloat-dev/refloat/registry/probe/platform"
	"github.com/refloat-dev/refloat/registry/wire/reach"
)

// Looker looks from a node. Its fields are set before the first look; many goroutines may use it.
type Looker struct {
	Host    *host.Host
	Runtime *config.Runtime
	// Env is the environment of the runtime's own process; nil goes without a proxy.
	Env map[string]string
	// Version is the runtime's, such as 1.7.27; empty is taken for a new one.
	Version string
	// Now is the node's clock; nil is time.Now.
	Now func() time.Time
	// Refusals remembers refused credentials beyond the look; nil remembers none.
	Refusals probe.Refusals
	// Timeout is what a look may take in all; 0 is 10 seconds.
	Timeout time.Duration
}

const (
	lookTime = 10 * time.Second
	maxHosts = 12 // configured ones that are looked at
	maxSent  = 6  // hosts that others send on to
)

// look is one under way.
type look struct {
	*Looker
	domain, repository, object string
	digest                     digest.Digest
	node                       platform.Node
	platform                   string
	names                      *names.Resolver
	system                     *roots.Store
	proxies                    proxies
}

// Look goes the way to every host that a pull of the image would touch, and asks its registry for it with the node's own credentials
// in turn, without any where there are none. It returns at the latest after Timeout, and as soon as ctx ends: with what was seen by then,
// and a gap for each host that was not.
func (l *Looker) Look(ctx context.Context, image, platform string, creds []keyring.Credential) ([]*evidence.Host, *evidence.Probe, []evidence.Gap) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(l.Timeout, lookTime))
	defer cancel()
	k, gaps := l.begin(image, platform)
	if k == nil {
		return nil, nil, gaps
	}
	endpoints := slices.DeleteFunc(l.Runtime.Endpoints(k.domain), func(e config.Endpoint) bool { return !capable(e, "pull") && !capable(e, "resolve") })
	if len(endpoints) > maxHosts {
		gaps = append(gaps, gap(fmt.Sprintf("%d of the hosts that are configured for %s", len(endpoints)-maxHosts, k.domain), "there are more than are looked at"))
		endpoints = endpoints[:maxHosts]
	}
	visits := make([]*visit, len(endpoints))
	var (
		p    *evidence.Probe
		wg   sync.WaitGroup
		more []evidence.Gap
	)
	for i, e := range endpoints {
		wg.Go(func() { visits[i] = k.visit(ctx, k.configured(e, i+1)) })
	}
	wg.Go(func() { p, more = k.probe(ctx, endpoints, creds) })
	wg.Wait()
	visits = append(visits, k.onward(ctx, visits, p)...)
	hosts, unseen := k.finish(visits, len(endpoints), p)
	return hosts, p, append(append(gaps, more...), unseen...)
}

// begin reads what decides on the node; nil where the image cannot be asked for.
func (l *Looker) begin(image, on string) (*look, []evidence.Gap) {
	named, err := reference.ParseDockerRef(image)
	if err != nil {
		return nil, []evidence.Gap{gap("the way to "+evidence.CleanReference(image), evidence.Clean("it is no reference: "+err.Error()))}
	}
	k := &look{Looker: l, domain: reference.Domain(named), repository: reference.Path(named), platform: on, node: platform.Parse(on), proxies: proxiesOf(l.Env)}
	switch r := named.(type) {
	case reference.Digested:
		k.digest, k.object = r.Digest(), r.Digest().String()
	case reference.Tagged:
		k.object = r.Tag()
	}
	var own *host.Host
	if p := l.Runtime.Process; p != nil {
		own = p.Files()
	}
	found, gaps := names.Read(l.Host, own)
	k.names = &names.Resolver{Config: found}
	store, more := roots.System(l.Host, l.Env)
	k.system = store
	return k, append(gaps, more...)
}

func (l *Looker) containerd() bool {
	return l.Runtime.Kind == "" || l.Runtime.Kind == config.Containerd
}

func (l *Looker) now() time.Time {
	if l.Now != nil {
		return l.Now()
	}
	return time.Now()
}

func gap(what, why string) evidence.Gap {
	return evidence.Gap{Vantage: evidence.Node, What: what, Why: why}
}

// onward looks at the hosts that others named: the registry its token server, it or a mirror the storage of its blobs.
func (k *look) onward(ctx context.Context, visits []*visit, p *evidence.Probe) []*visit {
	var registry *visit
	known := map[string]bool{}
	for _, v := range visits {
		known[v.base.Host] = true
		if v.role == evidence.RoleRegistry {
			registry = v
		}
	}
	var places []*place
	add := func(role evidence.HostRole, from *visit, to *url.URL) {
		if from == nil || to == nil || to.Hostname() == "" || known[to.Host] || len(places) >= maxSent || to.Scheme != "https" && to.Scheme != "http" {
			return
		}
		known[to.Host] = true
		base := &url.URL{Scheme: to.Scheme, Host: to.Host}
		places = append(places, &place{role: role, via: from.h.Name, base: base, method: "HEAD", ask: below(base, ""), roots: from.roots, certs: from.certs,
			skip: from.skip, patience: from.patience, limit: from.class()})
	}
	for _, v := range visits {
		add(evidence.RoleStorage, v, v.sent)
	}
	for _, s := range steps(p) {
		if realm, err := url.Parse(s.Realm); err == nil {
			add(evidence.RoleToken, registry, realm)
		}
		for _, host := range s.Redirects {
			add(evidence.RoleStorage, registry, &url.URL{Scheme: "https", Host: host})
		}
	}
	found := make([]*visit, len(places))
	var wg sync.WaitGroup
	for i, at := range places {
		wg.Go(func() { found[i] = k.visit(ctx, at) })
	}
	wg.Wait()
	return found
}

func steps(p *evidence.Probe) []evidence.Step {
	var all []evidence.Step
	if p != nil {
		for _, a := range p.Attempts {
			all = append(all, a.Steps...)
		}
	}
	return all
}

// class is how far inside a host turned out to be, and with it how far it may send others.
func (v *visit) class() reach.Class {
	class := reach.OfHost(v.base.Hostname())
	if v.h.Proxy != "" {
		return class
	}
	for _, a := range v.h.Addresses {
		if c := classOf(a.Address); a.Failure == "" && c != reach.Never {
			class = max(class, c)
		}
	}
	return class
}

// finish joins what was seen of the hosts with what the registry answered, and leaves out the hosts that the look ended before.
func (k *look) finish(visits []*visit, configured int, p *evidence.Probe) (hosts []*evidence.Host, gaps []evidence.Gap) {
	image := imageOf(visits, p)
	for i, v := range visits {
		if v.gone {
			g := gap("the way to "+v.h.Name, "the look ended before it answered")
			g.Deciding = true
			gaps = append(gaps, g)
			continue
		}
		switch v.role {
		case evidence.RoleMirror:
			v.compare(p)
		case evidence.RoleRegistry:
			v.pull(p)
		}
		if v.order == 0 {
			v.heard(p)
		}
		if k.containerd() {
			v.h.Costs = v.costs(image, i == configured-1 || v.order == 0).Milliseconds()
		}
		hosts = append(hosts, v.h)
	}
	for _, v := range visits {
		if v.broken != nil && !v.gone { // at which the runtime gives up the pull before it asks anybody
			v.h.Shown = true
			return hosts, gaps
		}
	}
	if k.containerd() {
		show(hosts, p, k.Version)
	}
	return hosts, gaps
}

// pull forgives a registry what it says at its root, which no pull asks for: what it serves counts.
func (v *visit) pull(p *evidence.Probe) {
	if v.h.Fails != evidence.HopHTTP || v.h.Answer == nil || p == nil {
		return
	}
	if slices.ContainsFunc(p.Attempts, func(a evidence.Attempt) bool { return a.Served }) {
		v.h.Fails, v.h.Failure, v.h.Text = "", "", ""
	}
}

// heard is what the registry's own requests met at a host that they were sent on to: what it says to them is its answer.
func (v *visit) heard(p *evidence.Probe) {
	for _, s := range steps(p) {
		at := strings.HasPrefix(s.URL, v.base.Scheme+"://"+v.base.Host+"/")
		for _, to := range s.Redirects {
			at = at || to == v.base.Host
		}
		if !at || v.h.Answer != nil && v.h.Answer.Status >= 400 {
			continue
		}
		v.h.Answer = &s
		if v.h.Fails == "" && (s.Failure != "" && s.Status == 0 || s.Status >= 500) {
			v.h.Fails, v.h.Failure, v.h.Text = evidence.HopHTTP, s.Failure, s.Text
		}
	}
}

// imageOf is what is known of the image's parts, from the registry or from a mirror.
func imageOf(visits []*visit, p *evidence.Probe) parts {
	if p != nil && p.Layers > 0 {
		image := parts{layers: p.Layers}
		for _, a := range p.Attempts {
			image.index = image.index || a.Found != nil && a.Found.Child != ""
		}
		return image
	}
	for _, v := range visits {
		if v.parts.layers > 0 {
			return v.parts
		}
	}
	return parts{}
}
