package provider

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/host"
)

// kubelet is what decides how the node's kubelet finds credentials.
type kubelet struct {
	// process is nil where it is not seen.
	process *host.Process
	// files is the node as the kubelet sees it, where that may be looked at, and otherwise the host.
	files *host.Host
	// dir is its working directory.
	dir      string
	env      map[string]string
	envKnown bool
}

// setting is where the kubelet's configuration of providers and their programs are; both empty: it has none.
type setting struct{ config, bin string }

// find finds the kubelet. It never returns nil.
func find(h *host.Host) *kubelet {
	k := &kubelet{files: h, dir: "/"}
	p, err := h.Kubelet()
	if err != nil {
		return k // its users say so
	}
	k.process = p
	if _, err := p.Files().ReadDir("/"); err == nil {
		k.files = p.Files()
	}
	proc := h.Proc
	if proc == "" {
		proc = "/proc"
	}
	if dir, err := os.Readlink(filepath.Join(proc, strconv.Itoa(p.PID), "cwd")); err == nil && filepath.IsAbs(dir) {
		k.dir = dir
	}
	if env, err := p.Env(); err == nil {
		k.env, k.envKnown = env, true
	}
	return k
}

// seeEnv is how the kubelet's environment comes to be seen.
const seeEnv = "let this program have CAP_SYS_PTRACE and see the node's processes (hostPID)"

// known are where distributions keep the configuration, for where the kubelet's own flags cannot be seen.
var known = []struct {
	of string
	setting
}{
	{"EKS", setting{"/etc/eks/image-credential-provider/config.json", "/etc/eks/image-credential-provider"}},
	{"AKS", setting{"/var/lib/kubelet/credential-provider-config.yaml", "/var/lib/kubelet/credential-provider"}},
	{"GKE", setting{"/etc/srv/kubernetes/cri_auth_config.yaml", "/home/kubernetes/bin"}},
	{"Bottlerocket", setting{"/etc/kubernetes/kubelet/credential-provider-config.yaml", "/usr/libexec/kubernetes/kubelet/plugins"}},
	{"k3s and RKE2", setting{"/var/lib/rancher/credentialprovider/config.yaml", "/var/lib/rancher/credentialprovider/bin"}},
}

// setting reads the kubelet's flags. Where they cannot be seen, what is known of distributions is a guess, which the gap says.
func (k *kubelet) setting() (*setting, *evidence.Gap) {
	why, how := "its process is not seen from here", seeEnv
	if k.process != nil {
		s := setting{k.flag("image-credential-provider-config"), k.flag("image-credential-provider-bin-dir")}
		if s != (setting{}) || k.process.Name == "kubelet" {
			return &s, nil
		}
		why, how = "it is a part of "+k.process.Name+", whose own configuration is not read here", ""
	}
	const what = "whether the kubelet has credential providers"
	for _, d := range known {
		if _, err := k.files.Stat(d.config); err == nil {
			g := gapOf(what, fmt.Sprintf("%s; %s is where %s has them, and was taken for the one in use", why, d.config, d.of), how)
			return &d.setting, &g
		}
	}
	g := gapOf(what, why+", and nothing is where distributions keep their configuration", how)
	g.Deciding = true
	return nil, &g
}

// flag is a path that the kubelet was given, absolute.
func (k *kubelet) flag(name string) string {
	path := k.process.Flag(name)
	if path == "" {
		return ""
	}
	return k.abs(path)
}

func (k *kubelet) abs(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(k.dir, path)
}

// environ is the kubelet's own environment and behind it what the configuration sets, as the kubelet joins them
// (K36 pkg/credentialprovider/plugin/plugin.go mergeEnvVars): of two of a name the later counts.
func (k *kubelet) environ(e entry) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(k.env)) {
		out = append(out, name+"="+k.env[name])
	}
	if !k.envKnown {
		out = append(out, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	}
	for _, v := range e.Env {
		out = append(out, v.Name+"="+v.Value)
	}
	return out
}

// secrets are texts that must not be shown whatever a provider writes to stderr: what its environment calls secret, and
// what it printed for the kubelet alone.
func (k *kubelet) secrets(e entry, stdout []byte) []string {
	var out []string
	for _, v := range k.environ(e) {
		name, value, _ := strings.Cut(v, "=")
		if isSecret(name) {
			out = append(out, value)
		}
	}
	return append(out, texts(stdout)...)
}

func isSecret(name string) bool {
	name = strings.ToUpper(name)
	return slices.ContainsFunc([]string{"SECRET", "TOKEN", "PASSW", "KEY", "CREDENTIAL", "AUTH"}, func(mark string) bool { return strings.Contains(name, mark) })
}

// mountIt says how a path of the node comes to be seen.
func (k *kubelet) mountIt(path string) string {
	return "let this program have CAP_SYS_PTRACE and the node's processes, or mount " + filepath.Dir(path)
}

// bootTick is how early a process's start may seem: the kernel tells its boot in whole seconds.
const bootTick = 2 * time.Second

// changed tells of files that the kubelet, which reads them at its start, may have read otherwise.
func (k *kubelet) changed(entries []entry) []evidence.Gap {
	if k.process == nil || k.process.Started.IsZero() {
		return nil
	}
	seen := map[string]bool{}
	var gaps []evidence.Gap
	for _, e := range entries {
		info, err := k.files.Stat(e.file)
		if seen[e.file] || err != nil || !info.ModTime().After(k.process.Started.Add(bootTick)) {
			continue
		}
		seen[e.file] = true
		gaps = append(gaps, gapOf("the configuration of credential providers that the kubelet runs with",
			fmt.Sprintf("%s changed at %s; the kubelet started before, and reads it only then", e.file, info.ModTime().UTC().Format("2006-01-02 15:04:05Z")), ""))
	}
	return gaps
}

// isAbsent tells a file that is not there from one that is not seen.
func (k *kubelet) isAbsent(path string, err error) bool {
	return errors.Is(err, os.ErrNotExist) && k.files.Sees(path)
}
