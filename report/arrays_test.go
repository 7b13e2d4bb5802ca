package report_test

import (
	"encoding/json"
	"testing"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/report"
)

// TestArrays: a reader of the JSON may loop over every list without asking whether it is there.
func TestArrays(t *testing.T) {
	t.Parallel()
	r := report.New(&evidence.Collection{}, []diagnose.Finding{{}}, nil)
	got, err := render(report.JSON, r, report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal([]byte(got), &doc); err != nil {
		t.Fatal(err)
	}
	finding := doc["findings"].([]any)[0].(map[string]any)
	for _, name := range []string{"candidates", "images", "nodes", "workloads", "pods", "because", "ruledOut", "gaps", "masks"} {
		if list, ok := finding[name].([]any); !ok || len(list) != 0 {
			t.Errorf("%s is %v", name, finding[name])
		}
	}
	for _, name := range []string{"gaps", "crashes"} {
		if list, ok := doc[name].([]any); !ok || len(list) != 0 {
			t.Errorf("%s is %v", name, doc[name])
		}
	}
}
