package plan

import "github.com/refloat-dev/refloat/evidence"

func (s subject) platform() []Step {
	want := s.node.OS + "/" + s.node.Arch
	if s.node.Arch == "" {
		want = "the node's platform"
	}
	steps := []Step{manual("See for which platforms the image was made", "It must list "+want+".", "", s.inspect()...)}
	if s.pull.Kind != evidence.Sandbox {
		steps = append(steps, s.rollback()...)
	}
	if s.anySeen() {
		steps = append(steps, s.changeToSeen("name one for "+want)...)
	}
	steps = append(steps, manual("Build and push it for "+want+" too", "", "the index lists "+want,
		"docker buildx build --platform "+quote(buildPlatforms(s.node))+` --tag "$IMAGE" --push .`))
	steps[len(steps)-1].Note = imageNote
	for _, o := range s.owners {
		if o.workload.Manager == "" && o.kind() == "deployment" {
			step := manual("Or keep "+o.name()+" on nodes that the image is made for", "Set ARCH to an architecture that the image lists.", "the pods are scheduled elsewhere",
				kubectl(o.namespace, "patch", object(o.ref.Kind, o.ref.Name), "-p",
					quote(`{"spec":{"template":{"spec":{"nodeSelector":{"kubernetes.io/arch":"`)+`"$ARCH"`+quote(`"}}}}}`)))
			step.Target, step.Undo = o.ref, "take the nodeSelector out again"
			steps = append(steps, step)
		}
	}
	return steps
}

// buildPlatforms keeps both common platforms: to push one alone would take the other away from the tag.
func buildPlatforms(n evidence.NodeState) string {
	both := "linux/amd64,linux/arm64"
	if n.Arch == "" || n.Arch == "amd64" || n.Arch == "arm64" {
		return both
	}
	return both + ",linux/" + n.Arch
}

func (s subject) format() []Step {
	look := manual("See what it is", "A Docker schema 1 manifest, a Helm chart or another artifact is no image that the runtime runs.", "", s.inspect()...)
	convert := manual("A schema 1 image: convert and push it under a name of your own", "Set IMAGE to that name. Anything else: name the image that was meant.", "")
	if printableReference(s.pull.Image) {
		convert.Commands = []string{"skopeo copy --format v2s2 " + quote("docker://"+s.ref.String()) + ` "docker://$IMAGE"`}
	}
	return append([]Step{look, convert}, s.changeImage("name the converted image")...)
}

// contentMissing: only the registry's owner can bring the bytes back.
func (s subject) contentMissing() []Step {
	steps := []Step{
		manual("See which part the registry lost", "The manifest is there, and something that it names is not: a push that broke off, or a clean-up that took too much.", "", s.inspect()...),
		manual("Push the image again from where it was built, under the same reference", "If the reference is a mirror or a proxy cache, drop its copy instead.", "all blobs answer; the pods recover by themselves"),
	}
	return append(append(steps, s.rollback()...), s.unstick()...)
}
