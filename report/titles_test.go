package report

import (
	"testing"

	"github.com/refloat-dev/refloat/diagnose"
)

func TestEveryCauseHasATitle(t *testing.T) {
	t.Parallel()
	seen := map[string]diagnose.Code{}
	for _, c := range diagnose.Codes() {
		title, ok := titles[c]
		if !ok || len(title) > 60 {
			t.Errorf("%s has the title %q", c, title)
		}
		if other, ok := seen[title]; ok {
			t.Errorf("%s and %s have the same title", c, other)
		}
		seen[title] = c
	}
}
