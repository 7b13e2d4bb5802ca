package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// sharpenNetwork asks whether the fault is the node's side or the registry's.
func (v *view) sharpenNetwork(d *Diagnosis) {
	if d.Cause == TLSInvalid && strings.Contains(d.Reading.Detail, "not yet valid") && strings.Contains(d.Reading.Detail, " is before ") {
		v.reason = "not yet valid by the node's clock: check that clock first"
	}
	if p := v.pullSecrets(); len(p.missing) > 0 && d.Cause.Family() == "network" {
		d.RuledOut = append(d.RuledOut, RuledOut{SecretMissing, "secret " + secretName(p.missing[0].Secret) + " is missing too, but the pull fails before any credential is used"})
	}
	if d.allows(RegistryConfig) && v.c.Pull.Node != "" {
		d.lead(RegistryConfig, Possible)
		v.reason = "its mirror " + d.Reading.Host + " fails"
		if v.oneNode {
			d.Confidence = Likely
			d.because(v.elsewhere)
		}
		return
	}
	if v.elsewhere == nil {
		return
	}
	e := v.elsewhere.Elsewhere
	switch {
	case v.oneNode && d.Cause != Stalled:
		d.because(v.elsewhere)
		if v.reason == "" {
			v.reason = fmt.Sprintf("the same image runs on %s: look at %s's side", e.Running[0], v.c.Pull.Node)
		}
		d.dismiss(Unavailable, "the same image runs on "+e.Running[0])
	case len(e.Failing) > 1 || e.FailingMore > 0:
		d.because(v.elsewhere)
	}
}

// findMasked lists causes that other messages name and that this one explains.
func (v *view) findMasked(d *Diagnosis) {
	for _, r := range v.others {
		for _, s := range symptoms[d.Cause] {
			if r.Cause == s && !slices.Contains(d.Masks, s) {
				d.Masks = append(d.Masks, s)
			}
		}
	}
}

// addGaps says what would decide where several causes stay.
func (v *view) addGaps(d *Diagnosis) {
	p := v.c.Pull
	if p.Kind == evidence.Planned {
		return
	}
	if v.moving {
		return
	}
	if d.Cause == Unknown {
		how := "kubectl get events -n " + evidence.Quote(orElse(p.Namespace, "NAMESPACE")) + " --field-selector involvedObject.name=" + evidence.Quote(orElse(p.Pod, "POD"))
		d.gap(evidence.Gap{Vantage: evidence.API, What: "the error text of the pull", Why: "neither the container's status nor an event carries it", How: how, Deciding: true})
		return
	}
	if d.Confidence != Possible {
		return
	}
	switch d.Cause.Family() {
	case "auth", "name", "registry", "image":
		if v.asked != nil {
			return // it was: what it left open has its own gap
		}
		d.gap(evidence.Gap{Vantage: evidence.Registry, What: "what " + orElse(d.Reading.Registry, "the registry") + " answers", Why: "it was not asked",
			How: "with the pod's credentials: skopeo inspect --raw docker://" + evidence.Quote(clean(untagged(orElse(p.Image, d.Reading.Image)), maxRef)), Deciding: true})
	case "network", "node":
		if p.Node != "" && v.seen == nil {
			d.gap(evidence.Gap{Vantage: evidence.Node, What: "node " + p.Node + " from inside", Why: "it was not looked at", How: v.pullByHand(), Deciding: true})
		}
	}
}

// pullByHand is how to see the same failure on the node, by the client that its home has.
func (v *view) pullByHand() string {
	image := evidence.Quote(clean(v.c.Pull.Image, maxRef))
	var n evidence.NodeState
	if v.node != nil {
		n = *v.node.NodeState
	}
	switch {
	case n.Home == evidence.HomeTalos:
		return "talosctl --nodes " + evidence.Quote(v.c.Pull.Node) + " image pull " + image
	case n.Home == evidence.HomeK3s:
		return "on the node: sudo k3s crictl pull " + image
	case n.Home == evidence.HomeRKE2:
		return "on the node: sudo /var/lib/rancher/rke2/bin/crictl --config /var/lib/rancher/rke2/agent/etc/crictl.yaml pull " + image
	case n.Runtime == "docker":
		return "on the node: sudo docker pull " + image
	}
	return "on the node: sudo crictl pull " + image
}

// untagged leaves a digest alone to say what is meant: registry tools refuse a tag beside it.
func untagged(image string) string {
	name, digest, ok := strings.Cut(image, "@")
	if !ok {
		return image
	}
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name = name[:i]
	}
	return name + "@" + digest
}
