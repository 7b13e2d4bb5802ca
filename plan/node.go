package plan

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/refloat-dev/refloat/evidence"
)

// diskFull frees room by what nothing uses; a pull needs the compressed and the unpacked size at once.
func (s subject) diskFull() []Step {
	note := "A pull needs the compressed and the unpacked size at the same time. The download may lie on another filesystem than the unpacked image: look at both, and at inodes."
	if fs := s.node.ImageFS; fs != nil {
		note = fmt.Sprintf("The image filesystem has %d MiB of %d MiB and %d inodes left. ", fs.Available>>20, fs.Capacity>>20, fs.InodesFree) + note
	}
	paths := "/var/lib/containerd /var/lib/kubelet"
	switch {
	case s.node.Home == evidence.HomeK3s, s.node.Home == evidence.HomeRKE2:
		paths = "/var/lib/rancher/" + string(s.node.Home) + "/agent/containerd /var/lib/kubelet"
	case s.runtime() == "cri-o":
		paths = "/var/lib/containers /var/tmp /var/lib/kubelet"
	case s.runtime() == "docker":
		paths = "/var/lib/docker /var/lib/kubelet"
	}
	if s.node.Home == evidence.HomeTalos {
		return append([]Step{
			manual("See what is full on "+s.where(), note, "", s.talos("mounts"), s.talos("usage /var --depth 3 --humanize"), s.talos("image list --namespace cri")),
			manual("Free room: cordon, drain and wipe the node's EPHEMERAL partition, or give it a larger disk", "The kubelet removes unused images by itself above 85 % use.", "", "kubectl cordon "+operand(s.nodeName())),
		}, s.unstick()...)
	}
	steps := []Step{
		s.onNode("See what is full on "+s.where(), note, "", "df -h "+paths, "df -i "+paths),
		s.onNode("Remove the images that no container uses", "The kubelet pulls them again when a pod asks; an image that no registry has any more would be lost. Look at the list first.", "df shows room for twice the image", s.prune()...),
		s.onNode("If that frees too little, find what else fills it", "Container logs and emptyDir volumes under /var/lib/kubelet, journals, other users of the disk. Removing files under the runtime's own folders damages its store.", "",
			"sudo du -xh --max-depth=2 /var | sort -h | tail -n 20"),
	}
	return append(steps, s.unstick()...)
}

func (s subject) prune() []string {
	if s.runtime() == "docker" {
		return []string{"sudo docker image ls", "sudo docker image prune --all"}
	}
	return []string{s.crictl("images"), s.crictl("rmi --prune")}
}

func (s subject) filesystem() []Step {
	steps := []Step{s.onNode("Look for errors of the disk and its mount on "+s.where(), "Read-only after I/O errors, id mapping that is too small, a missing decompressor: the kernel's log and the runtime's log tell which."+s.sentence(), "",
		"sudo dmesg --level=err,warn | tail -n 50", "findmnt --target /var/lib", s.log("grep -i -e 'read-only' -e 'input/output' -e 'idmap' -e 'lchown' | tail -n 20"))}
	if s.node.Home == evidence.HomeTalos {
		steps[0] = manual(steps[0].Title, steps[0].Note, "", s.talos("dmesg | tail -n 50"), s.talos("mounts"))
	}
	steps = append(steps, s.moveAway("If the disk is failing, take the node out and replace it"))
	return append(steps, s.unstick()...)
}

// moveAway keeps new pods off the nodes; what runs there stays until it is drained.
func (s subject) moveAway(title string) Step {
	step := manual(title, "Draining evicts what runs there: look at it first.", "the pods start on other nodes")
	for _, n := range s.nodes[:min(len(s.nodes), 3)] {
		step.Commands = append(step.Commands, "kubectl cordon "+operand(n))
		step.Undo = "kubectl uncordon NODE"
	}
	return step
}

var digestText = regexp.MustCompile(`sha256:[0-9a-f]{64}`)

// digests are the blobs that the error names; a snapshot's chain id among them is no blob, and removing it then finds nothing.
func (s subject) digests() []string {
	var out []string
	for _, text := range append([]string{s.Reading.Detail}, s.texts()...) {
		for _, d := range digestText.FindAllString(text, -1) {
			if !slices.Contains(out, d) && len(out) < 4 {
				out = append(out, d)
			}
		}
	}
	return out
}

func (s subject) texts() []string {
	var out []string
	for _, f := range s.Because {
		if f.Message != nil {
			out = append(out, f.Message.Text)
		}
	}
	return out
}

