package diagnose

import (
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// nodeHasNone reports whether the node was looked at and has no credentials of its own for this image: neither from a
// provider nor from a docker config file.
func (v *view) nodeHasNone() bool {
	if v.seen == nil || len(v.seen.providers) == 0 {
		return false
	}
	for _, f := range v.seen.providers {
		p := f.Provider
		if p.Result != evidence.ProviderNone && (p.Matches != evidence.No || p.Near) {
			return false
		}
	}
	if k := v.seen.keyring; k != nil && (k.Keyring.Broken != "" || slices.ContainsFunc(k.Keyring.Entries, func(e evidence.KeyringEntry) bool { return e.Matches || e.Near })) {
		return false
	}
	// A docker config that could not be read may have them.
	return !slices.ContainsFunc(v.c.Gaps, func(g evidence.Gap) bool {
		return g.Vantage == evidence.Node && (strings.Contains(g.What, "docker config") || strings.Contains(g.What, "credential"))
	})
}

// noNodeCredentials is why a provider is out of the question.
func (v *view) noNodeCredentials() string {
	if slices.ContainsFunc(v.seen.providers, func(f *evidence.Fact) bool { return f.Provider.Result == evidence.ProviderNone }) {
		return v.nodeName() + " has neither a credential provider nor a docker config for it"
	}
	return "no credential provider of " + v.nodeName() + " is for this image, and no docker config"
}

// brokenProvider is the first of the node's providers that should have handed something out and did not; handed reports
// whether another did, or a docker config has something.
func (v *view) brokenProvider() (broken *evidence.Fact, handed bool) {
	for _, f := range v.seen.providers {
		switch p := f.Provider; p.Result {
		case evidence.ProviderMissing, evidence.ProviderForbidden, evidence.ProviderTimeout, evidence.ProviderFailed, evidence.ProviderMalformed, evidence.ProviderEmpty:
			if broken == nil && p.Matches != evidence.No {
				broken = f
			}
		case evidence.ProviderNotAsked:
			if broken == nil && p.Near {
				broken = f
			}
		case evidence.ProviderAnswered:
			handed = true
		}
	}
	if k := v.seen.keyring; k != nil {
		handed = handed || slices.ContainsFunc(k.Keyring.Entries, func(e evidence.KeyringEntry) bool { return e.Matches })
	}
	return broken, handed
}

// seenLogins is a pull that had nothing to offer because the node's own credentials failed unseen.
func (v *view) seenLogins(d *Diagnosis) bool {
	f, handed := v.brokenProvider()
	if f == nil || handed || v.podOffers() || !v.refusedNobody(d) {
		return false
	}
	p := f.Provider
	sure := Confirmed
	if p.Result == evidence.ProviderNotAsked || d.Cause == Unknown || !v.plainlyPrivate(d) {
		sure = Likely
	}
	was := d.Cause
	v.sight(d, ProviderFailed, sure, providerText(p), f)
	if sure != Confirmed {
		d.allow(without([]Code{was}, Unknown)...)
	}
	v.provider = clean(orElse(p.Name, p.Path), 60)
	v.forgetNodeGap(d)
	return true
}

// podOffers reports whether the kubelet has something of the pod's own to try first.
func (v *view) podOffers() bool { return v.matched() || len(v.unread()) > 0 }

// refusedNobody reports whether what was refused may have been a pull without credentials.
func (v *view) refusedNobody(d *Diagnosis) bool {
	switch d.Cause {
	case NoCredentials, DeniedOrMissing, ProviderFailed, Forbidden, SecretMissing, SecretMalformed:
		return d.Confidence != Confirmed || d.Cause == NoCredentials || d.Cause == DeniedOrMissing
	case Unknown:
		return v.asked != nil && v.asked.anonymous()
	}
	return false
}

// plainlyPrivate reports whether somebody saw the registry refuse nobody where it would tell a missing repository apart.
func (v *view) plainlyPrivate(d *Diagnosis) bool {
	if v.asked != nil && v.asked.blind == "" {
		return v.asked.anonymous() && v.asked.cause == NoCredentials
	}
	if f := v.seen.probe; f != nil {
		w := judge(f.Probe, v.now)
		return w.blind == "" && w.anonymous() && w.cause == NoCredentials
	}
	return v.plainlyAnonymous(d)
}

func providerText(p *evidence.Provider) string {
	name := short(orElse(p.Name, "a provider"), 50)
	switch p.Result {
	case evidence.ProviderMissing:
		return name + " is not there: " + short(p.Path, 70)
	case evidence.ProviderForbidden:
		return name + " may not be executed: " + short(p.Path, 60)
	case evidence.ProviderTimeout:
		return name + " did not answer in " + took(max(0, p.Took))
	case evidence.ProviderMalformed:
		return name + " prints no credential response"
	case evidence.ProviderEmpty:
		return name + " runs and hands out nothing" + strings.TrimSuffix(": "+short(orElse(p.Hint, p.Why), 80), ": ")
	case evidence.ProviderNotAsked:
		return name + " is not asked: " + short(orElse(p.Hint, p.Why), 90)
	}
	return name + " fails: " + short(p.Text, 90)
}

func (v *view) forgetNodeGap(d *Diagnosis) {
	d.Gaps = slices.DeleteFunc(d.Gaps, func(g evidence.Gap) bool { return g.What == nodeCredentialsGap })
}

// withProbe lets do speak of what the node was answered, where it would of what this machine was.
func (v *view) withProbe(do func()) {
	was := v.probe
	v.probe = v.seen.probe
	do()
	v.probe = was
}

// seenAnswer takes the registry's answer to the node itself: the same address, proxy and mirrors as the pull, and the
// node's own credentials, but never the pod's.
func (v *view) seenAnswer(d *Diagnosis) bool {
	if v.seen.probe == nil {
		return false
	}
	w := judge(v.seen.probe.Probe, v.now)
	own := w.login() != nil
	w.prefer(d.Cause)
	switch {
	case w.blind != "" || d.Cause == SecretMalformed && d.Confidence == Confirmed:
		return false
	case v.podOffers() && (stage(d.Cause) == stageAuth || w.served == nil && stage(w.cause) == stageAuth):
		return false // it is the pod's login that counts
	case w.served != nil:
		return v.servedThere(d, &w)
	case d.Confidence == Confirmed || d.Cause.Family() == "network" || stage(d.Cause) == stageNone && d.Cause != Unknown:
		return false
	case w.anonymous() && !own && !v.nodeHasNone():
		return false // what else the node may offer was not seen
	}
	v.answered(d, &w)
	return d.Confidence == Confirmed
}

// answered joins the node's own answer as that of a second vantage point.
func (v *view) answered(d *Diagnosis, w *answers) {
	before := d.Confidence
	v.withProbe(func() {
		if w.anonymous() {
			v.joinAnonymous(d, w)
		} else {
			v.compare(d, w)
		}
	})
	if v.asked == nil || v.asked.blind != "" {
		v.asked = w
	}
	if d.Confidence == Confirmed && before != Confirmed {
		v.sighted = true
		v.forgetNodeGap(d)
		d.Gaps = slices.DeleteFunc(d.Gaps, func(g evidence.Gap) bool {
			return g.Vantage == evidence.Registry && g.What == "what "+orElse(d.Reading.Registry, "the registry")+" answers"
		})
		if w.login() != nil && d.Cause.Family() == "auth" {
			v.onNode = true
		}
	}
}

// servedThere is a node that gets the image now.
func (v *view) servedThere(d *Diagnosis, w *answers) bool {
	now := stage(d.Cause) >= stageAuth || d.Cause.Family() == "network" || d.Cause.Family() == "registry"
	switch {
	case oneOf(d.Cause, Interrupted, Stalled, UnsupportedFormat), d.Cause == RateLimited && d.Confidence == Confirmed:
		return false
	case d.Cause == ContentMissing && !slices.ContainsFunc(w.served.Steps, func(s evidence.Step) bool { return s.Name == evidence.StepLayer }):
		return false
	case !now, slices.ContainsFunc(v.seen.hosts, func(f *evidence.Fact) bool {
		return f.Host.Role == evidence.RoleMirror && (f.Host.Shown || sameHost(f.Host.Name, d.Reading.Host))
	}): // what the pull meets is a mirror's
		return false
	}
	v.notNow(d, "to "+v.nodeName()+" itself: the pod only waits for its back-off", nil)
	v.withProbe(func() { d.cite(v.cite(v.text(w))) })
	d.ServedNow = true
	return true
}
