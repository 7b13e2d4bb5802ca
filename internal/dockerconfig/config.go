// Package dockerconfig reads docker config data exactly as the kubelet does: the
// file of `docker login` under auths, and the older .dockercfg.
//
// It holds to the kubelet's own parser (K36 pkg/credentialprovider/config.go), whose
// types have the same names here because those names are part of its error texts.
// It knows nothing of secrets' types, of matching, or of what a registry wants, and
// it reads no file.
package dockerconfig

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// DockerConfig is the older .dockercfg, and what is under auths: each registry's entry by its key as written.
type DockerConfig map[string]Entry

// Entry is one registry's credential. It does not print itself.
type Entry struct {
	Username, Password string
}

// Format keeps the credential out of every text.
func (e Entry) Format(w fmt.State, _ rune) {
	_, _ = io.WriteString(w, "REDACTED")
}

// MarshalJSON keeps the credential out of every document.
func (e Entry) MarshalJSON() ([]byte, error) { return []byte(`"REDACTED"`), nil }

type dockerConfigEntryWithAuth struct {
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
	Email    string `json:"email,omitempty"`
	Auth     string `json:"auth,omitempty"`
}

// UnmarshalJSON prefers auth to user and password, as the kubelet does.
func (e *Entry) UnmarshalJSON(data []byte) error {
	var raw dockerConfigEntryWithAuth
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	e.Username, e.Password = raw.Username, raw.Password
	if raw.Auth == "" {
		return nil
	}
	var err error
	e.Username, e.Password, err = decodeAuth(raw.Auth)
	return err
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

// Parse reads the data as the kubelet does: wrapped for .dockerconfigjson, where the
// entries are under auths, and not for .dockercfg. Its error has the kubelet's text.
func Parse(data []byte, wrapped bool) (DockerConfig, error) {
	// DockerConfigJSON is named as the kubelet names it.
	type DockerConfigJSON struct {
		Auths       DockerConfig      `json:"auths"`
		HTTPHeaders map[string]string `json:"HttpHeaders,omitempty"`
	}
	var file DockerConfigJSON
	var err error
	if wrapped {
		err = json.Unmarshal(data, &file)
	} else {
		err = json.Unmarshal(data, &file.Auths)
	}
	if err != nil {
		return nil, kubelets(err)
	}
	return file.Auths, nil
}

// kubelets gives an error of encoding/json the name of the package that the kubelet's types are in.
func kubelets(err error) error {
	const before = " of type "
	text := err.Error()
	i := strings.LastIndex(text, before)
	if i < 0 {
		return err
	}
	i += len(before)
	return errors.New(text[:i] + strings.Replace(text[i:], "dockerconfig.", "credentialprovider.", 1))
}
