package kube_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/kube"
)

const cause = `Back-off pulling image "reg.lab/app:1": ErrImagePull: failed to resolve image: 401 Unauthorized`

func objectMeta(ns, name, uid string, owner *metav1.OwnerReference) metav1.ObjectMeta {
	m := metav1.ObjectMeta{Namespace: ns, Name: name, UID: types.UID(uid), Labels: map[string]string{"app": "web"}}
	if owner != nil {
		m.OwnerReferences = []metav1.OwnerReference{*owner}
	}
	return m
}

func controller(apiVersion, kind, name, uid string) *metav1.OwnerReference {
	yes := true
	return &metav1.OwnerReference{APIVersion: apiVersion, Kind: kind, Name: name, UID: types.UID(uid), Controller: &yes}
}

// pod waits for its image on node-1.
func pod(name string, owner *metav1.OwnerReference, reason, message string) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: objectMeta("shop", name, "uid-"+name, owner)}
	p.Spec = corev1.PodSpec{
		NodeName: "node-1", ServiceAccountName: "default", ImagePullSecrets: []corev1.LocalObjectReference{{Name: "regcred"}},
		Containers: []corev1.Container{{Name: "app", Image: "reg.lab/app:1"}},
	}
	p.Status.Phase = corev1.PodPending
	p.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: "app", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}},
	}}
	return p
}

func running(name, node string) *corev1.Pod {
	p := pod(name, nil, "", "")
	p.Spec.NodeName, p.Status.Phase = node, corev1.PodRunning
	p.Status.ContainerStatuses[0].State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	return p
}

func event(name, kind, uid, field, reason, text string, ago time.Duration) *corev1.Event {
	return &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Namespace: "shop", Name: name},
		InvolvedObject: corev1.ObjectReference{APIVersion: "v1", Kind: kind, Namespace: "shop", Name: strings.TrimPrefix(uid, "uid-"), UID: types.UID(uid), FieldPath: field},
		Reason:         reason, Message: text, Type: "Warning", LastTimestamp: metav1.NewTime(noon.Add(-ago)),
	}
}

// shop has a deployment with two stuck pods, a job's, a bare one, a crash, and healthy ones.
func shop() *server {
	one := int32(3)
	selector := &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}
	template := func(image string) corev1.PodTemplateSpec {
		return corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: image}}}}
	}
	set := func(name, image, revision string, available int32) *appsv1.ReplicaSet {
		rs := &appsv1.ReplicaSet{ObjectMeta: objectMeta("shop", name, "uid-"+name, controller("apps/v1", "Deployment", "web", "uid-web"))}
		rs.Annotations = map[string]string{"deployment.kubernetes.io/revision": revision}
		rs.Spec.Selector, rs.Spec.Template, rs.Status.AvailableReplicas = selector, template(image), available
		return rs
	}
	deploy := &appsv1.Deployment{ObjectMeta: objectMeta("shop", "web", "uid-web", nil)}
	deploy.Annotations = map[string]string{"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/web"}
	deploy.Spec = appsv1.DeploymentSpec{Replicas: &one, Selector: selector, Template: template("reg.lab/app:1")}
	deploy.Status = appsv1.DeploymentStatus{Replicas: 3, UpdatedReplicas: 2, AvailableReplicas: 1}
	job := &batchv1.Job{ObjectMeta: objectMeta("shop", "mail-1", "uid-mail-1", controller("batch/v1", "CronJob", "mail", "uid-mail"))}
	cron := &batchv1.CronJob{ObjectMeta: objectMeta("shop", "mail", "uid-mail", nil)}
	crash := pod("crash", nil, "CrashLoopBackOff", "back-off 5m0s restarting failed container")
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-1"}}
	node.Status.NodeInfo = corev1.NodeSystemInfo{ContainerRuntimeVersion: "containerd://2.4.2", KubeletVersion: "v1.36.3", Architecture: "amd64", OperatingSystem: "linux"}
	node.Status.Images = []corev1.ContainerImage{{Names: []string{"reg.lab/app:1"}}}
	s := &server{raw: map[string]string{"/version": `{"gitVersion":"v1.36.3"}`}}
	return s.add(
		deploy, set("web-2", "reg.lab/app:1", "2", 0), set("web-1", "reg.lab/app:0", "1", 1), job, cron, node,
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "empty"}},
		&corev1.ServiceAccount{ObjectMeta: objectMeta("shop", "default", "sa", nil)},
		pod("web-2-a", controller("apps/v1", "ReplicaSet", "web-2", "uid-web-2"), "ImagePullBackOff", cause),
		pod("web-2-b", controller("apps/v1", "ReplicaSet", "web-2", "uid-web-2"), "ImagePullBackOff", cause),
		pod("mail-1-a", controller("batch/v1", "Job", "mail-1", "uid-mail-1"), "ErrImagePull", "x"),
		pod("bare", nil, "ImagePullBackOff", `Back-off pulling image "reg.lab/app:1"`),
		crash, running("ok-1", "node-2"), running("ok-2", "node-3"),
	)
}

