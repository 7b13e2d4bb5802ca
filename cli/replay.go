package cli

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/refloat-dev/refloat/evidence"
)

const replayLong = `Replay renders what "collect" saved, without a cluster: the same diagnosis, byte
for byte, on any machine. FILE "-" is standard input.`

func newReplay(s Streams) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:     "replay FILE",
		Short:   "Render a saved case again, without a cluster",
		Long:    replayLong,
		Example: "  kubectl refloat collect > case.json\n  kubectl refloat replay case.json",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("give the file that `kubectl refloat collect` wrote, or - for standard input", "replay takes one FILE, not %d", len(args))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return replay(s, args[0], format) },
	}
	bindOutput(cmd, &format)
	return cmd
}

func replay(s Streams, file, format string) error {
	if err := checkFormat(format, formats); err != nil {
		return err
	}
	c, err := load(s.In, file)
	if err != nil {
		return err
	}
	return render(s.Out, format, diagnoseAll(c))
}

func load(stdin io.Reader, file string) (*evidence.Collection, error) {
	r := stdin
	if file != "-" {
		f, err := os.Open(file)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, usage("save one with: kubectl refloat collect > "+file, "no such file: %s", file)
		}
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	}
	c, err := evidence.Load(r)
	if err != nil {
		return nil, &userError{what: file + " is not a saved case: " + err.Error(), do: "save it again with: kubectl refloat collect > FILE", code: exitFailed, err: err}
	}
	return c, nil
}
