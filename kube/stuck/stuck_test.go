package stuck_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/kube/stuck"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// podWith is a pod of one container, with one image volume that it mounts.
func podWith(reason, message string) *corev1.Pod {
	pod := &corev1.Pod{}
	pod.Namespace, pod.Name = "shop", "web"
	pod.Spec.Containers = []corev1.Container{{
		Name: "app", Image: "reg.lab/app:1", ImagePullPolicy: corev1.PullAlways, VolumeMounts: []corev1.VolumeMount{{Name: "model"}},
	}}
	pod.Spec.Volumes = []corev1.Volume{{Name: "model", VolumeSource: corev1.VolumeSource{
		Image: &corev1.ImageVolumeSource{Reference: "reg.lab/model:2", PullPolicy: corev1.PullIfNotPresent},
	}}}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: "app", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}},
	}}
	return pod
}

// seen is what the tests compare of a container.
type seen struct {
	Kind          evidence.ContainerKind
	Image, Volume string
}

func of(cs []stuck.Container) []seen {
	var out []seen
	for _, c := range cs {
		out = append(out, seen{c.Kind, c.Image, c.Volume})
	}
	return out
}

func event(ago time.Duration, container, kind, reason, text string) stuck.Event {
	return stuck.Event{Container: container, Message: evidence.Message{
		Origin: evidence.Event, Type: kind, Reason: reason, Text: text, Last: noon.Add(-ago),
	}}
}

