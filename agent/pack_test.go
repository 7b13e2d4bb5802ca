package agent

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/refloat-dev/refloat/api/v1alpha1"
	"github.com/refloat-dev/refloat/evidence"
)

func TestPack(t *testing.T) {
	t.Parallel()
	a := &agent{Config: Config{Node: "node-1"}}
	var facts []*evidence.Fact
	for i := range 400 {
		f := &evidence.Fact{Text: strings.Repeat("x", 200), Where: "elsewhere", Vantage: evidence.API, Time: time.Unix(0, 0), Disk: &evidence.Disk{}}
		for j := range 50 {
			f.Disk.Unused = append(f.Disk.Unused, evidence.UnusedImage{ID: fmt.Sprint(i, "-", j)})
		}
		facts = append(facts, f)
	}
	facts = append(facts, &evidence.Fact{Text: "it fails: token=hunter2hunter2", Host: &evidence.Host{Name: "reg.lab", Fails: evidence.HopName}})
	e := a.pack(facts, []evidence.Gap{{Why: "password=hunter2hunter2"}})
	raw, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	if len(raw) > v1alpha1.MaxEvidence || len(raw) < v1alpha1.MaxEvidence/2 {
		t.Errorf("%d bytes", len(raw))
	}
	if e.Facts[0].Host == nil || e.Facts[0].Where != "node-1" || e.Facts[0].Vantage != evidence.Node {
		t.Errorf("what fails is not first: %+v", e.Facts[0])
	}
	if strings.Contains(string(raw), "hunter2") {
		t.Error("a secret is in it")
	}
	lists := 0
	for _, f := range e.Facts[1:] {
		lists += 50 - len(f.Disk.Unused)
		if n := len(f.Disk.Unused); n > 0 && !strings.HasSuffix(f.Disk.Unused[n-1].ID, "-49") {
			t.Fatalf("the end of a list is cut: %+v", f.Disk.Unused)
		}
	}
	if gone := 401 - len(e.Facts); e.Cut < gone+lists {
		t.Errorf("cut says %d, and %d facts and %d parts are gone", e.Cut, gone, lists)
	}
	if facts[0].Where != "elsewhere" || len(facts[0].Disk.Unused) != 50 {
		t.Error("the facts themselves were changed")
	}
}

func TestPackOneThatIsTooLarge(t *testing.T) {
	t.Parallel()
	a := &agent{Config: Config{Node: "node-1"}}
	content := &evidence.Content{}
	for i := range 10000 {
		content.Damages = append(content.Damages, evidence.Damage{Path: strings.Repeat("p", 300), Text: fmt.Sprint(i)})
	}
	e := a.pack([]*evidence.Fact{{Content: content}}, nil)
	raw, err := json.Marshal(e)
	if err != nil || len(raw) > v1alpha1.MaxEvidence || len(e.Facts) != 1 || len(e.Facts[0].Content.Damages) < 20 || e.Cut < 9000 {
		t.Errorf("%d bytes, %d facts, cut %d, %v", len(raw), len(e.Facts), e.Cut, err)
	}
}
