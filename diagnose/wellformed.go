package diagnose

import (
	"regexp"
	"strings"
)

// The grammar of references (distribution/reference regexp.go), for images that no kubelet has refused yet.
var (
	refHost   = regexp.MustCompile(`^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$`)
	refPath   = regexp.MustCompile(`^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$`)
	refTag    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)
	refDigest = regexp.MustCompile(`^(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$`)
	refID     = regexp.MustCompile(`^[a-f0-9]{64}$`)
)

// maxName is how long a path may be on its registry (distribution/reference v0.6).
const maxName = 255

// wellFormed reports whether the runtimes would take image as a reference.
func wellFormed(image string) bool {
	if refID.MatchString(image) {
		return false // an identifier, not a name
	}
	name, digest, pinned := strings.Cut(image, "@")
	if pinned && !refDigest.MatchString(digest) {
		return false
	}
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		if !refTag.MatchString(name[i+1:]) {
			return false
		}
		name = name[:i]
	}
	host := "docker.io"
	if first, rest, ok := strings.Cut(name, "/"); ok && (strings.ContainsAny(first, ".:") || first == "localhost" || strings.ToLower(first) != first) {
		host, name = first, rest
	}
	if host == "index.docker.io" {
		host = "docker.io"
	}
	if host == "docker.io" && !strings.Contains(name, "/") {
		name = "library/" + name
	}
	if !refHost.MatchString(host) {
		name = host + "/" + name // what is no host's name passes as a path
	}
	return refPath.MatchString(name) && len(name) <= maxName
}
