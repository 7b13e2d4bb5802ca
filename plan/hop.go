package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
)

// sights are the facts that the failing node itself saw and that the verdict rests on.
type sights struct {
	host      *evidence.Host
	problem   *evidence.ConfigProblem
	disk      *evidence.Disk
	damage    *evidence.Damage
	downloads *evidence.Downloads
	provider  *evidence.Provider
	runtime   *evidence.Runtime
}

// sightsOf keeps the first of each kind.
func sightsOf(f diagnose.Finding) sights {
	var s sights
	for _, fact := range f.Because {
		if fact.Vantage != evidence.Node {
			continue
		}
		switch {
		case fact.Host != nil && s.host == nil && (fact.Host.Fails != "" || fact.Host.Lies != "" || fact.Host.Costs > 0):
			s.host = fact.Host
		case fact.RegistryConfig != nil && s.problem == nil:
			s.problem = worst(fact.RegistryConfig)
		case fact.Disk != nil && s.disk == nil:
			s.disk = fact.Disk
		case fact.Content != nil && s.damage == nil && len(fact.Content.Damages) > 0:
			s.damage = &fact.Content.Damages[0]
		case fact.Downloads != nil && s.downloads == nil:
			s.downloads = fact.Downloads
		case fact.Provider != nil && s.provider == nil:
			s.provider = fact.Provider
		case fact.Runtime != nil && s.runtime == nil:
			s.runtime = fact.Runtime
		}
	}
	return s
}

func worst(c *evidence.RegistryConfig) *evidence.ConfigProblem {
	for _, e := range []evidence.ConfigEffect{evidence.EffectStops, evidence.EffectFails, evidence.EffectBypassed} {
		if i := slices.IndexFunc(c.Problems, func(p evidence.ConfigProblem) bool { return p.Effect == e }); i >= 0 {
			return &c.Problems[i]
		}
	}
	return nil
}

// atNode is what to do about the very thing that the node saw, and how many of the family's own first steps, which look
// for it, are not needed then.
func (s subject) atNode() (steps []Step, instead int) {
	h := s.sights.host
	switch {
	case s.Cause == diagnose.Unknown && s.sights.downloads != nil:
		return []Step{manual("Wait: the download moves", "It is only slow: a slow link, registry or mirror, or a large image."+s.sentence(), "the pull ends without an error")}, len(families)
	case s.ServedNow || s.Confidence != diagnose.Confirmed && s.Confidence != diagnose.Likely:
		return nil, 0
	case s.Cause == diagnose.RegistryConfig && (s.sights.problem != nil || h != nil):
		return s.correctConfig()
	case s.Cause == diagnose.DiskFull && s.sights.disk != nil:
		return s.makeRoom()
	case s.Cause == diagnose.CacheCorrupt && s.sights.damage != nil:
		return s.removeDamage()
	case s.Cause == diagnose.Stalled && s.sights.downloads != nil:
		return s.endStalled()
	case s.Cause == diagnose.ProviderFailed && s.sights.provider != nil:
		return s.mendProvider()
	case s.Cause == diagnose.RuntimeUnavailable && s.sights.runtime != nil && s.sights.runtime.Text != "":
		return []Step{s.exact("Read why: "+clip(s.sights.runtime.Text), "", "")}, 0
	case h == nil:
		return nil, 0
	case h.Fails == evidence.HopName:
		return s.correctResolver(h)
	case h.Fails == evidence.HopConnect && pinnedBy(h) == "":
		return s.openWay(h)
	case h.Fails == evidence.HopProxy:
		return []Step{s.exact("Correct the proxy "+h.Proxy+" of the runtime on "+s.where()+", or list "+hostOnly(h.Name)+" in its NO_PROXY", "It said: "+clip(h.Text)+".", proxyAfter)}, 0
	case pinnedBy(h) != "":
		return []Step{s.exact("Look at "+pinnedBy(h)+" of "+s.where()+": it sends "+hostOnly(h.Name)+" to "+list3(pinnedTo(h), "another machine"), "Whatever a resolver says does not count then."+s.sentence(), "",
			"grep -n -w "+operand(hostOnly(h.Name))+" "+operand(pinnedBy(h)))}, 0
	case h.Fails == evidence.HopTLS && h.TLS != nil && h.TLS.Skew != 0:
		return []Step{s.exact(fmt.Sprintf("Set the clock of %s: it differs from that of %s by %d seconds", s.where(), h.Name, h.TLS.Skew), "Certificates are not valid by a wrong clock.", "date -u shows the right time",
			"timedatectl", "sudo timedatectl set-ntp true")}, 0
	case s.Cause == diagnose.TLSUntrusted && h.TLS != nil && h.TLS.MissingCA != "":
		return []Step{s.exact("Get the CA "+clip(h.TLS.MissingCA)+", which signed what "+h.Name+" shows to "+s.where(), "The runtime trusts "+list3(h.TLS.Trusted, "its system's own roots")+". If that issuer is a proxy or firewall, somebody in between opens TLS."+s.sentence(), "")}, 1
	}
	return nil, 0
}

// pinnedBy is the file of the node that has the name, before any resolver is asked; empty where none has.
func pinnedBy(h *evidence.Host) string {
	for _, r := range h.Names {
		if strings.HasPrefix(r.By, "/") && r.Result == evidence.Answered {
			return r.By
		}
	}
	return ""
}

