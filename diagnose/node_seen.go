package diagnose

import (
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// seen is what the failing node itself sees, one fact or some for each kind; nil where it was not asked.
type seen struct {
	hosts, providers                                                []*evidence.Fact
	config, runtime, downloads, pull, disk, content, probe, keyring *evidence.Fact
}

// isSeen keeps what the pull's own node says apart from what others say of it, and from what another node sees.
func (v *view) isSeen(f *evidence.Fact) bool {
	p := v.c.Pull
	return f.Vantage == evidence.Node && p.Node != "" && f.Where == p.Node && p.Kind != evidence.Planned
}

// keep sorts a fact of the node; of one kind the first counts. Payloads that only the API can tell are left out.
func (v *view) keep(f *evidence.Fact) {
	if !v.isSeen(f) {
		return
	}
	if v.seen == nil {
		v.seen = &seen{}
	}
	s := v.seen
	once := func(at **evidence.Fact) {
		if *at == nil {
			*at = f
		}
	}
	switch {
	case f.Host != nil:
		s.hosts = append(s.hosts, f)
	case f.Provider != nil:
		s.providers = append(s.providers, f)
	case f.RegistryConfig != nil:
		once(&s.config)
	case f.Runtime != nil:
		once(&s.runtime)
	case f.Downloads != nil:
		once(&s.downloads)
	case f.NodePull != nil:
		once(&s.pull)
	case f.Disk != nil:
		once(&s.disk)
	case f.Content != nil:
		if s.content != nil && f.Content.Hashed > s.content.Content.Hashed { // one that was hashed says more
			s.content = f
		}
		once(&s.content)
	case f.Probe != nil:
		once(&s.probe)
	case f.Keyring != nil:
		once(&s.keyring)
	}
}

// joinSeen lays what the node sees beside what the message says and the registry answers. The first check that has a say
// decides: a runtime that is down before what it would have done, the node's own faults before what anybody would meet.
func (v *view) joinSeen(d *Diagnosis) {
	if v.seen == nil {
		return
	}
	for _, look := range []func(*Diagnosis) bool{
		v.seenRuntime, v.seenStall, v.seenDisk, v.seenContent, v.seenConfig, v.seenPath, v.seenLogins, v.seenAnswer, v.seenPull,
	} {
		if look(d) {
			break
		}
	}
	v.exonerate(d)
}

// sight leads with what the node sees. Where that is confirmed, nothing else stays.
func (v *view) sight(d *Diagnosis, c Code, sure Confidence, reason string, facts ...*evidence.Fact) {
	was := d.Cause
	d.lead(c, sure)
	d.RuledOut = slices.DeleteFunc(d.RuledOut, func(r RuledOut) bool { return r.Cause == c })
	d.ServedNow, v.sighted = false, true
	v.reason = clean(reason, maxAnswer)
	d.cite(facts...)
	if sure != Confirmed {
		return
	}
	reasons := v.exclusions()
	for _, o := range slices.Clone(d.Candidates) {
		why := reasons[o.Cause]
		if why == "" {
			why = "what " + v.nodeName() + " itself sees is " + string(c)
		}
		d.dismiss(o.Cause, why)
	}
	if was != c && slices.Contains(symptoms[c], was) && !slices.Contains(d.Masks, was) {
		d.Masks = append(d.Masks, was)
	}
}

// beside tells of a second fault that the message does not tell of: it may be newer, and changes no verdict that is confirmed.
func (v *view) beside(d *Diagnosis, c Code, f *evidence.Fact) {
	d.cite(f)
	if d.Confidence == Confirmed || d.allows(c) {
		return
	}
	d.allow(c)
	if d.Cause != Unknown {
		d.Confidence = Possible
	}
}

// notNow is a fault that the message tells of and the node does not meet any more.
func (v *view) notNow(d *Diagnosis, reason string, f *evidence.Fact) {
	d.Confidence = Possible
	v.sighted = true
	v.reason = clean(reason, maxAnswer)
	d.cite(f)
}

// cite puts what the node sees right behind what decided.
func (d *Diagnosis) cite(facts ...*evidence.Fact) {
	for _, f := range slices.Backward(facts) {
		if f != nil && !slices.Contains(d.Because, f) {
			d.Because = slices.Insert(d.Because, min(1, len(d.Because)), f)
		}
	}
}

// sentenceOf is a copy of a node's fact with one sentence that bears on the verdict.
func sentenceOf(f *evidence.Fact, text string) *evidence.Fact {
	out := *f
	out.Text = clean(text, 2*maxRef)
	return &out
}

// seenRuntime: without its runtime a node pulls nothing, whatever the message of before says.
func (v *view) seenRuntime(d *Diagnosis) bool {
	f := v.seen.runtime
	if f == nil {
		return false
	}
	r := f.Runtime
	name := clean(strings.TrimSpace(orElse(r.Name, "the runtime")+" "+r.Version), 60)
	down := r.Answers == evidence.No || r.Images == evidence.No || r.Process == evidence.No && r.Answers != evidence.Yes
	if !down {
		if d.Cause != RuntimeUnavailable || r.Answers != evidence.Yes {
			return false
		}
		reason := name + " answers there at this moment"
		if !r.Since.IsZero() {
			reason += ", and runs since " + r.Since.UTC().Format("15:04 MST")
		}
		v.notNow(d, reason, f)
		return true
	}
	reason := clean(orElse(r.Text, name+" does not answer"), 100)
	switch stops := v.problem(evidence.EffectStops); {
	case stops != nil && (d.Cause == RuntimeUnavailable || d.Cause == Unknown || d.Cause == Stalled):
		sure := Likely
		if d.Cause == RuntimeUnavailable {
			sure = Confirmed
		}
		v.stopped = true
		v.sight(d, RegistryConfig, sure, "its runtime does not start with "+problemText(stops), v.configFact(stops), f)
		d.Masks = append(d.Masks, without([]Code{RuntimeUnavailable}, d.Masks...)...)
	case d.Cause == RuntimeUnavailable:
		v.sight(d, RuntimeUnavailable, Confirmed, reason, f)
	case d.Cause == Unknown || d.Cause == Stalled:
		v.sight(d, RuntimeUnavailable, Likely, reason, f)
	default:
		was := d.Cause
		v.sight(d, RuntimeUnavailable, Possible, reason+"; the message tells of something else", f)
		d.allow(was)
	}
	return true
}

// seenPull is a real pull through the runtime: the same words again say that it lasts, none that it is over.
func (v *view) seenPull(d *Diagnosis) bool {
	f := v.seen.pull
	if f == nil {
		return false
	}
	p := f.NodePull
	if p.OK {
		if v.matched() && stage(d.Cause) == stageAuth && p.Login == nil {
			return false
		}
		v.notNow(d, "a pull on "+v.nodeName()+" worked just now: the pod only waits for its back-off", f)
		d.ServedNow = true
		return true
	}
	r := Read(Text{Message: p.Text, Image: v.c.Pull.Image})
	switch {
	case r.Cause == Unknown:
	case d.Cause == Unknown:
		v.sight(d, r.Cause, r.Confidence, "a pull on "+v.nodeName()+" failed just now", f)
	case r.Cause != d.Cause && !d.allows(r.Cause):
		v.beside(d, r.Cause, f)
	}
	return false
}
