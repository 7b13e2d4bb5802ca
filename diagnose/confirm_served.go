package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// joinServed is a registry that gives this machine what the node does not get: either it has changed since, or it is the
// node's side. Only what does not hang on the address counts as changed.
func (v *view) joinServed(d *Diagnosis, w *answers) {
	if v.spent(d, w) {
		return
	}
	fact := v.cite(v.text(w))
	wrong := v.otherPlatform(w.served)
	if d.allows(PlatformMismatch) && wrong != "" {
		w.cause = PlatformMismatch
		d.lead(PlatformMismatch, Confirmed)
		v.settleOn(d, w, []Code{PlatformMismatch})
		v.reason = wrong
		fact.Text += "; " + wrong
		d.because(fact)
		return
	}
	d.because(fact)
	switch {
	case d.Cause == Unknown:
		v.reason = "the registry serves it to this machine: look at " + v.nodeName() + ", or wait for the next attempt"
	case d.Cause.Family() == "network":
		v.nodeSide(d)
	case d.Cause == Unavailable || d.Cause == NotARegistry:
		v.servedNow(d, w)
	case v.unproved(d, w):
	case stage(d.Cause) >= stageAuth:
		v.servedNow(d, w)
	}
}

// unproved reports whether the walk did not go as far as what fails, or not with what the pod would use.
func (v *view) unproved(d *Diagnosis, w *answers) bool {
	switch {
	case d.Cause == PlatformMismatch && v.probe.Probe.Platform == "":
		v.notSeen(d, "no node says which platform to ask for")
	case d.Cause == ContentMissing && !slices.ContainsFunc(w.served.Steps, func(s evidence.Step) bool { return s.Name == evidence.StepLayer }):
		v.notSeen(d, "the layers were not asked for")
	case d.Cause == UnsupportedFormat:
		v.notSeen(d, "the layers were not unpacked")
	case stage(d.Cause) == stageAuth && w.login() == nil && len(v.unread()) > 0:
		v.unreadGaps(d)
	default:
		return false
	}
	return true
}

// servedNow is a cause that was there and is gone, unless the node asks with other credentials or another registry.
func (v *view) servedNow(d *Diagnosis, w *answers) {
	d.Confidence = Possible
	d.ServedNow = true
	auth := stage(d.Cause) == stageAuth
	switch {
	case d.allows(RegistryConfig) && d.Reading.Host != "" && d.Reading.Host != d.Reading.Registry:
		v.reason = "the node asked " + d.Reading.Host + ", which may be a mirror of its own"
	case auth && w.login() == nil && v.nodeMay() != "":
		d.allow(ProviderFailed)
		v.reason = "without credentials, while " + v.nodeName() + " may offer some of its own that are refused"
		v.nodeGap(d)
	case v.oneNode:
		d.allow(RegistryConfig)
		v.reason = "to this machine and to other nodes: " + v.nodeName() + " may have a mirror or credentials of its own"
	case auth && w.login() != nil:
		v.reason = with(w.login()) + ": the pod only waits for its back-off"
	default:
		v.reason = "the pod only waits for its back-off"
	}
}

// nodeSide is a node that does not reach what this machine reaches.
func (v *view) nodeSide(d *Diagnosis) {
	if d.Confidence == Confirmed {
		d.Confidence = Likely
	}
	for _, c := range []Code{Unavailable, NotARegistry} {
		d.dismiss(c, "the registry answers this machine")
	}
	if v.reason == "" { // the clock, the time that it has been silent, or another node's success say more
		v.reason = fmt.Sprintf("this machine reaches it: look at %s's network, proxy or CA", v.nodeName())
	}
}

func (v *view) nodeName() string { return orElse(v.c.Pull.Node, "the node") }

// spent is a pull limit that counts the account: whoever asks with the same login meets the same one. Docker Hub tells of it on HEAD too,
// which is free (TestLimits).
func (v *view) spent(d *Diagnosis, w *answers) bool {
	sure := Confirmed
	switch {
	case w.login() == nil, d.Cause != Unknown && !d.allows(RateLimited):
		return false
	case d.Cause == Unknown:
		sure = Likely
	}
	for i := range w.attempt.Steps {
		l := w.attempt.Steps[i].Limit
		if !ofAccount(l) || w.attempt.Steps[i].Status != 429 && !strings.HasPrefix(l.Remaining, "0;") && l.Remaining != "0" {
			continue
		}
		d.lead(RateLimited, sure)
		v.settleOn(d, w, []Code{RateLimited})
		v.reason = "the limit counts the account, " + limitOf(l)
		d.because(v.cite(fmt.Sprintf("%s, %s %s is told of a pull limit that counts the account: %s", v.from(), orElse(v.probe.Probe.Host, "the registry"), with(w.login()), limitOf(l))))
		return true
	}
	return false
}

func limitOf(l *evidence.RateLimit) string {
	return clean("limit "+orElse(l.Limit, "unknown")+", remaining "+orElse(l.Remaining, "unknown"), 100)
}

// joinLimited is a 429 to this machine, which says nothing of another address unless the limit is an account's.
func (v *view) joinLimited(d *Diagnosis, w *answers) {
	if v.spent(d, w) {
		return
	}
	v.notSeen(d, "it limits this machine or this login now: "+answer(w.step))
	d.because(v.cite(v.text(w)))
}

// joinLockedOut is a message of too many failed logins. No credential is tried then; that others are not limited there
// tells it from a limit of the registry.
func (v *view) joinLockedOut(d *Diagnosis, w *answers) {
	if !w.unlimited || !v.matched() {
		v.notSeen(d, orElse(w.blind, "it answers 429 without credentials too"))
		return
	}
	d.lead(LockedOut, Confirmed)
	d.dismiss(RateLimited, "without credentials the registry sets no limit: it is the login that is refused")
	if e := v.firstMatch(); e != nil {
		v.subject = e.Secret
	}
	text := v.from() + ", " + orElse(v.probe.Probe.Host, "the registry") + " answers without credentials and does not limit: what it refuses is the login"
	if v.probe.Probe.Withheld != "" {
		text += "; no credential was tried: " + v.probe.Probe.Withheld
	}
	d.because(v.cite(text))
}

// otherPlatform says that a manifest for one platform alone is another's than the node's. No runtime refuses it.
func (v *view) otherPlatform(a *evidence.Attempt) string {
	want := v.probe.Probe.Platform
	if a == nil || a.Found == nil || isIndex(a.Found.MediaType) || len(a.Found.Platforms) != 1 || want == "" {
		return ""
	}
	have := a.Found.Platforms[0]
	if samePlatform(have, want) {
		return ""
	}
	return clean(fmt.Sprintf("it is made for %s alone and is pulled on %s all the same: its program then fails with exec format error", have, want), maxProof)
}

// samePlatform compares system and architecture; variants and versions run or do not run on one another by rules of their own.
func samePlatform(a, b string) bool {
	system := func(s string) string {
		parts := strings.SplitN(strings.ToLower(s), "/", 3)
		return strings.Join(parts[:min(len(parts), 2)], "/")
	}
	cut := func(s string) string { s, _, _ = strings.Cut(s, ":"); return s }
	return system(cut(a)) == system(cut(b))
}