func pinnedTo(h *evidence.Host) []string {
	for _, r := range h.Names {
		if r.By == pinnedBy(h) {
			return r.Addresses
		}
	}
	return nil
}

// exact is a step on the node without the commands that its home has no shell for.
func (s subject) exact(title, note, after string, commands ...string) Step {
	if s.node.Home == evidence.HomeTalos {
		commands = nil
	}
	return s.onNode(title, strings.TrimSpace(note), after, commands...)
}

// clip bounds what others wrote, for a title or a note.
func clip(text string) string {
	const most = 160
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}

func hostOnly(name string) string { h, _ := splitPort(name); return h }

// list3 names three and counts the rest.
func list3(all []string, none string) string {
	if len(all) == 0 {
		return none
	}
	text := strings.Join(all[:min(len(all), 3)], ", ")
	if more := len(all) - 3; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

var resolverSays = map[evidence.ResolveResult]string{evidence.NXDomain: "says that there is no such name", evidence.ServFail: "answers SERVFAIL", evidence.NoAddress: "has no address for it",
	evidence.DNSRefused: "refuses the question", evidence.DNSTimeout: "does not answer"}

// correctResolver names each resolver that failed, and those that did not.
func (s subject) correctResolver(h *evidence.Host) ([]Step, int) {
	var bad, good, cmds []string
	for _, r := range h.Names {
		server, _ := splitPort(r.By)
		switch {
		case r.By == "node" || strings.HasPrefix(r.By, "/"):
		case r.Result == evidence.Answered:
			good = append(good, r.By)
		case resolverSays[r.Result] != "" && !slices.ContainsFunc(bad, func(b string) bool { return strings.HasPrefix(b, r.By+" ") }):
			bad = append(bad, r.By+" "+resolverSays[r.Result])
			cmds = append(cmds, "nslookup "+operand(hostOnly(h.Name))+" "+operand(server))
		}
	}
	if len(bad) == 0 {
		return nil, 0
	}
	note := "A pull uses the node's resolvers, not the cluster's DNS."
	if len(good) > 0 {
		note += " Of the same node's, " + list3(good, "") + " has the name."
	} else if strings.Contains(bad[0], "no such name") {
		note += " A wrong host name gives the same answer: check its spelling."
	}
	return []Step{s.exact("Correct the resolver of "+s.where()+" for "+hostOnly(h.Name)+": "+list3(bad, ""), note+s.sentence(), "it prints an address", cmds[:min(len(cmds), 3)]...)}, 1
}

// openWay names the addresses that were tried.
func (s subject) openWay(h *evidence.Host) ([]Step, int) {
	var tried, cmds []string
	for _, a := range h.Addresses[:min(len(h.Addresses), 3)] {
		ip, port := splitPort(a.Address)
		tried = append(tried, a.Address)
		cmds = append(cmds, "nc -vz -w 5 "+operand(ip)+" "+quote(port), "ip route get "+operand(ip))
	}
	if len(tried) == 0 {
		return nil, 0
	}
	note := "Nothing listens there, or a firewall rejects."
	if h.Failure == evidence.FailedTimeout {
		note = "Packets are lost: a firewall, a security group, a missing route or NAT, or a proxy that this node needs and does not use."
	}
	return []Step{s.exact("Open the way from "+s.where()+" to "+list3(tried, "")+", which is "+h.Name+roleOf(h), note+s.sentence(), "nc connects", cmds...)}, 1
}

func roleOf(h *evidence.Host) string {
	switch h.Role {
	case evidence.RoleToken:
		return ", the token server of " + h.Via
	case evidence.RoleStorage:
		return ", to which " + h.Via + " sends for content: an allow-list needs both"
	case evidence.RoleMirror:
		return ", a mirror"
	}
	return ""
}

// correctConfig names the file and line, or the mirror and the file that names it.
func (s subject) correctConfig() ([]Step, int) {
	var file, title, note string
	switch p, h := s.sights.problem, s.sights.host; {
	case p != nil:
		file, title = p.File, fmt.Sprintf("Correct %s on %s: %s", at(p.File, p.Line), s.where(), clip(p.Text))
		if p.Effect == evidence.EffectBypassed {
			note = "The runtime ignores the whole file, with its mirrors and CAs, and only logs it."
		}
	case h.Role == evidence.RoleMirror:
		file = h.File
		title = "Repair the mirror " + h.Name + ", or take it out of " + cmp.Or(h.File, "the runtime's configuration") + " on " + s.where()
		note = strings.TrimSuffix(clip(h.Text), ".") + "."
		if h.Lies != "" {
			note = "It serves something else than the registry: " + clip(h.Lies) + "."
		}
	default:
		return nil, 0
	}
	var cmds []string
	instead := 0
	if generated := s.node.Home != "" && s.node.Home != evidence.HomeEKS; file != "" && !generated {
		cmds, instead = append([]string{"sudo cat -n " + quote(file), fmt.Sprintf(`sudo "${EDITOR:-vi}" %s`, quote(file))}, s.pullCommand()...), 1
	} else if generated && file != "" {
		note += " That file is written by the node's own distribution: correct it where that takes it from."
	}
	return []Step{s.exact(title, note+s.sentence(), "the same pull works from "+s.nodeName(), cmds...)}, instead
}

func at(file string, line int) string {
	if line > 0 {
		return fmt.Sprintf("%s, line %d,", file, line)
	}
	return file
}
