package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSections(t *testing.T) {
	t.Parallel()
	store := storeTitle + "\nfast\n"
	for _, tt := range []struct{ name, document, rest, section string }{
		{"none", "# A\n", "# A\n", ""},
		{"at the end", "# A\n\n" + store, "# A\n", store},
		{"in the middle", "# A\n\n" + store + "\n## B\n", "# A\n\n## B\n", store + "\n"},
	} {
		rest, section := cutSection(tt.document, storeTitle)
		if diff := cmp.Diff([]string{tt.rest, tt.section}, []string{rest, section}); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
	if diff := cmp.Diff("# A\n\n"+store, addSection("# A\n", store)); diff != "" {
		t.Error(diff)
	}
	if addSection("", store) != store || addSection("# A\n", "") != "# A\n" {
		t.Error("an empty part leaves a mark")
	}
}

func TestStoreAim(t *testing.T) {
	t.Parallel()
	h := hashed{ours: hashRun{figures: figures{Wall: 2 * time.Second}}, yardstick: hashRun{figures: figures{Wall: time.Second}}, again: hashRun{figures: figures{Wall: time.Second}}}
	if text := h.markdown(); !strings.Contains(text, "| 0.50 | missed |") {
		t.Error(text)
	}
}
