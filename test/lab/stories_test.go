package lab

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refloat-dev/refloat/cli"
	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/report"
)

var create = metav1.CreateOptions{}

func namespace(t *testing.T, name string) {
	t.Helper()
	if err := lab.MakeNamespace(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lab.Client().CoreV1().Namespaces().Delete(cleanup(t), name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
}

// allow lets user do verbs on resources in a namespace.
func allow(t *testing.T, ns, user string, rules ...rbacv1.PolicyRule) {
	t.Helper()
	c := lab.Client().RbacV1()
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: user}, Rules: rules}
	if _, err := c.Roles(ns).Create(t.Context(), role, create); err != nil {
		t.Fatal(err)
	}
	bind := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: user},
		Subjects: []rbacv1.Subject{{Kind: "User", Name: user}}, RoleRef: rbacv1.RoleRef{Kind: "Role", Name: user}}
	if _, err := c.RoleBindings(ns).Create(t.Context(), bind, create); err != nil {
		t.Fatal(err)
	}
}

// failing makes a pod that is scheduled nowhere and whose status is what a kubelet would write.
func failing(t *testing.T, ns, name, message string, secrets ...string) {
	t.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PodSpec{
			SchedulerName: "nobody",
			Containers:    []corev1.Container{{Name: "app", Image: "ecr.lab/orders/api:2.4"}},
		},
	}
	for _, s := range secrets {
		pod.Spec.ImagePullSecrets = append(pod.Spec.ImagePullSecrets, corev1.LocalObjectReference{Name: s})
	}
	pods := lab.Client().CoreV1().Pods(ns)
	pod, err := pods.Create(t.Context(), pod, create)
	if err != nil {
		t.Fatal(err)
	}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: "app", Image: "ecr.lab/orders/api:2.4",
		State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: message}},
	}}
	if _, err := pods.UpdateStatus(t.Context(), pod, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}

const noBasicAuth = `Back-off pulling image "ecr.lab/orders/api:2.4": ErrImagePull: failed to pull and unpack image ` +
	`"ecr.lab/orders/api:2.4": failed to resolve image: pull access denied, repository does not exist or may require ` +
	`authorization: authorization failed: no basic auth credentials`

// TestForbiddenList: a namespace that one may not read is no namespace without failures.
func TestForbiddenList(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := refloat(t.Context(), "why", "-n", "default", "--as", "stranger")
	if code != 4 {
		t.Errorf("exit %d, want 4", code)
	}
	if !strings.HasPrefix(stdout, "cannot tell: ") || !strings.Contains(stdout, "orbidden") {
		t.Errorf("it does not say that it may not look:\n%s%s", stdout, stderr)
	}
}

// TestForbiddenSecret: a secret that one may not read is unknown, not missing.
func TestForbiddenSecret(t *testing.T) {
	t.Parallel()
	const ns = "orders-eu"
	namespace(t, ns)
	failing(t, ns, "api-0", noBasicAuth, "registry-login")
	allow(t, ns, "reader", rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"pods", "events"}, Verbs: []string{"get", "list"}})

	_, r := why(t, "-n", ns, "--as", "reader")
	if len(r.Findings) != 1 {
		t.Fatalf("%d findings, want 1", len(r.Findings))
	}
	f := r.Findings[0]
	if f.Cause == diagnose.SecretMissing || f.Confidence == diagnose.Likely && f.Cause != diagnose.NoCredentials {
		t.Errorf("it says %s, %s without having seen the secret", f.Cause, f.Confidence)
	}
	if !slices.ContainsFunc(f.Gaps, func(g evidence.Gap) bool {
		return strings.Contains(g.What, "registry-login") && strings.Contains(g.Why, "orbidden")
	}) {
		t.Errorf("no gap names the secret that may not be read: %+v", f.Gaps)
	}

	// The administrator sees that it does not exist.
	if _, r = why(t, "-n", ns); len(r.Findings) != 1 || r.Findings[0].Cause != diagnose.SecretMissing {
		t.Errorf("as administrator: %+v", r.Findings)
	}
}

