package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/host"
)

// configGroup and protocolGroup are the API groups of the configuration and of what a provider is asked and answers.
const (
	configGroup   = "kubelet.config.k8s.io"
	protocolGroup = "credentialprovider.kubelet.k8s.io"
)

// versions are those of both groups.
var versions = []string{"v1", "v1beta1", "v1alpha1"}

// maxConfig bounds a file: YAML's anchors make more of it than its size tells.
const maxConfig = 256 << 10

// unreadError is a file that could not be read, which need not be so for the kubelet.
type unreadError struct {
	path string
	err  error
}

func (e *unreadError) Error() string { return e.err.Error() }
func (e *unreadError) Unwrap() error { return e.err }

// document is CredentialProviderConfig. The kubelet reads it strictly: an unknown field or one given twice is an error.
type document struct {
	Kind       string  `json:"kind"`
	APIVersion string  `json:"apiVersion"`
	Providers  []entry `json:"providers"`
}

// entry is one provider of it. Args and Env may hold secrets.
type entry struct {
	Name                 string    `json:"name"`
	MatchImages          []string  `json:"matchImages"`
	DefaultCacheDuration *duration `json:"defaultCacheDuration"`
	APIVersion           string    `json:"apiVersion"`
	Args                 []string  `json:"args"`
	Env                  []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"env"`
	TokenAttributes *tokenAttributes `json:"tokenAttributes"`
	// file is where it is.
	file string
}

type tokenAttributes struct {
	Audience  string   `json:"serviceAccountTokenAudience"`
	CacheType string   `json:"cacheType"`
	Require   *bool    `json:"requireServiceAccount"`
	Required  []string `json:"requiredServiceAccountAnnotationKeys"`
	Optional  []string `json:"optionalServiceAccountAnnotationKeys"`
}

func (e entry) wantsToken() bool { return e.TokenAttributes != nil && e.TokenAttributes.Audience != "" }

// duration is written as a Go duration.
type duration time.Duration

// UnmarshalJSON reads it, and says nothing of what it read.
func (d *duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return errors.New("a duration is a text such as 12h")
	}
	parsed, err := time.ParseDuration(text)
	if err != nil {
		return errors.New("a duration is a text such as 12h")
	}
	*d = duration(parsed)
	return nil
}

// providers reads the configuration as the kubelet does at its start (K36 pkg/credentialprovider/plugin/config.go): a file, or
// the files of a folder in the order of their names.
func (k *kubelet) providers(s setting) ([]entry, error) {
	switch {
	case s.config == "":
		return nil, errors.New("--image-credential-provider-bin-dir is given without --image-credential-provider-config")
	case s.bin == "":
		return nil, errors.New("--image-credential-provider-config is given without --image-credential-provider-bin-dir")
	}
	files, err := k.configFiles(s.config)
	if err != nil {
		return nil, err
	}
	var out []entry
	for _, file := range files {
		data, err := k.files.ReadFile(file)
		if err == nil && len(data) > maxConfig {
			err = fmt.Errorf("%s: %w", file, host.ErrTooLarge)
		}
		if err != nil {
			return nil, &unreadError{file, err}
		}
		entries, err := parse(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, e := range entries {
			if slices.ContainsFunc(out, func(o entry) bool { return o.Name == e.Name }) {
				return nil, fmt.Errorf("%s: two providers have the name %q", file, show(e.Name))
			}
			e.file = file
			out = append(out, e)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: it has no providers", s.config)
	}
	for _, e := range out {
		if err := e.validate(); err != nil {
			return nil, fmt.Errorf("%s: provider %q: %w", e.file, show(e.Name), err)
		}
	}
	return out, nil
}

func (k *kubelet) configFiles(path string) ([]string, error) {
	info, err := k.files.Stat(path)
	if err != nil {
		return nil, &unreadError{path, err}
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	listed, err := k.files.ReadDir(path) // in the order of their names
	if err != nil {
		return nil, &unreadError{path, err}
	}
	var files []string
	for _, f := range listed {
		if ext := filepath.Ext(f.Name()); !f.IsDir() && (ext == ".json" || ext == ".yaml" || ext == ".yml") {
			files = append(files, filepath.Join(path, f.Name()))
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: the folder has no .json, .yaml or .yml", path)
	}
	return files, nil
}

// parse reads one file; JSON is told from YAML by its first brace.
func parse(data []byte) ([]entry, error) {
	if !bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		asJSON, err := yaml.YAMLToJSONStrict(data)
		if err != nil {
			return nil, err
		}
		data = asJSON
	}
	var head struct{ APIVersion, Kind string }
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, err
	}
	version, ok := strings.CutPrefix(head.APIVersion, configGroup+"/")
	if !ok || !slices.Contains(versions, version) {
		return nil, fmt.Errorf("its apiVersion is %q, where %s/v1 belongs", show(head.APIVersion), configGroup)
	}
	if head.Kind != "CredentialProviderConfig" {
		return nil, fmt.Errorf("its kind is %q, where CredentialProviderConfig belongs", show(head.Kind))
	}
	var doc document
	strict, err := kjson.UnmarshalStrict(data, &doc)
	if err = errors.Join(append([]error{err}, strict...)...); err != nil {
		return nil, err
	}
	for _, e := range doc.Providers {
		if e.TokenAttributes != nil && version != "v1" {
			return nil, fmt.Errorf("provider %q: tokenAttributes is not known in %s", show(e.Name), head.APIVersion)
		}
	}
	return doc.Providers, nil
}

// validate is validateCredentialProviderConfig (config.go:146-236) without its rules for annotations' names.
func (e entry) validate() error {
	version, ok := strings.CutPrefix(e.APIVersion, protocolGroup+"/")
	switch {
	case strings.ContainsAny(e.Name, "/ ") || e.Name == "." || e.Name == "..":
		return errors.New("its name may have no slash and no blank")
	case !ok || !slices.Contains(versions, version):
		return fmt.Errorf("its apiVersion is %q, where %s/v1 belongs", show(e.APIVersion), protocolGroup)
	case len(e.MatchImages) == 0:
		return errors.New("it has no matchImages")
	case e.DefaultCacheDuration == nil:
		return errors.New("it has no defaultCacheDuration")
	case *e.DefaultCacheDuration < 0:
		return errors.New("its defaultCacheDuration is less than none")
	}
	for _, m := range e.MatchImages {
		if _, err := evidence.ParsePattern(m); err != nil {
			return fmt.Errorf("%q of its matchImages is no host and path", show(m))
		}
	}
	if e.TokenAttributes == nil {
		return nil
	}
	return e.TokenAttributes.validate(version)
}

func (t *tokenAttributes) validate(version string) error {
	switch {
	case version != "v1":
		return errors.New("tokenAttributes take the apiVersion " + protocolGroup + "/v1")
	case t.Audience == "":
		return errors.New("its tokenAttributes have no serviceAccountTokenAudience")
	case t.Require == nil:
		return errors.New("its tokenAttributes have no requireServiceAccount")
	case !*t.Require && len(t.Required) > 0:
		return errors.New("its tokenAttributes have required annotations without requireServiceAccount")
	case t.CacheType != "ServiceAccount" && t.CacheType != "Token":
		return errors.New("the cacheType of its tokenAttributes is neither ServiceAccount nor Token")
	}
	return nil
}
