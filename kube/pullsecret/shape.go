// Package pullsecret says what shape a pull secret has: what the kubelet would
// read in it, and what of it breaks.
//
// No credential leaves it. It holds to the kubelet's own parser
// (pkg/credentialprovider/config.go and secrets/secrets.go), whose types have the
// same names here because their names are part of its error texts.
package pullsecret

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/refloat-dev/refloat/evidence"
)

// maxRegistries bounds the registries that are named.
const maxRegistries = 200

// Shape describes a secret that exists. It overwrites the secret's data.
func Shape(s *corev1.Secret) evidence.Secret {
	out := evidence.Secret{
		Namespace: s.Namespace, Name: s.Name, Exists: evidence.Yes, Type: string(s.Type),
		Created: s.CreationTimestamp.UTC(), Changed: Changed(s), Owner: Owner(s),
	}
	for key := range s.Data {
		out.Keys = append(out.Keys, key)
	}
	sort.Strings(out.Keys)
	read(&out, s)
	for _, v := range s.Data {
		clear(v)
	}
	return out
}

// read fills in what the kubelet finds, by type and key as secretsToTrackedDockerConfigs does.
func read(out *evidence.Secret, s *corev1.Secret) {
	modern, old := s.Data[corev1.DockerConfigJsonKey], s.Data[corev1.DockerConfigKey]
	switch {
	case s.Type == corev1.SecretTypeDockerConfigJson && len(modern) > 0:
		inspect(out, modern, true)
	case s.Type == corev1.SecretTypeDockercfg && len(old) > 0:
		inspect(out, old, false)
	case s.Type == corev1.SecretTypeDockerConfigJson:
		out.Problem = "it has nothing under the key .dockerconfigjson: the kubelet leaves it out"
	case s.Type == corev1.SecretTypeDockercfg:
		out.Problem = "it has nothing under the key .dockercfg: the kubelet leaves it out"
	default:
		if len(modern) > 0 {
			inspect(out, modern, true)
		}
		out.Breaks = false
		out.Problem = fmt.Sprintf("its type is %s: the kubelet reads only %s and %s, and leaves it out without a word",
			s.Type, corev1.SecretTypeDockerConfigJson, corev1.SecretTypeDockercfg)
	}
}

func inspect(out *evidence.Secret, data []byte, modern bool) {
	entries, err := parse(data, modern)
	out.Registries = registries(data, modern)
	switch {
	case err != nil:
		out.Problem, out.Breaks = evidence.Clean(err.Error()), true
	case len(entries) == 0:
		out.Problem = emptiness(data, modern)
	default:
		out.Problem = weakness(entries)
	}
}

// DockerConfigJSON is the file ~/.docker/config.json as the kubelet reads it.
type DockerConfigJSON struct {
	Auths       DockerConfig      `json:"auths"`
	HTTPHeaders map[string]string `json:"HttpHeaders,omitempty"`
}

// DockerConfig is the older .dockercfg, and what is under auths.
type DockerConfig map[string]DockerConfigEntry

// DockerConfigEntry is one registry's credential, and no more of it than its shape.
type DockerConfigEntry struct {
	// empty is set where the entry matches and offers nothing.
	empty bool
	// broken is set where the password ends in a line break.
	broken bool
}

type dockerConfigEntryWithAuth struct {
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
	Email    string `json:"email,omitempty"`
	Auth     string `json:"auth,omitempty"`
}

// UnmarshalJSON keeps the shape of an entry.
func (e *DockerConfigEntry) UnmarshalJSON(data []byte) error {
	var raw dockerConfigEntryWithAuth
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	user, password := raw.Username, raw.Password
	if raw.Auth != "" {
		var err error
		if user, password, err = decodeAuth(raw.Auth); err != nil {
			return err
		}
	}
	e.empty = user == "" && password == ""
	e.broken = strings.HasSuffix(password, "\n")
	return nil
}

var errAuth = errors.New("unable to parse auth field, must be formatted as base64(username:password)")

// decodeAuth is the kubelet's decodeDockerConfigFieldAuth: padding may be missing, a colon may not.
func decodeAuth(field string) (user, password string, err error) {
	enc := base64.RawStdEncoding
	if strings.HasSuffix(strings.TrimSpace(field), "=") {
		enc = base64.StdEncoding
	}
	raw, err := enc.DecodeString(field)
	if err != nil {
		return "", "", err
	}
	user, password, ok := strings.Cut(string(raw), ":")
	if !ok {
		return "", "", errAuth
	}
	return user, password, nil
}

// parse reads the data as the kubelet does. Its error has the kubelet's text.
func parse(data []byte, modern bool) (DockerConfig, error) {
	var entries DockerConfig
	var err error
	if modern {
		var file DockerConfigJSON
		err = json.Unmarshal(data, &file)
		entries = file.Auths
	} else {
		err = json.Unmarshal(data, &entries)
	}
	if err != nil {
		return nil, errors.New(strings.ReplaceAll(err.Error(), "pullsecret.", "credentialprovider."))
	}
	return entries, nil
}

// registries are the keys as they are written, as far as the data can be read at all.
func registries(data []byte, modern bool) []string {
	var entries map[string]json.RawMessage
	if modern {
		var file struct {
			Auths map[string]json.RawMessage `json:"auths"`
		}
		_ = json.Unmarshal(data, &file) // what can be read of a broken file is still worth naming
		entries = file.Auths
	} else {
		_ = json.Unmarshal(data, &entries)
	}
	out := make([]string, 0, len(entries))
	for key := range entries {
		out = append(out, evidence.Clean(key))
	}
	sort.Strings(out)
	if len(out) == 0 {
		return nil
	}
	return out[:min(len(out), maxRegistries)]
}

// emptiness says why the kubelet finds no entry in data that parses.
func emptiness(data []byte, modern bool) string {
	var file struct {
		CredsStore  json.RawMessage `json:"credsStore"`
		CredHelpers json.RawMessage `json:"credHelpers"`
	}
	_ = json.Unmarshal(data, &file) // it did parse as JSON
	if modern && (file.CredsStore != nil || file.CredHelpers != nil) {
		return "it has no credentials of its own: the kubelet ignores credsStore and credHelpers"
	}
	if modern {
		return "there is no registry under auths: the kubelet finds no credentials in it"
	}
	return "it names no registry: the kubelet finds no credentials in it"
}

// weakness says which entries read well and cannot work.
func weakness(entries DockerConfig) string {
	var parts []string
	for key, e := range entries {
		switch {
		case key == "auths":
			parts = append(parts, "the key auths does not belong into a .dockercfg: the kubelet takes it for a registry's name")
		case e.empty:
			parts = append(parts, fmt.Sprintf("the entry %q holds no user and password (the kubelet ignores credsStore, credHelpers and identitytoken)", evidence.Clean(key)))
		case e.broken:
			parts = append(parts, fmt.Sprintf("the password for %q ends in a line break", evidence.Clean(key)))
		}
	}
	sort.Strings(parts)
	return evidence.Clean(strings.Join(parts, "; "))
}
