package evidence_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refloat-dev/refloat/evidence"
)

func TestSaveLoad(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 3, 4, 5, 6000, time.FixedZone("", 3600))
	in := &evidence.Collection{
		ObservedAt: at,
		Scope:      evidence.Scope{AllNamespaces: true, Pods: 3},
		Cases: []*evidence.Case{{
			Pull: evidence.Pull{Namespace: "shop", Pod: "web", Kind: evidence.App, Image: "a<b>&c\u2028"},
			Facts: []*evidence.Fact{{Text: "t", Vantage: evidence.API, Time: at,
				Secret: &evidence.Secret{Namespace: "shop", Name: "regcred", Exists: evidence.No}}},
		}},
	}
	var first, second bytes.Buffer
	if err := evidence.Save(&first, in); err != nil {
		t.Fatal(err)
	}
	out, err := evidence.Load(bytes.NewReader(first.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if err := evidence.Save(&second, out); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first.String(), second.String()); diff != "" {
		t.Errorf("not the same bytes (-first +second):\n%s", diff)
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	const head = `{"apiVersion":"refloat.dev/v1alpha1","kind":"Collection",`
	tests := []struct{ name, in, want string }{
		{"empty", " \n", "is empty"},
		{"not JSON", "hello", "not JSON: at byte 1"},
		{"binary", "\x00\xff", "not JSON: at byte 1"},
		{"cut off", head + `"cases":[{"pull":`, "ends in the middle"},
		{"array", "[]", "has a array where"},
		{"kind", `{"apiVersion":"refloat.dev/v1alpha1","kind":"Report"}`, `kind is "Report"`},
		{"version", `{"apiVersion":"refloat.dev/v9","kind":"Collection"}`, `reads "refloat.dev/v1alpha1"`},
		{"field", head + `"extra":1}`, `unknown field "extra"`},
		{"type", head + `"cases":7}`, `has a number where "cases"`},
		{"null case", head + `"cases":[null]}`, "case 1 of the case file is null"},
		{"null fact", head + `"cases":[{"pull":{},"facts":[null]}]}`, "fact 1 of case 1"},
		{"null suspect", head + `"suspects":[null]}`, "suspect 1 of the case file is null"},
		{"more", head + `"cases":[]} {}`, "goes on after its end, at byte"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := evidence.Load(strings.NewReader(tt.in))
			if err == nil {
				t.Fatalf("loaded %+v", c)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %q does not say %q", err, tt.want)
			}
		})
	}
}

// FuzzLoad: a file that is no case is an error, and what loads saves and loads again alike.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(`{"apiVersion": "refloat.dev/v1alpha1", "kind": "Collection", "observedAt": "2026-01-02T03:04:05Z", "scope": {"pods": 1}, "cluster": {}, "cases": [{"pull": {"kind": "container", "image": "a", "workload": {}}, "facts": [{"text": "t", "vantage": "api", "where": "w", "source": "s", "time": "2026-01-02T03:04:05Z"}]}]}`))
	f.Add([]byte(`{"apiVersion": "refloat.dev/v1alpha1", "kind": "Collection", "cases": [null]}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := evidence.Load(bytes.NewReader(data))
		if err != nil {
			return
		}
		var first, second bytes.Buffer
		if err := evidence.Save(&first, c); err != nil {
			t.Fatalf("what loads does not save: %v", err)
		}
		again, err := evidence.Load(bytes.NewReader(first.Bytes()))
		if err != nil {
			t.Fatalf("what was saved does not load: %v", err)
		}
		if err := evidence.Save(&second, again); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("a second round differs: %v", err)
		}
	})
}

// TestSaveForTerminals: a saved file that is printed drives no terminal, and is the same when read back.
func TestSaveForTerminals(t *testing.T) {
	t.Parallel()
	const text = "a\u009b31m\u202eb\u200bc\u007fd\U000e0041 ä 日本"
	c := &evidence.Collection{Cases: []*evidence.Case{{Facts: []*evidence.Fact{{Text: text}}}}}
	var first, second bytes.Buffer
	if err := evidence.Save(&first, c); err != nil {
		t.Fatal(err)
	}
	if want := `"a\u009b31m\u202eb\u200bc\u007fd\udb40\udc41 ä 日本"`; !strings.Contains(first.String(), want) {
		t.Errorf("no %s in %s", want, first.String())
	}
	back, err := evidence.Load(bytes.NewReader(first.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if got := back.Cases[0].Facts[0].Text; got != text {
		t.Errorf("came back as %q", got)
	}
	if err := evidence.Save(&second, back); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Errorf("a second round differs: %v", err)
	}
}
