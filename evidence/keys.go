package evidence

import (
	"net"
	"net/url"
	"path"
	"slices"
	"strings"
)

// hubKey is the stored key that Docker Hub's images fall back to (K36 pkg/credentialprovider/keyring.go:185-188).
const hubKey = "index.docker.io"

// RegistryKey is the key of an entry in a pull secret as the kubelet keeps it
// (K36 pkg/credentialprovider/keyring.go:131-183).
type RegistryKey struct {
	text string
	// glob is the text read a second time, as every lookup does; nil where that fails and the key can match nothing.
	glob *url.URL
}

// ParseKey reads a key as it is written in a secret: its scheme, user and query go, and
// a leading /v1/ or /v2/. An entry whose key fails here is left out by the kubelet without a word.
func ParseKey(written string) (RegistryKey, error) {
	if !strings.HasPrefix(written, "https://") && !strings.HasPrefix(written, "http://") {
		written = "https://" + written
	}
	u, err := url.Parse(written)
	if err != nil {
		return RegistryKey{}, err
	}
	prefix := u.Path
	if strings.HasPrefix(prefix, "/v1/") || strings.HasPrefix(prefix, "/v2/") {
		prefix = prefix[len("/v1"):]
	}
	if prefix == "/" {
		prefix = ""
	}
	k := RegistryKey{text: u.Host + prefix}
	// What was escaped in the path is not any more: the second reading can find a query there, or no URL at all.
	if again, err := url.Parse("https://" + k.text); err == nil {
		k.glob = again
	}
	return k, nil
}

// ParsePattern reads one of the matchImages of a credential provider, of which nothing is cut: a scheme in it is taken
// for a host (K36 pkg/credentialprovider/keyring.go ParseSchemelessURL).
func ParsePattern(written string) (RegistryKey, error) {
	u, err := url.Parse("https://" + written)
	if err != nil {
		return RegistryKey{}, err
	}
	return RegistryKey{text: written, glob: u}, nil
}

// String is the key as it is stored: the kubelet tries the matching ones in descending order of it.
func (k RegistryKey) String() string { return k.text }

// Host is the part of the key that stands for a registry, its port included.
func (k RegistryKey) Host() string {
	host, _, _ := strings.Cut(k.text, "/")
	return host
}

// Matches follows URLsMatch (keyring.go:265-293): as many labels, each a glob, the
// same port, and a plain prefix of the path. The repository is one of Repository's.
func (k RegistryKey) Matches(repository string) bool {
	target, err := url.Parse("https://" + repository)
	if err != nil || k.glob == nil {
		return false
	}
	keyName, keyPort := splitPort(k.glob.Host)
	hostName, hostPort := splitPort(target.Host)
	want, have := strings.Split(keyName, "."), strings.Split(hostName, ".")
	if keyPort != hostPort || len(want) != len(have) || !strings.HasPrefix(target.Path, k.glob.Path) {
		return false
	}
	for i := range want {
		if ok, err := path.Match(want[i], have[i]); err != nil || !ok {
			return false
		}
	}
	return true
}

// FallsBack reports whether the kubelet uses the key for the repository where no
// other matches (keyring.go:190-218 and 310-315). A first component without a dot
// or a port counts as Docker Hub's there, localhost included.
func (k RegistryKey) FallsBack(repository string) bool {
	host, _, _ := strings.Cut(repository, "/")
	return k.text == hubKey && host != "" && (host == "docker.io" || host == hubKey || !strings.ContainsAny(host, ".:"))
}

// KeysMatch reports whether the kubelet would use one of a secret's keys for image. Which entry wins is not asked.
func KeysMatch(keys []string, image string) bool {
	repository, ok := Repository(image)
	return ok && slices.ContainsFunc(keys, func(written string) bool {
		k, err := ParseKey(written)
		return err == nil && (k.Matches(repository) || k.FallsBack(repository))
	})
}

func splitPort(hostport string) (host, port string) {
	if h, p, err := net.SplitHostPort(hostport); err == nil {
		return h, p
	}
	return hostport, ""
}
