package report

import (
	"slices"
	"time"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/plan"
)

// Kind is the kind of a Report document.
const Kind = "Report"

// Report is everything that one run has to say.
type Report struct {
	APIVersion string           `json:"apiVersion"`
	Kind       string           `json:"kind"`
	ObservedAt time.Time        `json:"observedAt"`
	Scope      evidence.Scope   `json:"scope"`
	Cluster    evidence.Cluster `json:"cluster,omitzero"`
	Findings   []Finding        `json:"findings"`
	// Checked is what a check looked at; nil for a look at pods.
	Checked *Checked `json:"checked,omitempty"`
	// Crashes are no pull failures; they are here so that nobody takes them for one.
	Crashes []evidence.Crash `json:"crashes"`
	// Gaps concern the whole run.
	Gaps []evidence.Gap `json:"gaps"`
}

// Finding is one root cause, what it keeps from starting, and what to do.
type Finding struct {
	Cause      diagnose.Code        `json:"cause"`
	Confidence diagnose.Confidence  `json:"confidence"`
	Candidates []diagnose.Candidate `json:"candidates"`
	Summary    string               `json:"summary"`
	// Image is the first case's reference; Images are all of them.
	Image     string              `json:"image"`
	Images    []string            `json:"images"`
	Nodes     []string            `json:"nodes"`
	Workloads []evidence.Ref      `json:"workloads"`
	Pods      []Pod               `json:"pods"`
	Because   []Because           `json:"because"`
	RuledOut  []diagnose.RuledOut `json:"ruledOut"`
	Gaps      []evidence.Gap      `json:"gaps"`
	Masks     []diagnose.Code     `json:"masks"`
	Plan      plan.Plan           `json:"plan"`
	// ServedNow is set where the registry serves what it refused the node: the cause may be gone, and the pods only wait.
	ServedNow bool `json:"servedNow,omitempty"`
	// Planned is set where nothing runs the image yet: `check` asked about it.
	Planned bool `json:"planned,omitempty"`
	// Places are the lines of manifests that ask for a planned image, Platforms what it was asked for.
	Places    []evidence.Place `json:"places,omitempty"`
	Platforms []string         `json:"platforms,omitempty"`
}

// Pod is one container that cannot get its image.
type Pod struct {
	Namespace string                 `json:"namespace"`
	Name      string                 `json:"name"`
	UID       string                 `json:"uid,omitempty"`
	Container string                 `json:"container,omitempty"`
	Kind      evidence.ContainerKind `json:"kind,omitempty"`
	Node      string                 `json:"node,omitempty"`
	Image     string                 `json:"image,omitempty"`
}

// Because is one fact that a verdict rests on, and where it was seen.
type Because struct {
	Fact    string           `json:"fact"`
	Vantage evidence.Vantage `json:"vantage"`
	Where   string           `json:"where,omitempty"`
	Source  string           `json:"source,omitempty"`
	Time    time.Time        `json:"time,omitzero"`
}

// New joins a run's findings with their plans: plans[i] belongs to findings[i].
func New(c *evidence.Collection, findings []diagnose.Finding, plans []plan.Plan) Report {
	r := Report{
		APIVersion: evidence.APIVersion, Kind: Kind, ObservedAt: c.ObservedAt.UTC(),
		Scope: c.Scope, Cluster: c.Cluster, Findings: []Finding{}, Crashes: list(unexplained(c, findings)), Gaps: list(c.Gaps),
	}
	for i, f := range findings {
		out := newFinding(f)
		if i < len(plans) {
			out.Plan = plans[i]
		}
		r.Findings = append(r.Findings, out)
	}
	r.Checked = newChecked(c, r.Findings)
	return r
}

// unexplained are the crashes without the suspects that a finding is about.
func unexplained(c *evidence.Collection, findings []diagnose.Finding) []evidence.Crash {
	out := c.Crashes
	for _, one := range c.Suspects {
		if !slices.ContainsFunc(findings, func(f diagnose.Finding) bool { return slices.Contains(f.Cases, one) }) {
			continue
		}
		out = slices.DeleteFunc(slices.Clone(out), func(k evidence.Crash) bool {
			return k.Namespace == one.Pull.Namespace && k.Pod == one.Pull.Pod && k.Container == one.Pull.Container
		})
	}
	return out
}

func newFinding(f diagnose.Finding) Finding {
	out := Finding{
		Cause: f.Cause, Confidence: f.Confidence, Candidates: list(f.Candidates), Summary: f.Summary,
		Pods: []Pod{}, Because: []Because{}, RuledOut: list(f.RuledOut), Gaps: list(f.Gaps), Masks: list(f.Masks), Planned: len(f.Cases) > 0, ServedNow: f.ServedNow,
		Plan: plan.Plan{Steps: []plan.Step{}},
	}
	for _, fact := range f.Because {
		out.Because = append(out.Because, Because{
			Fact: fact.Text, Vantage: fact.Vantage, Where: fact.Where, Source: fact.Source, Time: fact.Time.UTC(),
		})
	}
	images, nodes, owners := set[string]{}, set[string]{}, set[evidence.Ref]{}
	places, platforms := set[evidence.Place]{}, set[string]{}
	for _, c := range f.Cases {
		p := c.Pull
		images.add(p.Image)
		nodes.add(p.Node)
		owners.add(p.Workload)
		platforms.add(p.Platform)
		for _, at := range c.Places {
			if at.Object.Kind != "" {
				at.Object.Namespace = p.Namespace
			}
			places.add(at)
			owners.add(at.Object)
		}
		out.Planned = out.Planned && p.Kind == evidence.Planned
		if p.Pod != "" {
			out.Pods = append(out.Pods, Pod{p.Namespace, p.Pod, p.UID, p.Container, p.Kind, p.Node, p.Image})
		}
	}
	out.Images, out.Nodes, out.Workloads = list(images.list), list(nodes.list), list(owners.list)
	out.Places, out.Platforms = places.list, platforms.list
	if len(out.Images) > 0 {
		out.Image = out.Images[0]
	}
	return out
}

// list is never null in JSON: a reader loops over it without asking whether it is there.
func list[T any](in []T) []T {
	if in == nil {
		return []T{}
	}
	return in
}

// set keeps what is distinct and not zero, in the order of arrival.
type set[T comparable] struct {
	seen map[T]bool
	list []T
}

func (s *set[T]) add(v T) {
	var zero T
	if v == zero || s.seen[v] {
		return
	}
	if s.seen == nil {
		s.seen = map[T]bool{}
	}
	s.seen[v] = true
	s.list = append(s.list, v)
}

// podNames are the distinct pods: one pod may have several containers that wait.
func (f Finding) podNames() []string {
	var names set[string]
	for _, p := range f.Pods {
		names.add(p.Namespace + "/" + p.Name)
	}
	return names.list
}
