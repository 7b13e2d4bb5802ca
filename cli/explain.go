package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/docs/causes"
	"github.com/refloat-dev/refloat/report"
)

const explainLong = `Explain prints what a cause means, how it is known, and its fix.

With - it reads messages on standard input and classifies each: a line is the
text as it was printed, or a JSON object with "message" (and "id", "reason").`

const explainExample = `  kubectl refloat explain registry.rate-limited
  kubectl get events -A --field-selector reason=Failed \
    -o jsonpath='{range .items[*]}{.message}{"\n"}{end}' | kubectl refloat explain -
  kubectl refloat explain - -o jsonl < messages.jsonl`

// maxLine bounds one line of standard input, in bytes.
const maxLine = 32 << 20

func newExplain(s Streams) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:     "explain CODE | -",
		Short:   "Say what a cause means, or classify messages",
		Long:    explainLong + "\n\nThe codes:\n" + codeTable(),
		Example: explainExample,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("name one cause, or - to read messages; the codes are in: kubectl refloat explain --help", "explain takes one CODE or -, not %d", len(args))
			}
			return nil
		},
		ValidArgs: append(codeList(), "-"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkFormat(format, []string{"text", "jsonl"}); err != nil {
				return err
			}
			if args[0] == "-" {
				return explainLines(s, report.Format(format))
			}
			return explainCode(s.Out, args[0], format)
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "text", "format of what - classifies: text, jsonl")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "jsonl"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func explainCode(w io.Writer, code, format string) error {
	if format != "text" {
		return usage("leave -o out, or read messages with -", "a cause's page is text only")
	}
	page, ok := causes.Page(strings.ToLower(code))
	if !ok {
		return usage(similar(strings.ToLower(code)), "no cause has the code %q", code)
	}
	_, err := io.WriteString(w, page)
	return err
}

// similar names the causes of the same family, or all where the family is unknown.
func similar(code string) string {
	family, _, _ := strings.Cut(code, ".")
	var same []string
	for _, c := range codeList() {
		if strings.HasPrefix(c, family+".") {
			same = append(same, c)
		}
	}
	if len(same) == 0 {
		return "the codes are in: kubectl refloat explain --help"
	}
	return "there is " + strings.Join(same, ", ")
}

func codeList() []string {
	var out []string
	for _, c := range diagnose.Codes() {
		out = append(out, string(c))
	}
	return out
}

// explainLines classifies each line as it comes, so that it can stand in a pipe.
func explainLines(s Streams, format report.Format) error {
	var broken error
	lines := func(yield func(report.Line) bool) {
		in := bufio.NewReaderSize(s.In, 64<<10)
		for n := 1; broken == nil; n++ {
			line, err := readLine(in)
			if errors.Is(err, io.EOF) {
				return
			}
			if len(bytes.TrimSpace(line)) == 0 && err == nil {
				continue
			}
			if err != nil {
				broken = &userError{what: fmt.Sprintf("line %d: %v", n, err), do: "give one message a line", code: exitFailed, err: err}
				return
			}
			if !yield(readingOf(line)) {
				return
			}
		}
	}
	if err := report.WriteReadings(s.Out, format, lines, report.OptionsFor(s.Out)); err != nil {
		return err
	}
	return broken
}

// readLine gives one line without its end, and fails on one that is too long rather than cutting it.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLine:
			return nil, fmt.Errorf("longer than %d MiB", maxLine>>20)
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(line) > 0, err == nil:
			return bytes.TrimRight(line, "\r\n"), nil
		default:
			return nil, err
		}
	}
}

// readingOf takes a JSON object with a message, or else the raw text: a registry's error body is JSON too.
func readingOf(line []byte) report.Line {
	var given struct {
		ID      json.RawMessage `json:"id"`
		Message *string         `json:"message"`
		Reason  string          `json:"reason"`
	}
	if bytes.TrimSpace(line)[0] != '{' || json.Unmarshal(line, &given) != nil || given.Message == nil {
		return report.Line{Reading: diagnose.Read(diagnose.Text{Message: string(line)})}
	}
	return report.Line{ID: given.ID, Reading: diagnose.Read(diagnose.Text{Message: *given.Message, Reason: given.Reason})}
}

// codeTable lists the codes for the help, one family a paragraph, within 80 columns.
func codeTable() string {
	var b strings.Builder
	family, column := "", 0
	for _, c := range codeList() {
		f, _, _ := strings.Cut(c, ".")
		if f != family || column+len(c) > 76 {
			b.WriteString("\n ")
			column = 1
		}
		family = f
		b.WriteString(" " + c)
		column += len(c) + 1
	}
	return strings.TrimPrefix(b.String(), "\n")
}
