package diagnose

import (
	"fmt"
	"slices"

	"github.com/refloat-dev/refloat/evidence"
)

// planned judges an image that nothing runs yet. There is no message: the registry's answer is all there is,
// so that what depends on who asks from where leaves the cause unknown.
func (v *view) planned(d *Diagnosis) {
	if !wellFormed(v.c.Pull.Image) {
		d.lead(InvalidReference, Likely)
		return
	}
	if v.brokenRing(d) {
		return
	}
	if v.probe == nil {
		v.cannotSay(d, "it was not asked")
		return
	}
	w := judge(v.probe.Probe, v.now)
	v.asked = &w
	switch {
	case w.blind != "":
		v.cannotSay(d, w.blind)
	case v.spent(d, &w):
	case w.served != nil && w.login() == nil && len(v.unread()) > 0:
		v.reason = "a pull secret that could not be read may be tried in its place"
		v.unreadGaps(d)
		d.because(v.cite(v.text(&w)))
	case w.served != nil:
		v.fits(d, &w)
	case w.cause == RateLimited || w.cause == LockedOut || positional(w.cause):
		v.cannotSay(d, "it limits or blocks this machine, which says nothing about a node: "+answer(w.step))
	case w.anonymous():
		v.plannedAnonymous(d, &w)
	default:
		d.lead(w.cause, Likely)
		v.settleOn(d, &w, append([]Code{w.cause}, w.also...))
		d.because(v.cite(v.text(&w)))
	}
}

// plannedAnonymous is a registry that wants credentials where the namespace's secrets have none.
func (v *view) plannedAnonymous(d *Diagnosis, w *answers) {
	fact := v.cite(v.text(w))
	p := v.pullSecrets()
	switch near := v.nearMiss(); {
	case near != nil:
		v.malformed(d, w, near)
	case v.nodeMay() != "":
		v.reason = clean("no pull secret matches, and a node may have its own credentials: "+v.nodeMay(), 130)
		v.nodeGap(d)
	case len(v.unread()) > 0:
		v.reason = "no pull secret that could be read matches"
		v.unreadGaps(d)
	case len(p.broken) > 0:
		v.useless(d, w, p.broken, SecretMalformed)
	case len(p.missing) > 0:
		v.useless(d, w, p.missing, SecretMissing)
	default:
		v.noneOffered(d, w)
	}
	d.because(fact)
	d.because(p.missing...)
}

// useless leads with secrets of which nothing can be offered. It stays one cause of two where another secret of the
// pod may have been meant to serve, or where the registry may be hiding that there is nothing to pull.
func (v *view) useless(d *Diagnosis, w *answers, secrets []*evidence.Fact, c Code) {
	sure := Likely
	if w.cause == DeniedOrMissing || len(secrets) < len(v.pullSecrets().named) {
		sure = Possible
	}
	v.blame(d, secrets, c, sure)
	if sure == Likely {
		d.Masks = append(d.Masks, w.cause)
	} else {
		d.allow(w.cause)
	}
	if v.reason == "" {
		v.reason = "without credentials " + orElse(d.Reading.Registry, "the registry") + " does not give the image"
	}
}

// cannotSay leaves the cause unknown.
func (v *view) cannotSay(d *Diagnosis, why string) {
	v.notSeen(d, why)
	v.reason = clean(why, 110)
	if v.probe != nil && len(d.Because) == 0 && v.asked.step != nil {
		d.because(v.cite(v.text(v.asked)))
	}
}

// fits is an image that is served: what is left is whether a node has room for it.
func (v *view) fits(d *Diagnosis, w *answers) {
	need, short := v.cramped()
	if len(short) == 0 || len(short) < v.roomKnown() {
		d.Served = true
		d.Cause, d.Confidence, d.Candidates = "", "", nil
		return
	}
	d.lead(DiskFull, Possible)
	v.reason = fmt.Sprintf("at least %s, compressed and unpacked, and %s has %s free", evidence.Size(need), short[0].Name, evidence.Size(short[0].ImageFS.Available))
	if len(short) > 1 {
		v.reason += fmt.Sprintf(" (%d nodes have too little)", len(short))
	}
	d.because(v.cite(v.text(w)))
	for _, f := range v.nodes {
		if slices.Contains(short, f.NodeState) {
			d.because(f)
		}
	}
}

// cramped are the nodes whose image filesystem is too small for the image as it is sent and about as much again
// unpacked, which is the least that it takes; the kubelet may still make room by removing unused images.
func (v *view) cramped() (need uint64, short []*evidence.NodeState) {
	if v.probe == nil || v.probe.Probe.Size <= 0 {
		return 0, nil
	}
	need = 2 * uint64(v.probe.Probe.Size)
	for _, f := range v.nodes {
		if n := f.NodeState; n.ImageFS != nil && n.ImageFS.Capacity > 0 && n.ImageFS.Available < need {
			short = append(short, n)
		}
	}
	return need, short
}

func (v *view) roomKnown() int {
	n := 0
	for _, f := range v.nodes {
		if f.NodeState.ImageFS != nil && f.NodeState.ImageFS.Capacity > 0 {
			n++
		}
	}
	return n
}
