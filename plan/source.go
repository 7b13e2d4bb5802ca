package plan

import (
	"encoding/json"
	"strings"
)

// atSource is for objects that a manager writes: a live edit would be taken back, or lost at the next sync.
func (o owner) atSource(what string) Step {
	kind, name, found := strings.Cut(o.workload.ManagedBy, " ")
	if !found {
		kind, name = "", o.workload.ManagedBy
	}
	if _, last, ok := strings.Cut(name, "/"); ok {
		name = last
	}
	step := Step{Risk: Manual, Target: o.ref}
	title := "Change " + what + " of " + o.name() + " at its source"
	switch o.workload.Manager {
	case "argocd":
		step.Title = title + " (Argo CD " + o.workload.ManagedBy + ")"
		step.Note = "Do not edit it live: Argo CD takes that back. Commit the change (kustomize images:, or the chart's values), then:"
		step.Commands = []string{"argocd app diff " + operand(name), "argocd app sync " + operand(name)}
	case "flux":
		step.Title = title + " (Flux " + o.workload.ManagedBy + ")"
		step.Note = "Do not edit it live: Flux takes that back. Commit the change, then (add -n NAMESPACE if it is not in flux-system):"
		if strings.EqualFold(kind, "HelmRelease") {
			step.Commands = []string{"flux reconcile helmrelease " + operand(name) + " --with-source"}
		} else {
			step.Commands = []string{"flux reconcile kustomization " + operand(name) + " --with-source"}
		}
	case "helm":
		step.Title = title + " (Helm " + o.workload.ManagedBy + ")"
		step.Note = "Do not edit it live: the next upgrade may keep or undo that. Set CHART to the chart it came from; keep its version. The values may hold secrets: remove the file afterwards."
		step.Commands = []string{
			"helm -n " + quote(o.namespace) + " get values " + operand(name) + " -o yaml > ./values.yaml",
			`"${EDITOR:-vi}" ./values.yaml`,
			"helm -n " + quote(o.namespace) + " upgrade " + operand(name) + ` "$CHART" -f ./values.yaml`,
		}
	default:
		step.Title = title + " (" + strings.TrimSpace(o.workload.Manager+" "+o.workload.ManagedBy) + ")"
		step.Note = "Do not edit it live: its manager takes that back."
		if kind != "" {
			step.Commands = []string{kubectl(o.namespace, "edit", object(kind, name))}
		}
	}
	step.After = "the pods are made anew from the changed source"
	return step
}

// operand quotes a name that stands where a flag could.
func operand(name string) string {
	if name == "" {
		return `"$NAME"`
	}
	if strings.HasPrefix(name, "-") {
		return "-- " + quote(name)
	}
	return quote(name)
}

func jsonString(s string) string {
	b, err := json.Marshal(s)
	if err != nil { // a string always marshals
		return `""`
	}
	return string(b)
}
