package report_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/report"
)

func TestWriteNode(t *testing.T) {
	t.Parallel()
	fine := &evidence.Fact{Text: "containerd answers", Source: "socket", Runtime: &evidence.Runtime{Answers: evidence.Yes}}
	wrong := &evidence.Fact{Text: "no \x1b[31mname", Source: "resolver 10.0.0.1:53", Host: &evidence.Host{Name: "reg.lab", Fails: evidence.HopName}}
	gap := evidence.Gap{Vantage: evidence.Node, What: "disk", Why: "not mounted", Deciding: true}
	tests := []struct {
		name, want string
		view       report.NodeView
		verdict    report.Verdict
	}{
		{"fine", "node n: nothing is wrong\n\n  Seen\n  - containerd answers\n", report.NodeView{Node: "n", Facts: []*evidence.Fact{fine}}, report.NothingWrong},
		{"wrong first", "node n: one thing is wrong for a:1\n\n  Wrong\n  - no \\x1b[31mname\n    (resolver 10.0.0.1:53)\n\n  Seen\n  - containerd answers\n",
			report.NodeView{Node: "n", Image: "a:1", Facts: []*evidence.Fact{fine, wrong}, Gaps: nil}, report.Failing},
		{"gap", "node n: cannot tell: nothing wrong was seen, but not all could be seen\n\n  Could not be seen\n  - disk: not mounted (could change the verdict)\n\n2 parts left out: the answer may have 64 KiB\n",
			report.NodeView{Node: "n", Gaps: []evidence.Gap{gap}, Cut: 2}, report.CannotTell},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			if err := report.WriteNode(&b, report.Text, tt.view, report.Options{}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, b.String()); diff != "" {
				t.Error(diff)
			}
			if got := report.ExitNode(tt.view); got != tt.verdict {
				t.Errorf("verdict %s, not %s", got, tt.verdict)
			}
			b.Reset()
			if err := report.WriteNode(&b, report.JSON, tt.view, report.Options{}); err != nil || strings.Contains(b.String(), "\x1b") || !strings.Contains(b.String(), `"kind": "NodeView"`) {
				t.Errorf("%v\n%s", err, b.String())
			}
		})
	}
}
