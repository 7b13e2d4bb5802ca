package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// agentTitle begins the part of the document that is about the agents.
const agentTitle = "## Asking a node's agent\n"

// The aims.
const (
	maxIdle   = 20 << 20
	maxAnswer = time.Second
)

// markdown is the part of the document.
func (a *askedAgents) markdown() string {
	var b strings.Builder
	of := ""
	if a.revision != "" {
		of = "; refloat " + a.revision
	}
	fmt.Fprintf(&b, "%s\nWritten by `go run ./test/bench -only agent -write`; %s%s.\n", agentTitle, a.machine, of)
	fmt.Fprintf(&b, "Kubernetes %s with real nodes, all on these cores; the agent as `deploy/agent` has it, with its limit of a quarter of a core.\n"+
		"Load average at the beginning: %s.\n", a.kubernetes, a.load)
	fmt.Fprintf(&b, "\n### From a NodeProbe's creation to its evidence\n\n%d NodeProbes in turn, all checks, about an image that the lab's registry serves and nothing times out for, asked\n"+
		"as `kubectl refloat node` asks. The floor answers at once and does not look: what is left is the API server's part.\n\n", len(a.turn))
	fmt.Fprintf(&b, "| who answers | p50 | p90 | p99 | longest |\n| --- | ---: | ---: | ---: | ---: |\n")
	turnRow(&b, "the agent", a.turn)
	turnRow(&b, "the floor", a.floor)
	fmt.Fprintf(&b, "\n### %s NodeProbes at once about one image on one node\n\nCreated by %d workers as fast as the API server takes them; looks are counted in the agent's log. Load average before: %s.\n\n", grouped(probesAtOnce), burstWorkers, a.burst.load)
	fmt.Fprintf(&b, "| created within | all answered within | looks | requests to the registry | of one look |\n| ---: | ---: | ---: | ---: | ---: |\n| %s | %s | %d | %d | %d |\n",
		secondsOf(a.burst.created), secondsOf(a.burst.done), a.burst.looks, a.burst.requests, a.burst.alone)
	fmt.Fprintf(&b, "\n### Memory of an idle agent\n\nAnonymous memory (`RssAnon`), from `/proc` on the nodes; afterwards is %s after the last answer. The NodeProbes were asked of the first node.\n\n| node | as installed | afterwards |\n| --- | ---: | ---: |\n", settledAfter)
	most := 0
	for _, n := range slices.Sorted(maps.Keys(a.later)) {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", n, mebibytes(a.fresh[n]), mebibytes(a.later[n]))
		most = max(most, a.fresh[n], a.later[n])
	}
	fmt.Fprintf(&b, "\n### Aims of asking a node's agent\n\n| aim | measured | |\n| --- | --- | --- |\n")
	p99 := percentile(a.turn, 99)
	writeAim(&b, "evidence within "+maxAnswer.String()+", p99", secondsOf(p99), p99 <= maxAnswer)
	writeAim(&b, fmt.Sprintf("%s NodeProbes for one image do the work once", grouped(probesAtOnce)), fmt.Sprintf("%d looks", a.burst.looks), a.burst.looks == 1)
	writeAim(&b, "anonymous memory ≤ "+mebibytes(maxIdle)+", idle", mebibytes(most), most <= maxIdle)
	return b.String()
}

func turnRow(b *strings.Builder, who string, took []time.Duration) {
	fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", who, secondsOf(percentile(took, 50)), secondsOf(percentile(took, 90)), secondsOf(percentile(took, 99)), secondsOf(took[len(took)-1]))
}

// percentile is of an ascending list: the least that so many of a hundred do not exceed.
func percentile(sorted []time.Duration, of int) time.Duration {
	return sorted[(len(sorted)*of+99)/100-1]
}

func secondsOf(d time.Duration) string { return fmt.Sprintf("%.3f s", d.Seconds()) }

func mebibytes(bytes int) string { return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20)) }
