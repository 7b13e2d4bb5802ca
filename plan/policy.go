package plan

import (
	"github.com/refloat-dev/refloat/evidence"
)

// neverPull: the kubelet may not pull, so the image must be there, or the policy must change.
func (s subject) neverPull() []Step {
	var steps []Step
	for _, o := range s.owners {
		if o.workload.Manager != "" {
			steps = append(steps, o.atSource("imagePullPolicy (to IfNotPresent)"))
			continue
		}
		step := manual("Let the kubelet pull: imagePullPolicy IfNotPresent for "+o.name(), "The policy of a pod that exists cannot change: the pods are made anew.", "the kubelet pulls the image")
		step.Target = o.ref
		step.Commands, step.Undo = o.policyCommands(), "set imagePullPolicy back to Never"
		steps = append(steps, step)
	}
	if pull := s.pullCommand(); pull != nil {
		steps = append(steps, s.onNode("Or, if Never is meant, put the image on "+s.where(), "Without credentials this works for public images only.", "the container starts within 15 seconds", pull...))
	}
	return steps
}

func (o owner) policyCommands() []string {
	body := ifNotPresent(o.pulls[0])
	target := object(o.ref.Kind, o.ref.Name)
	switch o.kind() {
	case "deployment", "daemonset":
		return []string{kubectl(o.namespace, "patch", target, "-p", quote(body))}
	case "statefulset", "replicaset", "replicationcontroller":
		return append([]string{kubectl(o.namespace, "patch", target, "-p", quote(body))}, o.deletePods()...)
	case "cronjob":
		return append([]string{kubectl(o.namespace, "patch", target, "-p", quote(`{"spec":{"jobTemplate":`+body+`}}`))}, o.deleteJobs()...)
	case "job", "pod", "":
		if o.ref.Name == "" {
			return nil
		}
		return o.recreate()
	}
	return []string{kubectl(o.namespace, "edit", object(groupKind(o.ref), o.ref.Name))}
}

// ifNotPresent is the patch of a pod template that changes the policy of one container or image volume.
func ifNotPresent(p evidence.Pull) string {
	entry := `"containers":[{"name":` + jsonString(p.Container) + `,"imagePullPolicy":"IfNotPresent"}]`
	switch p.Kind {
	case evidence.Init:
		entry = `"initContainers":[{"name":` + jsonString(p.Container) + `,"imagePullPolicy":"IfNotPresent"}]`
	case evidence.VolumeImage:
		entry = `"volumes":[{"name":` + jsonString(p.Volume) + `,"image":{"pullPolicy":"IfNotPresent"}}]`
	}
	return `{"spec":{"template":{"spec":{` + entry + `}}}}`
}

// signature is never fixed by turning the check off.
func (s subject) signature() []Step {
	steps := []Step{manual("See who signed the image", "The node or the cluster accepts signed images only. Sign it with the key that the policy expects, or name an image that is signed. Turning the check off is a decision for who set it.", "")}
	if printableReference(s.pull.Image) {
		steps[0].Commands = []string{"cosign tree " + quote(s.ref.String())}
	}
	switch {
	case s.runtime() == "cri-o":
		steps = append(steps, s.onNode("Read the policy of "+s.where(), "", "", "sudo cat /etc/containers/policy.json", "ls -l /etc/containers/registries.d"))
	case s.runtime() == "containerd" && s.node.Home != evidence.HomeTalos:
		steps = append(steps, s.onNode("Read the verifier's settings on "+s.where(), "containerd asks each program in bin_dir.", "", "sudo containerd config dump | grep -n -A5 image-verifier"))
	}
	return append(steps, s.changeImage("name an image that the policy accepts")...)
}

func (s subject) registryBlocked() []Step {
	steps := []Step{}
	switch {
	case s.pull.Kind == evidence.Refused:
		steps = append(steps, manual("Find the rule that refuses "+s.ref.host, "Admission refused the pod before it existed; the owner's FailedCreate event names the webhook or policy.", "",
			s.ownerEvents(),
			"kubectl get validatingwebhookconfigurations,validatingadmissionpolicies,mutatingwebhookconfigurations"))
	case s.node.Home == evidence.HomeOpenShift:
		steps = append(steps, manual("Read which registries the cluster allows", "", "", `oc get image.config.openshift.io/cluster -o jsonpath='{.spec.registrySources}{"\n"}'`))
	case s.runtime() == "cri-o":
		steps = append(steps, s.onNode("Find the rule on "+s.where(), "", "", "sudo grep -rn -e blocked -e location /etc/containers/registries.conf /etc/containers/registries.conf.d"))
	default:
		steps = append(steps, s.onNode("Find the rule on "+s.where(), "", "", s.findConfig(s.ref.host)))
	}
	return append(steps, s.changeImage("name it in a registry that is allowed, or have the rule's owner allow "+s.ref.host)...)
}

func (s subject) ownerEvents() string {
	if len(s.owners) == 0 {
		return kubectl(s.pull.Namespace, "get events --field-selector reason=FailedCreate")
	}
	return kubectl(s.owners[0].namespace, "get events --field-selector reason=FailedCreate --sort-by=.lastTimestamp")
}
