// Command refloat-agent sees what an image pull meets on its own node: by hand
// with probe, or resident with run, as deploy/agent has it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/refloat-dev/refloat/agent/command"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := command.Run(ctx, os.Args[1:], command.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	stop()
	os.Exit(code)
}
