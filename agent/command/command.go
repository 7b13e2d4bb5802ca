// Package command is refloat-agent's command line: run, probe and version.
//
// Flags become plain values here and nowhere else. It has no configuration
// file, and writes nothing but what it prints.
package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/refloat-dev/refloat/report"
)

// Streams are where a run reads and prints.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Exit codes, the plugin's.
const (
	exitFine        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitFailing     = 3
	exitCannotTell  = 4
	exitInterrupted = 130
)

const help = `refloat-agent sees what an image pull meets on this very node.

  refloat-agent probe IMAGE     look from here, and print what is wrong first
  refloat-agent probe           the node as a whole: runtime, disk, stored content
  refloat-agent run             stay, and answer NodeProbes (what the DaemonSet runs)
  refloat-agent version

probe needs no cluster: run it on the node as root, or over SSH. Each command
says more with --help.
`

// usageError is a wrong call: what is wrong, and what to do.
type usageError struct{ what, do string }

func (e *usageError) Error() string { return e.what }

// Run runs refloat-agent with args and gives its exit code.
func Run(ctx context.Context, args []string, s Streams) int {
	code, err := dispatch(ctx, args, s)
	var usage *usageError
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitFine
	case errors.As(err, &usage):
		fmt.Fprintf(s.Err, "error: %s\n%s\n", report.OneLine(usage.what), report.OneLine(usage.do))
		return exitUsage
	case ctx.Err() != nil && err != nil:
		fmt.Fprintln(s.Err, "error: interrupted")
		return exitInterrupted
	case err != nil:
		fmt.Fprintf(s.Err, "error: %s\n", report.OneLine(err.Error()))
		return exitFailed
	}
	return code
}

func dispatch(ctx context.Context, args []string, s Streams) (int, error) {
	if len(args) == 0 {
		return exitUsage, &usageError{"refloat-agent takes a command: run, probe or version", "see: refloat-agent --help"}
	}
	switch args[0] {
	case "run":
		return exitFine, runAgent(ctx, args[1:], s)
	case "probe":
		return probe(ctx, args[1:], s)
	case "version", "--version":
		fmt.Fprintln(s.Out, version())
		return exitFine, nil
	case "help", "-h", "-help", "--help":
		fmt.Fprint(s.Out, help)
		return exitFine, nil
	}
	return exitUsage, &usageError{fmt.Sprintf("there is no command %q", args[0]), "use run, probe or version; see: refloat-agent --help"}
}

// parse takes flags wherever they stand, and gives the other arguments.
func parse(f *flag.FlagSet, args []string, out io.Writer, text string) ([]string, error) {
	f.SetOutput(io.Discard)
	var rest []string
	for {
		if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(out, text+"\nFlags:\n")
			f.VisitAll(func(one *flag.Flag) {
				kind, usage := flag.UnquoteUsage(one)
				dashes := "--"
				if len(one.Name) == 1 {
					dashes = " -"
				}
				fmt.Fprintf(out, "  %s%-24s %s\n", dashes, strings.TrimSpace(one.Name+" "+kind), usage)
			})
			return nil, err
		} else if err != nil {
			return nil, &usageError{err.Error(), "see: refloat-agent " + f.Name() + " --help"}
		}
		args = f.Args()
		if len(args) == 0 {
			return rest, nil
		}
		rest, args = append(rest, args[0]), args[1:]
	}
}

// version is the module's version as the Go toolchain stamped it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