func podsOf(c *evidence.Collection) []string {
	var out []string
	for _, one := range c.Cases {
		out = append(out, one.Pull.Pod)
	}
	return out
}

func TestFindTargets(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		scope evidence.Scope
		want  []string
	}{
		{"namespace", evidence.Scope{Namespace: "shop"}, []string{"bare", "mail-1-a", "web-2-a", "web-2-b"}},
		{"everywhere", evidence.Scope{AllNamespaces: true}, []string{"bare", "mail-1-a", "web-2-a", "web-2-b"}},
		{"another namespace", evidence.Scope{Namespace: "empty"}, nil},
		{"pod", evidence.Scope{Namespace: "shop", Target: "bare"}, []string{"bare"}},
		{"pod by type", evidence.Scope{Namespace: "shop", Target: "pods/bare"}, []string{"bare"}},
		{"healthy pod", evidence.Scope{Namespace: "shop", Target: "ok-1"}, nil},
		{"deployment", evidence.Scope{Namespace: "shop", Target: "deploy/web"}, []string{"web-2-a", "web-2-b"}},
		{"deployment in full", evidence.Scope{Namespace: "shop", Target: "deployments.apps/web"}, []string{"web-2-a", "web-2-b"}},
		{"replica set", evidence.Scope{Namespace: "shop", Target: "rs/web-1"}, nil},
		{"job", evidence.Scope{Namespace: "shop", Target: "job/mail-1"}, []string{"mail-1-a"}},
		{"cron job", evidence.Scope{Namespace: "shop", Target: "cj/mail"}, []string{"mail-1-a"}},
		{"selector", evidence.Scope{Namespace: "shop", Selector: "app=other"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := kube.Find(t.Context(), shop().client(t), tt.scope)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, podsOf(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if len(got.Gaps) > 0 {
				t.Errorf("gaps %+v", got.Gaps)
			}
		})
	}
}

func TestFindErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		scope evidence.Scope
		want  string
	}{
		{"no such pod", evidence.Scope{Namespace: "shop", Target: "web-2-c"}, "pod \"web-2-c\" not found in namespace \"shop\"\nthere is web-2-a, web-2-b"},
		{"nothing like it", evidence.Scope{Namespace: "shop", Target: "zebra"}, "pod \"zebra\" not found in namespace \"shop\"\nlist what is there with: kubectl get pods -n shop"},
		{"no such deployment", evidence.Scope{Namespace: "shop", Target: "deploy/webs"}, "deployment \"webs\" not found in namespace \"shop\"\nthere is web"},
		{"no such namespace", evidence.Scope{Namespace: "shopp"}, "namespace \"shopp\" not found\nthere is shop"},
		{"wrong type", evidence.Scope{Namespace: "shop", Target: "svc/web"}, "cannot find pods through the type \"svc/web\"\nname a pod, or one of pod, deploy, rs, sts, ds, job, cronjob, rc, as in deploy/web"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := kube.Find(t.Context(), shop().client(t), tt.scope)
			if err == nil || err.Error() != tt.want {
				t.Errorf("error %q, want %q", err, tt.want)
			}
		})
	}
	t.Run("unreachable", func(t *testing.T) {
		t.Parallel()
		c, err := kube.New(&rest.Config{Host: "http://127.0.0.1:1"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = kube.Find(t.Context(), c, evidence.Scope{})
		var gone *kube.UnreachableError
		if !errors.As(err, &gone) || strings.Count(err.Error(), "\n") != 1 {
			t.Errorf("error %q", err)
		}
	})
}

func TestFindForbidden(t *testing.T) {
	t.Parallel()
	for _, scope := range []evidence.Scope{{AllNamespaces: true}, {Namespace: "shop"}, {Namespace: "shop", Target: "bare"}, {Namespace: "shop", Target: "deploy/web"}} {
		s := shop()
		s.refuse = []string{"/pods", "/deployments"}
		got, err := kube.Find(t.Context(), s.client(t), scope)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Cases) != 0 || len(got.Gaps) != 1 || !got.Gaps[0].Deciding || !strings.HasPrefix(got.Gaps[0].Why, "Forbidden: ") {
			t.Errorf("%+v: %d cases, gaps %+v", scope, len(got.Cases), got.Gaps)
		}
	}
}

