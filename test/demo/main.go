// Command demo runs the main job: it breaks a dozen image pulls on the lab, a
// real cluster of its own, and lets `kubectl refloat why -A` explain them.
//
// With KUBECONFIG set it explains that cluster instead and breaks nothing. Where
// the lab cannot run it says so and replays a case that was saved from the lab.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/refloat-dev/refloat/cli"
	"github.com/refloat-dev/refloat/test/cluster"
)

// cases are the failures that the demo shows: one or two of each family, all of which show within seconds.
var cases = []string{
	"secret-missing", "expired-credentials", "denied-or-missing", "tag-not-found", "platform-mismatch", "content-missing",
	"dns-nxdomain", "tls-untrusted", "http-mismatch", "rate-limited", "unavailable", "never-pull", "registry-blocked", "crash-after-pull",
}

// saved is replayed where no lab can run.
const saved = "test/cases/testdata/secret-missing.txtar"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	if os.Getenv("KUBECONFIG") != "" {
		return why(ctx)
	}
	if err := cluster.Supported(); err != nil {
		fmt.Printf("%v\n\n", err)
		return replay(ctx)
	}
	lab, err := cluster.Up(ctx, cluster.Config{Name: "demo", Nodes: 2, Progress: os.Stderr})
	if err != nil {
		return err
	}
	err = onLab(ctx, lab)
	if down := lab.Down(context.WithoutCancel(ctx)); err == nil {
		err = down
	}
	if err == nil {
		fmt.Println("\nThe lab is down again. Keep one to try things on: test/cluster/lab up")
	}
	return err
}

// onLab breaks the cases, waits until each shows, and explains them.
func onLab(ctx context.Context, lab *cluster.Lab) error {
	// Without a place to remember refused credentials in, a second demo is like the first.
	if err := errors.Join(lab.SitDown(), os.Setenv("XDG_CACHE_HOME", os.DevNull)); err != nil {
		return err
	}
	for _, name := range cases {
		c, err := cluster.FindCase(name)
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "breaking  %-20s %s\n", c.Name, c.About)
		if err := lab.Break(ctx, c); err != nil {
			return err
		}
	}
	if err := settle(ctx); err != nil {
		return err
	}
	fmt.Printf("\n$ kubectl refloat why -A\n")
	return why(ctx)
}

// settle waits until the report stays the same for a while: every pull has then failed at least once.
func settle(ctx context.Context) error {
	fmt.Fprintln(os.Stderr, "waiting until every pull has failed …")
	last, since := "", time.Now()
	for until := time.Now().Add(2 * time.Minute); time.Now().Before(until) && time.Since(since) < 12*time.Second; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Second):
		}
		var out strings.Builder
		cli.Run(ctx, []string{"why", "-A", "--no-probe", "-o", "junit"}, cli.Streams{Out: &out, Err: io.Discard})
		if now := verdicts(out.String()); now != last {
			last, since = now, time.Now()
		}
	}
	return nil
}

// verdicts keeps the lines that name a finding.
func verdicts(junit string) string {
	var b strings.Builder
	for line := range strings.Lines(junit) {
		if strings.Contains(line, "<testcase") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// why explains a cluster; that it finds failures is what a demo is for.
func why(ctx context.Context) error {
	code := cli.Run(ctx, []string{"why", "-A"}, cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	if code != 0 && code != 3 && code != 4 {
		return fmt.Errorf("why ended with exit code %d", code)
	}
	return nil
}

func replay(ctx context.Context) error {
	archive, err := txtar.ParseFile(saved)
	if err != nil {
		return fmt.Errorf("run the demo from the repository's root, with make demo: %w", err)
	}
	for _, f := range archive.Files {
		if f.Name == "case.json" {
			fmt.Println("$ kubectl refloat replay case.json")
			cli.Run(ctx, []string{"replay", "-"}, cli.Streams{In: strings.NewReader(string(f.Data)), Out: os.Stdout, Err: os.Stderr})
			return nil
		}
	}
	return errors.New(saved + " holds no case.json")
}
