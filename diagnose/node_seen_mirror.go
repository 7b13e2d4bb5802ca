package diagnose

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// mirrorFails is a message about a mirror: the node's own configuration sends it there. Where the registry fails alike,
// it is no mirror's fault.
func (v *view) mirrorFails(d *Diagnosis, f *evidence.Fact) bool {
	c, registry := faultOf(f.Host), v.seen.role(evidence.RoleRegistry)
	var behind Code
	if registry != nil {
		behind = faultOf(registry.Host)
	}
	what := "its mirror " + short(f.Host.Name, 50) + " fails: " + hopText(f.Host)
	switch {
	case c == Unknown:
		return false
	case c == "":
		return v.answersNow(d, f)
	case registry != nil && behind == c:
		v.blameHost(d, registry, c, Confirmed)
		d.cite(f)
	case v.mirrorsAlone():
		v.sight(d, RegistryConfig, Confirmed, what, f, v.seen.config)
	case registry == nil: // it is asked too, and was not come to
		v.sight(d, RegistryConfig, Possible, what, f)
		d.allow(c)
	case behind != "" && behind != Unknown:
		v.sight(d, RegistryConfig, Possible, fmt.Sprintf("its mirror %s fails (%s), and then %s too (%s)", short(f.Host.Name, 40), c, short(registry.Host.Name, 40), behind), f, registry)
		d.allow(behind)
	default:
		v.sight(d, RegistryConfig, Possible, what, f)
		v.hiddenAnswer(d)
	}
	return true
}

// hiddenAnswer: containerd 1.7 prints a dead mirror's error in place of what the registry said (C17 core of docker/resolver.go);
// the node's own question says what that was.
func (v *view) hiddenAnswer(d *Diagnosis) {
	if v.seen.probe == nil {
		return
	}
	w := judge(v.seen.probe.Probe, v.now)
	if w.blind != "" || w.served != nil {
		return
	}
	d.allow(w.cause)
	v.withProbe(func() { d.because(v.cite(v.text(&w))) })
}

// lyingMirror is a mirror that serves other bytes than the registry.
func (v *view) lyingMirror(d *Diagnosis) bool {
	i := slices.IndexFunc(v.seen.hosts, func(f *evidence.Fact) bool { return f.Host.Role == evidence.RoleMirror && f.Host.Lies != "" })
	if i < 0 {
		return false
	}
	f := v.seen.hosts[i]
	reason := "its mirror " + short(f.Host.Name, 50) + " serves something else than the registry: " + short(f.Host.Lies, 80)
	switch served := v.asked != nil && v.asked.served != nil; {
	case d.Cause == CacheCorrupt && receivedWrong(d), served && stage(d.Cause) == stageImage:
		v.sight(d, RegistryConfig, Confirmed, reason, f, v.seen.config)
	case stage(d.Cause) == stageImage, stage(d.Cause) == stageName:
		v.beside(d, RegistryConfig, f)
		return false
	default:
		return false // a fault beside this one
	}
	return true
}

// onlyMirror is a node that asks a mirror alone, which does not have what the registry serves.
func (v *view) onlyMirror(d *Diagnosis) bool {
	if v.asked == nil || v.asked.served == nil || stage(d.Cause) < stageAuth || !v.mirrorsAlone() {
		return false
	}
	for _, f := range v.seen.hosts {
		// To a 401, 403 or 429 the runtime, with a login of its own, may get another answer than who looked without one.
		if h := f.Host; h.Role == evidence.RoleMirror && h.Shown && h.Answer != nil && (h.Answer.Status == 404 || h.Answer.Status >= 500) {
			v.sight(d, RegistryConfig, Confirmed, fmt.Sprintf("it asks %s alone, which answers %d, while the registry serves the image", short(h.Name, 60), h.Answer.Status), f, v.seen.config)
			return true
		}
	}
	return false
}

// mirrorsAlone reports whether the node asks its mirrors and never the registry: a registry that the look did not come to is no proof of that.
func (v *view) mirrorsAlone() bool {
	if v.seen.role(evidence.RoleRegistry) != nil || v.waysUnseen() {
		return false
	}
	return v.seen.config == nil || !slices.ContainsFunc(v.seen.config.RegistryConfig.Hosts, func(h evidence.ConfiguredHost) bool { return h.Role == evidence.RoleRegistry })
}

