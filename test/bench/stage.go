package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/test/cluster"
)

// figures are what one run of a program took, or the medians of several.
type figures struct {
	Wall time.Duration `json:"wall"`
	CPU  time.Duration `json:"cpu"`
	Peak int           `json:"peak"` // bytes
	Exit int           `json:"exit"`
}

// The programs that are measured, in the order of the table.
const (
	floorRun   = "floor"
	refloatRun = "kubectl refloat why -A --no-probe -o json"
	tableRun   = "kubectl get pods -A"
	jsonRun    = "kubectl get pods -A -o json"
)

// perPod is the memory that kubectl has been seen to take for each pod that it prints.
var perPod = map[string]int{tableRun: 80 << 10, jsonRun: 240 << 10}

var (
	all  = []string{floorRun, refloatRun, tableRun, jsonRun}
	lean = []string{floorRun, refloatRun}
)

// stage is what was measured at one filling of the lab.
type stage struct {
	bound
	lean     bool // without kubectl
	order    []string
	medians  map[string]figures
	requests map[string]int
	load     string
	leftOut  []string // what was not measured, and why
}

// spare leaves out the programs that would take most of the memory there is, upon which the system ends whichever program
// it likes.
func (s *stage) spare(available int) {
	s.order = slices.DeleteFunc(s.order, func(name string) bool {
		need := s.pods * perPod[name]
		if need <= available/4*3 {
			return false
		}
		s.leftOut = append(s.leftOut, fmt.Sprintf("`%s` is left out: it would take about %s, and %s were free.", name, megabytes(need), megabytes(available)))
		return true
	})
}

type bench struct {
	lab    *cluster.Lab
	progs  programs
	rounds int
}

// stage measures each of the programs and counts refloat's requests.
func (b bench) stage(ctx context.Context, r *report, limit bound, order []string) error {
	s := stage{bound: limit, lean: len(order) == len(lean), order: slices.Clone(order), medians: map[string]figures{}, load: loadAverage()}
	s.spare(available())
	var err error
	if s.requests, err = b.check(ctx, limit); err != nil {
		return err
	}
	runs := map[string][]figures{}
	// The first run of each kind warms kubectl's discovery cache and the API server, and does not count.
	for _, warm := range [][]string{{b.kubectl(), "get", "namespaces"}, b.command(floorRun)} {
		if _, err := b.measure(ctx, warm, 0); err != nil {
			return err
		}
	}
	for round := range b.rounds {
		for _, name := range s.order {
			exit := 0
			if name == refloatRun && limit.failing > 0 {
				exit = 3
			}
			f, err := b.measure(ctx, b.command(name), exit)
			if err != nil {
				return err
			}
			fmt.Fprintf(os.Stderr, "bench: %d pods, round %d: %-32s %6.2f s %5d MB, %.2f s of CPU\n", limit.pods, round+1, name, f.Wall.Seconds(), f.Peak>>20, f.CPU.Seconds())
			runs[name] = append(runs[name], f)
		}
	}
	for name, list := range runs {
		s.medians[name] = medians(list)
	}
	r.stages = append(r.stages, s)
	return nil
}

func (b bench) kubectl() string { return filepath.Join(b.lab.Bin(), "kubectl") }

func (b bench) command(name string) []string {
	switch name {
	case floorRun:
		return []string{b.progs.floor}
	case refloatRun:
		return []string{b.progs.refloat, "why", "-A", "--no-probe", "-o", "json"}
	}
	return append([]string{b.kubectl()}, strings.Fields(name)[1:]...)
}

// environment has nothing of the caller's that changes what is measured; kubectl keeps its discovery cache below HOME.
func (b bench) environment(kubeconfig string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + b.progs.dir, "KUBECONFIG=" + kubeconfig}
}

// measure runs a program and expects an exit code of it.
func (b bench) measure(ctx context.Context, command []string, exit int) (figures, error) {
	var f figures
	var errs bytes.Buffer
	cmd := exec.CommandContext(ctx, b.progs.measure, command...)
	cmd.Env, cmd.Stderr = b.environment(b.lab.Kubeconfig()), &errs
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &f)
	}
	if err == nil && f.Exit != exit {
		err = fmt.Errorf("exit code %d, not %d", f.Exit, exit)
	}
	if err != nil {
		return f, fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, errs.String())
	}
	return f, nil
}

// medians takes each figure's own median.
func medians(runs []figures) figures {
	middle := func(of func(figures) int64) int64 {
		var list []int64
		for _, f := range runs {
			list = append(list, of(f))
		}
		slices.Sort(list)
		return (list[(len(list)-1)/2] + list[len(list)/2]) / 2
	}
	return figures{
		Wall: time.Duration(middle(func(f figures) int64 { return int64(f.Wall) })),
		CPU:  time.Duration(middle(func(f figures) int64 { return int64(f.CPU) })),
		Peak: int(middle(func(f figures) int64 { return int64(f.Peak) })),
	}
}
