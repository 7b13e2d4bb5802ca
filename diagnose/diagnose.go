package diagnose

import (
	"slices"
	"time"

	"github.com/refloat-dev/refloat/evidence"
)

const (
	// StalledAfter is when a pull that says nothing is possibly stalled: most pulls are over by then.
	StalledAfter = time.Minute
	// StalledSurely is when no slow link explains it any more: 20 minutes are 6 GB at 40 Mbit/s.
	StalledSurely = 20 * time.Minute
)

// Diagnose joins what the messages of a case say with what the registry answers and what else is known about it.
// It answers confirmed only where two vantage points agree: now is the case's time of observation.
func Diagnose(c *evidence.Case, now time.Time) Diagnosis {
	v := look(c, now)
	d := Diagnosis{Gaps: slices.Clone(c.Gaps)}
	deciding := v.decide(&d)
	if deciding != nil {
		d.Because = append(d.Because, v.proof(deciding, d.Reading))
	}
	d.Cause, d.Confidence, d.Candidates = d.Reading.Cause, d.Reading.Confidence, slices.Clone(d.Reading.Candidates)
	if c.Pull.Kind == evidence.Planned {
		v.planned(&d)
	} else {
		v.sharpen(&d)
		v.join(&d)
		v.joinSeen(&d)
	}
	v.findMasked(&d)
	v.addGaps(&d)
	d.settle()
	d.Summary = v.summary(&d)
	d.Key = v.key(&d)
	return d
}

// sharpen weighs the message against what else the API tells.
func (v *view) sharpen(d *Diagnosis) {
	if d.Cause == Unknown {
		v.silent(d)
	}
	v.storeDamaged(d)
	v.rootNode(d)
	switch d.Cause.Family() {
	case "auth":
		v.sharpenAuth(d)
	case "name":
		v.sharpenName(d)
	case "image":
		v.sharpenImage(d)
	case "network", "registry":
		v.sharpenNetwork(d)
	case "node":
		v.sharpenNode(d)
	}
}

// lead makes c the cause, with sure; what was there before stays behind it as possible.
func (d *Diagnosis) lead(c Code, sure Confidence) {
	d.Candidates = slices.DeleteFunc(d.Candidates, func(o Candidate) bool { return o.Cause == c || o.Cause == Unknown })
	d.Candidates = slices.Insert(d.Candidates, 0, Candidate{c, sure})
	d.Cause, d.Confidence = c, sure
}

// allow adds candidates that are not there yet.
func (d *Diagnosis) allow(codes ...Code) {
	for _, c := range codes {
		if !d.allows(c) {
			d.Candidates = append(d.Candidates, Candidate{c, Possible})
		}
	}
}

func (d *Diagnosis) allows(c Code) bool {
	return slices.ContainsFunc(d.Candidates, func(o Candidate) bool { return o.Cause == c })
}

// dismiss takes a candidate other than the cause away and says why.
func (d *Diagnosis) dismiss(c Code, why string) {
	if c == d.Cause {
		return
	}
	n := len(d.Candidates)
	d.Candidates = slices.DeleteFunc(d.Candidates, func(o Candidate) bool { return o.Cause == c })
	if len(d.Candidates) < n {
		d.RuledOut = append(d.RuledOut, RuledOut{c, why})
	}
}

func (d *Diagnosis) because(facts ...*evidence.Fact) {
	for _, f := range facts {
		if f != nil && !slices.Contains(d.Because, f) {
			d.Because = append(d.Because, f)
		}
	}
}

func (d *Diagnosis) gap(g evidence.Gap) {
	if !slices.ContainsFunc(d.Gaps, func(o evidence.Gap) bool { return o.What == g.What && o.Vantage == g.Vantage }) {
		d.Gaps = append(d.Gaps, g)
	}
}

// settle keeps the promise that the first candidate is the cause, that a likely cause has only possible ones behind it,
// and that nothing could change a confirmed one.
func (d *Diagnosis) settle() {
	if len(d.Candidates) == 0 {
		d.Candidates = []Candidate{{d.Cause, d.Confidence}}
	}
	d.Candidates[0] = Candidate{d.Cause, d.Confidence}
	for i := range d.Candidates[1:] {
		d.Candidates[i+1].Confidence = Possible
	}
	for i := range d.Gaps {
		d.Gaps[i].Deciding = d.Gaps[i].Deciding && d.Confidence != Confirmed
	}
}
