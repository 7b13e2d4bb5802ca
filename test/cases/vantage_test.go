package cases

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/report"
)

// TestFewerVantagePoints takes the node's facts away, and then the registry's too: what is then not seen may leave causes
// open, and must not make the true one go away.
func TestFewerVantagePoints(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, cause, _ := strings.Cut(strings.TrimSpace(string(archive.Comment)), "shows: ")
		if cause == "no pull failure" || strings.HasSuffix(file, "cache-emptied-snapshot.txtar") { // which the node alone shows
			continue
		}
		for _, kept := range [][]evidence.Vantage{{evidence.API, evidence.Registry}, {evidence.API}} {
			f := found(t, section(t, archive, "case.json").Data, kept)
			if !slices.ContainsFunc(f.Candidates, func(c diagnose.Candidate) bool { return string(c.Cause) == cause }) && f.Confidence != diagnose.Confirmed {
				t.Errorf("%s from %v: %s, %v", file, kept, f.Confidence, f.Candidates)
			}
			if len(kept) == 1 && f.Confidence == diagnose.Confirmed {
				t.Errorf("%s: the API alone confirms %s", file, f.Cause)
			}
		}
	}
}

// found is the one finding of a saved case, of which only some vantage points are left.
func found(t *testing.T, saved []byte, kept []evidence.Vantage) report.Finding {
	t.Helper()
	c, err := evidence.Load(bytes.NewReader(saved))
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range c.Cases {
		one.Facts = slices.DeleteFunc(one.Facts, func(f *evidence.Fact) bool { return !slices.Contains(kept, f.Vantage) })
		one.Gaps = slices.DeleteFunc(one.Gaps, func(g evidence.Gap) bool { return !slices.Contains(kept, g.Vantage) })
	}
	var b bytes.Buffer
	if err := evidence.Save(&b, c); err != nil {
		t.Fatal(err)
	}
	var r report.Report
	if err := json.Unmarshal(replay(t, b.Bytes(), "json"), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Findings) != 1 {
		t.Fatalf("%d findings", len(r.Findings))
	}
	return r.Findings[0]
}
