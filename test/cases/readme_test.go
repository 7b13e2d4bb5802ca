package cases

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// TestReadmeTranscript holds the README's transcript to a case that the lab showed.
func TestReadmeTranscript(t *testing.T) {
	t.Parallel()
	const file, open, end = "../../README.md", "```console\n", "```\n<!-- end -->"
	archive, err := txtar.ParseFile("testdata/dns-timeout.txtar")
	if err != nil {
		t.Fatal(err)
	}
	want := "$ kubectl refloat why -n imaging\n" + string(section(t, archive, "why.txt").Data)
	readme, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(readme), open)
	got, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatal("the README has no transcript between its marks")
	}
	if *update {
		if err := os.WriteFile(file, []byte(head+open+want+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the README's transcript is not the case's (-case +README); run with -update:\n%s", diff)
	}
	if lines := strings.Count(string(readme), "\n"); lines > 120 || strings.Count(head, "\n") > 20 {
		t.Errorf("the README has %d lines, its transcript starts at %d", lines, strings.Count(head, "\n"))
	}
}
