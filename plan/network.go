package plan

import (
	"net"
	"strings"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
)

// reach asks the host from the node without credentials: a status proves name, route and TLS.
func (s subject) reach() string {
	path := "/v2/"
	if s.elsewhere() != "" {
		path = "/"
	}
	return `curl -sS -o /dev/null -w '%{http_code}\n' ` + quote("https://"+s.host()+path)
}

func (s subject) reachAfter() string {
	if s.elsewhere() != "" {
		return "curl prints a status, whichever: the name, the route and TLS are fine"
	}
	return "curl prints 200 or 401: the name, the route and TLS are fine"
}

// elsewhere is the host that failed, where it is not the image's registry.
func (s subject) elsewhere() string {
	if h := s.failing(); h != "" && h != s.ref.host && h != upstream(s.ref.host) {
		return h
	}
	return ""
}

func (s subject) dns() []Step {
	host, _ := splitPort(s.host())
	ask := []string{"cat /etc/resolv.conf", "getent hosts " + operand(host)}
	title := "Ask the resolver of " + s.where()
	if r := s.resolver(); r != "" {
		title = "Ask the resolver " + r + " of " + s.where()
		ask = append(ask, "nslookup "+operand(host)+" "+quote(r))
	}
	note := "A pull uses the node's resolver, not the cluster's DNS. A wrong host name gives the same error: check its spelling"
	if ecrHost.MatchString(s.ref.host) {
		note += ", and the region and account in it"
	}
	steps := []Step{s.onNode(title, note+s.compare()+".", "getent prints an address", ask...)}
	if s.node.Home == evidence.HomeTalos {
		steps[0] = manual(title, note+s.compare()+".", "", s.talos("get resolvers"), s.talos("read /etc/resolv.conf"), s.talos("logs dns-resolve-cache | tail -n 50"))
	}
	steps = append(steps, s.setResolver())
	return append(steps, s.unstick()...)
}

// setResolver changes where a node asks for names, in the manner of its home.
func (s subject) setResolver() Step {
	const title, note = "If that resolver is at fault, use another one", "Set DNS_SERVER to the address of a resolver that knows the name."
	switch s.node.Home {
	case evidence.HomeBottlerocket:
		return s.onNode(title, note, "", `apiclient set --json "{\"settings\":{\"dns\":{\"name-servers\":[\"$DNS_SERVER\"]}}}"`)
	case evidence.HomeTalos:
		return manual(title, note, "", s.talosAll(`patch machineconfig --patch "{\"machine\":{\"network\":{\"nameservers\":[\"$DNS_SERVER\"]}}}"`))
	case evidence.HomeGKE, evidence.HomeEKS, evidence.HomeAKS:
		return manual("If that resolver is at fault, correct it in the network", "The nodes get their resolver from the virtual network (VPC or VNet DNS, private zones, peering): change it there, for new nodes forget what is written on them.", "")
	}
	return s.onNode(title, note+" Where systemd-resolved runs; make it last in the network's own configuration (netplan, NetworkManager, DHCP).", "",
		"resolvectl status", `sudo resolvectl dns "$(ip route show default | awk '{print $5; exit}')" "$DNS_SERVER"`)
}

// compare names a node where the same image runs, for the difference is the cause.
func (s subject) compare() string {
	if s.other == nil || len(s.other.Running) == 0 {
		return ""
	}
	return "; " + s.other.Running[0] + " runs this image: compare with it"
}

func splitPort(host string) (name, port string) {
	if h, p, err := net.SplitHostPort(host); err == nil {
		return h, p
	}
	return host, "443"
}

// connect is for connections that are refused or not answered.
func (s subject) connect() []Step {
	name, port := splitPort(s.host())
	title := "Find the hop that stops " + s.where() + " from reaching " + s.host()
	note := "Refused: the host answers and nothing listens on port " + port + ", or a firewall rejects."
	if s.Cause == diagnose.Timeout {
		note = "No answer: usually a firewall, a security group, a missing route or NAT, or a proxy that this node needs and does not use."
	}
	note += s.compare()
	if strings.HasSuffix(note, "it") {
		note += "."
	}
	cmds := []string{"getent hosts " + operand(name), "nc -vz -w 5 " + operand(name) + " " + quote(port), "ip route get \"$(getent ahostsv4 " + operand(name) + " | awk '{print $1; exit}')\"", s.reach()}
	steps := []Step{s.onNode(title, note, s.reachAfter(), cmds...)}
	if s.node.Home == evidence.HomeTalos {
		steps[0] = manual(title, note, "", s.talos("get routes"), s.talos("get addresses"), s.talos("netstat --extend"))
	}
	if h := s.elsewhere(); h != "" {
		steps = append(steps, s.otherHost(h))
	}
	return append(steps, s.unstick()...)
}

