package diagnose

import (
	"path"
	"slices"
	"strings"
)

// keysMatch reports whether one of a secret's keys would be used for image. It follows the kubelet's
// rules (K36 pkg/credentialprovider/keyring.go) closely enough to say "no entry at all"; which
// entry wins is the registry vantage point's to tell.
func keysMatch(keys []string, image string) bool {
	host := registryOf(image, "")
	name, _, _ := strings.Cut(image, "@")
	if first, rest, ok := strings.Cut(name, "/"); ok && first == host {
		name = rest
	} else if host == "docker.io" && !strings.Contains(name, "/") {
		name = "library/" + name
	}
	if i := strings.LastIndexByte(name, ':'); i > 0 {
		name = name[:i]
	}
	return slices.ContainsFunc(keys, func(k string) bool { return keyMatches(k, host, name) })
}

func keyMatches(key, host, name string) bool {
	key = strings.TrimPrefix(strings.TrimPrefix(key, "https://"), "http://")
	h, p, _ := strings.Cut(key, "/")
	if p == "v1/" || p == "v2/" { // only with the slash: keyring.go:148-170
		p = ""
	}
	if (h == "index.docker.io") && host == "docker.io" {
		h = "docker.io"
	}
	if p != "" && !strings.HasPrefix(name, p) {
		return false
	}
	keyName, keyPort, _ := strings.Cut(h, ":")
	hostName, hostPort, _ := strings.Cut(host, ":")
	want, have := strings.Split(keyName, "."), strings.Split(hostName, ".")
	if keyPort != hostPort || len(want) != len(have) {
		return false
	}
	if host == "docker.io" && keyName != host {
		return false
	}
	for i := range want {
		if ok, err := path.Match(want[i], have[i]); err != nil || !ok {
			return false
		}
	}
	return true
}
