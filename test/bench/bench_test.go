package main

import (
	"strings"
	"testing"
	"time"
)

func TestPlan(t *testing.T) {
	t.Parallel()
	const pods = 20000
	perNode, spaces := map[int]int{}, map[string]bool{}
	failing, crashing := 0, 0
	names := map[string]bool{}
	for i := range pods {
		p := pod{i}
		perNode[p.node()]++
		names[p.workload().namespace()+"/"+p.name()] = true
		if p.fails() {
			failing++
			spaces[p.workload().namespace()] = true
		}
		if p.crashes() {
			crashing++
		}
	}
	if failing != pods/50 || crashing != pods/500 || len(spaces) < 30 || len(names) != pods {
		t.Errorf("%d failing in %d namespaces, %d crashing, %d names", failing, len(spaces), crashing, len(names))
	}
	if len(perNode) != nodes(pods) {
		t.Errorf("%d nodes of %d have pods", len(perNode), nodes(pods))
	}
	for n, count := range perNode {
		if count != block/blockNodes {
			t.Errorf("node %d has %d pods", n, count)
		}
	}
}

func TestBoundOf(t *testing.T) {
	t.Parallel()
	whole, lessFailing := boundOf(100000, 100000), boundOf(100000, 20000)
	if whole.pods != 100000 || whole.failing != 2000 || whole.pages != 200 || whole.namespaces != namespaces || whole.owners != 2*200 {
		t.Errorf("bound %+v", whole)
	}
	if want := boundOf(20000, 20000); lessFailing.pods != 98400 || lessFailing.owners != want.owners || lessFailing.secrets != want.secrets {
		t.Errorf("bound %+v with the failing pods of %+v", lessFailing, want)
	}
}

func TestCauses(t *testing.T) {
	t.Parallel()
	for _, c := range causes {
		for n := range 2 {
			reason, message := c.waiting("registry.corp.example/team-01/svc:v1", pod{n})
			for _, left := range []string{"IMAGE", "REPO", "TAG", "PORT"} {
				if reason == "" || strings.Contains(message, left) {
					t.Errorf("%s: %s: %s", c.name, reason, message)
				}
			}
		}
	}
}

func TestResourceOf(t *testing.T) {
	t.Parallel()
	tests := []struct{ path, want string }{
		{"/version", "version"},
		{"/api/v1/pods", "pods"},
		{"/api/v1/namespaces/team-01/events", "events"},
		{"/api/v1/namespaces/team-01/secrets/regcred", "secrets"},
		{"/api/v1/namespaces/team-01", "namespaces"},
		{"/api/v1/nodes/worker-0001/proxy/stats/summary", "nodes/proxy"},
		{"/apis/apps/v1/namespaces/team-01/replicasets/svc-1", "replicasets"},
		{"/apis/apps/v1", "discovery"},
		{"/api", "discovery"},
	}
	for _, tt := range tests {
		if got := resourceOf(tt.path); got != tt.want {
			t.Errorf("resourceOf(%q) = %q, want %q", tt.path, got, tt.want)
		}
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	answer := `{"scope":{"pods":3},"findings":[{"cause":"network.dns","pods":[{"namespace":"a","name":"x"},{"namespace":"a","name":"x"}]}]}`
	if err := compare([]byte(answer), bound{pods: 3, failing: 1}); err != nil {
		t.Error(err)
	}
	for _, b := range []bound{{pods: 4, failing: 1}, {pods: 3, failing: 2}} {
		if compare([]byte(answer), b) == nil {
			t.Errorf("no error for %+v", b)
		}
	}
	if compare([]byte(strings.ReplaceAll(answer, "network.dns", "unknown")), bound{pods: 3, failing: 1}) == nil {
		t.Error("no error for a cause that is unknown")
	}
}

func TestMedians(t *testing.T) {
	t.Parallel()
	got := medians([]figures{{Wall: 9, Peak: 1}, {Wall: 1, Peak: 3}, {Wall: 5, Peak: 2}})
	if got != (figures{Wall: 5, Peak: 2}) {
		t.Errorf("medians %+v", got)
	}
	if got := medians([]figures{{Wall: 2}, {Wall: 4}}); got.Wall != 3 {
		t.Errorf("medians %+v", got)
	}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	one := map[string]figures{}
	for i, name := range all {
		one[name] = figures{Wall: time.Duration(i+1) * time.Second, CPU: time.Second, Peak: (i + 1) * 50e6}
	}
	r := report{rounds: 3, machine: "m", kubernetes: "v1", classifier: map[string]string{perSecond: "100000"}, stages: []stage{
		{bound: bound{pods: 20000, failing: 400, pages: 40}, order: all, medians: one, requests: map[string]int{"pods": 40}},
		{bound: bound{pods: 98400, failing: 400, pages: 40}, lean: true, order: lean, medians: one, requests: map[string]int{"pods": 41, "events": 1}},
	}}
	text := r.markdown()
	for _, want := range []string{
		"| `kubectl refloat why -A --no-probe -o json` | 2.00 s | 2.00 | 100 MB | 2.00 | 1.00 s |",
		"| **all** | 40 | 42 |",
		"| requests ≤ 40, 98,400 pods with 400 failing | 42 | **missed** |",
		"| messages a second ≥ 200,000 | 100,000 | **missed** |",
		"`kubectl get pods -A -o json` takes 2.0 times refloat's time and 2.0 times its memory.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestSpare(t *testing.T) {
	t.Parallel()
	s := stage{bound: bound{pods: 100000}, order: []string{floorRun, refloatRun, tableRun, jsonRun}}
	s.spare(16 << 30)
	if len(s.order) != 3 || s.order[2] != tableRun || len(s.leftOut) != 1 {
		t.Errorf("order %q, left out %q", s.order, s.leftOut)
	}
}
