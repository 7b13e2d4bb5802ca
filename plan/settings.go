package plan

import (
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

const caNote = "./ca.crt is the CA's certificate in PEM, from the registry's owner: one taken off the connection proves nothing."

// trustCA makes the nodes trust a registry's CA, in the manner of their home.
func (s subject) trustCA() Step {
	host := s.certsHost()
	title := "Make " + s.where() + " trust the CA of " + host
	done := "the same pull works from " + s.nodeName()
	step := func(note string, cmds ...string) Step {
		return s.onNode(title, strings.TrimSpace(caNote+" "+note), done, cmds...)
	}
	away := func(note string, cmds ...string) Step {
		return manual(title, strings.TrimSpace(caNote+" "+note), done, cmds...)
	}
	switch s.node.Home {
	case evidence.HomeK3s, evidence.HomeRKE2:
		return step("registries.yaml is read at a restart, which leaves running pods alone. If the file exists, add the entry under its configs.", s.registriesYAML(
			"configs:", "  "+jsonString(host)+":", "    tls:", "      ca_file: "+s.rancher()+"/registry-ca.crt")...)
	case evidence.HomeBottlerocket:
		return step("", `apiclient set pki.registry-ca.data="$(base64 -w0 ./ca.crt)" pki.registry-ca.trusted=true`)
	case evidence.HomeTalos:
		return away("", `{ printf '%s\n' 'apiVersion: v1alpha1' 'kind: TrustedRootsConfig' 'name: registry-ca' 'certificates: |-'; sed 's/^/  /' ./ca.crt; } > ./registry-ca.yaml`,
			s.talosAll("patch machineconfig --patch @./registry-ca.yaml"))
	case evidence.HomeOpenShift:
		return away("The nodes take it one after the other. If additionalTrustedCA is set already, add the key to that ConfigMap.",
			"oc create configmap registry-cas -n openshift-config --from-file="+quote(strings.ReplaceAll(host, ":", "..")+"=./ca.crt"),
			`oc patch image.config.openshift.io/cluster --type=merge -p '{"spec":{"additionalTrustedCA":{"name":"registry-cas"}}}'`)
	case evidence.HomeGKE:
		return away("GKE takes it from Secret Manager; set SECRET_URI (projects/…/secrets/…/versions/1), CLUSTER and POOL. The pool's nodes are made anew.",
			`printf '%s\n' 'privateRegistryAccessConfig:' '  enabled: true' '  certificateAuthorityDomainConfig:' '  - gcpSecretManagerCertificateConfig:' "      secretURI: \"$SECRET_URI\"" '    fqdns:' `+quote("    - "+jsonString(host))+` > ./containerd-config.yaml`,
			`gcloud container node-pools update "$POOL" --cluster "$CLUSTER" --containerd-config-from-file=./containerd-config.yaml`)
	case evidence.HomeAKS:
		return away("Set RESOURCE_GROUP and CLUSTER. It applies to all node pools.",
			`az aks update --resource-group "$RESOURCE_GROUP" --name "$CLUSTER" --custom-ca-trust-certificates ./ca.crt`)
	}
	switch s.runtime() {
	case "cri-o":
		return step("No restart is needed.", installCA("/etc/containers/certs.d/"+host)...)
	case "docker":
		return step("No restart is needed.", installCA("/etc/docker/certs.d/"+host)...)
	}
	dir := "/etc/containerd/certs.d/" + host
	cmds := append(installCA(dir), newFile(dir+"/hosts.toml",
		"server = "+jsonString("https://"+upstream(host)), "", "[host."+jsonString("https://"+upstream(host))+"]", "  ca = "+jsonString(dir+"/ca.crt")))
	return step(containerdNote+s.bakeIn(), cmds...)
}

const containerdNote = "containerd reads hosts.toml at each pull: no restart, where config_path is /etc/containerd/certs.d (containerd config dump shows it; the default since 2.2). If hosts.toml exists, add the line to it."

// bakeIn reminds that a node group forgets what was written on one node.
func (s subject) bakeIn() string {
	if s.node.Home == evidence.HomeEKS {
		return " New nodes do not have it: put the same into the launch template's user data."
	}
	return ""
}

func installCA(dir string) []string {
	return []string{"sudo mkdir -p " + quote(dir), "sudo cp ./ca.crt " + quote(dir+"/ca.crt")}
}

// upstream is the server behind a registry's name.
func upstream(host string) string {
	if host == "docker.io" {
		return "registry-1.docker.io"
	}
	return host
}

func (s subject) rancher() string { return "/etc/rancher/" + string(s.node.Home) }

// registriesYAML writes k3s's or RKE2's own file; they generate containerd's from it.
func (s subject) registriesYAML(lines ...string) []string {
	var cmds []string
	if strings.Contains(strings.Join(lines, ""), "ca_file") {
		cmds = append(cmds, "sudo cp ./ca.crt "+s.rancher()+"/registry-ca.crt")
	}
	return append(cmds, newFile(s.rancher()+"/registries.yaml", lines...), s.restart())
}

// talosAll reaches all failing nodes at once.
func (s subject) talosAll(args string) string {
	if len(s.nodes) == 0 {
		return s.talos(args)
	}
	return "talosctl --nodes " + quote(strings.Join(s.nodes, ",")) + " " + args
}

// plainHTTP lets the nodes speak plain HTTP to one registry.
func (s subject) plainHTTP() Step {
	host := s.certsHost()
	title := "Or let " + s.where() + " speak plain HTTP to " + host
	const warn = "Anybody on the way can then change images and read credentials: for a closed network only."
	const done = "the same pull works"
	switch s.node.Home {
	case evidence.HomeK3s, evidence.HomeRKE2:
		return s.onNode(title, warn+" If registries.yaml exists, add the entry under its mirrors.", done, s.registriesYAML(
			"mirrors:", "  "+jsonString(host)+":", "    endpoint:", "      - "+jsonString("http://"+host))...)
	case evidence.HomeBottlerocket:
		return s.onNode(title, warn+" This replaces the list of mirrors: apiclient get settings.container-registry shows it.", done,
			"apiclient set --json "+quote(`{"settings":{"container-registry":{"mirrors":[{"registry":`+jsonString(host)+`,"endpoint":[`+jsonString("http://"+host)+`]}]}}}`))
	case evidence.HomeTalos:
		return manual(title, warn, done,
			"talosctl --nodes "+quote(strings.Join(s.nodes, ","))+" patch machineconfig --patch "+quote(`{"machine":{"registries":{"mirrors":{`+jsonString(host)+`:{"endpoints":[`+jsonString("http://"+host)+`]}}}}}`))
	case evidence.HomeOpenShift:
		return manual(title, warn+" This replaces the list; the nodes take it one after the other.", done,
			"oc patch image.config.openshift.io/cluster --type=merge -p "+quote(`{"spec":{"registrySources":{"insecureRegistries":[`+jsonString(host)+`]}}}`))
	case evidence.HomeGKE, evidence.HomeAKS:
		return manual("Serve "+host+" over HTTPS", "This provider has no lasting node setting for plain HTTP.", done)
	}
	switch s.runtime() {
	case "cri-o":
		return s.onNode(title, warn, done, newFile("/etc/containers/registries.conf.d/99-"+fileName(host)+".conf",
			"[[registry]]", "location = "+jsonString(host), "insecure = true"), "sudo systemctl reload crio")
	case "docker":
		return s.onNode(title, warn+" Add the host to insecure-registries in daemon.json.", done, `sudo "${EDITOR:-vi}" /etc/docker/daemon.json`, "sudo systemctl reload docker")
	}
	dir := "/etc/containerd/certs.d/" + host
	return s.onNode(title, warn+" "+containerdNote+s.bakeIn(), done, "sudo mkdir -p "+quote(dir),
		newFile(dir+"/hosts.toml", "server = "+jsonString("http://"+host), "", "[host."+jsonString("http://"+host)+"]", `  capabilities = ["pull", "resolve"]`))
}

// fileName keeps a host's port out of a path that some tools split at colons.
func fileName(host string) string {
	return strings.NewReplacer(":", "-", "/", "-").Replace(host)
}
