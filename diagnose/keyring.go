package diagnose

import (
	"net"
	"net/url"
	"path"
	"slices"
	"strings"
)

// hubKey is the key that Docker Hub's images fall back to (K36 pkg/credentialprovider/keyring.go:185-188).
const hubKey = "index.docker.io"

// KeysMatch reports whether the kubelet would use one of a secret's keys for
// image (K36 pkg/credentialprovider/keyring.go:131-318). Which entry wins is not asked.
func KeysMatch(keys []string, image string) bool {
	host, name := repository(image)
	if host == "" {
		return false
	}
	target, err := url.Parse("https://" + host + "/" + name)
	if err != nil {
		return false
	}
	// A first component without a dot or a port counts as Docker Hub's there, localhost included (keyring.go:193-218).
	hub := host == "docker.io" || !strings.ContainsAny(host, ".:")
	return slices.ContainsFunc(keys, func(k string) bool {
		h, p, ok := keyParts(k)
		return ok && (h+p == hubKey && hub || keyMatches(h, p, target))
	})
}

// repository splits image into what the kubelet looks credentials up by: the host and the name without tag and digest.
func repository(image string) (host, name string) {
	host = registryOf(image, "")
	name, _, _ = strings.Cut(image, "@")
	if first, rest, ok := strings.Cut(name, "/"); ok && (first == host || first == hubKey) {
		name = rest
	}
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name = name[:i]
	}
	if host == "docker.io" && !strings.Contains(name, "/") {
		name = "library/" + name
	}
	return host, name
}

// keyParts is the key as the keyring stores it: without scheme, and with a leading /v1/ or /v2/ cut (keyring.go:143-170).
func keyParts(key string) (host, prefix string, ok bool) {
	if !strings.HasPrefix(key, "https://") && !strings.HasPrefix(key, "http://") {
		key = "https://" + key
	}
	u, err := url.Parse(key)
	if err != nil {
		return "", "", false // the kubelet ignores it silently
	}
	prefix = u.Path
	if strings.HasPrefix(prefix, "/v1/") || strings.HasPrefix(prefix, "/v2/") {
		prefix = prefix[len("/v1"):]
	}
	if prefix == "/" {
		prefix = ""
	}
	return u.Host, prefix, true
}

// keyMatches follows URLsMatch (keyring.go:265-293): as many labels, each a glob, the same port, and a plain prefix of the path.
func keyMatches(keyHost, prefix string, target *url.URL) bool {
	keyName, keyPort := splitPort(keyHost)
	hostName, hostPort := splitPort(target.Host)
	want, have := strings.Split(keyName, "."), strings.Split(hostName, ".")
	if keyPort != hostPort || len(want) != len(have) || !strings.HasPrefix(target.Path, prefix) {
		return false
	}
	for i := range want {
		if ok, err := path.Match(want[i], have[i]); err != nil || !ok {
			return false
		}
	}
	return true
}

func splitPort(hostport string) (host, port string) {
	if h, p, err := net.SplitHostPort(hostport); err == nil {
		return h, p
	}
	return hostport, ""
}
