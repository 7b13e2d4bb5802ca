package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	kjson "sigs.k8s.io/json"
)

// requestFor is what a provider is asked. The image is the repository, as the kubelet looks credentials up.
func requestFor(version, repository string) ([]byte, error) {
	data, err := json.Marshal(struct {
		Kind       string `json:"kind"`
		APIVersion string `json:"apiVersion"`
		Image      string `json:"image"`
	}{"CredentialProviderRequest", version, repository})
	if err != nil {
		return nil, fmt.Errorf("writing the request: %w", err)
	}
	return append(data, '\n'), nil
}

// login is one credential of an answer; its names are those of a docker config's entry too.
type login struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// readResponse reads an answer as the kubelet does (K36 pkg/credentialprovider/plugin/plugin.go:735-757 and 488-500), and gives
// its credentials as a docker config. Its error holds nothing of them.
func readResponse(data []byte, version string) ([]byte, error) {
	var head struct{ APIVersion, Kind string }
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, errors.New("what it printed is no JSON object, or not that alone")
	}
	if head.APIVersion != version {
		return nil, fmt.Errorf("its answer's apiVersion is %q, and its configuration says %s", show(head.APIVersion), version)
	}
	if head.Kind != "CredentialProviderResponse" {
		return nil, fmt.Errorf("its answer's kind is %q, where CredentialProviderResponse belongs", show(head.Kind))
	}
	var answer struct {
		Kind          string           `json:"kind"`
		APIVersion    string           `json:"apiVersion"`
		CacheKeyType  string           `json:"cacheKeyType"`
		CacheDuration *duration        `json:"cacheDuration"`
		Auth          map[string]login `json:"auth"`
	}
	strict, err := kjson.UnmarshalStrict(data, &answer)
	switch {
	case err != nil:
		return nil, errors.New("a field of its answer is of the wrong type")
	case len(strict) > 0:
		return nil, errors.New("its answer has a field that is not known, or one twice")
	case !slices.Contains([]string{"Image", "Registry", "Global"}, answer.CacheKeyType):
		return nil, fmt.Errorf("its answer's cacheKeyType is %q, where Image, Registry or Global belongs", show(answer.CacheKeyType))
	}
	return json.Marshal(map[string]map[string]login{"auths": answer.Auth})
}

var passwordField = regexp.MustCompile(`(?i)"(?:username|password|auth|token)"\s*:\s*("(?:[^"\\]|\\.)*")`)

// texts are what of an output may be a credential: the values of the fields that hold one, or all where it is no JSON.
func texts(stdout []byte) []string {
	var out []string
	for _, m := range passwordField.FindAllSubmatch(stdout, -1) {
		var text string
		if json.Unmarshal(m[1], &text) == nil {
			out = append(out, text)
		}
	}
	if !bytes.HasPrefix(bytes.TrimSpace(stdout), []byte("{")) {
		out = append(out, strings.Fields(string(stdout))...)
	}
	return out
}

// hide takes secrets out of a text, the longer ones first. Those of a few letters would take words out.
func hide(text string, secrets []string) string {
	const least = 6
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	for _, s := range secrets {
		if len(s) >= least {
			text = strings.ReplaceAll(text, s, "REDACTED")
		}
	}
	return text
}
