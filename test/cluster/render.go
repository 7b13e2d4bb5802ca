package cluster

import (
	"fmt"
	"strings"
)

// containerdConfig is a node's /etc/containerd/config.toml. All is containerd's default but what a lab needs:
// restrict_oom_score_adj, because the machine may lack CAP_SYS_RESOURCE, and absolute paths to the lab's own programs.
// On the spare node a pull that stands still is given up after seconds instead of five minutes.
func containerdConfig(bin, pause string, spare bool) string {
	patience := "5m0s"
	if spare {
		patience = "5s"
	}
	return fmt.Sprintf(`version = 3
root = "/var/lib/containerd"
state = "/run/containerd"

[grpc]
  address = "/run/containerd/containerd.sock"

[plugins.'io.containerd.cri.v1.images']
  image_pull_progress_timeout = %[4]q

[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = %[2]q

[plugins.'io.containerd.cri.v1.images'.registry]
  config_path = "/etc/containerd/certs.d"

[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true

[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = [%[1]q]
  conf_dir = "/etc/cni/net.d"

[plugins.'io.containerd.cri.v1.runtime'.containerd]
  default_runtime_name = "runc"

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
  BinaryName = "%[1]s/runc"
  SystemdCgroup = false

[plugins.'io.containerd.image-verifier.v1.bindir']
  bin_dir = %[3]q
  max_verifiers = 10
  per_verifier_timeout = "10s"
`, bin, pause, VerifierDir, patience)
}

// cniConfig is a node's only network: a bridge inside the node, routed, with no address translation and no firewall.
func cniConfig(pods string) string {
	return fmt.Sprintf(`{
  "cniVersion": "1.0.0",
  "name": "lab",
  "plugins": [
    {"type": "bridge", "bridge": "cni0", "isGateway": true,
     "ipam": {"type": "host-local", "dataDir": "/var/lib/cni", "routes": [{"dst": "0.0.0.0/0"}],
              "ranges": [[{"subnet": %q}]]}}
  ]
}
`, pods)
}

// kubeletConfig keeps the defaults that image pulls depend on, such as back-off and image garbage collection, but two. Pulls
// run in parallel, or one case's hung pull would hold up every other's on its node; and only the last node limits how
// many start in a second, since cases that run side by side break dozens at once.
func kubeletConfig(s state, n Node) string {
	return fmt.Sprintf(`apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: %[1]s
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: /var/lib/kubelet/pki/ca.crt}
authorization: {mode: Webhook}
tlsCertFile: /var/lib/kubelet/pki/kubelet.crt
tlsPrivateKeyFile: /var/lib/kubelet/pki/kubelet.key
cgroupDriver: cgroupfs
cgroupsPerQOS: false
enforceNodeAllocatable: []
failCgroupV1: false
failSwapOn: false
makeIPTablesUtilChains: false
clusterDomain: cluster.local
clusterDNS: [%[2]s]
resolvConf: /etc/resolv.conf
healthzBindAddress: 127.0.0.1
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
staticPodPath: /etc/kubernetes/manifests
serializeImagePulls: false
evictionPressureTransitionPeriod: 5s
%[3]s`, n.IP, s.plan().dns(), spareLimits(s, n))
}

// spareLimits are what the last node has other than the rest. It limits how many pulls start in a second, which the rest do
// not, and to fewer than the kubelet's own 5, since a busy machine starts no more pods than that. And it evicts nobody for
// its disk: while an image that does not fit is unpacked nothing at all is free, and an eviction in that moment would take
// away the pod whose error is to be seen.
func spareLimits(s state, n Node) string {
	if n != s.Nodes[len(s.Nodes)-1] {
		return "registryPullQPS: 0\n"
	}
	return `registryPullQPS: 1
registryBurst: 3
evictionHard:
  memory.available: 100Mi
  nodefs.available: 0%
  nodefs.inodesFree: 0%
  imagefs.available: 0%
  imagefs.inodesFree: 0%
`
}

// providerConfig has the kubelet ask the lab's provider for cloud.lab. Nothing is cached, so a case acts at once.
const providerConfig = `apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
- name: lab-credential-provider
  apiVersion: credentialprovider.kubelet.k8s.io/v1
  matchImages: ["cloud.lab"]
  defaultCacheDuration: "0s"
`

func resolvConf(dns string) string {
	// One try of two seconds: a silent server then costs a pull seconds, not the resolver's default of twenty.
	return "nameserver " + dns + "\noptions timeout:2 attempts:1\n"
}

func hostsFile(node, ip string) string {
	return "127.0.0.1 localhost\n" + ip + " " + node + "\n"
}

func kubeconfig(server, name, ca, cert, key string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: %[2]s
clusters:
- name: %[2]s
  cluster: {server: %[1]q, certificate-authority-data: %[3]s}
users:
- name: %[2]s
  user: {client-certificate-data: %[4]s, client-key-data: %[5]s}
contexts:
- name: %[2]s
  context: {cluster: %[2]s, user: %[2]s}
`, server, name, ca, cert, key)
}

// flags turns name, value pairs into --name=value.
func flags(pairs ...string) []string {
	var out []string
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, "--"+strings.TrimPrefix(pairs[i], "--")+"="+pairs[i+1])
	}
	return out
}