// otherHost is for a request that went to a mirror, a token server or a storage host.
func (s subject) otherHost(h string) Step {
	return s.onNode("Look where "+h+" comes from: it is not the registry of the image", "A mirror in the node's configuration, the registry's token server, or the storage that it redirects to. Allow-lists need all of them.", "",
		s.findConfig(h))
}

// findConfig searches the node's registry configuration.
func (s subject) findConfig(text string) string {
	t := quote(text)
	if strings.HasPrefix(text, "-") {
		t = "-e " + t
	}
	switch s.node.Home {
	case evidence.HomeTalos:
		return s.talos("get machineconfig -o yaml | grep -n " + t)
	case evidence.HomeBottlerocket:
		return "apiclient get settings.container-registry"
	case evidence.HomeK3s, evidence.HomeRKE2:
		return "sudo grep -n " + t + " " + s.rancher() + "/registries.yaml"
	}
	switch s.runtime() {
	case "cri-o":
		return "sudo grep -rn " + t + " /etc/containers/registries.conf /etc/containers/registries.conf.d"
	case "docker":
		return "sudo grep -n " + t + " /etc/docker/daemon.json"
	}
	return "sudo grep -rn " + t + " /etc/containerd"
}

func (s subject) interrupted() []Step {
	step := s.onNode("See whether the transfer breaks again from "+s.where(),
		"One broken transfer heals by itself. If it breaks at the same place each time: a proxy or firewall that limits size or time, or a path with a smaller MTU"+s.compare()+".", "the pull ends without an error",
		append(s.pullCommand(), s.reach())...)
	return append([]Step{step}, s.unstick()...)
}

// stalled: nothing times out, so nothing but a person ends it.
func (s subject) stalled() []Step {
	look := s.onNode("See whether the download on "+s.where()+" still moves", "Run it twice: a layer whose size does not grow is stuck. With serial pulls it blocks every other pull of the node.", "",
		s.ctr("content active"), s.reach())
	if s.runtime() == "cri-o" || s.runtime() == "docker" {
		look.Commands = []string{s.log("tail -n 50"), s.reach()}
	}
	if s.node.Home == evidence.HomeTalos {
		look.Commands = []string{s.talos("logs cri | tail -n 50")}
	}
	end := s.onNode("End it: restart the runtime on "+s.nodeName(), "Running containers go on. Deleting the pod does not end the pull. Look first at what stalls: a mirror or proxy that accepts and says nothing.", "the kubelet pulls again within a minute", s.restart())
	if s.node.Home == evidence.HomeTalos {
		end.Title, end.Note = "End it: reboot "+s.nodeName(), "It restarts the containers of the node. "+strings.TrimPrefix(end.Note, "Running containers go on. ")
	}
	return []Step{look, end}
}

const proxyAfter = "the next pull works; curl proves nothing here, for it does not use the runtime's proxy"

func (s subject) proxy() []Step {
	show := "systemctl show " + s.unit() + " --property=Environment"
	steps := []Step{}
	const note = "The runtime uses the proxy of its own service, not of your shell. 407: the proxy wants credentials; 403: it forbids this host."
	switch s.node.Home {
	case evidence.HomeTalos:
		steps = append(steps, manual("Correct the proxy in machine.env of "+s.where(), note, "", s.talos("get machineconfig -o yaml | grep -n -i proxy"), s.talosAll("edit machineconfig")))
	case evidence.HomeBottlerocket:
		steps = append(steps, s.onNode("Correct the proxy of "+s.where(), note+" Set NO_PROXY_HOSTS to a JSON list.", proxyAfter, "apiclient get settings.network",
			`apiclient set --json "{\"settings\":{\"network\":{\"no-proxy\":$NO_PROXY_HOSTS}}}"`))
	case evidence.HomeOpenShift:
		steps = append(steps, manual("Correct the cluster's proxy", note+" The nodes take it one after the other.", "", "oc get proxy/cluster -o yaml", "oc edit proxy/cluster"))
	case evidence.HomeK3s, evidence.HomeRKE2:
		steps = append(steps, s.onNode("Correct the proxy of "+s.where(), note+" Both read CONTAINERD_HTTPS_PROXY and CONTAINERD_NO_PROXY.", proxyAfter,
			`sudo grep -n -i proxy /etc/default/`+string(s.node.Home)+`* /etc/sysconfig/`+string(s.node.Home)+`*`, s.restart()))
	default:
		steps = append(steps, s.onNode("See which proxy the runtime of "+s.where()+" uses", note, "", show),
			s.onNode("Correct it, and list hosts that need no proxy in NO_PROXY", "Running containers go on over the restart.", proxyAfter, "sudo systemctl edit "+s.unit(), "sudo systemctl daemon-reload", s.restart()))
	}
	return append(steps, s.unstick()...)
}
