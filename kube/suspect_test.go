package kube_test

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/kube"
)

// unstarted is a pod on a node whose container was never started.
func unstarted(name, node string) *corev1.Pod {
	p := pod(name, nil, "CrashLoopBackOff", "back-off 10s restarting failed container")
	p.Spec.NodeName = node
	p.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{
		ExitCode: 128, Reason: "StartError", Message: `exec: "/app": stat /app: no such file or directory`,
	}
	return p
}

// TestSuspects: they are crashes all the same, what else is found does not change, and a bounded number of nodes is in question.
func TestSuspects(t *testing.T) {
	t.Parallel()
	before, err := kube.Find(t.Context(), shop().client(t), evidence.Scope{Namespace: "shop"})
	if err != nil || len(before.Suspects) != 0 {
		t.Fatalf("%v, suspects %+v", err, before.Suspects)
	}
	s := shop().add(unstarted("z-1", "node-1"), unstarted("z-2", "node-1"), unstarted("z-3", ""))
	for i := range 60 {
		s.add(unstarted(fmt.Sprintf("zz-%02d", i), fmt.Sprintf("n-%d", i)))
	}
	got, err := kube.Find(t.Context(), s.client(t), evidence.Scope{Namespace: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Cases) != len(before.Cases) || len(got.Gaps) != 0 || len(got.Crashes) != 50 {
		t.Errorf("%d cases, not %d; gaps %+v; %d crashes", len(got.Cases), len(before.Cases), got.Gaps, len(got.Crashes))
	}
	nodes := map[string]int{}
	for _, c := range got.Suspects {
		nodes[c.Pull.Node]++
		if c.First(func(f *evidence.Fact) bool { return f.Elsewhere != nil }) == nil {
			t.Errorf("%s: nothing says where else the image runs", c.Pull.Pod)
		}
	}
	if len(nodes) != 50 || nodes["node-1"] != 2 || nodes[""] != 0 {
		t.Errorf("%d nodes: %v", len(nodes), nodes)
	}
	p := got.Suspects[0].Pull
	if m := got.Suspects[0].Messages(); len(m) != 1 || m[0].Message.Reason != "StartError" || p.Reason != "StartError" || p.Container != "app" || p.Image != "reg.lab/app:1" || p.UID == "" {
		t.Errorf("%+v, messages %+v", p, m)
	}
}
