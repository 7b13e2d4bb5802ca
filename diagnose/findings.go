package diagnose

import (
	"cmp"
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// Findings diagnoses every case and groups them by root cause: the one that
// strands most pods first, then by key. Its clock is the collection's own. A planned image that is served makes none, nor
// does a suspect whose node shows nothing wrong.
func Findings(c *evidence.Collection) []Finding {
	byKey := map[string]*Finding{}
	seen := map[string]bool{}
	for i, one := range slices.Concat(c.Cases, c.Suspects) {
		if one == nil || seen[identity(one)] {
			continue
		}
		seen[identity(one)] = true
		if i >= len(c.Cases) {
			if d, ok := Suspected(one, c.ObservedAt); ok {
				group(byKey, d, one)
			}
			continue
		}
		if d := Diagnose(one, c.ObservedAt); !d.Served {
			group(byKey, d, one)
		}
	}
	out := make([]Finding, 0, len(byKey))
	for _, f := range byKey {
		out = append(out, *f)
	}
	reach := map[string]int{}
	for _, f := range out {
		reach[f.Key] = f.Pods()
	}
	slices.SortFunc(out, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(reach[b.Key], reach[a.Key]), cmp.Compare(a.Key, b.Key))
	})
	return out
}

// group adds a diagnosed case to the finding of its root cause.
func group(byKey map[string]*Finding, d Diagnosis, one *evidence.Case) {
	f := byKey[d.Key]
	if f == nil {
		byKey[d.Key] = &Finding{Diagnosis: d, Cases: []*evidence.Case{one}}
		return
	}
	f.Cases = append(f.Cases, one)
	if better(d, f.Diagnosis) {
		d, f.Diagnosis = f.Diagnosis, d
	}
	// What one case leaves open stays open for the finding that stands for it.
	for _, g := range d.Gaps {
		f.gap(g)
	}
	for _, c := range d.Candidates {
		f.allow(c.Cause)
	}
	f.RuledOut = slices.DeleteFunc(f.RuledOut, func(r RuledOut) bool { return f.allows(r.Cause) })
}

// better prefers the diagnosis that is surer and rests on more, so that a finding shows its best evidence.
func better(a, b Diagnosis) bool {
	rank := func(d Diagnosis) int {
		return slices.Index([]Confidence{Confirmed, Likely, Possible, NoConfidence}, d.Confidence)
	}
	if rank(a) != rank(b) {
		return rank(a) < rank(b)
	}
	return len(a.Because) > len(b.Because)
}

// Pods is how many different pods the finding strands.
func (f Finding) Pods() int {
	pods := map[string]bool{}
	for _, c := range f.Cases {
		pods[podIdentity(c)] = true
	}
	return len(pods)
}

func podIdentity(c *evidence.Case) string {
	if c.Pull.UID != "" {
		return c.Pull.UID
	}
	return strings.Join([]string{c.Pull.Namespace, c.Pull.Pod, c.Pull.Workload.Kind, c.Pull.Workload.Name}, "\x00")
}

func identity(c *evidence.Case) string {
	return strings.Join([]string{podIdentity(c), string(c.Pull.Kind), c.Pull.Container, c.Pull.Volume, c.Pull.Image, c.Pull.Platform}, "\x00")
}
