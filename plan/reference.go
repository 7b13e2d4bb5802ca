package plan

import "strings"

// reference is an image string in parts, for printing commands; it checks nothing.
type reference struct {
	host, repo, tag, digest string
}

// parse splits as the kubelet does: a first part without a dot, a colon or the name localhost belongs to Docker Hub.
func parse(image string) reference {
	var r reference
	rest := image
	if i := strings.Index(rest, "@"); i >= 0 {
		rest, r.digest = rest[:i], rest[i+1:]
	}
	if i := strings.LastIndex(rest, ":"); i > strings.LastIndex(rest, "/") {
		rest, r.tag = rest[:i], rest[i+1:]
	}
	first, others, found := strings.Cut(rest, "/")
	switch {
	case found && (strings.ContainsAny(first, ".:") || first == "localhost"):
		r.host, r.repo = first, others
	case found:
		r.host, r.repo = "docker.io", rest
	default:
		r.host, r.repo = "docker.io", "library/"+rest
	}
	if r.host == "index.docker.io" {
		r.host = "docker.io"
	}
	return r
}

func (r reference) String() string {
	s := r.host + "/" + r.repo
	if r.tag != "" {
		s += ":" + r.tag
	}
	if r.digest != "" {
		s += "@" + r.digest
	}
	return s
}

// respell is another spelling of the same image: a changed string starts with a fresh back-off.
func respell(image string) (string, bool) {
	r := parse(image)
	if r.tag == "" && r.digest == "" {
		r.tag = "latest"
	}
	s := r.String()
	return s, s != image && printableReference(image)
}

// printableReference tells whether an image string may stand in a command that pulls it.
func printableReference(image string) bool {
	if image == "" || len(image) > 500 {
		return false
	}
	for i := 0; i < len(image); i++ {
		c := image[i]
		alnum := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !alnum && (i == 0 || strings.IndexByte("._-/:@+", c) < 0) {
			return false
		}
	}
	return true
}
