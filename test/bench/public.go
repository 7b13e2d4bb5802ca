package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	registryv1 "github.com/google/go-containerregistry/pkg/v1"
)

const (
	publicImages = 200
	// checkLate is how long registries keep each answer back in the second comparison: a registry in the same region is about as far.
	checkLate = 50 * time.Millisecond
)

// publicHosts have an equal share of the images: one wants a token of everybody, the others ask nobody.
var publicHosts = []string{"hub.lab", "open.lab", "harbor.lab", "quay.lab", "nexus.lab"}

func publicImage(n int) string {
	return fmt.Sprintf("%s/public/tool-%03d:1.%d", publicHosts[n%len(publicHosts)], n, n%10)
}

// The programs of the comparison.
const (
	checkRun     = "kubectl refloat check"
	leanCheckRun = "kubectl refloat check --no-layers"
	craneRun     = "crane manifest, one after the other"
	craneManyRun = "crane manifest, xargs -P8"
)

var checkRuns = []string{checkRun, leanCheckRun, craneRun, craneManyRun}

// checked is what checking the public images took, at one delay.
type checked struct {
	late     time.Duration
	load     string
	medians  map[string]figures
	requests map[string]int
}

// stockPublic pushes the images: every second one an index for two platforms.
func (f *filler) stockPublic(ctx context.Context) error {
	return f.each(ctx, "public images", 0, publicImages, func(ctx context.Context, n int) error {
		ref := publicImage(n)
		images := map[string]registryv1.Image{}
		for _, arch := range []string{"amd64", "arm64"} {
			img, err := madeImage(ref, arch)
			if err != nil {
				return err
			}
			images[arch] = img
		}
		if n/len(publicHosts)%2 == 0 {
			return f.lab.Push(ctx, ref, images["amd64"])
		}
		_, err := pushIndex(ctx, f.lab, ref, images, "")
		return err
	})
}

// checkCommand is one of the programs; list is a file of the images.
func (b bench) checkCommand(name, list string) []string {
	check := []string{b.progs.refloat, "check", "--local", "--platform", "linux/amd64", "-o", "json"}
	switch name {
	case craneRun:
		return []string{"sh", "-c", `while read -r image; do "$0" manifest "$image" || exit 1; done <"$1"`, b.progs.crane, list}
	case craneManyRun:
		return []string{"xargs", "-a", list, "-n1", "-P8", b.progs.crane, "manifest"}
	case leanCheckRun:
		check = append(check, "--no-layers")
	}
	for n := range publicImages {
		check = append(check, publicImage(n))
	}
	return check
}

// public measures check beside crane.
func (b bench) public(ctx context.Context, by time.Duration) (checked, error) {
	c := checked{late: by, load: loadAverage(), medians: map[string]figures{}, requests: map[string]int{}}
	var list strings.Builder
	for n := range publicImages {
		list.WriteString(publicImage(n) + "\n")
	}
	file := filepath.Join(b.progs.dir, "images")
	if err := os.WriteFile(file, []byte(list.String()), 0o600); err != nil {
		return c, err
	}
	if err := b.pulls(ctx, file); err != nil {
		return c, err
	}
	if err := b.delay(ctx, by); err != nil {
		return c, err
	}
	runs := map[string][]figures{}
	for round := range b.rounds {
		for _, name := range checkRuns {
			f, log, err := b.measureAtDesk(ctx, 0, b.checkCommand(name, file)...)
			if err != nil {
				return c, err
			}
			fmt.Fprintf(os.Stderr, "bench: %d images, answers %s late, round %d: %-36s %6.2f s %5d MB, %d requests\n", publicImages, by, round+1, name, f.Wall.Seconds(), f.Peak>>20, len(log))
			runs[name], c.requests[name] = append(runs[name], f), len(log)
		}
	}
	for name, list := range runs {
		c.medians[name] = medians(list)
	}
	return c, b.delay(ctx, 0)
}

// pulls makes sure that check finds nothing wrong with any of the images, and that it looked at all.
func (b bench) pulls(ctx context.Context, file string) error {
	var report struct {
		Findings []struct{ Cause string }
		Checked  struct{ Pull []string }
	}
	command := b.checkCommand(checkRun, file)
	if err := b.answer(ctx, 0, &report, command[1:]...); err != nil {
		return err
	}
	slices.Sort(report.Checked.Pull)
	if n := len(slices.Compact(report.Checked.Pull)); n != publicImages || len(report.Findings) > 0 {
		return fmt.Errorf("check says that %d of %d images pull, and has %d findings", n, publicImages, len(report.Findings))
	}
	return nil
}
