// Command lab starts, breaks, heals and ends the lab of package cluster.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
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
	var inside insideError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &inside):
		return inside.code
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "lab: interrupted; nothing is left of what was started")
		return 130
	}
	fmt.Fprintln(os.Stderr, "lab: "+err.Error())
	return 1
}

// insideError is the exit code of a command that ran on a node and has said itself what went wrong.
type insideError struct{ code int }

func (e insideError) Error() string { return fmt.Sprintf("exit status %d", e.code) }
