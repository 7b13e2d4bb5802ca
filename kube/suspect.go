package kube

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/kube/stuck"
)

// suspect keeps a container that could never start: what its node has of the image may be damaged, which only the node sees.
func (f *finder) suspect(pod *corev1.Pod, c stuck.Container) {
	on := [2]string{c.Image, pod.Spec.NodeName}
	if on[1] == "" || !f.suspected[on] && len(f.suspected) == maxSuspects {
		return
	}
	if f.suspected == nil {
		f.suspected = map[[2]string]bool{}
	}
	f.suspected[on] = true
	m := evidence.Message{Origin: evidence.Terminated, Reason: f.clean.text(c.Crash.Reason), Text: c.Crash.Message}
	if c.Reason != "" && c.Reason != "CrashLoopBackOff" { // newer than how it last ended
		m = evidence.Message{Origin: evidence.Waiting, Reason: c.Reason, Text: f.clean.text(c.Message)}
	}
	pull := pullOf(pod)
	pull.Container, pull.Kind, pull.Image, pull.Policy, pull.Reason = c.Name, c.Kind, c.Image, c.Policy, m.Reason
	fact := f.fact(fmt.Sprintf("container %q cannot start: %s: %s", c.Name, m.Reason, sentence(m.Text)),
		"pod "+pull.Namespace+"/"+pull.Pod+" status", evidence.Fact{Message: &m})
	f.out.Suspects = append(f.out.Suspects, &evidence.Case{Pull: pull, Facts: []*evidence.Fact{fact, f.podFact(pod)}})
}
