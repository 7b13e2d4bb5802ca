package report_test

import (
	"testing"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/report"
)

// TestCrashExplained: a crash that a finding is about is not named beside it; every other is.
func TestCrashExplained(t *testing.T) {
	t.Parallel()
	suspect := &evidence.Case{Pull: evidence.Pull{Namespace: "shop", Pod: "cart-0", Container: "app", Kind: evidence.App, Node: "node-1"}}
	c := &evidence.Collection{Crashes: append([]evidence.Crash{{Namespace: "shop", Pod: "cart-0", Container: "side"}}, crashes...), Suspects: []*evidence.Case{suspect}}
	if r := report.New(c, nil, nil); len(r.Crashes) != 2 {
		t.Errorf("a suspect alone leaves %+v", r.Crashes)
	}
	r := report.New(c, []diagnose.Finding{{Cases: []*evidence.Case{suspect}}}, nil)
	if len(r.Crashes) != 1 || r.Crashes[0].Container != "side" || len(c.Crashes) != 2 {
		t.Errorf("crashes %+v of %+v", r.Crashes, c.Crashes)
	}
}
