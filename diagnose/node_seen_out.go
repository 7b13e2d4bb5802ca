package diagnose

import (
	"cmp"
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// maxExonerated is how many neighbours of a cause are ruled out beside its own candidates.
const maxExonerated = 5

// exonerated are the node's own causes, in the order in which a pull would meet them.
var exonerated = []Code{RuntimeUnavailable, RegistryConfig, DNS, Proxy, TLSUntrusted, TLSInvalid, DiskFull, CacheCorrupt}

// exonerate rules out what the node was seen to have in order. Where it is the node that told the cause, its other parts are named too.
func (v *view) exonerate(d *Diagnosis) {
	reasons := v.exclusions()
	for _, c := range slices.Clone(d.Candidates) {
		if why := reasons[c.Cause]; why != "" {
			d.dismiss(c.Cause, why)
		}
	}
	if !v.sighted || d.Confidence != Confirmed && d.Confidence != Likely || d.ServedNow {
		return
	}
	for _, c := range exonerated {
		known := c == d.Cause || d.allows(c) || slices.Contains(d.Masks, c) || slices.ContainsFunc(d.RuledOut, func(r RuledOut) bool { return r.Cause == c })
		if why := reasons[c]; why != "" && !known && len(d.RuledOut) < maxExonerated {
			d.RuledOut = append(d.RuledOut, RuledOut{c, why})
		}
	}
}

// noMirror reports whether the node was seen to ask the image's own registry and nothing else, by files without a fault.
func (v *view) noMirror() bool {
	s := v.seen
	return s != nil && s.config != nil && len(s.config.RegistryConfig.Problems) == 0 && s.role(evidence.RoleMirror) == nil &&
		!slices.ContainsFunc(s.config.RegistryConfig.Hosts, func(h evidence.ConfiguredHost) bool { return h.Role == evidence.RoleMirror })
}

// exclusions are the causes that what the node sees leaves no room for, and why.
func (v *view) exclusions() map[Code]string {
	out := map[Code]string{}
	s, node := v.seen, v.nodeName()
	if s.runtime != nil {
		if r := s.runtime.Runtime; r.Answers == evidence.Yes && r.Images != evidence.No {
			out[RuntimeUnavailable] = clean(strings.TrimSpace(orElse(r.Name, "the runtime")+" "+r.Version), 60) + " answers on " + node
		}
	}
	v.pathExclusions(out)
	if v.noMirror() {
		out[RegistryConfig] = node + " has no mirror for " + orElse(v.registryHost(), "the registry") + ", and no fault in its files"
	}
	if s.disk != nil && len(s.disk.Disk.Areas) > 0 {
		tight := slices.ContainsFunc(s.disk.Disk.Areas, func(a evidence.DiskArea) bool { return a.Short != "" || a.Low != "" })
		if least := slices.MinFunc(s.disk.Disk.Areas, func(a, b evidence.DiskArea) int { return cmp.Compare(a.Available, b.Available) }); !tight {
			out[DiskFull] = node + " has " + evidence.Size(least.Available) + " free" + needText(s.disk.Disk)
		}
	}
	if s.content != nil && v.whole(s.content.Content) {
		out[CacheCorrupt] = "what " + node + " has stored of it is whole: " + hashed(s.content.Content)
	}
	if v.nodeHasNone() {
		out[ProviderFailed] = v.noNodeCredentials()
	}
	return out
}

// waysUnseen reports whether the node's look left out a host, or did not see by which proxy the runtime goes: then what it saw is not all
// that a pull meets.
func (v *view) waysUnseen() bool {
	return v.proxyUnseen() || slices.ContainsFunc(v.c.Gaps, func(g evidence.Gap) bool {
		return g.Vantage == evidence.Node && (strings.HasPrefix(g.What, "the way ") ||
			strings.HasPrefix(g.What, "the rest of node ") || strings.Contains(g.What, " of the hosts that are configured "))
	})
}

// pathExclusions go by every host that the pull touches: one that fails at a hop leaves that hop open.
func (v *view) pathExclusions(out map[Code]string) {
	if len(v.seen.hosts) == 0 || v.waysUnseen() {
		return
	}
	node := v.nodeName()
	var name, proxy, trusted, proxied bool
	name, proxy, trusted = true, true, true
	for _, f := range v.seen.hosts {
		h := f.Host
		name = name && h.Fails != evidence.HopName && faultOf(h) != DNS
		proxy = proxy && h.Fails != evidence.HopProxy && faultOf(h) != Proxy
		proxied = proxied || h.Proxy != ""
		trusted = trusted && h.TLS != nil && h.TLS.Failure == "" && !oneOf(faultOf(h), TLSUntrusted, TLSInvalid, HTTPMismatch)
	}
	host := "all hosts of the pull"
	if len(v.seen.hosts) == 1 {
		host = clean(v.seen.hosts[0].Host.Name, 70)
	}
	if name && !proxied {
		out[DNS] = node + " resolves " + host
	}
	if proxy {
		out[Proxy] = "the runtime of " + node + " uses no proxy for it"
		if proxied {
			out[Proxy] = "the proxy of " + node + " lets it through"
		}
	}
	if trusted {
		out[TLSUntrusted] = "the certificate of " + host + " verifies against what " + node + " trusts"
		out[TLSInvalid] = out[TLSUntrusted]
	}
}
