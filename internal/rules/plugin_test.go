package rules

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const plugin = "../../cmd/kubectl-refloat"

// TestPluginDependencies holds the modules that end up in the plugin to a list, so that a new one is seen in review.
func TestPluginDependencies(t *testing.T) {
	t.Parallel()
	out := run(t, nil, "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", plugin)
	seen := map[string]bool{}
	var modules []string
	for line := range strings.Lines(out) {
		path := strings.TrimSpace(line)
		if path == "" || seen[path] {
			continue
		}
		seen[path] = true
		modules = append(modules, path)
		if strings.Contains(path, "controller-runtime") || path == "k8s.io/kubernetes" {
			t.Errorf("the plugin depends on %s", path)
		}
	}
	slices.Sort(modules)
	golden(t, "testdata/plugin-modules.golden", strings.Join(modules, "\n")+"\n")
}

// TestPluginSize fails when the plugin grows or shrinks by more than 3 %, so that it does so on purpose.
func TestPluginSize(t *testing.T) {
	t.Parallel()
	size(t, plugin, "testdata/plugin-size.golden")
}

// TestPluginBuildsElsewhere compiles the plugin for the systems that kubectl runs on.
func TestPluginBuildsElsewhere(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"} {
		t.Run(target, func(t *testing.T) {
			goos, goarch, _ := strings.Cut(target, "/")
			run(t, []string{"CGO_ENABLED=0", "GOOS=" + goos, "GOARCH=" + goarch}, "go", "build", "-trimpath", "-o", os.DevNull, plugin)
		})
	}
}

// size holds a program's size, built as it is shipped, to a file.
func size(t *testing.T, program, file string, flags ...string) {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "program")
	args := slices.Concat([]string{"build", "-trimpath", "-ldflags=-s -w"}, flags, []string{"-o", bin, program})
	run(t, []string{"CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64"}, "go", args...)
	info, err := os.Stat(bin)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		golden(t, file, fmt.Sprintf("%d\n", info.Size()))
		return
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want, err := strconv.ParseInt(strings.TrimSpace(string(raw)), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if diff := info.Size() - want; diff*100 > want*3 || diff*100 < -want*3 {
		t.Errorf("%s has %d bytes, %s says %d; run with -update if that is meant", filepath.Base(program), info.Size(), file, want)
	}
}

func run(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// golden compares got with the file, or writes it under -update.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); run with -update if that is meant:\n%s", file, diff)
	}
}