func TestSettle(t *testing.T) {
	t.Parallel()
	app := []seen{{evidence.App, "reg.lab/app:1", ""}}
	volume := []seen{{evidence.VolumeImage, "reg.lab/model:2", "model"}}
	pulling := event(10*time.Minute, "app", "Normal", "Pulling", `Pulling image "reg.lab/app:1"`)
	noSandbox := event(time.Minute, "", "Warning", "FailedCreatePodSandBox",
		`Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox image "registry.k8s.io/pause:3.9": failed to pull image "registry.k8s.io/pause:3.9": dial tcp: i/o timeout`)
	tests := []struct {
		name            string
		reason, message string
		events          []stuck.Event
		want            []seen
	}{
		{"back-off", "ImagePullBackOff", `Back-off pulling image "reg.lab/app:1"`, nil, app},
		{"never pull", "ErrImageNeverPull", `Container image "reg.lab/app:1" is not present with pull policy of Never`, nil, app},
		{"inspect names nothing", "ImageInspectError", `Failed to inspect image "": boom`, nil, app},
		{"registry unavailable", "RegistryUnavailable", "", nil, app},
		{"signature", "SignatureValidationFailed", "", nil, app},
		{"raw base64 text as the reason", "illegal base64 data at input byte 0", "", nil, app},
		{"raw JSON text as the reason", "json: cannot unmarshal array into Go struct field DockerConfigJSON.auths of type credentialprovider.DockerConfig", "", nil, app},
		{"crash", "CrashLoopBackOff", "back-off 5m0s restarting failed container=app", nil, nil},
		{"config error", "CreateContainerConfigError", `secret "x" not found`, nil, nil},
		{"creation fails for another reason", "CreateContainerError", "failed to reserve container name", nil, nil},
		{"nothing to run", "CreateContainerError", `failed to generate container "f6" spec: failed to generate spec: no command specified`, nil, app},
		{"layers that were never unpacked", "CreateContainerError", "failed to create containerd container: parent snapshot sha256:6d does not exist: not found", nil, app},
		{"unpacking fails", "CreateContainerError", `failed to create containerd container: error unpacking image: apply layer error for "reg.lab/app:1": archive/tar: invalid tar header`, nil, app},
		{"another controller's word", "Whatever", "", nil, nil},
		{"volume", "ImagePullBackOff", `Back-off pulling image "reg.lab/model:2": ErrImagePull: not found`, nil, volume},
		{"volume told by its event", "ErrImagePull", "no match for platform in manifest: not found",
			[]stuck.Event{event(0, "app", "Warning", "Failed", `Failed to pull image "reg.lab/model:2": no match`)}, volume},
		{"the volume's name begins like the image's", "ErrImagePull", `failed to pull and unpack image "reg.lab/app:1": x reg.lab/model:2.1`, nil, app},
		{"starting", "ContainerCreating", "", nil, nil},
		{"pulling for long", "ContainerCreating", "", []stuck.Event{pulling}, app},
		{"pulling for long behind an init", "PodInitializing", "", []stuck.Event{pulling}, app},
		{"pulling for a moment", "ContainerCreating", "", []stuck.Event{event(time.Minute, "app", "Normal", "Pulling", "Pulling image")}, nil},
		{"pulled since", "ContainerCreating", "", []stuck.Event{pulling, event(time.Minute, "app", "Normal", "Pulled", "Successfully pulled")}, nil},
		{"failed last, and no status came", "ContainerCreating", "", []stuck.Event{
			event(30*time.Second, "app", "Warning", "Failed", `Failed to pull image "reg.lab/app:1": rpc error: code = Unavailable desc = error reading from server: EOF`),
			event(30*time.Second, "app", "Normal", "Pulling", `Pulling image "reg.lab/app:1"`),
			event(30*time.Second, "app", "Warning", "Failed", "Error: ErrImagePull"),
		}, app},
		{"failed, and pulls again", "ContainerCreating", "", []stuck.Event{
			event(30*time.Second, "app", "Warning", "Failed", `Failed to pull image "reg.lab/app:1": EOF`),
			event(10*time.Second, "app", "Normal", "Pulling", `Pulling image "reg.lab/app:1"`),
		}, nil},
		{"sandbox without a runtime", "ContainerCreating", "", []stuck.Event{event(0, "", "Warning", "FailedCreatePodSandBox",
			`Failed to create pod sandbox: rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: connection refused"`)},
			[]seen{{evidence.Sandbox, "", ""}}},
		{"another container pulls", "ContainerCreating", "", []stuck.Event{event(time.Hour, "other", "Normal", "Pulling", "Pulling image")}, nil},
		{"volume pulling for long", "ContainerCreating", "", []stuck.Event{event(time.Hour, "", "Normal", "Pulling", `Pulling image "reg.lab/model:2"`)}, volume},
		{"sandbox", "ContainerCreating", "", []stuck.Event{noSandbox}, []seen{{evidence.Sandbox, "registry.k8s.io/pause:3.9", ""}}},
		{"sandbox, overcome", "ContainerCreating", "", []stuck.Event{noSandbox, event(time.Second, "app", "Normal", "Pulling", "Pulling image")}, nil},
		{"sandbox without network", "ContainerCreating", "", []stuck.Event{event(0, "", "Warning", "FailedCreatePodSandBox", `plugin type="bridge" failed (add): no IP addresses available`)}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := stuck.Settle(stuck.Read(podWith(tt.reason, tt.message)), tt.events, noon, 5*time.Minute)
			if diff := cmp.Diff(tt.want, of(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestReadKinds(t *testing.T) {
	t.Parallel()
	waiting := corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ErrImagePull"}}
	pod := &corev1.Pod{}
	pod.Spec.InitContainers = []corev1.Container{{Name: "i", Image: "i:1"}}
	pod.Spec.Containers = []corev1.Container{{Name: "a", Image: "a:1"}, {Name: "ok", Image: "ok:1"}}
	pod.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "e", Image: "e:1"}}}
	pod.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "i", State: waiting}}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "a", State: waiting}, {Name: "ok"}, {Name: "not in the spec", State: waiting}}
	pod.Status.EphemeralContainerStatuses = []corev1.ContainerStatus{{Name: "e", State: waiting}}
	want := []seen{{evidence.Init, "i:1", ""}, {evidence.App, "a:1", ""}, {evidence.Ephemeral, "e:1", ""}}
	if diff := cmp.Diff(want, of(stuck.Read(pod))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestReadCrash(t *testing.T) {
	t.Parallel()
	pod := podWith("CrashLoopBackOff", "back-off 10s restarting failed container")
	s := &pod.Status.ContainerStatuses[0]
	s.RestartCount = 4
	s.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled"}
	got := stuck.Read(pod)
	want := evidence.Crash{
		Namespace: "shop", Pod: "web", Container: "app", Reason: "OOMKilled", ExitCode: 137, Restarts: 4, Message: "back-off 10s restarting failed container",
	}
	if len(got) != 1 || got[0].State != stuck.Crashed {
		t.Fatalf("got %+v", got)
	}
	if diff := cmp.Diff(want, got[0].Crash); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestReadCrashNotWaiting: between its end and the kubelet's next sync a crash waits for nothing.
func TestReadCrashNotWaiting(t *testing.T) {
	t.Parallel()
	pod := podWith("CrashLoopBackOff", "")
	s := &pod.Status.ContainerStatuses[0]
	s.RestartCount = 2
	s.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 3, Reason: "Error"}}
	got := stuck.Read(pod)
	if len(got) != 1 || got[0].State != stuck.Crashed || got[0].Crash.ExitCode != 3 || got[0].Crash.Reason != "Error" {
		t.Errorf("got %+v", got)
	}
}

