// Package pullsecret says what shape a pull secret has: what the kubelet would
// read in it, and what of it breaks.
//
// No credential leaves it. What the data say is internal/dockerconfig's to read; which
// types and keys count is here (K36 pkg/credentialprovider/secrets/secrets.go).
package pullsecret

import (
	"fmt"
	"sort"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/internal/dockerconfig"
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
	entries, err := dockerconfig.Parse(data, modern)
	o := dockerconfig.Describe(data, modern)
	out.Registries = registries(o.Keys)
	switch {
	case err != nil:
		out.Problem, out.Breaks = evidence.Clean(err.Error()), true
	case len(entries) == 0:
		out.Problem = emptiness(o, modern)
	default:
		out.Problem = weakness(entries)
	}
}

// registries are the keys as they are written, bounded.
func registries(keys []string) []string {
	if len(keys) == 0 {
		return nil
	}
	out := make([]string, 0, len(keys))
	for _, key := range keys {
		out = append(out, evidence.Clean(key))
	}
	sort.Strings(out)
	return out[:min(len(out), maxRegistries)]
}

// emptiness says why the kubelet finds no entry in data that parses.
func emptiness(o dockerconfig.Outline, modern bool) string {
	if modern && (o.Store || len(o.Helpers) > 0) {
		return "it has no credentials of its own: the kubelet ignores credsStore and credHelpers"
	}
	if modern {
		return "there is no registry under auths: the kubelet finds no credentials in it"
	}
	return "it names no registry: the kubelet finds no credentials in it"
}

// weakness says which entries read well and cannot work.
func weakness(entries dockerconfig.DockerConfig) string {
	var parts []string
	for key, e := range entries {
		switch {
		case key == "auths":
			parts = append(parts, "the key auths does not belong into a .dockercfg: the kubelet takes it for a registry's name")
		case e == dockerconfig.Entry{}:
			parts = append(parts, fmt.Sprintf("the entry %q holds no user and password (the kubelet ignores credsStore, credHelpers and identitytoken)", evidence.Clean(key)))
		case strings.HasSuffix(e.Password, "\n"):
			parts = append(parts, fmt.Sprintf("the password for %q ends in a line break", evidence.Clean(key)))
		}
	}
	sort.Strings(parts)
	return evidence.Clean(strings.Join(parts, "; "))
}
