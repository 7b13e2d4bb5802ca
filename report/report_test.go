package report_test

import (
	"bytes"
	"testing"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/report"
)

func TestNothingFound(t *testing.T) {
	t.Parallel()
	r := report.New(&evidence.Collection{Scope: evidence.Scope{AllNamespaces: true, Pods: 20000}}, nil, nil)
	var b bytes.Buffer
	if err := report.Write(&b, report.Text, r, report.Options{}); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "no failing pulls among 20000 pods in all namespaces\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
