package main

import (
	"strings"
	"testing"
	"time"
)

func TestAgentReport(t *testing.T) {
	t.Parallel()
	var turn []time.Duration
	for i := range 200 {
		turn = append(turn, time.Duration(i+1)*time.Millisecond)
	}
	a := askedAgents{turn: turn, floor: turn[:1], fresh: map[string]int{"node-1": 1 << 20}, later: map[string]int{"node-1": 30 << 20}, burst: burst{looks: 1}}
	text := a.markdown()
	for _, want := range []string{"| the agent | 0.100 s | 0.180 s | 0.198 s | 0.200 s |", "| the floor | 0.001 s |", "| 0.198 s | met |", "| 1 looks | met |", "| 30.0 MiB | **missed** |"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
}