// TestOneSecretManyPods: 300 pods that fail for one secret are one finding.
func TestOneSecretManyPods(t *testing.T) {
	t.Parallel()
	const ns, n = "orders-us", 300
	namespace(t, ns)
	for i := range n {
		failing(t, ns, fmt.Sprintf("api-%03d", i), noBasicAuth, "registry-login")
	}
	code, r := why(t, "-n", ns)
	if code != 3 || len(r.Findings) != 1 {
		t.Fatalf("exit %d, %d findings; want 3 and one", code, len(r.Findings))
	}
	if f := r.Findings[0]; f.Cause != diagnose.SecretMissing || len(f.Pods) != n {
		t.Errorf("it says %s with %d pods; want auth.secret-missing with %d", f.Cause, len(f.Pods), n)
	}
	_, text, _ := refloat(t.Context(), "why", "-n", ns)
	if lines := strings.Count(text, "\n"); lines > 60 {
		t.Errorf("%d lines for one finding:\n%s", lines, text)
	}
}

// TestHostileMessage: ten megabytes of control bytes in an event do not reach a terminal, nor stop the verdict.
func TestHostileMessage(t *testing.T) {
	t.Parallel()
	const ns = "orders-ap"
	namespace(t, ns)
	failing(t, ns, "api-0", noBasicAuth+strings.Repeat("\x1b]0;x\x07\u202e", 60_000))
	code, text, _ := refloat(t.Context(), "why", "-n", ns)
	if code != 3 || !strings.Contains(text, "orders/api") {
		t.Errorf("exit %d:\n%.2000s", code, text)
	}
	if strings.ContainsAny(text, "\x1b\x07\u202e") || len(text) > 20_000 {
		t.Errorf("%d bytes with control characters: %.500q", len(text), text)
	}
}

// TestMissing: what does not exist is told in two lines.
func TestMissing(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"why", "no-such-pod"}, {"why", "deploy/no-such"}, {"why", "-n", "no-such-namespace"}, {"collect", "no-such-pod"},
	} {
		code, stdout, stderr := refloat(t.Context(), args...)
		if code != 1 || stdout != "" || strings.Count(stderr, "\n") != 2 || !strings.Contains(stderr, "no-such") {
			t.Errorf("%s: exit %d\nstdout: %s\nstderr: %s", strings.Join(args, " "), code, stdout, stderr)
		}
	}
}

// TestWatch prints a report when something changes, and nothing while nothing does.
func TestWatch(t *testing.T) {
	t.Parallel()
	const ns = "orders-sa"
	namespace(t, ns)
	ctx, stop := deadline(t, time.Minute)
	defer stop()
	r, w := io.Pipe()
	done := make(chan int)
	go func() {
		code := cli.Run(ctx, []string{"why", "-n", ns, "--watch", "-o", "json"}, cli.Streams{In: strings.NewReader(""), Out: w, Err: io.Discard})
		_ = w.Close() // a pipe's never fails
		done <- code
	}()
	// The pod comes after the first report, however long that takes on a busy machine.
	var stdout strings.Builder
	buffer := make([]byte, 64<<10)
	for made := false; ; {
		n, err := r.Read(buffer)
		stdout.Write(buffer[:n])
		if err != nil {
			break
		}
		if !made && strings.Contains(stdout.String(), "\n}\n") {
			made = true
			failing(t, ns, "api-0", noBasicAuth, "registry-login")
		}
		if strings.Count(stdout.String(), `"kind": "`+report.Kind+`"`) == 2 {
			stop()
		}
	}
	if code := <-done; code != 130 {
		t.Errorf("exit %d, want 130", code)
	}
	if n := strings.Count(stdout.String(), `"kind": "`+report.Kind+`"`); n != 2 {
		t.Errorf("%d reports, want 2: before and after the pod\n%s", n, stdout.String())
	}
}
