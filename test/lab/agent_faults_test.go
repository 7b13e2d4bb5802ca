package lab

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/refloat-dev/refloat/api/v1alpha1"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/test/cluster"
)

const (
	faultsNamespace = "agent-faults"
	// slowImage is one whose registry takes seconds for each answer.
	slowImage, slowRepository = "open.lab/agent-faults/slow:1.0", "agent-faults/slow"
	promptImage               = "open.lab/agent-faults/prompt:1.0"
)

// SIGSTOP and SIGCONT of Linux, where alone the lab runs.
const stop, goOn = syscall.Signal(19), syscall.Signal(18)

// TestAgentFaults ends, stops and takes away what the spare node's agent needs while it looks. It runs before the tests that
// are parallel: they need the API server, and that node.
func TestAgentFaults(t *testing.T) {
	namespace(t, faultsNamespace)
	ctx, spare := t.Context(), lab.Spare().Name
	if err := lab.AddFault(ctx, registrytest.Fault{ID: faultsNamespace, Where: registrytest.Where{Host: "open.lab", Repository: slowRepository},
		Answer: registrytest.Answer{DelayMillis: 3000}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lab.ClearFault(cleanup(t), faultsNamespace); err != nil {
			t.Error(err)
		}
	})
	api := faultProbes(t)

	t.Run("killed while it looks", func(t *testing.T) {
		before := agentRestarts(t, spare)
		p := ask(t, api, v1alpha1.NodeProbeSpec{NodeName: spare, Image: slowImage})
		phase(t, api, p, v1alpha1.ProbeRunning)
		onSpare(t, `for p in /proc/[0-9]*; do [ "$(readlink $p/exe)" = /refloat-agent ] && kill -9 ${p#/proc/}; done; true`)
		phase(t, api, p, v1alpha1.ProbeDone)
		if now := agentRestarts(t, spare); now != before+1 {
			t.Errorf("it was restarted %d times, not once", now-before)
		}
	})
	t.Run("deleted while it looks", func(t *testing.T) {
		before := agentRestarts(t, spare)
		p := ask(t, api, v1alpha1.NodeProbeSpec{NodeName: spare, Image: slowImage})
		phase(t, api, p, v1alpha1.ProbeRunning)
		if err := api.Delete(ctx, p, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond)
		asked := slowRequests(t)
		phase(t, api, ask(t, api, v1alpha1.NodeProbeSpec{NodeName: spare, Image: promptImage}), v1alpha1.ProbeDone)
		time.Sleep(4 * time.Second) // longer than an answer takes, after which it would go on
		if more := slowRequests(t) - asked; more > 0 {
			t.Errorf("%d requests for a NodeProbe that is gone", more)
		}
		if _, err := api.Get(ctx, p, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("the NodeProbe: %v", err)
		}
		if now := agentRestarts(t, spare); now != before {
			t.Error("the agent was restarted")
		}
	})
	t.Run("runtime stopped and started", func(t *testing.T) {
		whole := v1alpha1.NodeProbeSpec{NodeName: spare, Checks: []string{"health", "content", "downloads", "disk"}}
		phase(t, api, ask(t, api, whole), v1alpha1.ProbeDone)
		service(t, spare, "stop")
		st := phase(t, api, ask(t, api, whole), v1alpha1.ProbeDone)
		if r := runtimeOf(st); r == nil || r.Process != evidence.No || r.Answers != evidence.No {
			t.Errorf("while it is stopped: %+v", r)
		}
		service(t, spare, "start")
		waitContainerd(t, spare)
		st = phase(t, api, ask(t, api, whole), v1alpha1.ProbeDone)
		if r := runtimeOf(st); r == nil || r.Process != evidence.Yes || r.Answers != evidence.Yes {
			t.Errorf("after it was started: %+v", r)
		}
		for _, g := range st.Evidence.Gaps {
			if strings.Contains(g.Why, "answer") || strings.Contains(g.Why, "connect") {
				t.Errorf("after it was started: %s: %s", g.What, g.Why)
			}
		}
		waitReady(t, spare)
	})
	t.Run("API server away", func(t *testing.T) {
		before := agentRestarts(t, spare)
		p := ask(t, api, v1alpha1.NodeProbeSpec{NodeName: spare, Image: slowImage})
		phase(t, api, p, v1alpha1.ProbeRunning)
		if err := lab.SignalProgram("kube-apiserver", stop); err != nil {
			t.Fatal(err)
		}
		time.Sleep(*away)
		if err := lab.SignalProgram("kube-apiserver", goOn); err != nil {
			t.Fatal(err)
		}
		phase(t, api, p, v1alpha1.ProbeDone)
		phase(t, api, ask(t, api, v1alpha1.NodeProbeSpec{NodeName: spare, Image: promptImage}), v1alpha1.ProbeDone)
		if now := agentRestarts(t, spare); now != before {
			t.Error("the agent was restarted")
		}
		waitReady(t, spare)
	})
}

