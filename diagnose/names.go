package diagnose

import "strings"

// Markers are phrases whose first place matters: what follows is an image or a host.
const (
	markQuotedFrom = 0
	markQuotedTo   = 16 // [markQuotedFrom, markQuotedTo): a quoted image follows
	markDocker     = 16
	markManifest   = 17
	markReading    = 18
	markDenied     = 19
	markPullPlain  = 20
	markPullFor    = 21
	markURLFrom    = 22
	markURLTo      = 32 // [markURLFrom, markURLTo): the rest of a URL follows
	markLookup     = 32
	markPinging    = 33
	markHost       = 34
	markArtifact   = 35
	markMirrors    = 36
	markShort      = 37
	markBlockedBy  = 38
	markPlainImage = 39
	markers        = 40
)

var markerPhrases = [markers]string{
	`failed to pull image "`, `back-off pulling image "`, `container image "`, `default image tag "`, `pullimage "`, `pull image "`,
	`failed to inspect image "`, `sandbox image "`, `pull and unpack image "`, `resolve reference "`, `resolve image "`, `image="`,
	`parse image reference "`, `parse image name "`, `pulling image "`, `short-name "`,
	`docker://`, `manifest for `, `reading manifest `, `access denied for `, `failed to pull image `, `image pull failed for `,
	`head "http`, `get "http`, `post "http`, `head http`, `get http`, `post http`, `request to http`, `status code http`, `content at http`, `registry endpoint http`,
	`lookup `, `pinging container registry `, `pulling from host `, `; artifact err: `, `mirrors also failed: [`, `but image name `, `blocked pull of `, `pulling image: `,
}

// image returns the reference that the text names, the kubelet's spelling first.
func (s *scan) image() string {
	for m := markQuotedFrom; m < markQuotedTo; m++ {
		if at := int(s.first[m]); at > 0 {
			if v := quoted(s.text[at:]); v != "" {
				return v
			}
		}
	}
	if at := int(s.first[markReading]); at > 0 { // CIMG docker/docker_image_src.go: reading manifest TAG in HOST/NAME
		if v := readingManifest(s.text[at:]); v != "" {
			return v
		}
	}
	for _, m := range [...]int{markDocker, markManifest, markDenied, markShort, markPullFor, markPullPlain, markBlockedBy} {
		if at := int(s.first[m]); at > 0 {
			v := strings.TrimRight(word(s.text[at:], maxRef), ":;,.")
			if strings.ContainsAny(v, "/:@") || m == markShort || m == markDenied {
				return v
			}
		}
	}
	return ""
}

func readingManifest(s string) string {
	tag := word(s, maxRef)
	rest, ok := strings.CutPrefix(s[len(tag):], " in ")
	if !ok {
		return ""
	}
	name := strings.TrimRight(word(rest, maxRef), ":;,")
	if name == "" || tag == "" || len(name)+len(tag) >= maxRef {
		return ""
	}
	if strings.HasPrefix(tag, "sha256:") || strings.HasPrefix(tag, "sha512:") {
		return name + "@" + tag
	}
	return name + ":" + tag
}

// quoted returns what stands before the closing quote, which may be escaped.
func quoted(s string) string {
	s = head(s, maxRef)
	end := strings.IndexAny(s, "\"\\\n")
	if end < 0 {
		return ""
	}
	return clean(s[:end], maxRef)
}

// word returns what stands before the next blank or quote.
func word(s string, limit int) string {
	s = head(s, limit)
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '\'' || c == ',' || c == ')' || c == ']' || c == '<' {
			return s[:i]
		}
	}
	return s
}

// host returns the host that the failing request went to: the last stage that the text names decides.
func (s *scan) host() string {
	for m := markURLFrom; m < markURLTo; m++ {
		if at := int(s.first[m]); at > 0 {
			rest := strings.TrimPrefix(s.text[at:], "s")
			if rest, ok := strings.CutPrefix(rest, "://"); ok {
				if h := hostPart(rest); h != "" {
					return h
				}
			}
		}
	}
	for _, m := range [...]int{markPinging, markHost, markLookup} {
		if at := int(s.first[m]); at > 0 {
			if h := hostPart(s.text[at:]); h != "" {
				return h
			}
		}
	}
	return ""
}

func hostPart(s string) string {
	h := word(s, maxHost+1)
	if i := strings.IndexAny(h, "/?#"); i >= 0 {
		h = h[:i]
	}
	h = h[strings.LastIndexByte(h, '@')+1:] // user info is never repeated
	h = strings.TrimRight(h, ":;.")
	if len(h) > maxHost {
		return ""
	}
	return h
}

// registryOf is the registry that the reference names, by distribution/reference's rule for a first component.
func registryOf(image, host string) string {
	if image == "" {
		return host
	}
	first, rest, ok := strings.Cut(image, "/")
	if ok && rest != "" && (strings.ContainsAny(first, ".:") || first == "localhost" || strings.ToLower(first) != first) {
		if first == "index.docker.io" { // its old name, which the parser still takes
			return "docker.io"
		}
		return clean(first, maxHost)
	}
	if strings.ContainsAny(image, " <>{}$") {
		return ""
	}
	return "docker.io"
}

// pinned reports whether the reference holds a digest.
func pinned(image string) bool {
	return strings.Contains(image, "@sha256:") || strings.Contains(image, "@sha512:")
}
