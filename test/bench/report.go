package main

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// The aims that docs/benchmarks.md is held to.
const (
	maxRatio     = 2.0 // of the floor's time and of its memory
	maxGrowth    = 1.1 // of refloat's memory, from the fewest healthy pods to the most
	minPerSecond = 200_000
)

// report is everything that was measured.
type report struct {
	rounds     int
	machine    string
	kubernetes string
	revision   string
	classifier map[string]string
	stages     []stage
	out        strings.Builder
}

func newReport(ctx context.Context, rounds int) *report {
	return &report{rounds: rounds, machine: machine(), revision: revision(ctx)}
}

// revision is the commit that is measured. Without git, as in a tarball, the document does not say it.
func revision(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

func (r *report) printf(format string, args ...any) { fmt.Fprintf(&r.out, format, args...) }

// markdown is the document.
func (r *report) markdown() string {
	r.out.Reset()
	r.printf("# Benchmarks\n\nWritten by `go run ./test/bench -write` (`make bench` prints the same; `-only cluster` or `-only registry` measures one part and keeps the other), medians of %d rounds in which the programs ran in turn.\n\n", r.rounds)
	r.printf("- Machine: %s.\n- Cluster: Kubernetes %s, the lab's API server, with %d namespaces, a node for every %d pods, %d pods to a Deployment, two containers\n  to a pod; 2 %% of the pods cannot pull, for %d different causes, and 0.2 %% crash.\n",
		r.machine, r.kubernetes, namespaces, block/blockNodes, perWorkload, len(causes))
	if r.revision != "" {
		r.printf("- Refloat: %s, built as `make build` does.\n", r.revision)
	}
	r.printf("- `--no-probe` leaves the registries out, as all the others do; what asking them takes is below.\n- The floor: a client that pages through all pods, typed and in protobuf, 500 at a time, and keeps nothing.\n- Memory is the peak of the process (`ru_maxrss`); CPU is user and system time together.\n")
	for _, s := range r.stages {
		if !s.lean {
			r.size(s)
		}
	}
	r.growth()
	r.requests()
	r.messages()
	r.aims()
	return r.out.String()
}

func (r *report) size(s stage) {
	r.printf("\n## %s pods, %s of which cannot pull\n\n| program | time | of the floor's | peak memory | of the floor's | CPU |\n| --- | ---: | ---: | ---: | ---: | ---: |\n", grouped(s.pods), grouped(s.failing))
	floor := s.medians[floorRun]
	for _, name := range s.order {
		f := s.medians[name]
		shown := "`" + name + "`"
		if name == floorRun {
			shown = "the floor"
		}
		r.printf("| %s | %.2f s | %.2f | %s | %.2f | %.2f s |\n", shown, f.Wall.Seconds(), ratio(f.Wall, floor.Wall), megabytes(f.Peak), ratio(f.Peak, floor.Peak), f.CPU.Seconds())
	}
	var against []string
	for _, name := range s.order[2:] {
		f, own := s.medians[name], s.medians[refloatRun]
		against = append(against, fmt.Sprintf("`%s` takes %.1f times refloat's time and %.1f times its memory.", name, ratio(f.Wall, own.Wall), ratio(f.Peak, own.Peak)))
	}
	notes := append(append(against, s.leftOut...), "Load average at the beginning: "+s.load+".")
	r.printf("\n%s\n", strings.Join(notes, "\n"))
}

func (r *report) growth() {
	if len(r.stages) < 2 {
		return
	}
	r.printf("\n## Memory as the cluster grows\n\n| pods | of which cannot pull | refloat | the floor |\n| ---: | ---: | ---: | ---: |\n")
	for _, s := range r.stages {
		r.printf("| %s | %s | %s | %s |\n", grouped(s.pods), grouped(s.failing), megabytes(s.medians[refloatRun].Peak), megabytes(s.medians[floorRun].Peak))
	}
}

func (r *report) requests() {
	r.printf("\n## API requests of one run\n\n| resource |")
	var kinds []string
	for _, s := range r.stages {
		r.printf(" %s pods, %s failing |", grouped(s.pods), grouped(s.failing))
		for kind := range s.requests {
			if !slices.Contains(kinds, kind) {
				kinds = append(kinds, kind)
			}
		}
	}
	slices.Sort(kinds)
	r.printf("\n| --- |%s\n", strings.Repeat(" ---: |", len(r.stages)))
	for _, kind := range kinds {
		r.row(kind, func(s stage) int { return s.requests[kind] })
	}
	r.row("**all**", stage.asked)
	r.row("bound", func(s stage) int { return s.total() })
	r.printf("\nThe bound is pages of pods + namespaces, named pull secrets, service accounts and owners (ReplicaSets and Deployments) of failing\npods, each once, + %d for nodes: ", maxNodes)
	var parts []string
	for _, s := range r.stages {
		parts = append(parts, fmt.Sprintf("%d + %d + %d + %d + %d + %d", s.pages, s.namespaces, s.secrets, s.accounts, s.owners, s.nodes))
	}
	r.printf("%s.\n", strings.Join(parts, "; "))
}

func (r *report) row(name string, of func(stage) int) {
	r.printf("| %s |", name)
	for _, s := range r.stages {
		r.printf(" %d |", of(s))
	}
	r.printf("\n")
}

// asked is how many requests refloat made in all.
func (s stage) asked() int {
	n := 0
	for _, v := range s.requests {
		n += v
	}
	return n
}

func (r *report) messages() {
	r.printf("\n## The classifier\n\n`go test ./diagnose -run - -bench Read -cpu 1`: %s messages a second on one core, %s ns, %s B and %s allocations each.\n",
		grouped(int(number(r.classifier[perSecond]))), r.classifier["ns/op"], r.classifier["B/op"], r.classifier["allocs/op"])
}

// aims says which of the aims were met.
func (r *report) aims() {
	r.printf("\n## Aims\n\n| aim | measured | |\n| --- | --- | --- |\n")
	for _, s := range r.stages {
		own, floor := s.medians[refloatRun], s.medians[floorRun]
		at := fmt.Sprintf(", %s pods with %s failing", grouped(s.pods), grouped(s.failing))
		r.aim("time ≤ 2 × the floor's"+at, fmt.Sprintf("%.2f", ratio(own.Wall, floor.Wall)), ratio(own.Wall, floor.Wall) <= maxRatio)
		r.aim("memory ≤ 2 × the floor's"+at, fmt.Sprintf("%.2f", ratio(own.Peak, floor.Peak)), ratio(own.Peak, floor.Peak) <= maxRatio)
		r.aim(fmt.Sprintf("requests ≤ %d%s", s.total(), at), fmt.Sprint(s.asked()), s.asked() <= s.total())
	}
	// The second stage has more healthy pods than the first, and as many that fail.
	if len(r.stages) > 1 {
		g := ratio(r.stages[1].medians[refloatRun].Peak, r.stages[0].medians[refloatRun].Peak)
		r.aim(fmt.Sprintf("memory flat (≤ %.1f ×) from %s pods to %s, the same ones failing", maxGrowth, grouped(r.stages[0].pods), grouped(r.stages[1].pods)), fmt.Sprintf("%.2f", g), g <= maxGrowth)
	}
	r.aim("messages a second ≥ "+grouped(minPerSecond), grouped(int(number(r.classifier[perSecond]))), number(r.classifier[perSecond]) >= minPerSecond)
}

func (r *report) aim(what, got string, met bool) {
	writeAim(&r.out, what, got, met)
}

func ratio[T int | time.Duration](a, b T) float64 { return float64(a) / float64(b) }

func megabytes(bytes int) string { return grouped(bytes/1e6) + " MB" }

// grouped writes a number with its thousands apart.
func grouped(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
