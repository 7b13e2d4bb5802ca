package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// faultOf is the cause that a host's failing hop comes to; empty where it answers, Unknown where nothing follows.
func faultOf(h *evidence.Host) Code {
	if h.Fails == "" {
		return ""
	}
	if h.Fails == evidence.HopProxy {
		return Proxy
	}
	if c := failures[h.Failure]; c != "" {
		return c
	}
	switch {
	case h.Fails == evidence.HopName:
		return DNS
	case h.Fails == evidence.HopTLS:
		return TLSInvalid
	case h.Fails == evidence.HopHTTP && h.Answer != nil && h.Answer.Status >= 500:
		return Unavailable
	case h.Fails == evidence.HopHTTP && h.Answer != nil && h.Answer.Status != 0:
		return NotARegistry
	}
	return Unknown
}

// sameHost compares hosts as requests address them; the default port and Docker Hub's names are no difference.
func sameHost(a, b string) bool {
	norm := func(s string) string {
		s = strings.TrimSuffix(strings.ToLower(s), ":443")
		if s == "docker.io" || s == "index.docker.io" {
			return "registry-1.docker.io"
		}
		return s
	}
	return a != "" && norm(a) == norm(b)
}

// host is what the node sees of one host; nil where it did not come to that.
func (s *seen) host(name string) *evidence.Fact {
	for _, f := range s.hosts {
		if sameHost(f.Host.Name, name) {
			return f
		}
	}
	return nil
}

// role is the first host of a role, one that fails before others.
func (s *seen) role(r evidence.HostRole) *evidence.Fact {
	var first *evidence.Fact
	for _, f := range s.hosts {
		if f.Host.Role == r && (first == nil || first.Host.Fails == "" && f.Host.Fails != "") {
			first = f
		}
	}
	return first
}

// hangs reports whether a cause is about reaching a host, so that the node's look at its hosts bears on it. What breaks in
// the middle of a transfer is met by no look that asks for little.
func hangs(d *Diagnosis) bool {
	switch d.Cause {
	case Interrupted, Stalled, PullDeadline:
		return false
	case RegistryConfig, Unavailable, NotARegistry:
		return true
	}
	return d.Cause.Family() == "network"
}

// seenPath compares the host that the message tells of with what the node meets on the way there.
func (v *view) seenPath(d *Diagnosis) bool {
	if len(v.seen.hosts) == 0 {
		return false
	}
	if v.lyingMirror(d) || v.onlyMirror(d) {
		return true
	}
	said := v.seen.host(orElse(d.Reading.Host, d.Reading.Registry))
	switch {
	case !hangs(d):
		return v.hiddenFault(d)
	case said == nil:
		return false // not among the hosts that the node came to: nothing follows
	case said.Host.Role == evidence.RoleMirror:
		return v.mirrorFails(d, said)
	}
	return v.hostFails(d, said)
}

// hostFails is a message about the registry, its token server or its storage.
func (v *view) hostFails(d *Diagnosis, f *evidence.Fact) bool {
	c, mirror := faultOf(f.Host), v.seen.role(evidence.RoleMirror)
	bypassed := v.problem(evidence.EffectBypassed)
	switch {
	case c == Unknown:
		return false
	case c == "":
		return v.answersNow(d, f)
	case f.Host.Role == evidence.RoleRegistry && v.servingMirror() != nil:
		m := v.servingMirror()
		v.notNow(d, "its mirror "+short(m.Host.Name, 50)+" has the image, and is asked before "+short(f.Host.Name, 50), m)
	case bypassed != nil && f.Host.Role == evidence.RoleRegistry && c.Family() == "network":
		sure := Likely
		if v.oneNode {
			sure = Confirmed
		}
		v.sight(d, RegistryConfig, sure, "it ignores "+problemText(bypassed), v.configFact(bypassed), f)
		if sure != Confirmed {
			d.allow(c)
		}
		d.Masks = append(d.Masks, without([]Code{c}, d.Masks...)...)
	case mirror != nil && f.Host.Role == evidence.RoleRegistry && !oneOf(faultOf(mirror.Host), "", Unknown, c):
		v.sight(d, RegistryConfig, Possible, fmt.Sprintf("its mirror %s fails (%s), and then %s too (%s)", short(mirror.Host.Name, 40), faultOf(mirror.Host), short(f.Host.Name, 40), c), mirror, f)
		d.allow(c)
	case c == d.Cause || d.Reading.Confidence != Likely && d.allows(c):
		v.blameHost(d, f, c, Confirmed)
	default:
		was := d.Cause
		v.blameHost(d, f, c, Likely)
		d.allow(was)
	}
	return true
}

