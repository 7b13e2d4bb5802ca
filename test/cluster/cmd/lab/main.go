// Command lab starts, breaks, heals and ends the lab of package cluster.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

func main() {
	// A second Ctrl-C must not cut the cleaning up short, so signals stay caught to the end.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := root().ExecuteContext(ctx)
	os.Exit(exitCode(ctx, err))
}

func exitCode(ctx context.Context, err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		return exit.ExitCode()
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "lab: interrupted; nothing is left of what was started")
		return 130
	}
	fmt.Fprintln(os.Stderr, "lab: "+err.Error())
	return 1
}
