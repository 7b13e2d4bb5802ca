// Package lab runs the plugin against a real cluster that breaks image pulls:
// every case of test/cluster, and the stories that need an API server.
//
// The lab is started once for all tests. Where it cannot run, the tests are
// skipped by name; nothing else skips them.
package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/refloat-dev/refloat/cli"
	"github.com/refloat-dev/refloat/report"
	"github.com/refloat-dev/refloat/test/cluster"
)

var (
	capture = flag.Bool("capture", false, "save each case into ../cases/testdata")
	away    = flag.Duration("away", 5*time.Second, "how long the agents' API server is away in TestAgentFaults")
	running = flag.String("lab", "", "use the lab of this name, which is up, and leave it up")
)

// lab is the one that all tests share.
var lab *cluster.Lab

// name keeps the tests' lab apart from one that somebody works with.
const name = "test"

func TestMain(m *testing.M) {
	flag.Parse()
	// Cases wait for back-offs and silent connections, not for a processor.
	if err := flag.Set("test.parallel", "24"); err != nil {
		panic(err)
	}
	if err := cluster.Supported(); err != nil {
		skipAll(err)
		os.Exit(0)
	}
	os.Exit(withLab(m))
}

func withLab(m *testing.M) int {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	var err error
	if lab, err = openLab(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := lab.InstallAgent(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// What one test's registry refused is not another's: without a place for it, each run remembers for itself.
	if err := errors.Join(lab.SitDown(), os.Setenv("XDG_CACHE_HOME", os.DevNull)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if *running != "" {
		return code
	}
	if err := lab.Down(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "the lab did not end:", err)
		return 1
	}
	return code
}

func openLab(ctx context.Context) (*cluster.Lab, error) {
	if *running != "" {
		return cluster.Open(*running)
	}
	// A run that was killed may have left its lab, with whatever was broken then.
	if err := cluster.Down(ctx, name); err != nil {
		return nil, err
	}
	return cluster.Up(ctx, cluster.Config{Name: name, Nodes: 3, Progress: os.Stderr})
}

// skipAll names what is not run: a gate that skips must say what.
func skipAll(why error) {
	fmt.Println(why)
	cases := cluster.Cases()
	for _, c := range cases {
		fmt.Println("skipped: TestCases/" + c.Name)
	}
	fmt.Printf("%d of the lab's cases skipped, and every other test of this folder\n", len(cases))
}

// refloat runs the plugin as the lab's administrator.
func refloat(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = cli.Run(ctx, args, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	return code, out.String(), errs.String()
}

// why runs `why -o json` and parses the report.
func why(t *testing.T, args ...string) (int, report.Report) {
	t.Helper()
	code, stdout, stderr := refloat(t.Context(), append([]string{"why", "-o", "json"}, args...)...)
	if stderr != "" {
		t.Fatalf("why %s: exit %d: %s", strings.Join(args, " "), code, stderr)
	}
	var r report.Report
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatalf("why %s: %v\n%s", strings.Join(args, " "), err, stdout)
	}
	return code, r
}

// cleanup is a context for what must be done after a test's own has ended.
func cleanup(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// deadline is a context that ends as an interrupt would.
func deadline(t *testing.T, after time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	timer := time.AfterFunc(after, cancel)
	return ctx, func() { timer.Stop(); cancel() }
}
