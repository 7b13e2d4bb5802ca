package nodeprobe

import (
	"github.com/refloat-dev/refloat/api/v1alpha1"
	"github.com/refloat-dev/refloat/evidence"
)

// How much of an answer is taken.
const (
	maxFacts = 200
	maxGaps  = 100
)

// answer is what the agent said, made safe; neither where it has not ended.
func (p *probe) answer() (*Answer, error) {
	s := &p.Status
	switch s.Phase {
	case v1alpha1.ProbeRefused:
		return nil, &RefusedError{evidence.Clean(s.Message)}
	case v1alpha1.ProbeDone:
	default:
		return nil, nil
	}
	out := &Answer{Agent: evidence.Clean(s.Agent)}
	if s.Evidence == nil {
		return out, nil
	}
	out.Cut = min(max(0, s.Evidence.Cut), 1<<30)
	for _, f := range s.Evidence.Facts {
		switch {
		case f == nil:
		case len(out.Facts) == maxFacts:
			out.Cut++
		default:
			out.Facts = append(out.Facts, seen(f, p.Spec.NodeName))
		}
	}
	for _, g := range s.Evidence.Gaps {
		if len(out.Gaps) == maxGaps {
			out.Cut++
			continue
		}
		evidence.EachText(&g, evidence.Clean)
		g.Vantage = evidence.Node
		out.Gaps = append(out.Gaps, g)
	}
	return out, nil
}

// seen is a fact as far as a node may claim it: what it says of the API, of secrets or of other nodes is left out.
func seen(f *evidence.Fact, node string) *evidence.Fact {
	out := &evidence.Fact{
		Text: f.Text, Vantage: evidence.Node, Where: node, Source: f.Source, Time: f.Time,
		Probe: f.Probe, Host: f.Host, RegistryConfig: f.RegistryConfig, Runtime: f.Runtime, Downloads: f.Downloads,
		NodePull: f.NodePull, Provider: f.Provider, Disk: f.Disk, Content: f.Content,
	}
	evidence.EachText(out, evidence.Clean)
	out.Vantage, out.Where = evidence.Node, node
	return out
}
