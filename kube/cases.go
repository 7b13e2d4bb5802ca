package kube

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/kube/owner"
	"github.com/refloat-dev/refloat/kube/stuck"
)

// where is what the facts of this vantage point are seen from.
const where = "API server"

// maxSentence bounds the part of a message that a fact's sentence repeats.
const maxSentence = 200

// cleaner redacts each distinct text once: pods that fail for one cause say the same.
type cleaner map[string]string

func (c cleaner) text(s string) string {
	if s == "" {
		return ""
	}
	out, ok := c[s]
	if !ok {
		out = evidence.Clean(s)
		if len(c) < 10000 && len(s) <= evidence.MaxText {
			c[s] = out
		}
	}
	return out
}

// workloadOf is the pod's own controller, from which API goes up; the pod itself
// where it has none, or where a node runs it from a file.
func workloadOf(pod *corev1.Pod) evidence.Ref {
	if ref := owner.Controller(pod.Namespace, pod); ref.Name != "" && ref.Kind != "Node" {
		return ref
	}
	return evidence.Ref{APIVersion: "v1", Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: string(pod.UID)}
}

func (f *finder) podFact(pod *corev1.Pod) *evidence.Fact {
	p := &evidence.Pod{
		Created: pod.CreationTimestamp.UTC(), ServiceAccount: pod.Spec.ServiceAccountName,
		Mirror: pod.Annotations[corev1.MirrorPodAnnotationKey] != "",
	}
	for _, s := range pod.Spec.ImagePullSecrets {
		if s.Name != "" {
			p.PullSecrets = append(p.PullSecrets, s.Name)
		}
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReadyToStartContainers && c.Status != corev1.ConditionUnknown {
			p.SandboxReady = string(c.Status)
		}
	}
	text := fmt.Sprintf("pod %q names no pull secret", pod.Name)
	if len(p.PullSecrets) > 0 {
		text = fmt.Sprintf("pod %q names the pull secrets %s", pod.Name, strings.Join(p.PullSecrets, ", "))
	}
	if p.Mirror {
		text = fmt.Sprintf("pod %q is a static pod of its node: it can use no pull secret", pod.Name)
	}
	return f.fact(text, "pod "+pod.Namespace+"/"+pod.Name, evidence.Fact{Pod: p})
}

func (f *finder) fact(text, source string, payload evidence.Fact) *evidence.Fact {
	return newFact(text, source, f.at, payload)
}

func newFact(text, source string, at time.Time, payload evidence.Fact) *evidence.Fact {
	payload.Text, payload.Source, payload.Time = text, source, at
	payload.Vantage, payload.Where = evidence.API, where
	return &payload
}

// newCase makes the case of one container.
func (f *finder) newCase(cand *candidate, c stuck.Container) *evidence.Case {
	pull := cand.pull
	pull.Container, pull.Kind, pull.Volume = c.Name, c.Kind, c.Volume
	pull.Image, pull.Policy, pull.Reason = c.Image, c.Policy, c.Reason
	out := &evidence.Case{Pull: pull}
	if c.Kind != evidence.Sandbox {
		out.Facts = append(out.Facts, f.waiting(pull, c))
	}
	pod := cand.pod
	if since := c.SilentSince(cand.events); !since.IsZero() && (c.Reason == "ContainerCreating" || c.Reason == "PodInitializing") {
		own := *pod.Pod
		own.PullingSince = since
		pod = f.fact(fmt.Sprintf("the kubelet said %q at %s and nothing since", "Pulling", since.Format(time.RFC3339)), pod.Source, evidence.Fact{Pod: &own})
	}
	out.Facts = append(out.Facts, pod)
	told := tellsCause(c.Message) || strings.ContainsAny(c.Reason, " :")
	for _, e := range cand.events {
		if stuck.Concerns(c, e) {
			out.Facts = append(out.Facts, f.eventFact("event "+pull.Namespace+"/"+e.Name, e.Message))
			told = told || tellsCause(e.Text) && e.Type != "Normal"
		}
	}
	if !told && pod.Pod.PullingSince.IsZero() && c.Reason != "ErrImageNeverPull" {
		out.Gaps = append(out.Gaps, evidence.Gap{
			Vantage: evidence.API, What: "the error of the last pull", Deciding: true,
			Why: "the container's waiting message carries none (kubelets before 1.32 put none there), and no event of the last hour does",
			How: "on the node: journalctl -u kubelet | grep " + evidence.Quote(pull.UID),
		})
	}
	return out
}

// tellsCause tells a message with an error in it from one that only says that the pull is being retried.
func tellsCause(message string) bool {
	if rest, ok := strings.CutPrefix(message, "Back-off pulling image "); ok {
		return strings.Contains(rest, `": `)
	}
	return message != "" && !strings.HasPrefix(message, "Pulling image ") && !strings.HasPrefix(message, "Error: ")
}

func (f *finder) waiting(pull evidence.Pull, c stuck.Container) *evidence.Fact {
	text := fmt.Sprintf("container %q waits", c.Name)
	if c.Kind == evidence.VolumeImage {
		text = fmt.Sprintf("container %q waits for its image volume %q", c.Name, c.Volume)
	}
	if c.Reason != "" {
		text += ": " + c.Reason
	}
	if tellsCause(c.Message) {
		text += ": " + sentence(c.Message)
	}
	return f.fact(text, "pod "+pull.Namespace+"/"+pull.Pod+" status", evidence.Fact{
		Message: &evidence.Message{Origin: evidence.Waiting, Reason: c.Reason, Text: c.Message},
	})
}

func (f *finder) eventFact(source string, m evidence.Message) *evidence.Fact {
	text := m.Reason + ": " + sentence(m.Text)
	if m.Count > 1 {
		text = fmt.Sprintf("%s (%d times)", text, m.Count)
	}
	return newFact(text, source, m.Last, evidence.Fact{Message: &m})
}

// sentence is the beginning of a message, on one line.
func sentence(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxSentence {
		s = strings.ToValidUTF8(s[:maxSentence], "") + " …"
	}
	return s
}

// eventTime is when an event was last seen, for both of the API's ways to say so.
func eventTime(e *corev1.Event) (first, last time.Time) {
	first, last = e.FirstTimestamp.Time, e.LastTimestamp.Time
	if last.IsZero() {
		last = e.EventTime.Time
		if e.Series != nil {
			last = e.Series.LastObservedTime.Time
		}
	}
	if last.IsZero() {
		last = e.CreationTimestamp.Time
	}
	if first.IsZero() {
		first = firstOf(e.EventTime.Time, e.CreationTimestamp.Time)
	}
	return first.UTC(), last.UTC()
}

func firstOf(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return a
}
