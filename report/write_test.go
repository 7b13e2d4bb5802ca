package report_test

import (
	"encoding/json"
	"encoding/xml"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/report"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got; -update rewrites it):\n%s", file, diff)
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for _, s := range scenes() {
		for _, format := range report.Formats() {
			if s.name == "many-pods" && format != report.Text && format != report.Markdown {
				continue // its JSON lists all 300
			}
			if s.name == "hostile" && format != report.Text {
				continue // a megabyte; TestSafe looks at it
			}
			t.Run(s.name+"-"+string(format), func(t *testing.T) {
				t.Parallel()
				got, err := render(format, s.report(), report.Options{})
				if err != nil {
					t.Fatal(err)
				}
				golden(t, s.name+"."+string(format), got)
				again, _ := render(format, s.report(), report.Options{})
				if again != got {
					t.Error("the same input prints differently the second time")
				}
			})
		}
	}
}

func TestColour(t *testing.T) {
	t.Parallel()
	s := scenes()[2]
	plain, _ := render(report.Text, s.report(), report.Options{})
	coloured, _ := render(report.Text, s.report(), report.Options{Colour: true})
	golden(t, "one.coloured", coloured)
	if strings.Contains(plain, "\x1b") {
		t.Error("colour without being asked")
	}
	for _, code := range []string{"\x1b[1m", "\x1b[1;31m", "\x1b[36m", "\x1b[2m", "\x1b[0m"} {
		coloured = strings.ReplaceAll(coloured, code, "")
	}
	if diff := cmp.Diff(plain, coloured); diff != "" {
		t.Errorf("colour changes the text:\n%s", diff)
	}
}

// TestWidth allows a longer line only where its last word alone does not fit.
func TestWidth(t *testing.T) {
	t.Parallel()
	for _, s := range scenes() {
		for _, columns := range []int{60, 80, 120} {
			got, err := render(report.Text, s.report(), report.Options{Width: columns})
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range strings.Split(got, "\n") {
				n := columnsOf(line)
				words := strings.Fields(strings.TrimSuffix(line, `\`))
				if n > columns && !unbreakable(words) {
					t.Errorf("%s at %d: %d columns: %s", s.name, columns, n, line)
				}
			}
		}
	}
}

// columnsOf counts what takes a column: combining marks do not.
func columnsOf(line string) int {
	n := 0
	for _, r := range line {
		if !unicode.Is(unicode.M, r) {
			n++
		}
	}
	return n
}

// unbreakable tells a line that is one word, alone or after a list mark or a field's name, or one quoted argument.
func unbreakable(words []string) bool {
	line := strings.Join(words, " ")
	return len(words) <= 2 || strings.HasPrefix(line, "'") || strings.HasPrefix(line, "$'") || strings.HasPrefix(line, `"`) ||
		strings.HasPrefix(line, "object") || strings.Contains(line, "\\033")
}

// TestSafe lets nothing through that drives a terminal, in any format.
func TestSafe(t *testing.T) {
	t.Parallel()
	s := scenes()[5]
	for _, format := range report.Formats() {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			got, err := render(format, s.report(), report.Options{})
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range got {
				if r != '\n' && r != utf8.RuneError && !unicode.IsPrint(r) {
					t.Fatalf("%U at byte %d: %q", r, i, got[max(0, i-40):i+1])
				}
			}
			if format != report.JSON && format != report.YAML && len(got) > 100_000 {
				t.Errorf("%d bytes for a message of a megabyte", len(got))
			}
		})
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	for _, s := range scenes() {
		got, err := render(report.JSON, s.report(), report.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var back report.Report
		if err := json.Unmarshal([]byte(got), &back); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if s.name == "hostile" {
			continue // broken UTF-8 cannot come back
		}
		if diff := cmp.Diff(s.report(), back); diff != "" {
			t.Errorf("%s: JSON loses something:\n%s", s.name, diff)
		}
	}
}

func TestYAML(t *testing.T) {
	t.Parallel()
	for _, s := range scenes() {
		got, err := render(report.YAML, s.report(), report.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var back report.Report
		if err := yaml.UnmarshalStrict([]byte(got), &back); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if len(back.Findings) != len(s.findings) {
			t.Errorf("%s: %d findings", s.name, len(back.Findings))
		}
	}
}

// TestSARIF looks for what the schema requires: version, runs, tool.driver.name, message.text; indexes that point somewhere.
func TestSARIF(t *testing.T) {
	t.Parallel()
	for _, s := range scenes() {
		got, err := render(report.SARIF, s.report(), report.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var log struct {
			Version string `json:"version"`
			Schema  string `json:"$schema"`
			Runs    []struct {
				Tool struct {
					Driver struct {
						Name  string
						Rules []struct{ ID string }
					}
				}
				Results []struct {
					RuleID    string
					RuleIndex int
					Level     string
					Message   struct{ Text string }
				}
			}
		}
		if err := json.Unmarshal([]byte(got), &log); err != nil {
			t.Fatal(err)
		}
		if log.Version != "2.1.0" || log.Schema == "" || len(log.Runs) != 1 || log.Runs[0].Tool.Driver.Name == "" || log.Runs[0].Results == nil {
			t.Errorf("%s: %.300s", s.name, got)
		}
		for _, r := range log.Runs[0].Results {
			if log.Runs[0].Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID || r.Message.Text == "" || r.Level != "error" && r.Level != "warning" {
				t.Errorf("%s: result %+v", s.name, r)
			}
		}
	}
}

func TestJUnit(t *testing.T) {
	t.Parallel()
	for _, s := range scenes() {
		got, err := render(report.JUnit, s.report(), report.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
			Suites   []struct {
				Cases []struct {
					Name    string    `xml:"name,attr"`
					Failure *struct{} `xml:"failure"`
				} `xml:"testcase"`
			} `xml:"testsuite"`
		}
		if err := xml.Unmarshal([]byte(got), &doc); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if doc.Failures != len(s.findings) || doc.Tests != len(doc.Suites[0].Cases) || doc.Tests == 0 {
			t.Errorf("%s: %d tests, %d failures for %d findings", s.name, doc.Tests, doc.Failures, len(s.findings))
		}
	}
}

func TestUnknownFormat(t *testing.T) {
	t.Parallel()
	if _, err := render("pdf", report.Report{}, report.Options{}); err == nil {
		t.Error("no error")
	}
}

func TestExit(t *testing.T) {
	t.Parallel()
	gap := []evidence.Gap{{Deciding: true}}
	for _, tt := range []struct {
		name string
		in   report.Report
		want report.Verdict
	}{
		{"nothing", report.Report{}, report.NothingWrong},
		{"a gap that does not decide", report.Report{Gaps: []evidence.Gap{{}}}, report.NothingWrong},
		{"a gap that decides", report.Report{Gaps: gap}, report.CannotTell},
		{"a failing pull", report.Report{Findings: []report.Finding{{Cause: diagnose.DNS}}}, report.Failing},
		{"a failing pull of unknown cause", report.Report{Findings: []report.Finding{{Cause: diagnose.Unknown}}}, report.Failing},
		{"a failing pull and a gap", report.Report{Findings: []report.Finding{{Cause: diagnose.DNS}}, Gaps: gap}, report.Failing},
		{"a planned image, cannot tell", report.Report{Findings: []report.Finding{{Cause: diagnose.Unknown, Planned: true}}}, report.CannotTell},
		{"cannot tell, and failing", report.Report{Findings: []report.Finding{{Cause: diagnose.Unknown, Planned: true}, {Cause: diagnose.DNS, Planned: true}}}, report.Failing},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := report.Exit(tt.in); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
