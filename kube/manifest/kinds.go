package manifest

import (
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// shape says where a kind keeps what its pods are made of.
type shape struct {
	// specs are paths to what holds containers.
	specs []string
	// containers are paths below a spec to a container or a list of them; empty is the spec itself.
	containers []slot
	// settings are paths, below the object, to what says pull secrets and nodes where the spec itself does not.
	settings []string
}

type slot struct {
	path string
	kind evidence.ContainerKind
}

var (
	podSlots = []slot{
		{"initContainers", evidence.Init}, {"containers", evidence.App}, {"ephemeralContainers", evidence.Ephemeral},
	}
	// Argo Workflows, api/jsonschema: a template is one of several forms, each with a container or more.
	workflowSlots = []slot{
		{"initContainers", evidence.Init}, {"container", evidence.App}, {"script", evidence.App},
		{"containerSet.containers", evidence.App}, {"sidecars", evidence.App},
	}
	// Tekton, docs/tasks.md: steps become containers of one pod.
	taskSlots = []slot{{"steps", evidence.App}, {"sidecars", evidence.App}, {"stepTemplate", evidence.App}}
	// Prometheus operator, api reference: the operand's image beside containers that are merged into its pod.
	operandSlots = append([]slot{{"", evidence.App}, {"thanos", evidence.App}}, podSlots...)
)

func pods(specs ...string) shape { return shape{specs: specs, containers: podSlots} }

func workflow(at string) shape {
	return shape{specs: []string{at + ".templates.*", at + ".templateDefaults"}, containers: workflowSlots, settings: []string{at}}
}

func tasks(settings []string, specs ...string) shape {
	return shape{specs: specs, containers: taskSlots, settings: settings}
}

var (
	argoproj   = "argoproj.io"
	tekton     = "tekton.dev"
	monitoring = "monitoring.coreos.com"
)

// shapes are the kinds by API group and kind; what is not here is looked at in the usual places.
var shapes = map[string]shape{
	"/Pod":         pods("spec"),
	"/PodTemplate": pods("template.spec"),

	argoproj + "/Workflow":                workflow("spec"),
	argoproj + "/WorkflowTemplate":        workflow("spec"),
	argoproj + "/ClusterWorkflowTemplate": workflow("spec"),
	argoproj + "/CronWorkflow":            workflow("spec.workflowSpec"),

	tekton + "/Task":        tasks(nil, "spec"),
	tekton + "/ClusterTask": tasks(nil, "spec"),
	tekton + "/Pipeline":    tasks(nil, "spec.tasks.*.taskSpec", "spec.finally.*.taskSpec"),
	tekton + "/TaskRun":     tasks([]string{"spec.podTemplate", "spec"}, "spec.taskSpec"),
	tekton + "/PipelineRun": tasks([]string{"spec.taskRunTemplate.podTemplate", "spec.taskRunTemplate", "spec.podTemplate", "spec"},
		"spec.pipelineSpec.tasks.*.taskSpec", "spec.pipelineSpec.finally.*.taskSpec"),

	monitoring + "/Prometheus":      {specs: []string{"spec"}, containers: operandSlots},
	monitoring + "/PrometheusAgent": {specs: []string{"spec"}, containers: operandSlots},
	monitoring + "/Alertmanager":    {specs: []string{"spec"}, containers: operandSlots},
	monitoring + "/ThanosRuler":     {specs: []string{"spec"}, containers: operandSlots},

	"serving.knative.dev/Revision": pods("spec"),
}

// usual are the places where any other kind keeps pod templates: those of the API's own workloads, and those
// that projects are known for.
var usual = pods(
	"spec.template.spec",                  // Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, Rollout, Knative Service, DeploymentConfig, CloneSet …
	"spec.jobTemplate.spec.template.spec", // CronJob, AdvancedCronJob
	"spec.podTemplate.spec",
	"spec.workload.template.spec", "spec.workload.spec.template.spec",
	"spec.jobTargetRef.template.spec",                                           // KEDA ScaledJob
	"spec.replicatedJobs.*.template.spec.template.spec",                         // JobSet
	"spec.leaderWorkerTemplate.*.spec",                                          // LeaderWorkerSet
	"spec.tasks.*.template.spec",                                                // Volcano Job
	"spec.headGroupSpec.template.spec", "spec.workerGroupSpecs.*.template.spec", // RayCluster
	"spec.rayClusterSpec.headGroupSpec.template.spec",                                 // RayJob
	"spec.rayClusterSpec.workerGroupSpecs.*.template.spec",                            //
	"spec.pytorchReplicaSpecs.*.template.spec", "spec.tfReplicaSpecs.*.template.spec", // Kubeflow training
	"spec.mpiReplicaSpecs.*.template.spec",
)

func shapeOf(apiVersion, kind string) shape {
	group, _, grouped := strings.Cut(apiVersion, "/")
	if !grouped {
		group = ""
	}
	if s, ok := shapes[group+"/"+kind]; ok {
		return s
	}
	return usual
}
