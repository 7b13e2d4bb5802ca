package keyring

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// hubNames are addresses of Docker Hub that the kubelet does not take for it.
var hubNames = []string{
	"registry-1.docker.io", "hub.docker.com", "registry.hub.docker.com", "registry.docker.io", "auth.docker.io",
	"docker.com", "www.docker.com", "login.docker.com", "cloud.docker.com", "index.docker.com", "*.docker.io", "*.docker.com",
}

// families are hosts of one service that people take for one another.
var families = [][]string{
	{"ghcr.io", "docker.pkg.github.com", "github.com", "containers.pkg.github.com"},
	{"registry.gitlab.com", "gitlab.com"},
	{"registry.redhat.io", "registry.access.redhat.com", "registry.connect.redhat.com"},
	{"quay.io", "www.quay.io", "cdn.quay.io"},
	{"public.ecr.aws", "gallery.ecr.aws"},
	{"registry.k8s.io", "k8s.gcr.io"},
}

var ecrHost = regexp.MustCompile(`^(\d{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)$`)

// relative finds the tie between a key and a registry that it does not match, and the
// key to write; behind a comma, what else it takes.
func (t target) relative(p parts) (why, key string) {
	for _, tie := range []func(parts) (string, string){t.hub, t.cloud, t.family, t.sibling, t.glob, t.domain} {
		if why, key = tie(p); why != "" {
			return why, key
		}
	}
	return "", ""
}

func (t target) hub(p parts) (why, key string) {
	switch {
	case t.host != "docker.io":
		return "", ""
	case slices.Contains(hubNames, strings.ToLower(p.name)):
		return "the kubelet does not take " + p.name + " for Docker Hub", t.login()
	case p.name == "index.docker.io":
		return "index.docker.io stands for Docker Hub only as a whole, without a path or a port", t.with(t.prefixOf(p.path))
	}
	return "", ""
}

func (t target) cloud(p parts) (why, key string) {
	want, have := ecrHost.FindStringSubmatch(t.name), ecrHost.FindStringSubmatch(p.name)
	switch {
	case want != nil && have != nil && want[1] == have[1] && want[2] == have[2]:
		return "it is another address of the same ECR registry, which the kubelet does not know for one", t.login()
	case want != nil && have != nil && want[1] == have[1]:
		return fmt.Sprintf("it is for ECR in %s, and the image is in %s", have[2], want[2]), t.login() + ", with a token made for that region"
	case want != nil && have != nil:
		return fmt.Sprintf("it is for ECR of account %s in %s, and the image is in account %s in %s", have[1], have[2], want[1], want[2]), t.login() + ", with a token that may pull from there"
	case t.name == "public.ecr.aws" && have != nil:
		return "it is for a private ECR registry, and the image is in ECR Public", t.login() + ", with a token made for ECR Public"
	case isGoogle(t.name) && isGoogle(p.name) && t.name != p.name:
		return "gcr.io, its regions and those of pkg.dev are registries of their own to the kubelet", t.login()
	}
	return "", ""
}

func isGoogle(name string) bool {
	return name == "gcr.io" || strings.HasSuffix(name, ".gcr.io") && name != "k8s.gcr.io" || strings.HasSuffix(name, "-docker.pkg.dev")
}

func (t target) family(p parts) (why, key string) {
	for _, f := range families {
		if slices.Contains(f, t.name) && slices.Contains(f, p.name) && t.name != p.name {
			return fmt.Sprintf("it is for %s, and the image is in %s", p.name, t.name), t.login()
		}
	}
	return "", ""
}

// sibling is the right host with another path.
func (t target) sibling(p parts) (why, key string) {
	if p.host != t.host || p.path == "" {
		return "", ""
	}
	return fmt.Sprintf("its path %s does not begin %s", show(p.path), show(t.path)), t.with(t.prefixOf(p.path)) + ", if the credential is good for it"
}

// prefixOf is as much of the image's path as the key's path has components, and never all of it.
func (t target) prefixOf(path string) string {
	want := strings.Split(strings.Trim(t.path, "/"), "/")
	n := strings.Count(strings.Trim(path, "/"), "/") + 1
	return strings.Join(want[:max(min(n, len(want)-1), 0)], "/")
}

// glob is a pattern with another number of labels than the registry has.
func (t target) glob(p parts) (why, key string) {
	if !strings.Contains(p.name, "*") || p.port != t.port {
		return "", ""
	}
	fixed := strings.TrimLeft(p.name, "*.")
	if fixed != "" && t.name != fixed && !strings.HasSuffix(t.name, "."+fixed) {
		return "", ""
	}
	have, want := strings.Count(p.name, ".")+1, strings.Count(t.name, ".")+1
	if have == want {
		return "", ""
	}
	return fmt.Sprintf("a * stands for one label of the name: the key has %d, the registry %d", have, want), t.login()
}

// domain is a key that names the domain above the registry's, or one below.
func (t target) domain(p parts) (why, key string) {
	name := strings.TrimPrefix(p.name, ".")
	if !strings.Contains(name, ".") || !strings.Contains(t.name, ".") || strings.HasPrefix(name, "*") {
		return "", ""
	}
	switch {
	case t.name == name || strings.HasSuffix(t.name, "."+name):
		return "the key must be the registry's whole name, and is the domain that it is in", t.login()
	case strings.HasSuffix(name, "."+t.name) && strings.HasPrefix(name, "www."):
		return "it is a website's name, and not the registry's", t.login()
	}
	return "", ""
}

func splitPort(hostport string) (name, port string) {
	i := strings.LastIndexByte(hostport, ':')
	if i < 0 || strings.ContainsRune(hostport[i:], ']') {
		return hostport, ""
	}
	return hostport[:i], hostport[i+1:]
}