func (s subject) cacheCorrupt() []Step {
	const note = "Pulling again downloads nothing while the runtime believes that it has the bytes, and removing the image does not help while another image shares the layer."
	switch {
	case s.runtime() == "cri-o":
		return append([]Step{s.onNode("Remove the image on "+s.where()+" and let it be pulled again", "Last resort, with the node drained and kubelet and crio stopped: crio wipe -f.", "", s.crictl("rmi "+quoteImage(s.pull.Image)))}, s.unstick()...)
	case s.runtime() == "docker":
		return append([]Step{s.onNode("Remove the image on "+s.where()+" and let it be pulled again", "", "", "sudo docker rmi --force "+quoteImage(s.pull.Image))}, s.unstick()...)
	case s.node.Home == evidence.HomeTalos:
		return append([]Step{s.onNode("Remove the image on "+s.where()+" and let it be pulled again", note+" If that does not help, reset the EPHEMERAL partition of the drained node.", "", s.talos("image list --namespace cri"), s.talos("image remove --namespace cri "+quoteImage(s.pull.Image)))}, s.unstick()...)
	}
	found := s.digests()
	check := s.onNode("Find the damaged content on "+s.where(), note+" Each file's name is its SHA-256: what sha256sum prints must match. A digest that is not found here is a layer's unpacked form, not a blob.", "")
	remove := s.onNode("Remove just that, then let the garbage collection run", "Only blobs that do not match. Other images that share them fetch them again at their next pull. Making and deleting a lease runs the collection at once.", "")
	root := s.contentRoot()
	for _, d := range found {
		check.Commands = append(check.Commands, "sudo sha256sum "+root+"/blobs/sha256/"+d[len("sha256:"):])
		remove.Commands = append(remove.Commands, s.ctr("content rm "+d))
	}
	if len(found) == 0 {
		check.Commands = []string{s.ctr("images check"), `(cd ` + root + `/blobs/sha256 && for f in *; do echo "$f  $f"; done | sudo sha256sum --check --quiet)`}
		remove.Commands = []string{s.ctr(`content rm "$DIGEST"`)}
		remove.Note = "Set DIGEST to sha256: and the name of the file that does not match. " + remove.Note
	}
	remove.Commands = append(remove.Commands, s.ctr("leases create --id refloat-gc"), s.ctr("leases delete --sync refloat-gc"))
	check.Note += " " + s.enter(check.Commands)
	remove.Note += " " + s.enter(remove.Commands)
	last := s.onNode("If only the unpacked snapshot is damaged, stop the pods on "+s.nodeName()+" that use the image and remove it", "A running container pins its snapshot.", "", s.crictl("rmi "+quoteImage(s.pull.Image)))
	return append([]Step{check, remove, last}, s.unstick()...)
}

func (s subject) contentRoot() string {
	root := "/var/lib/containerd"
	if s.node.Home == evidence.HomeK3s || s.node.Home == evidence.HomeRKE2 {
		root = "/var/lib/rancher/" + string(s.node.Home) + "/agent/containerd"
	}
	return root + "/io.containerd.content.v1.content"
}

func (s subject) registryConfig() []Step {
	note := "A wrong CA path, a syntax error (containerd logs it and ignores the whole file), or a mirror that is dead or lies."
	host := s.certsHost()
	var cmds []string
	switch {
	case s.node.Home == evidence.HomeTalos, s.node.Home == evidence.HomeBottlerocket:
		cmds = []string{s.findConfig(host)}
	case s.node.Home == evidence.HomeK3s, s.node.Home == evidence.HomeRKE2:
		note += " containerd's own files are generated at each start: correct registries.yaml, then restart."
		cmds = []string{"sudo cat " + s.rancher() + "/registries.yaml", `sudo "${EDITOR:-vi}" ` + s.rancher() + "/registries.yaml", s.restart()}
	case s.runtime() == "cri-o":
		cmds = []string{"sudo cat /etc/containers/registries.conf", "ls -lR /etc/containers/registries.conf.d /etc/containers/certs.d", "sudo systemctl reload crio"}
	case s.runtime() == "docker":
		cmds = []string{"sudo cat /etc/docker/daemon.json", "ls -lR /etc/docker/certs.d", "sudo systemctl reload docker"}
	default:
		note += " hosts.toml is read at each pull; config.toml needs a restart."
		dir := "/etc/containerd/certs.d/" + host
		cmds = []string{"sudo ls -lR " + quote(dir) + " /etc/containerd/certs.d/_default", "sudo cat " + quote(dir+"/hosts.toml"),
			"sudo containerd config dump | grep -n config_path", s.log("grep -i -e hosts.toml -e 'failed to decode' | tail -n 20")}
	}
	step := s.onNode("Correct the registry configuration of "+s.where()+" for "+host, note+s.sentence(), "the same pull works from "+s.nodeName(), append(cmds, s.pullCommand()...)...)
	if s.node.Home == evidence.HomeOpenShift {
		step = manual("Correct the cluster's image configuration", note+" The nodes' files are generated from it.", "", "oc get image.config.openshift.io/cluster -o yaml", "oc get imagedigestmirrorset,imagetagmirrorset -o yaml")
	}
	return append([]Step{step}, s.unstick()...)
}

