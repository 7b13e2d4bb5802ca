// Score measures the text classifier against a file of labelled messages.
//
//	go run ./internal/score [-v] [-min-top1 PERCENT] [-max-wrong N] FILE
//
// Each line of FILE is a JSON object with message, cause and acceptable, and
// optionally reason. A line counts for top-1 where the answer is acceptable, as
// confidently wrong where it is not and was said to be likely or confirmed, and
// as abstained where it is unknown and unknown is not acceptable.
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/refloat-dev/refloat/diagnose"
)

type line struct {
	Message    string          `json:"message"`
	Reason     string          `json:"reason"`
	Cause      diagnose.Code   `json:"cause"`
	Acceptable []diagnose.Code `json:"acceptable"`
}

type tally struct{ lines, top1, wrong, abstained int }

func main() {
	verbose := flag.Bool("v", false, "print each miss")
	minTop1 := flag.Float64("min-top1", 0, "fail below this percentage")
	maxWrong := flag.Int("max-wrong", -1, "fail above this number of confidently wrong answers; -1 is no limit")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: score [-v] [-min-top1 PERCENT] [-max-wrong N] FILE")
		os.Exit(2)
	}
	total, err := run(os.Stdout, flag.Arg(0), *verbose)
	if err != nil {
		fmt.Fprintln(os.Stderr, "score:", err)
		os.Exit(1)
	}
	if percent(total.top1, total.lines) < *minTop1 || (*maxWrong >= 0 && total.wrong > *maxWrong) {
		os.Exit(1)
	}
}

func run(w io.Writer, path string, verbose bool) (tally, error) {
	f, err := os.Open(path)
	if err != nil {
		return tally{}, err
	}
	defer f.Close()
	var total tally
	families := map[string]*tally{}
	in := bufio.NewScanner(f)
	in.Buffer(nil, 16<<20)
	for n := 1; in.Scan(); n++ {
		if len(in.Bytes()) == 0 {
			continue
		}
		var l line
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			return tally{}, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		family := families[l.Cause.Family()]
		if family == nil {
			family = &tally{}
			families[l.Cause.Family()] = family
		}
		got := diagnose.Read(diagnose.Text{Message: l.Message, Reason: l.Reason})
		verdict := judge(l, got, &total, family)
		if verbose && verdict != "" {
			fmt.Fprintf(w, "line %d: %s: %s (%s), labelled %s %s\n\t%.300q\n", n, verdict, got.Cause, got.Confidence, l.Cause, l.Acceptable, l.Message)
		}
	}
	if err := in.Err(); err != nil {
		return tally{}, fmt.Errorf("%s: %w", path, err)
	}
	print(w, total, families)
	return total, nil
}

func judge(l line, got diagnose.Reading, counts ...*tally) string {
	accepted := append(slices.Clone(l.Acceptable), l.Cause)
	right := slices.Contains(accepted, got.Cause)
	sure := got.Confidence == diagnose.Likely || got.Confidence == diagnose.Confirmed
	verdict := ""
	for _, t := range counts {
		t.lines++
		switch {
		case right:
			t.top1++
		case got.Cause == diagnose.Unknown:
			t.abstained++
			verdict = "abstained"
		case sure:
			t.wrong++
			verdict = "confidently wrong"
		default:
			verdict = "missed"
		}
	}
	return verdict
}

func print(w io.Writer, total tally, families map[string]*tally) {
	fmt.Fprintf(w, "%-10s %6s %7s %6s %10s\n", "family", "lines", "top-1", "wrong", "abstained")
	row := func(name string, t tally) {
		fmt.Fprintf(w, "%-10s %6d %6.1f%% %6d %10d\n", name, t.lines, percent(t.top1, t.lines), t.wrong, t.abstained)
	}
	names := make([]string, 0, len(families))
	for name := range families {
		names = append(names, name)
	}
	slices.SortFunc(names, cmp.Compare[string])
	for _, name := range names {
		row(name, *families[name])
	}
	row("all", total)
}

func percent(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}
