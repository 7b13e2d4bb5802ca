package cluster

import (
	"context"
	"errors"
	"fmt"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/test/cluster/internal/daemon"
	"github.com/refloat-dev/refloat/test/cluster/internal/nodeinit"
)

// workloadCases lists the cases of its family: ordinary causes in the less ordinary places of a pod.
func workloadCases() []Case {
	return []Case{initContainer(), sidecar(), ephemeral(), imageVolume(), sandbox(), crash()}
}

// beside is an image that is well, for the container next to the one that fails.
const beside = "open.lab/app:1.0"

// always answers every request for the scene's manifests with a preset.
func always(preset string) []registrytest.Fault {
	return []registrytest.Fault{{Where: registrytest.Where{Step: registrytest.StepManifest}, Answer: registrytest.Answer{Preset: preset}}}
}

func initContainer() Case {
	return outage{
		scene: scene{namespace: "takings", app: "intake", image: "open.lab/takings/migrate:17", owner: deployment, faults: always("error-502")},
		edit: func(spec *v1.PodSpec) {
			spec.InitContainers = []v1.Container{{Name: "migrate", Image: spec.Containers[0].Image}}
			spec.Containers[0].Image = beside
		},
	}.of(Case{Name: "init-container", Cause: "registry.unavailable", About: "the image of an init container cannot be pulled"})
}

func sidecar() Case {
	return outage{
		scene: scene{namespace: "leads", app: "forms", image: "open.lab/leads/agent:0.44", owner: deployment, faults: always("rate-limited")},
		edit: func(spec *v1.PodSpec) {
			keep := v1.ContainerRestartPolicyAlways
			spec.InitContainers = []v1.Container{{Name: "agent", Image: spec.Containers[0].Image, RestartPolicy: &keep}}
			spec.Containers[0].Image = beside
		},
	}.of(Case{Name: "sidecar", Cause: "registry.rate-limited", About: "the image of a sidecar cannot be pulled"})
}

// ephemeral adds a container to a running pod, as kubectl debug does.
func ephemeral() Case {
	const ns, tools = "blog", "open.lab/blog/toolbox:1.36"
	return outage{
		scene: scene{namespace: ns, app: "comments", image: tools, faults: always("error-500")},
		edit:  func(spec *v1.PodSpec) { spec.Containers[0].Image = beside },
		late: func(ctx context.Context, l *Lab) error {
			pods := l.client.CoreV1().Pods(ns)
			return l.wait(ctx, "the pod to take another container", func(ctx context.Context) error {
				pod, err := pods.Get(ctx, "comments", getOptions)
				if err != nil {
					return err
				}
				if pod.Status.Phase != v1.PodRunning {
					return fmt.Errorf("it is %s", pod.Status.Phase)
				}
				pod.Spec.EphemeralContainers = []v1.EphemeralContainer{{
					EphemeralContainerCommon: v1.EphemeralContainerCommon{Name: "debugger", Image: tools, Stdin: true, TTY: true},
					TargetContainerName:      "app",
				}}
				_, err = pods.UpdateEphemeralContainers(ctx, pod.Name, pod, metav1.UpdateOptions{})
				return err
			})
		},
	}.of(Case{Name: "ephemeral-container", Cause: "registry.unavailable", About: "the image of a debugging container cannot be pulled"})
}

func imageVolume() Case {
	return outage{
		scene: scene{namespace: "vision", app: "classifier", image: "open.lab/vision/weights:2026-11", owner: deployment, faults: always("error-503")},
		edit: func(spec *v1.PodSpec) {
			weights := v1.VolumeSource{Image: &v1.ImageVolumeSource{Reference: spec.Containers[0].Image, PullPolicy: v1.PullIfNotPresent}}
			spec.Volumes = []v1.Volume{{Name: "weights", VolumeSource: weights}}
			spec.Containers[0].Image = beside
			spec.Containers[0].VolumeMounts = []v1.VolumeMount{{Name: "weights", MountPath: "/weights"}}
		},
	}.of(Case{Name: "image-volume", Cause: "registry.unavailable", About: "the image of a volume cannot be pulled"})
}

// sandbox takes the pause image from the spare node and the registry's name with it. The kubelet tells nobody but an event.
func sandbox() Case {
	c := outage{
		scene: scene{namespace: "logistics", app: "routes", image: "open.lab/logistics/routes:6.6", owner: deployment},
		on:    spareNode, edit: tolerateAll,
		fail: func(ctx context.Context, l *Lab) error {
			return errors.Join(l.SetDNS(ctx, spareNode(l), "open.lab", DNSNXDomain), l.ForgetImage(ctx, spareNode(l), daemon.Pause))
		},
		restore: func(ctx context.Context, l *Lab) error {
			err := l.SetDNS(ctx, spareNode(l), "open.lab", DNSOK)
			if out, e := l.Exec(ctx, spareNode(l), "ctr", "images", "import", nodeinit.Bin+"/pause.tar"); e != nil {
				err = errors.Join(err, fmt.Errorf("%w: %s", e, out))
			}
			return err
		},
	}.of(Case{Name: "sandbox-image", Cause: "network.dns", Takes: Takes{Node: true}, About: "the pause image is gone from one node and cannot be pulled again"})
	c.Image = daemon.Pause
	return c
}

// crash is no pull failure, so it has no cause: what must not be taken for one.
func crash() Case {
	return outage{
		scene: scene{namespace: "travel", app: "booking", image: "open.lab/travel/booking:4.9", owner: deployment},
		edit:  func(spec *v1.PodSpec) { spec.Containers[0].Args = []string{"3"} },
	}.of(Case{Name: "crash-after-pull", About: "the image is pulled, and its program ends with an error"})
}