func faultProbes(t *testing.T) dynamic.ResourceInterface {
	t.Helper()
	client, err := dynamic.NewForConfig(lab.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	gvr := schema.GroupVersionResource{Group: v1alpha1.Group, Version: v1alpha1.Version, Resource: v1alpha1.NodeProbeResource}
	return client.Resource(gvr).Namespace(faultsNamespace)
}

// phase waits until a NodeProbe is that far, and returns its status.
func phase(t *testing.T, api dynamic.ResourceInterface, name string, want v1alpha1.NodeProbePhase) v1alpha1.NodeProbeStatus {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		var p v1alpha1.NodeProbe
		u, err := api.Get(t.Context(), name, metav1.GetOptions{})
		if err == nil {
			var data []byte
			if data, err = json.Marshal(u); err == nil {
				err = json.Unmarshal(data, &p)
			}
		}
		switch {
		case err == nil && p.Status.Phase == want:
			return p.Status
		case time.Now().After(end), apierrors.IsNotFound(err):
			t.Fatalf("%s is not %s but %q: %v", name, want, p.Status.Phase, err)
		}
	}
}

func runtimeOf(s v1alpha1.NodeProbeStatus) *evidence.Runtime {
	for _, f := range s.Evidence.Facts {
		if f.Runtime != nil {
			return f.Runtime
		}
	}
	return nil
}

// agentRestarts is how often the node's agent was restarted.
func agentRestarts(t *testing.T, node string) int32 {
	t.Helper()
	pods, err := lab.Client().CoreV1().Pods(cluster.AgentNamespace).List(t.Context(), metav1.ListOptions{
		LabelSelector: "app.kubernetes.io/name=refloat-agent", FieldSelector: "spec.nodeName=" + node})
	if err != nil || len(pods.Items) != 1 || len(pods.Items[0].Status.ContainerStatuses) != 1 {
		t.Fatalf("no agent on %s: %v", node, err)
	}
	return pods.Items[0].Status.ContainerStatuses[0].RestartCount
}

func slowRequests(t *testing.T) (n int) {
	t.Helper()
	entries, err := lab.Requests(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Repository == slowRepository {
			n++
		}
	}
	return n
}

func onSpare(t *testing.T, script string) {
	t.Helper()
	if out, err := lab.Exec(t.Context(), lab.Spare().Name, "sh", "-c", script); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// service stops or starts the node's containerd, which runs at the end in any case.
func service(t *testing.T, node, verb string) {
	t.Helper()
	if verb == "stop" {
		t.Cleanup(func() { _ = lab.Service(cleanup(t), node, "containerd", "start") })
	}
	if err := lab.Service(t.Context(), node, "containerd", verb); err != nil {
		t.Fatal(err)
	}
}

func waitContainerd(t *testing.T, node string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		out, err := lab.Exec(t.Context(), node, "ctr", "--connect-timeout", "1s", "images", "ls", "-q")
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%v: %s", err, out)
		}
	}
}

func waitReady(t *testing.T, node string) {
	t.Helper()
	for end := time.Now().Add(90 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		n, err := lab.Client().CoreV1().Nodes().Get(t.Context(), node, metav1.GetOptions{})
		if err == nil {
			for _, c := range n.Status.Conditions {
				if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue {
					return
				}
			}
		}
		if time.Now().After(end) {
			t.Fatalf("%s is not ready: %v", node, err)
		}
	}
}
