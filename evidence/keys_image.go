package evidence

import (
	"regexp"
	"strings"
)

// The grammar of references (distribution/reference v0.6.0 regexp.go), with the
// digests that its Parse lets through: those of a known algorithm, in lower case.
const (
	hostLabel  = `[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?`
	hostPort   = `(?:` + hostLabel + `(?:\.` + hostLabel + `)*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?`
	nameAtom   = `[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*`
	namePath   = nameAtom + `(?:/` + nameAtom + `)*`
	tagText    = `\w[\w.-]{0,127}`
	digestText = `sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128}`
	// maxPath bounds a repository's name without its host (reference.go RepositoryNameTotalLengthMax).
	maxPath = 255
)

var (
	imageForm = regexp.MustCompile(`^(?:(` + hostPort + `)/)?(` + namePath + `)(?::` + tagText + `)?(?:@(?:` + digestText + `))?$`)
	// imageID is what the parser takes for an image's ID rather than a name.
	imageID = regexp.MustCompile(`^[a-f0-9]{64}$`)
)

// Repository is what the kubelet looks credentials up by: the image's whole name
// without tag and digest, such as docker.io/library/nginx for nginx:1.25
// (K36 pkg/util/parsers/parsers.go, distribution/reference normalize.go). It is
// false where the reference does not parse.
func Repository(image string) (string, bool) {
	if imageID.MatchString(image) {
		return "", false
	}
	m := imageForm.FindStringSubmatch(wholeName(image))
	if m == nil || len(m[2]) > maxPath {
		return "", false
	}
	if m[1] == "" {
		return m[2], true // what was taken for a host has an underscore: all of it is a path
	}
	return m[1] + "/" + m[2], true
}

// wholeName puts the registry's name and library/ before a short one.
func wholeName(image string) string {
	const hub = "docker.io"
	first, rest, ok := strings.Cut(image, "/")
	switch {
	case !ok:
		return hub + "/library/" + image
	case first == hub || first == hubKey:
	case first == "localhost" || strings.ContainsAny(first, ".:") || strings.ToLower(first) != first:
		return image
	default:
		return hub + "/" + image
	}
	if !strings.Contains(rest, "/") {
		rest = "library/" + rest
	}
	return hub + "/" + rest
}