func TestNeverRan(t *testing.T) {
	t.Parallel()
	const noFile = `runc create failed: exec: "/app": stat /app: no such file or directory`
	tests := []struct {
		name, waits string
		ended       string
		code        int32
		message     string
		want        bool
	}{
		{"started and waits", "CrashLoopBackOff", "StartError", 128, noFile, true},
		{"cannot be run", "RunContainerError", "", 0, "", true},
		{"cannot be made", "CreateContainerError", "Error", 1, "panic", true},
		{"dockerd", "CrashLoopBackOff", "ContainerCannotRun", 127, noFile, true},
		{"CRI-O", "CrashLoopBackOff", "Error", 127, `executable file not found in $PATH`, true},
		{"another machine's program", "CrashLoopBackOff", "Error", 128, "exec /app: exec format error", true},
		{"a shell that finds no program", "CrashLoopBackOff", "Error", 127, "", false},
		{"ran and ended", "CrashLoopBackOff", "Error", 1, "open /data: no such file or directory", false},
		{"killed", "CrashLoopBackOff", "OOMKilled", 137, "", false},
		{"its configuration", "CreateContainerConfigError", "", 0, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			pod := podWith(tt.waits, "")
			if tt.ended != "" {
				pod.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{Reason: tt.ended, ExitCode: tt.code, Message: tt.message}
			}
			got := stuck.Read(pod)
			if len(got) != 1 || got[0].State != stuck.Crashed || got[0].NeverRan != tt.want {
				t.Errorf("want %v, got %+v", tt.want, got)
			}
		})
	}
}

func TestConcerns(t *testing.T) {
	t.Parallel()
	app := stuck.Container{Kind: evidence.App, Name: "app", Image: "reg.lab/app:2"}
	tests := []struct {
		name  string
		event stuck.Event
		want  bool
	}{
		{"error", event(0, "app", "Warning", "Failed", `Failed to pull image "reg.lab/app:2": boom`), true},
		{"error in a spam summary", event(0, "app", "Warning", "Failed", `(combined from similar events): Failed to pull image "reg.lab/app:2": boom`), true},
		{"malformed secret", event(0, "app", "Warning", "Failed", "Error: illegal base64 data at input byte 0"), true},
		{"no secret", event(0, "", "Warning", "FailedToRetrieveImagePullSecret", "Unable to retrieve"), true},
		{"an image's back-off", event(0, "app", "Normal", "BackOff", `Back-off pulling image "reg.lab/app:2"`), true},
		{"a crash's back-off", event(0, "app", "Warning", "BackOff", "Back-off restarting failed container app in pod web"), false},
		{"repeats the reason", event(0, "app", "Warning", "Failed", "Error: ImagePullBackOff"), false},
		{"another container", event(0, "side", "Warning", "Failed", "Failed to pull image"), false},
		{"the image before", event(0, "app", "Warning", "Failed", `Failed to pull image "reg.lab/app:1": boom`), false},
		{"sandbox", event(0, "", "Warning", "FailedCreatePodSandBox", "sandbox image"), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := stuck.Concerns(app, tt.event); got != tt.want {
				t.Errorf("Concerns = %v", got)
			}
		})
	}
}

// TestReadReferences: credentials in a reference are hidden, and it is still found in messages and events.
func TestReadReferences(t *testing.T) {
	t.Parallel()
	const bad, want = "bob:hunter2@reg.lab/model:2", "REDACTED@reg.lab/model:2"
	message := `Back-off pulling image "` + bad + `": ErrImagePull: not found`
	pod := podWith("ImagePullBackOff", message)
	pod.Spec.Volumes[0].Image.Reference = bad
	got := stuck.Read(pod)
	if diff := cmp.Diff([]seen{{evidence.VolumeImage, want, "model"}}, of(got)); diff != "" {
		t.Fatalf("(-want +got)\n%s", diff)
	}
	if !stuck.Concerns(got[0], event(0, "app", "Warning", "Failed", evidence.Clean(`Failed to pull image "`+bad+`": boom`))) {
		t.Error("its own event does not concern it")
	}
	const digest = "reg.lab/app:1@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	pod = podWith("ImagePullBackOff", "")
	pod.Spec.Containers[0].Image = digest
	if got := stuck.Read(pod)[0].Image; got != digest {
		t.Errorf("a digest became %q", got)
	}
}
