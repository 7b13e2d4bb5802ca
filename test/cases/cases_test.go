// Package cases replays what the lab's failures looked like: one txtar a case,
// captured from the real cluster by test/lab, with the report that belongs to it.
package cases

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/refloat-dev/refloat/cli"
)

var update = flag.Bool("update", false, "rewrite the reports in the txtar files")

func TestReplay(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 40 {
		t.Fatalf("only %d cases in testdata; capture them with: make golden", len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			replayCase(t, file)
		})
	}
}

// replayCase renders case.json twice in each format and compares it with the reports beside it.
func replayCase(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	saved := section(t, archive, "case.json")
	for name, format := range map[string]string{"why.txt": "text", "why.json": "json"} {
		got := replay(t, saved.Data, format)
		if again := replay(t, saved.Data, format); !bytes.Equal(got, again) {
			t.Errorf("%s: two replays differ:\n%s", name, cmp.Diff(string(got), string(again)))
		}
		want := section(t, archive, name)
		if *update {
			want.Data = got
			continue
		}
		if diff := cmp.Diff(string(want.Data), string(got)); diff != "" {
			t.Errorf("%s differs (-want +got); run with -update if that is meant:\n%s", name, diff)
		}
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func section(t *testing.T, a *txtar.Archive, name string) *txtar.File {
	t.Helper()
	for i := range a.Files {
		if a.Files[i].Name == name {
			return &a.Files[i]
		}
	}
	t.Fatalf("no section %s", name)
	return nil
}

func replay(t *testing.T, saved []byte, format string) []byte {
	t.Helper()
	var out, errs bytes.Buffer
	code := cli.Run(t.Context(), []string{"replay", "-", "-o", format}, cli.Streams{In: bytes.NewReader(saved), Out: &out, Err: &errs})
	if errs.Len() > 0 {
		t.Fatalf("replay printed an error, exit %d: %s", code, errs.String())
	}
	return out.Bytes()
}
