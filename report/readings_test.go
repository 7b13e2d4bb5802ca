package report_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/report"
)

var lines = []report.Line{
	{ID: json.RawMessage(`"m-1"`), Reading: diagnose.Reading{
		Cause: diagnose.DNS, Confidence: diagnose.Likely, Candidates: []diagnose.Candidate{{Cause: diagnose.DNS, Confidence: diagnose.Likely}},
		Image: "registry.example.com/a:1", Registry: "registry.example.com", Runtime: "containerd", Host: "mirror.example.com", Detail: "no such host",
	}},
	{ID: json.RawMessage(`7`), Reading: diagnose.Reading{Cause: diagnose.Unknown, Confidence: diagnose.NoConfidence}},
	{Reading: diagnose.Reading{Cause: diagnose.TagNotFound, Confidence: diagnose.Possible, Image: evil, Candidates: []diagnose.Candidate{
		{Cause: diagnose.TagNotFound, Confidence: diagnose.Possible}, {Cause: diagnose.RepositoryNotFound, Confidence: diagnose.Possible}}}},
}

func TestReadings(t *testing.T) {
	t.Parallel()
	for _, format := range []report.Format{report.Text, report.JSONL} {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			if err := report.WriteReadings(&b, format, slices.Values(lines), report.Options{}); err != nil {
				t.Fatal(err)
			}
			golden(t, "readings."+string(format), b.String())
		})
	}
}

// TestJSONLFields: scores are taken over these lines, so they have exactly these fields.
func TestJSONLFields(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := report.WriteReadings(&b, report.JSONL, slices.Values(lines), report.Options{}); err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	if len(got) != len(lines) {
		t.Fatalf("%d lines for %d", len(got), len(lines))
	}
	want := `{"id":"m-1","cause":"network.dns","confidence":"likely","candidates":[{"cause":"network.dns","confidence":"likely"}],"image":"registry.example.com/a:1","registry":"registry.example.com","runtime":"containerd"}`
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Error(diff)
	}
	if want := `{"id":7,"cause":"unknown","confidence":"unknown","candidates":[],"image":"","registry":"","runtime":""}`; got[1] != want {
		t.Errorf("got %s", got[1])
	}
}
