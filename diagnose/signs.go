package diagnose

import "strings"

// statusWords announce that a text quotes an HTTP status.
var statusWords = []string{"status", "http code ", "parsing http ", "response code", "responded with", "registry 4", "registry 5", "server error: "}

// signs adds to what was seen the things that are no fixed text.
func (s *ruleset) signs(t *scan, r *Reading) {
	mark := func(name string) { t.seen.set(s.ids[name]) }
	if t.seen.meets(&s.words.status) {
		if code := httpStatus(t.text); code != "" {
			mark(code)
		}
	}
	if pinned(r.Image) {
		mark("@pinned")
	}
	host := r.Host
	if host == "" {
		host = r.Registry
	}
	if strings.Contains(host, ".dkr.ecr.") || strings.Contains(r.Image, ".dkr.ecr.") {
		mark("@ecr")
	}
	if host == "ghcr.io" {
		mark("@ghcr")
	}
	if t.seen.has(s.ids["not found"]) && refNotFound(t.text) {
		mark("@refnotfound")
	}
	if proxyText(t) {
		mark("@proxytext")
	}
	if tail := strings.TrimRight(t.text, " \"\n"); strings.HasSuffix(tail, "...") || strings.HasSuffix(tail, "…") {
		mark("@cut")
	}
}

// httpStatus returns the sign for the first HTTP error status that the text
// quotes: a number after ": ", "code ", "status ", "registry " or "HTTP ".
func httpStatus(s string) string {
	for i := 1; i+2 < len(s); i++ {
		if (s[i] != '4' && s[i] != '5') || s[i-1] != ' ' || !digit(s[i+1]) || !digit(s[i+2]) || (i+3 < len(s) && (digit(s[i+3]) || s[i+3] == '.')) {
			continue
		}
		if before := s[max(0, i-10) : i-1]; !announces(before) {
			continue
		}
		switch n := s[i : i+3]; n {
		case "400", "401", "402", "403", "404", "405", "407", "412", "429", "451":
			for _, name := range signNames {
				if name[1:] == n {
					return name
				}
			}
		default:
			if n[0] == '5' {
				return "=5xx"
			}
			return "=4xx"
		}
	}
	return ""
}

func announces(before string) bool {
	if strings.HasSuffix(before, ":") {
		return true
	}
	for _, w := range [...]string{"code", "tatus", "registry", "HTTP", "http", "with"} {
		if strings.HasSuffix(before, w) {
			return true
		}
	}
	return false
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// refNotFound finds `REFERENCE: not found` and `REFERENCE not found` at the end, which is
// how containerd prints a 404 (core/remotes/docker/resolver.go, errdefs.ErrNotFound).
func refNotFound(s string) bool {
	s = strings.TrimRight(s, " \"'\\\n]),")
	rest, ok := strings.CutSuffix(s, "not found")
	if !ok {
		i := strings.Index(s, ": not found,")
		if i < 0 {
			return false
		}
		rest = s[:i]
	}
	rest = strings.TrimRight(rest, ": ")
	last := strings.Trim(rest[strings.LastIndexAny(rest, " \n")+1:], "\"'\\")
	return strings.ContainsAny(last, "/@:") && !strings.HasPrefix(last, "sha256:") && !strings.HasPrefix(last, "http")
}

// proxyText finds `Get URL: Words` with nothing but a status text after the URL: net/http prints that
// where a proxy refuses CONNECT (net/http/transport.go dialConn, errors.New(statusText)).
func proxyText(t *scan) bool {
	for m := markURLFrom; m < markURLFrom+6; m++ {
		at := int(t.first[m])
		if at == 0 {
			continue
		}
		rest := t.text[at:]
		i := strings.Index(rest, ": ")
		if i < 0 {
			return false
		}
		tail := strings.TrimLeft(rest[i+2:], " ")
		if strings.HasPrefix(tail, "//") {
			return false
		}
		tail = head(tail, 64)
		if end := strings.IndexAny(tail, "\"\\\n,"); end >= 0 {
			tail = tail[:end]
		}
		tail = strings.TrimSpace(tail)
		return len(tail) > 3 && tail[0] >= 'A' && tail[0] <= 'Z' && len(tail) < 48 && !strings.ContainsAny(tail, ":/<{") && !strings.HasPrefix(tail, "EOF")
	}
	return false
}

// runtime tells which program printed the text, by the words that only it prints.
func (s *ruleset) runtime(t *scan) string {
	switch {
	case t.seen.meets(&s.words.docker):
		return "docker"
	case t.seen.meets(&s.words.crio):
		return "cri-o"
	case t.seen.meets(&s.words.imageLibrary) && t.seen.meets(&s.words.kubelet):
		return "cri-o"
	case t.seen.meets(&s.words.imageLibrary):
		return "podman"
	case t.seen.meets(&s.words.containerd):
		return "containerd"
	}
	return ""
}

// Words that tell the runtimes apart (C24 core/transfer/local/pull.go:62, C17 pull.go:183, CIMG docker/docker_image_src.go, CRIO server/image_pull.go, MOBY distribution/errors.go).
var (
	dockerWords = []string{"error response from daemon", "'docker login'", "failed to register layer", "docker daemon",
		"no matching manifest for ", "api error (500)", "error pulling image configuration", "filesystem layer verification failed",
		"from manifest don't match image configuration", "download failed after attempts"}
	crioWords = []string{"unable to pull image or oci artifact", "short name mode is enforcing", "registryunavailable:",
		"signaturevalidationfailed:", "registries.conf.d", "unable to pull image: initializing source"}
	imageLibraryWords = []string{"initializing source ", "pinging container registry", "pinging docker registry", "reading manifest ",
		"copying system image", "choosing an image from manifest list", "storing blob to file", "reading blob ", "short-name \"", "source image rejected",
		"writing blob", "requesting bearer token", "container_images_storage", "determining manifest mime type"}
	kubeletWords    = []string{"failed to pull image \"", "back-off pulling image \"", "rpc error: code", "pullimage from image service", "errimagepull", "pulling image failed"}
	containerdWords = []string{"failed to pull and unpack image", "failed to resolve reference", "httpreadseeker", "httpreaderseeker", "io.containerd.", "containerd container", "containerd-mount",
		"no available registry endpoint", "get image config descriptor", "may require authorization", "failed to fetch anonymous token", "failed to fetch oauth token",
		"failed to do request", "failed to resolve image", "failed to extract layer", "failed commit on ref"}
)
