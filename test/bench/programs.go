package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// programs are what is run, built for this run alone.
type programs struct{ root, dir, refloat, floor, measure, crane string }

// build builds the plugin as `make build` does, and the programs that go with it.
func build(ctx context.Context) (programs, error) {
	var p programs
	mod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return p, fmt.Errorf("go env GOMOD: %w", err)
	}
	p.root = filepath.Dir(strings.TrimSpace(string(mod)))
	if _, err := os.Stat(filepath.Join(p.root, "cmd", "kubectl-refloat")); err != nil {
		return p, fmt.Errorf("run the benchmark in refloat's repository: %w", err)
	}
	if p.dir, err = os.MkdirTemp("", "refloat-bench"); err != nil {
		return p, err
	}
	for pkg, path := range map[string]*string{"cmd/kubectl-refloat": &p.refloat, "test/bench/floor": &p.floor, "test/bench/measure": &p.measure} {
		*path = filepath.Join(p.dir, filepath.Base(pkg))
		if err := goBuild(ctx, p.root, *path, "./"+pkg); err != nil {
			return p, err
		}
	}
	p.crane = filepath.Join(p.dir, "crane")
	return p, goBuild(ctx, filepath.Join(p.root, "test", "bench", "crane"), p.crane, "github.com/google/go-containerregistry/cmd/crane")
}

func goBuild(ctx context.Context, dir, out, pkg string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, pkg)
	cmd.Dir, cmd.Env, cmd.Stderr = dir, append(os.Environ(), "CGO_ENABLED=0"), os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("building %s: %w", pkg, err)
	}
	return nil
}

// classifier runs the classifier's own benchmark on one core and returns its figures by unit, such as messages/s.
func classifier(ctx context.Context, root string) (map[string]string, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "./diagnose", "-run", "^$", "-bench", "^BenchmarkRead$", "-cpu", "1", "-benchtime", "2s", "-count", "3")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("the classifier's benchmark: %w\n%s", err, out)
	}
	best := map[string]string{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if !strings.HasPrefix(line, "BenchmarkRead") || len(fields) < 4 {
			continue
		}
		units := map[string]string{}
		for i := 2; i+1 < len(fields); i += 2 {
			units[fields[i+1]] = fields[i]
		}
		// The fastest of three: the others shared their core with something else.
		if number(units[perSecond]) > number(best[perSecond]) {
			best = units
		}
	}
	if number(best[perSecond]) == 0 {
		return nil, fmt.Errorf("the classifier's benchmark prints no %s:\n%s", perSecond, out)
	}
	return best, nil
}

const perSecond = "messages/s"
