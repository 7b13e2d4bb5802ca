package lab

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refloat-dev/refloat/deploy"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/test/cluster"
)

// privilegedImage is one that the spare node's credential provider is asked for.
const privilegedImage = "cloud.lab/app:1.0"

// TestAgentPrivileges takes away each privilege of the agent's pod, one at a time, and sees every check that the manifest names
// behind it report a gap that it does not have otherwise. It runs before the tests that are parallel: they break the spare node.
func TestAgentPrivileges(t *testing.T) {
	linkResolvConf(t, lab.Spare().Name)
	all, err := deploy.Privileges()
	if err != nil {
		t.Fatal(err)
	}
	var checks []string
	for _, p := range all {
		checks = append(checks, p.Checks...)
	}
	slices.Sort(checks)
	whole := deploy.Privilege{Name: "none", Checks: slices.Compact(checks)}
	gaps := map[string]map[string][]evidence.Gap{}
	var mu sync.Mutex
	var pods sync.WaitGroup
	for _, p := range append(all, whole) {
		pods.Go(func() {
			got := lookWithout(t, p)
			mu.Lock()
			defer mu.Unlock()
			gaps[p.Name] = got
		})
	}
	pods.Wait()
	if t.Failed() {
		return
	}
	for _, p := range all {
		for _, c := range p.Checks {
			if more := newGaps(gaps[whole.Name][c], gaps[p.Name][c]); len(more) > 0 {
				t.Logf("without %s, %s: %s: %s", p.Name, c, more[0].What, more[0].Why)
			} else {
				t.Errorf("%s sees all that it does with everything, without %s: %v", c, p.Name, gaps[p.Name][c])
			}
		}
	}
	for c, have := range gaps[whole.Name] {
		for _, g := range have {
			t.Errorf("with everything, %s: %s: %s", c, g.What, g.Why)
		}
	}
}

// newGaps are those about something that is no gap before.
func newGaps(before, after []evidence.Gap) []evidence.Gap {
	return slices.DeleteFunc(slices.Clone(after), func(g evidence.Gap) bool {
		return slices.ContainsFunc(before, func(b evidence.Gap) bool { return b.What == g.What })
	})
}

// lookWithout runs the agent's pod once on the spare node without a privilege, one container for each of its checks, and
// returns the gaps by check.
func lookWithout(t *testing.T, p deploy.Privilege) map[string][]evidence.Gap {
	ds, err := deploy.DaemonSet()
	if err != nil {
		t.Error(err)
		return nil
	}
	spec := ds.Spec.Template.Spec
	if p.Name != "none" {
		p.Drop(&spec)
	}
	spec.NodeName, spec.RestartPolicy = lab.Spare().Name, v1.RestartPolicyNever
	one := spec.Containers[0]
	spec.Containers = nil
	for _, c := range p.Checks {
		one.Name, one.Image, one.Resources = c, cluster.AgentImage, v1.ResourceRequirements{} // at its leisure it takes longer
		one.Args = []string{"probe", "--host-root=/host", "--checks=" + c, "-o=json", privilegedImage}
		spec.Containers = append(spec.Containers, one)
	}
	pod := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: cluster.AgentNamespace, Name: "without-" + strings.ToLower(strings.ReplaceAll(p.Name, "_", "-"))}, Spec: spec}
	api := lab.Client().CoreV1().Pods(pod.Namespace)
	if _, err := api.Create(t.Context(), pod, create); err != nil {
		t.Error(err)
		return nil
	}
	t.Cleanup(func() { _ = api.Delete(cleanup(t), pod.Name, metav1.DeleteOptions{}) })
	if err := ended(t, pod); err != nil {
		t.Errorf("%s: %v", pod.Name, err)
		return nil
	}
	found := map[string][]evidence.Gap{}
	for _, c := range p.Checks {
		out, err := api.GetLogs(pod.Name, &v1.PodLogOptions{Container: c}).DoRaw(t.Context())
		var seen struct{ Gaps []evidence.Gap }
		if err == nil {
			err = json.Unmarshal(out, &seen)
		}
		if err != nil {
			t.Errorf("%s, %s: %v: %s", pod.Name, c, err, out)
		}
		found[c] = seen.Gaps
	}
	return found
}

// ended waits until all containers of a pod have.
func ended(t *testing.T, pod *v1.Pod) error {
	for end := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
		p, err := lab.Client().CoreV1().Pods(pod.Namespace).Get(t.Context(), pod.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if p.Status.Phase == v1.PodSucceeded || p.Status.Phase == v1.PodFailed {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("still %s: %s%v", p.Status.Phase, p.Status.Message, p.Status.ContainerStatuses)
		}
	}
}

// linkResolvConf makes the node's resolv.conf a link to where systemd-resolved has it, which is not mounted: the runtime's
// process shows it.
func linkResolvConf(t *testing.T, node string) {
	t.Helper()
	sh := func(line string) {
		if out, err := lab.Exec(cleanup(t), node, "sh", "-c", line); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	}
	sh(`mkdir -p /run/systemd/resolve && cp /etc/resolv.conf /run/systemd/resolve/resolv.conf && ln -sf ../run/systemd/resolve/resolv.conf /etc/resolv.conf`)
	t.Cleanup(func() { sh(`cp --remove-destination /run/systemd/resolve/resolv.conf /etc/resolv.conf`) })
}
