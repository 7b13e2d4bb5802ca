package provider

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/keyring"
)

// match says whether the kubelet asks the provider for the image (K36 pkg/credentialprovider/plugin/plugin.go isImageAllowed).
func (l *looker) match(p *evidence.Provider, e entry) {
	if l.repository == "" {
		p.Why = "no image was asked about"
		return
	}
	p.Matches = evidence.No
	for _, m := range e.MatchImages {
		if k, err := evidence.ParsePattern(m); err == nil && k.Matches(l.repository) {
			p.Matches = evidence.Yes
			return
		}
	}
	host, _, _ := strings.Cut(l.repository, "/")
	p.Why = "none of its matchImages is for " + show(host)
	for _, m := range e.MatchImages {
		if why, hint := miss(m, l.repository); why != "" {
			p.Near, p.Why, p.Hint = true, fmt.Sprintf("%s of its matchImages: %s", show(m), why), hint
			return
		}
	}
}

// miss says why a pattern that was plainly meant for the repository does not match it, and what to write. The keyring knows
// how keys of secrets miss, which two things set patterns apart from: they have no scheme, and nothing stands for Docker Hub.
func miss(pattern, repository string) (why, hint string) {
	bare := pattern
	if i := strings.Index(pattern, "://"); i >= 0 {
		bare = pattern[i+3:]
	}
	if k, err := evidence.ParsePattern(bare); bare != pattern && err == nil && k.Matches(repository) {
		return "it has a scheme, which is taken for a host", "write " + show(bare)
	}
	if k, err := evidence.ParseKey(pattern); err == nil && k.FallsBack(repository) {
		return "Docker Hub's images are in docker.io, and only pull secrets know it by another name", "write docker.io"
	}
	data, err := json.Marshal(map[string]map[string]login{"auths": {pattern: {}}})
	if err != nil {
		return "", ""
	}
	_, report := keyring.Lookup([]keyring.Secret{{Type: "kubernetes.io/dockerconfigjson", Data: map[string][]byte{".dockerconfigjson": data}}}, repository)
	for _, e := range report.Entries {
		if e.Near {
			hint, _, _ = strings.Cut(e.Hint, ", ") // behind it is what a credential takes
			return e.Why, strings.ReplaceAll(hint, "https://index.docker.io/v1/", "docker.io")
		}
	}
	return "", ""
}