func oneOf(c Code, of ...Code) bool { return slices.Contains(of, c) }

// blameHost names the very hop.
func (v *view) blameHost(d *Diagnosis, f *evidence.Fact, c Code, sure Confidence) {
	v.host, v.hop = f.Host.Name, hopText(f.Host)
	if sure == Confirmed && f.Host.Proxy == "" && oneOf(c, DNS, Refused, Timeout) && v.proxyUnseen() { // the look went there directly
		sure = Likely
		d.allow(Proxy)
	}
	reason := roleText(f.Host) + v.hop
	switch {
	case v.oneNode:
		reason = short(reason, 90) + ", while " + short(v.elsewhere.Elsewhere.Running[0], 40) + " runs the image"
	case v.asked != nil && v.asked.served != nil && f.Host.Role == evidence.RoleRegistry:
		reason = short(reason, 90) + ", while this machine reaches it"
	}
	v.sight(d, c, sure, reason, f)
}

// proxyUnseen reports whether the environment of the runtime, and with it its proxy, could not be read.
func (v *view) proxyUnseen() bool {
	return slices.ContainsFunc(v.c.Gaps, func(g evidence.Gap) bool {
		return g.Vantage == evidence.Node && strings.HasPrefix(g.What, "the proxy settings ")
	})
}

// hiddenFault is a host that fails where the message tells of no host, or of what comes behind.
func (v *view) hiddenFault(d *Diagnosis) bool {
	f := v.seen.role(evidence.RoleRegistry)
	mirror := v.seen.role(evidence.RoleMirror)
	quiet := d.Cause == Unknown || d.Cause == Stalled || d.Cause == PullDeadline
	switch {
	case quiet && mirror != nil && mirror.Host.Costs > 0:
		v.sight(d, RegistryConfig, Likely, fmt.Sprintf("its mirror %s costs each pull %s", short(mirror.Host.Name, 60), took(mirror.Host.Costs)), mirror)
		return true
	case f == nil || oneOf(faultOf(f.Host), "", Unknown) || v.servingMirror() != nil:
		return false
	case quiet:
		v.blameHost(d, f, faultOf(f.Host), Likely)
		return true
	case stage(d.Cause) >= stageAuth || oneOf(d.Cause, RateLimited, ClientBlocked, Interrupted):
		v.beside(d, faultOf(f.Host), f)
	}
	return false
}

// answersNow is a host that failed and does not at this moment. What came in the middle of a transfer it does not contradict.
func (v *view) answersNow(d *Diagnosis, f *evidence.Fact) bool {
	if d.Cause == RegistryConfig && v.problem(evidence.EffectFails) != nil || strings.Contains(d.Reading.Detail, "read tcp") {
		return false
	}
	if oneOf(d.Cause, Unavailable, NotARegistry) && v.seen.probe != nil {
		return false // a registry that is up may still fail for one image: seenAnswer has what it says of that
	}
	if v.seen.probe != nil && judge(v.seen.probe.Probe, v.now).served != nil && d.Cause != RegistryConfig {
		return false // seenAnswer says more
	}
	v.notNow(d, short(f.Host.Name, 70)+" answers "+v.nodeName()+" at this moment", f)
	return true
}
