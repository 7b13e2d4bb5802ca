package plan

import (
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// onNode is a step whose commands run on a node; the note says how to get there in the manner of its home.
func (s subject) onNode(title, note, after string, commands ...string) Step {
	step := manual(title, note, after, commands...)
	if len(s.nodes) > 0 {
		step.Target = evidence.Ref{APIVersion: "v1", Kind: "Node", Name: s.nodes[0]}
	}
	if len(commands) > 0 {
		step.Note = strings.TrimSpace(step.Note + " " + s.enter(commands))
	}
	return step
}

// enter is how a person gets a shell on the node.
func (s subject) enter(commands []string) string {
	node := s.nodeName()
	run := "Run on " + node
	if len(s.nodes) > 1 {
		run = "Run on each of the nodes, such as " + node
	}
	switch s.node.Home {
	case evidence.HomeTalos:
		for _, c := range commands {
			if !strings.HasPrefix(c, "talosctl ") {
				return "Talos has no shell: run this in a pod with hostNetwork on " + node + ", or on a machine of its network."
			}
		}
		return "talosctl runs from your machine."
	case evidence.HomeBottlerocket:
		return run + " in the admin container: apiclient exec admin bash, then sudo sheltie."
	case evidence.HomeOpenShift:
		return run + ": oc debug node/" + node + ", then chroot /host."
	case evidence.HomeGKE:
		return run + ": gcloud compute ssh " + node + "."
	case evidence.HomeEKS:
		return run + ": aws ssm start-session --target INSTANCE."
	case evidence.HomeAKS:
		return run + ": kubectl debug node/" + node + " --profile=sysadmin -it --image=IMAGE, then chroot /host."
	}
	return run + "."
}

// talos starts a command that reads one Talos node.
func (s subject) talos(args string) string {
	return "talosctl --nodes " + quote(s.nodeName()) + " " + args
}

// crictl is the node's CRI client as its home has it; k3s and RKE2 keep their socket elsewhere.
func (s subject) crictl(args string) string {
	switch s.node.Home {
	case evidence.HomeK3s:
		return "sudo k3s crictl " + args
	case evidence.HomeRKE2:
		return "sudo /var/lib/rancher/rke2/bin/crictl --config /var/lib/rancher/rke2/agent/etc/crictl.yaml " + args
	}
	return "sudo crictl " + args
}

// ctr is containerd's own client in the kubelet's namespace.
func (s subject) ctr(args string) string {
	switch s.node.Home {
	case evidence.HomeK3s:
		return "sudo k3s ctr --namespace k8s.io " + args
	case evidence.HomeRKE2:
		return "sudo /var/lib/rancher/rke2/bin/ctr --address /run/k3s/containerd/containerd.sock --namespace k8s.io " + args
	}
	return "sudo ctr --namespace k8s.io " + args
}

// pullCommand pulls through the runtime, without the pod's credentials.
func (s subject) pullCommand() []string {
	if !printableReference(s.pull.Image) {
		return nil
	}
	image := quote(s.ref.String())
	switch {
	case s.node.Home == evidence.HomeTalos:
		return []string{s.talos("image pull " + image)}
	case s.runtime() == "docker":
		return []string{"sudo docker pull " + image}
	}
	return []string{s.crictl("pull " + image)}
}

// log reads the runtime's log, through a filter such as `grep -i tls`.
func (s subject) log(filter string) string {
	switch s.node.Home {
	case evidence.HomeTalos:
		return s.talos("logs cri | " + filter)
	case evidence.HomeK3s:
		return "sudo cat /var/lib/rancher/k3s/agent/containerd/containerd.log | " + filter
	case evidence.HomeRKE2:
		return "sudo cat /var/lib/rancher/rke2/agent/containerd/containerd.log | " + filter
	}
	return "sudo journalctl -u " + s.unit() + " --since -1h --no-pager | " + filter
}

func (s subject) kubeletLog(filter string) string {
	switch s.node.Home {
	case evidence.HomeTalos:
		return s.talos("logs kubelet | " + filter)
	case evidence.HomeK3s:
		return "sudo journalctl -u 'k3s*' --since -1h --no-pager | " + filter
	case evidence.HomeRKE2:
		return "sudo cat /var/lib/rancher/rke2/agent/logs/kubelet.log | " + filter
	}
	return "sudo journalctl -u kubelet --since -1h --no-pager | " + filter
}

// unit is the runtime's systemd unit.
func (s subject) unit() string {
	switch s.runtime() {
	case "cri-o":
		return "crio"
	case "docker":
		return "docker"
	}
	return "containerd"
}

// restart restarts the runtime; on k3s and RKE2 it lives inside the node's one service.
func (s subject) restart() string {
	switch s.node.Home {
	case evidence.HomeTalos:
		return s.talos("reboot")
	case evidence.HomeK3s:
		return "if systemctl is-active --quiet k3s-agent; then sudo systemctl restart k3s-agent; else sudo systemctl restart k3s; fi"
	case evidence.HomeRKE2:
		return "if systemctl is-active --quiet rke2-agent; then sudo systemctl restart rke2-agent; else sudo systemctl restart rke2-server; fi"
	}
	return "sudo systemctl restart " + s.unit()
}

// sandboxImage is where a node's pause image is set: no pod can change it.
func (s subject) sandboxImage() Step {
	note := "The pause image is the node's, pulled by the runtime without any pod's secret. Set IMAGE to one that this node can pull as it is."
	switch {
	case s.node.Home == evidence.HomeTalos:
		return s.onNode("See which pause image "+s.where()+" asks for", note+" Talos sets it with each release; a mirror for its registry is the way.", "", s.talos("read /etc/cri/conf.d/cri.toml"))
	case s.node.Home == evidence.HomeK3s:
		return s.onNode("Set the pause image of "+s.where(), note, "sandboxes start",
			`grep -n pause-image /etc/rancher/k3s/config.yaml`, `echo "pause-image: $IMAGE" | sudo tee -a /etc/rancher/k3s/config.yaml`, s.restart())
	case s.node.Home == evidence.HomeRKE2:
		return s.onNode("Set the pause image of "+s.where(), note, "sandboxes start",
			`grep -n pause-image /etc/rancher/rke2/config.yaml`, `echo "pause-image: $IMAGE" | sudo tee -a /etc/rancher/rke2/config.yaml`, s.restart())
	case s.node.Home == evidence.HomeBottlerocket:
		return s.onNode("Set the pause image of "+s.where(), note, "sandboxes start", `apiclient set kubernetes.pod-infra-container-image="$IMAGE"`)
	case s.runtime() == "cri-o":
		return s.onNode("Set the pause image of "+s.where(), note, "sandboxes start",
			`printf '[crio.image]\npause_image = "%s"\n' "$IMAGE" | sudo tee /etc/crio/crio.conf.d/99-pause.conf`, s.restart())
	}
	return s.onNode("Set the pause image of "+s.where(),
		note+" In containerd's config.toml: sandbox_image under io.containerd.grpc.v1.cri (version 2), or sandbox under io.containerd.cri.v1.images, pinned_images (version 3).",
		"sandboxes start", `sudo containerd config dump | grep -n -e sandbox_image -e 'sandbox ='`, `sudo "${EDITOR:-vi}" /etc/containerd/config.toml`, s.restart())
}
