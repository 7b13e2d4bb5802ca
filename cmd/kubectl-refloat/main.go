// Command kubectl-refloat says why pods cannot pull their images.
//
// It is a kubectl plugin: with it on the PATH, `kubectl refloat` runs it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/refloat-dev/refloat/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Run(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	stop()
	os.Exit(code)
}
