package diagnose

import (
	"testing"
)

func TestLadderCompiles(t *testing.T) {
	t.Parallel()
	s := compile(ladder())
	t.Logf("%d rules, %d phrases, %d states of %d columns", len(s.rules), len(s.ids), len(s.auto.found), s.auto.columns)
}
