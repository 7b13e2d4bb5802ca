package diagnose

import "strings"

// openings are how one credential's or one attempt's error begins.
var openings = []string{
	"rpc error: code = ", "failed to ", "unable to ", "Error response from daemon", "initializing source", "reading manifest",
	"Error reading manifest", "SignatureValidationFailed", "RegistryUnavailable", "image pull failed", "pinging container registry",
	"copying system image", "get image config descriptor", "pull access denied", "unauthorized", "denied", "error pulling image",
	"Error initializing source", "error pinging", "toomanyrequests", "manifest ", "API error", "Get ", "Head ",
}

func opens(s string) bool {
	for _, o := range openings {
		if strings.HasPrefix(s, o) {
			return true
		}
	}
	return false
}

// split returns the part of the text that decides, and what the mirrors said where the text tells that apart.
func split(s *scan, rules *ruleset) (main, mirror string) {
	main = s.text
	if s.first[markArtifact] > 0 { // CRI-O internal/storage/image.go: the same failure, once more as an OCI artifact
		if i := strings.Index(main, "; artifact err: "); i > 0 {
			main = main[:i]
		}
	}
	if s.seen.has(rules.ids["["]) {
		main = firstOfSeveral(main)
	}
	if at := int(s.first[markMirrors]); at > 0 && at < len(main) {
		if i := strings.Index(main[at:], "]): "); i > 0 {
			return main[at+i+len("]): "):], main[at : at+i]
		}
	}
	return main, ""
}

// firstOfSeveral returns the error of a list that tells the most, mostly the first: the kubelet
// joins the errors of all credentials that it tried (apimachinery util/errors, aggregate.Error),
// and the anonymous try comes last.
func firstOfSeveral(s string) string {
	from := 0
	for {
		i := strings.IndexByte(s[from:], '[')
		if i < 0 {
			return s
		}
		start := from + i + 1
		from = start
		before := strings.TrimRight(s[:start-1], " \\\"")
		if (before != "" && !strings.HasSuffix(before, ":") && !strings.HasSuffix(before, "=")) || strings.HasSuffix(before, "Mirrors also failed:") {
			continue
		}
		if !opens(s[start:]) {
			continue
		}
		return furthest(s[start:])
	}
}

// furthest is the first error of a list but for one case: a registry that tells one credential that something is not
// there has let it in, which is further than another was let.
func furthest(list string) string {
	const notFound = "rpc error: code = NotFound desc = " // C24 internal/cri/server/images: no refusal has this code
	first := list[:firstLength(list)]
	if strings.HasPrefix(first, notFound) {
		return first
	}
	for at := len(first) + len(", "); at < len(list); {
		next := list[at : at+firstLength(list[at:])]
		if strings.HasPrefix(next, notFound) {
			return strings.TrimSuffix(next, "]")
		}
		at += len(next) + len(", ")
	}
	return first
}

// firstLength is where the first of a list's errors ends; all of s where it has no second.
func firstLength(s string) int {
	for at := 0; ; {
		i := strings.Index(s[at:], ", ")
		if i < 0 {
			return len(s)
		}
		if opens(s[at+i+2:]) {
			return at + i
		}
		at += i + 2
	}
}

// wrappers say nothing about the cause; the longest that fits is cut first. A
// wrapper that ends in a quote goes on to the image's end.
var wrappers = []string{
	"(combined from similar events): ", "Failed to pull image \"", "Back-off pulling image \"", "ErrImagePull: ", "ImagePullBackOff: ",
	"Error: ", "rpc error: code = ", "failed to pull and unpack image \"", "failed to resolve reference \"", "failed to resolve image: ",
	"failed to resolve image \"", "Error response from daemon: ", "unable to pull image or OCI artifact: ", "unable to pull image: ",
	"pull image err: ", "failed to pull image \"", "Failed to create pod sandbox: ", "failed to get sandbox image \"", "pulling image failed: ",
	"pulling image: ", "FATA[0000] ", "failed to start sandbox: ", "unknown: ", "ctr: ", "RegistryUnavailable: ",
	"initializing source docker://", "copying system image from manifest list: ", "failed to do request: ", "failed to copy: ",
	"httpReadSeeker: ", "failed open: ", "Failed to apply default image tag \"", "Error initializing source docker://",
}

// detail is the part of the text that decided, without what wraps it.
func detail(s string) string {
	s = strings.TrimLeft(s, " \"\\\n\t")
	for range 16 {
		rest, cut := unwrap(s)
		if !cut || rest == "" {
			break
		}
		s = rest
	}
	s = strings.TrimRight(s, " \"\\\n\t")
	if len(s) > maxDetail { // the end says what went wrong
		s = s[:maxDetail/2] + " … " + s[len(s)-maxDetail/2:]
	}
	return strings.TrimSpace(clean(strings.ToValidUTF8(s, ""), maxDetail+8))
}

func unwrap(s string) (string, bool) {
	for _, w := range wrappers {
		if !strings.HasPrefix(s, w) {
			continue
		}
		rest := s[len(w):]
		switch {
		case w == "rpc error: code = ":
			_, after, ok := strings.Cut(head(rest, 64), " desc = ")
			return rest[len(head(rest, 64))-len(after):], ok
		case strings.HasSuffix(w, "\""):
			_, after, ok := strings.Cut(head(rest, maxRef), "\": ")
			return rest[len(head(rest, maxRef))-len(after):], ok
		case strings.HasSuffix(w, "//"):
			_, after, ok := strings.Cut(head(rest, maxRef), ": ")
			return rest[len(head(rest, maxRef))-len(after):], ok
		}
		return rest, true
	}
	return s, false
}

func head(s string, n int) string { return s[:min(n, len(s))] }
