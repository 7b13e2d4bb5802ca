package lab

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/refloat-dev/refloat/cli"
	"github.com/refloat-dev/refloat/test/cluster"
)

// save collects a case from the cluster and writes it with its reports beside it, as test/cases replays them.
func save(t *testing.T, c cluster.Case, args []string) {
	t.Helper()
	code, saved, stderr := refloat(t.Context(), append([]string{"collect"}, args...)...)
	if code != 0 {
		t.Fatalf("collect: exit %d: %s", code, stderr)
	}
	archive := &txtar.Archive{
		Comment: fmt.Appendf(nil, "%s: %s\nshows: %s\n", c.Name, c.About, cmp.Or(c.Cause, "no pull failure")),
		Files:   []txtar.File{{Name: "case.json", Data: []byte(saved)}},
	}
	for _, s := range []struct{ name, format string }{{"why.txt", "text"}, {"why.json", "json"}} {
		var out, errs bytes.Buffer
		cli.Run(t.Context(), []string{"replay", "-", "-o", s.format}, cli.Streams{In: bytes.NewReader([]byte(saved)), Out: &out, Err: &errs})
		if errs.Len() > 0 {
			t.Fatalf("replay: %s", errs.String())
		}
		archive.Files = append(archive.Files, txtar.File{Name: s.name, Data: out.Bytes()})
	}
	file := filepath.Join("..", "cases", "testdata", c.Name+".txtar")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}
