package evidence

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEachText(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	f := &Fact{
		Text: "a", Where: "b", Time: at,
		Host:    &Host{Name: "c", Names: []Resolution{{By: "d", Addresses: []string{"e"}}}, TLS: &TLS{Chain: []Certificate{{Subject: "f", NotAfter: at}}}},
		Runtime: &Runtime{Logs: []LogLine{{Text: "g"}}},
	}
	EachText(f, strings.ToUpper)
	want := &Fact{
		Text: "A", Where: "B", Time: at,
		Host:    &Host{Name: "C", Names: []Resolution{{By: "D", Addresses: []string{"E"}}}, TLS: &TLS{Chain: []Certificate{{Subject: "F", NotAfter: at}}}},
		Runtime: &Runtime{Logs: []LogLine{{Text: "G"}}},
	}
	if diff := cmp.Diff(want, f); diff != "" {
		t.Error(diff)
	}
}
