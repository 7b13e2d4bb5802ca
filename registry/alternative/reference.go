package alternative

import (
	"strings"

	"github.com/distribution/reference"
)

const (
	hub     = "docker.io"
	library = "library/"
	latest  = "latest" // what neither tag nor digest means
)

// ref is an image string in parts, whether it is valid or not.
type ref struct {
	host, path, tag, digest string
	// short is set where the image names no registry.
	short bool
}

// split follows the kubelet's rule for the first part, and lets pass what no reference may have.
func split(image string) ref {
	var r ref
	rest := image
	if i := strings.Index(rest, "@"); i >= 0 {
		rest, r.digest = rest[:i], rest[i+1:]
	}
	if i := strings.LastIndex(rest, ":"); i > strings.LastIndex(rest, "/") {
		rest, r.tag = rest[:i], rest[i+1:]
	}
	first, others, found := strings.Cut(rest, "/")
	if found && (strings.ContainsAny(first, ".:") || first == "localhost") {
		r.host, r.path = first, others
	} else {
		r.host, r.path, r.short = hub, rest, true
	}
	if r.host == "index.docker.io" {
		r.host = hub
	}
	if r.host == hub && !strings.Contains(r.path, "/") {
		r.path = library + r.path
	}
	return r
}

// String is the whole reference: equal images have equal ones. What has neither tag nor digest means latest.
func (r ref) String() string {
	r.short = false
	if r.tag == "" && r.digest == "" {
		r.tag = latest
	}
	if r.digest != "" {
		r.tag = "" // runtimes go by the digest
	}
	return r.spelled()
}

// spelled leaves the registry out where the image did.
func (r ref) spelled() string {
	s := r.repository()
	if r.short {
		s = strings.TrimPrefix(r.path, library)
	}
	if r.tag != "" {
		s += ":" + r.tag
	}
	if r.digest != "" {
		s += "@" + r.digest
	}
	return s
}

func (r ref) repository() string { return r.host + "/" + r.path }

func (r ref) withTag(tag string) ref {
	r.tag, r.digest = tag, ""
	return r
}

// at is the same image, with its tag and digest, in another place.
func (r ref) at(host, path string) ref {
	r.host, r.path, r.short = host, path, false
	return r
}

// last is the path's last segment.
func (r ref) last() string { return r.path[strings.LastIndex(r.path, "/")+1:] }

// valid is what the kubelet would take for an image.
func valid(image string) bool {
	if image == "" || len(image) > maxImage {
		return false
	}
	_, err := reference.ParseNormalizedNamed(image)
	return err == nil
}
