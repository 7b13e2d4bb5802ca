package keyring

import (
	"fmt"
	"math/rand/v2"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// generator makes cases from the quirks: as they are, put together, and with letters changed.
type generator struct{ *rand.Rand }

func pick[T any](g generator, from []T) T { return from[g.IntN(len(from))] }

// chance is true once in n times.
func (g generator) chance(n int) bool { return g.IntN(n) == 0 }

// near are keys of few registries, so that several match one image.
var near = []string{
	"reg.io", "https://reg.io", "http://reg.io/", "https://reg.io/v1/", "https://reg.io/v2/", "reg.io/team", "https://reg.io/v2/team", "reg.io/team/app", "reg.io/te", "*.io", "r*.io", "reg.*", "reg.io:", "u@reg.io", "reg.io/t%65am",
	"docker.io", "https://docker.io/", "index.docker.io", "https://index.docker.io/v1/", "http://index.docker.io/v2/", "docker.io/library", "docker.io/team", "d*.io", "reg.io:5000", "*.io:5000",
}

// nearImages are those that the near keys are about.
var nearImages = []string{
	"nginx", "nginx:1.25", "team/app", "docker.io/team/app:v1", "index.docker.io/team/app", "reg.io/team/app", "reg.io/team/app:1", "reg.io/teams/app@sha256:" + hex64, "reg.io/app", "reg.io:5000/team/app:1", "localhost/app",
}

func (g generator) image() string {
	switch {
	case !g.chance(4):
		return pick(g, nearImages)
	case g.chance(3):
		return g.changed(pick(g, images))
	case g.chance(3):
		host := pick(g, []string{"", "docker.io", "index.docker.io", "reg.io", "reg.io:5000", "a.reg.io", "localhost", "REG", "[::1]:5000", "123456789012.dkr.ecr.eu-west-1.amazonaws.com", "A.b-c.D"})
		name := pick(g, []string{"app", "team/app", "library/nginx", "v2/app", "a/b/c/d", "a-b.c_d__e", "t"})
		return strings.TrimPrefix(host+"/"+name+pick(g, []string{"", ":1", ":latest", "@sha256:" + hex64, ":1@sha256:" + hex64}), "/")
	}
	return pick(g, images)
}

func (g generator) key() string {
	switch {
	case !g.chance(3):
		return pick(g, near)
	case g.chance(4):
		return g.changed(pick(g, keys))
	case g.chance(4):
		return pick(g, []string{"", "", "https://", "http://", "oci://", "HTTPS://"}) + pick(g, []string{"reg.io", "docker.io", "index.docker.io", "*.io", "*", "a.reg.io", "REG", "localhost", "[::1]"}) +
			pick(g, []string{"", "", ":5000", ":443", ":"}) + pick(g, []string{"", "/", "/v1/", "/v2/", "/v2", "/team", "/team/", "/v2/team", "/library", "/v1/v2/", "/%3F", "/?x", "/*"})
	}
	return pick(g, keys)
}

func (g generator) entry() string {
	switch {
	case g.chance(30):
		return pick(g, entries)
	case g.chance(8):
		return pick(g, entries[:readable])
	}
	return good(fmt.Sprintf("u%d", g.IntN(1000)), fmt.Sprintf("p%d", g.IntN(1000)))
}

func (g generator) data(wrapped bool) []byte {
	if g.chance(40) {
		return []byte(pick(g, data))
	}
	var parts []string
	for range 1 + g.IntN(4) {
		parts = append(parts, entry(g.key(), g.entry()))
	}
	out := older(parts...)
	if wrapped != g.chance(30) {
		out = config(parts...)
	}
	if g.chance(100) {
		out = []byte(g.changed(string(out)))
	}
	return out
}

func (g generator) secrets() []corev1.Secret {
	var out []corev1.Secret
	for i := range g.IntN(4) + 1 - g.IntN(2) {
		kind := pick(g, []string{jsonType, jsonType, jsonType, oldType, oldType})
		s := secret(fmt.Sprintf("s%d", i), kind, g.data(kind == jsonType))
		switch {
		case g.chance(20):
			s.Type = corev1.SecretType(pick(g, []string{"Opaque", "", "kubernetes.io/dockerconfigjson ", "kubernetes.io/DockerConfigJson", jsonType, oldType}))
		case g.chance(20): // both keys
			s.Data[corev1.DockerConfigJsonKey], s.Data[corev1.DockerConfigKey] = g.data(true), g.data(false)
		case g.chance(40):
			s.Data = nil
		case g.chance(30) && len(out) > 0: // the same secret named twice
			s = out[g.IntN(len(out))]
		}
		out = append(out, s)
	}
	return out
}

// changed takes out, puts in or changes a few bytes.
func (g generator) changed(text string) string {
	const letters = "/:.*?#%@ \n\"\\{}[]aAvV12-_=\x00\xff"
	b := []byte(text)
	for range 1 + g.IntN(3) {
		i := g.IntN(len(b) + 1)
		c := letters[g.IntN(len(letters))]
		switch {
		case i == len(b):
			b = append(b, c)
		case g.chance(3):
			b = append(b[:i], b[i+1:]...)
		case g.chance(2):
			b = append(b[:i], append([]byte{c}, b[i:]...)...)
		default:
			b[i] = c
		}
	}
	return string(b)
}