func TestFindForbiddenEvents(t *testing.T) {
	t.Parallel()
	s := shop()
	s.refuse = []string{"/events"}
	got, err := kube.Find(t.Context(), s.client(t), evidence.Scope{Namespace: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	// The bare pod's status tells no cause: its events could.
	if len(got.Cases) != 4 || len(got.Gaps) != 2 || !got.Gaps[0].Deciding {
		t.Errorf("%d cases, gaps %+v", len(got.Cases), got.Gaps)
	}
}

func TestFindRequests(t *testing.T) {
	t.Parallel()
	s := shop()
	for i := range 300 {
		s.add(pod(fmt.Sprintf("many-%d", i), controller("apps/v1", "ReplicaSet", "web-2", "uid-web-2"), "ImagePullBackOff", cause))
	}
	c := s.client(t)
	got, err := kube.Find(t.Context(), c, evidence.Scope{AllNamespaces: true})
	if err != nil {
		t.Fatal(err)
	}
	api := kube.API{Client: c}
	if err := api.Observe(t.Context(), got.Cases); err != nil {
		t.Fatal(err)
	}
	// version, pods, events, refusals; secret, account, node; web-2, web, mail-1, mail; one history.
	if n := s.asked("/"); len(got.Cases) != 304 || n > 13 {
		t.Errorf("%d requests for %d cases: %q", n, len(got.Cases), s.asks)
	}
}

func TestFindHidden(t *testing.T) {
	t.Parallel()
	s := shop()
	s.add(
		pod("silent", nil, "ContainerCreating", ""), event("e1", "Pod", "uid-silent", "spec.containers{app}", "Pulling", `Pulling image "reg.lab/app:1"`, time.Hour),
		pod("patient", nil, "ContainerCreating", ""), event("e2", "Pod", "uid-patient", "spec.containers{app}", "Pulling", `Pulling image "reg.lab/app:1"`, time.Minute),
		pod("pause", nil, "ContainerCreating", ""), event("e3", "Pod", "uid-pause", "", "FailedCreatePodSandBox", `Failed to create pod sandbox: failed to get sandbox image "pause:3": failed to pull image "pause:3": EOF`, time.Minute),
	)
	rs := &appsv1.ReplicaSet{ObjectMeta: objectMeta("shop", "refused", "uid-refused", nil)}
	rs.Spec.Template.Spec.Containers = []corev1.Container{{Name: "app", Image: "evil.lab/x:1"}}
	quota := &appsv1.ReplicaSet{ObjectMeta: objectMeta("shop", "quota", "uid-quota", nil)}
	refused := event("e4", "ReplicaSet", "uid-refused", "", "FailedCreate", `admission webhook "policy" denied the request: image evil.lab/x:1 is not from an allowed registry`, time.Minute)
	over := event("e5", "ReplicaSet", "uid-quota", "", "FailedCreate", `pods "x" is forbidden: exceeded quota: images, requested: 1`, time.Minute)
	refused.InvolvedObject.APIVersion, over.InvolvedObject.APIVersion = "apps/v1", "apps/v1"
	s.add(rs, quota, refused, over)
	got, err := kube.Find(t.Context(), s.client(t), evidence.Scope{Namespace: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]string{}
	for _, c := range got.Cases {
		kinds[c.Pull.Pod+c.Pull.Workload.Name] = string(c.Pull.Kind) + " " + c.Pull.Image
	}
	for name, want := range map[string]string{
		"silentsilent": "container reg.lab/app:1", "pausepause": "sandbox pause:3", "refused": "refused evil.lab/x:1", "patientpatient": "", "quota": "",
	} {
		if kinds[name] != want {
			t.Errorf("%s: %q, want %q", name, kinds[name], want)
		}
	}
	if len(got.Crashes) != 1 || got.Crashes[0].Pod != "crash" {
		t.Errorf("crashes %+v", got.Crashes)
	}
}