// servingMirror is a mirror that has the image, and is asked before the registry: that this cannot be reached, as at a site without a way
// out, keeps no pull from working.
func (v *view) servingMirror() *evidence.Fact {
	for _, f := range v.seen.hosts {
		h := f.Host
		if h.Role == evidence.RoleMirror && h.Fails == "" && h.Lies == "" && h.Answer != nil && h.Answer.Name == evidence.StepManifest && h.Answer.Status == 200 {
			return f
		}
	}
	return nil
}

// ignoredFile is a file for this registry that the runtime ignores, so that its mirrors were never asked: what the registry
// then says of the image would be true of a node that has no such file.
func (v *view) ignoredFile(d *Diagnosis) bool {
	p := v.problem(evidence.EffectBypassed)
	if p == nil || stage(d.Cause) != stageName && !oneOf(d.Cause, NoCredentials, DeniedOrMissing) {
		return false
	}
	if v.oneNode {
		v.sight(d, RegistryConfig, Confirmed, "it ignores "+problemText(p)+", and "+short(v.elsewhere.Elsewhere.Running[0], 40)+" runs the image", v.configFact(p))
		return true
	}
	d.allow(RegistryConfig)
	v.notNow(d, v.nodeName()+" ignores "+short(p.File, 60)+": no mirror in it was asked", v.configFact(p))
	return true
}

// seenConfig is a fault of the runtime's configuration that fails every pull from this registry.
func (v *view) seenConfig(d *Diagnosis) bool {
	p := v.problem(evidence.EffectFails)
	switch {
	case p == nil:
		return v.ignoredFile(d)
	case d.Cause == RegistryConfig || d.Cause != Unknown && stage(d.Cause) != stageName && !receivedWrong(d) && d.allows(RegistryConfig) && d.Confidence != Confirmed && d.Reading.Confidence != Likely:
		v.sight(d, RegistryConfig, Confirmed, problemText(p), v.configFact(p))
		return true
	case d.Cause == Unknown:
		v.sight(d, RegistryConfig, Likely, problemText(p), v.configFact(p))
		return true
	}
	v.beside(d, RegistryConfig, v.configFact(p))
	return false
}

// problem is the first fault of the configuration that has such an effect on this registry.
func (v *view) problem(e evidence.ConfigEffect) *evidence.ConfigProblem {
	if v.seen.config == nil {
		return nil
	}
	c := v.seen.config.RegistryConfig
	for i := range c.Problems {
		if p := &c.Problems[i]; p.Effect == e && v.bears(c, p) {
			return p
		}
	}
	return nil
}

// bears reports whether a fault is not in the file of another registry.
func (v *view) bears(c *evidence.RegistryConfig, p *evidence.ConfigProblem) bool {
	dir := path.Dir(p.File)
	if p.File == c.HostsFile || p.File == c.File || !slices.Contains(c.ConfigPath, path.Dir(dir)) {
		return true
	}
	registry := v.registryHost()
	name := strings.NewReplacer("_", ":").Replace(strings.TrimSuffix(path.Base(dir), "_"))
	return path.Base(dir) == "_default" || sameHost(path.Base(dir), registry) || sameHost(name, registry) || sameHost(path.Base(dir), c.Registry)
}

// configFact is the configuration's fact with the one fault that bears on the verdict.
func (v *view) configFact(p *evidence.ConfigProblem) *evidence.Fact {
	f := sentenceOf(v.seen.config, "on "+v.nodeName()+", "+placeText(p)+": "+p.Text)
	c := *f.RegistryConfig
	c.Problems = []evidence.ConfigProblem{*p}
	f.RegistryConfig = &c
	return f
}

func problemText(p *evidence.ConfigProblem) string {
	return short(placeText(p), 70) + ": " + short(p.Text, 80)
}

func placeText(p *evidence.ConfigProblem) string {
	if p.Line > 0 {
		return fmt.Sprintf("%s, line %d", p.File, p.Line)
	}
	return orElse(p.File, "its configuration")
}