func (s subject) runtimeDown() []Step {
	look := s.onNode("See why the runtime is down on "+s.where(), "", "", "systemctl status "+s.unit()+" --no-pager", s.log("tail -n 50"))
	switch s.node.Home {
	case evidence.HomeTalos:
		look = manual("See why the runtime is down on "+s.where(), "", "", s.talos("service cri"), s.talos("logs cri | tail -n 50"))
	case evidence.HomeK3s, evidence.HomeRKE2:
		look.Commands = []string{"systemctl status '" + string(s.node.Home) + "*' --no-pager", s.log("tail -n 50")}
	}
	again := s.onNode("Start it again", "Running containers go on. \"mirrors cannot be set when config_path is provided\" in the log means that its own configuration stops its CRI plugin.", "the node is Ready and crictl info answers", s.restart())
	return append([]Step{look, again}, s.unstick()...)
}

// throttled needs no change to pass; the kubelet's setting is for nodes where it comes back.
func (s subject) throttled() []Step {
	now := "registryPullQPS and registryBurst"
	if c := s.node.Config; c != nil {
		now = fmt.Sprintf("registryPullQPS %d and registryBurst %d", c.PullQPS, c.PullBurst)
	}
	steps := []Step{manual("Wait: the pods pull in turn, within minutes", "The kubelet itself refused: more pulls began at once than "+now+" allow. Nothing is wrong with image or registry.", "")}
	return append(steps, s.raiseLimit("If it comes back, raise the kubelet's limit on "+s.where()))
}

func (s subject) raiseLimit(title string) Step {
	const note = "Or let pulls queue (serializeImagePulls: true)."
	switch s.node.Home {
	case evidence.HomeBottlerocket:
		return s.onNode(title, note, "", "apiclient set kubernetes.registry-qps=20 kubernetes.registry-burst=40")
	case evidence.HomeTalos:
		return manual(title, note, "", s.talosAll("patch machineconfig --patch "+quote(`{"machine":{"kubelet":{"extraConfig":{"registryPullQPS":20,"registryBurst":40}}}}`)))
	case evidence.HomeK3s, evidence.HomeRKE2:
		return s.onNode(title, note+" In config.yaml, under kubelet-arg: registry-qps=20 and registry-burst=40.", "", `sudo "${EDITOR:-vi}" `+s.rancher()+"/config.yaml", s.restart())
	case evidence.HomeOpenShift:
		return manual(title, note+" A KubeletConfig object sets registryPullQPS and registryBurst for a pool.", "", "oc get kubeletconfig -o yaml")
	case evidence.HomeGKE, evidence.HomeEKS, evidence.HomeAKS:
		return manual(title, note+" It is set in the node pool's or launch template's kubelet configuration; new nodes forget what is written on them.", "")
	}
	return s.onNode(title, note+" The kubelet reads it when it starts.", "",
		"sudo grep -n -e registryPullQPS -e registryBurst -e serializeImagePulls /var/lib/kubelet/config.yaml", `sudo "${EDITOR:-vi}" /var/lib/kubelet/config.yaml`, "sudo systemctl restart kubelet")
}

func (s subject) deadline() []Step {
	step := s.onNode("See how fast "+s.where()+" gets the image", "The pull was ended because it took too long or stood still: a slow registry, link or disk, or a large image"+s.compare()+". containerd ends a pull without progress after image_pull_progress_timeout (5 minutes).", "the pull ends in time", append([]string{s.reach()}, s.pullCommand()...)...)
	return append([]Step{step}, s.unstick()...)
}
