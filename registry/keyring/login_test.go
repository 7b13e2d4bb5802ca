package keyring_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/refloat-dev/refloat/registry/keyring"
)

func jwt(claims string) string {
	enc := func(s string) string { return strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(b64(s)) }
	return enc(`{"alg":"RS256","typ":"JWT"}`) + "." + enc(claims) + ".c2lnbmF0dXJl"
}

func TestLogin(t *testing.T) {
	t.Parallel()
	const nilUUID = "00000000-0000-0000-0000-000000000000"
	end := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	unix := fmt.Sprint(end.Unix())
	ecr := b64(`{"payload":"` + strings.Repeat("x", 900) + `","datakey":"k","version":"2","type":"DATA_KEY","expiration":` + unix + `}`)
	tests := []struct {
		name, key, user, password string
		shown, kind               string
		expires                   bool
		problem, hint             string // parts
	}{
		{"plain", "reg.io", "bob", "correct horse", "bob", "", false, "", ""},
		{"ECR", "reg.io", "AWS", ecr, "AWS", "ECR token", true, "", "12 hours"},
		{"ECR, not to be read", "reg.io", "AWS", "x", "AWS", "ECR token", false, "", "12 hours"},
		{"ACR", "reg.io", nilUUID, jwt(`{"exp":` + unix + `}`), nilUUID, "ACR refresh token", true, "", "3 hours"},
		{"service account", "reg.io", "sa", jwt(`{"exp":` + unix + `.25,"aud":["x"],"sub":"system:serviceaccount:a:b"}`), "sa", "service account token", true, "", ""},
		{"JWT", "reg.io", "bob", jwt(`{"exp":"` + unix + `"}`), "bob", "JSON web token", true, "", ""},
		{"JWT without an end", "reg.io", "bob", jwt(`{}`), "bob", "JSON web token", false, "", ""},
		{"JWT with an absurd end", "reg.io", "bob", jwt(`{"exp":1e300}`), "bob", "JSON web token", false, "", ""},
		{"JWT in ruins", "reg.io", "bob", "eyJ.!!.x", "bob", "JSON web token", false, "", ""},
		{"Artifactory", "reg.io", "bob", b64("reftkn:01:" + unix + ":abcdefgh"), "bob", "Artifactory reference token", true, "", ""},
		{"Artifactory for ever", "reg.io", "bob", b64("reftkn:01:0000000000:abcdefgh"), "bob", "Artifactory reference token", false, "", ""},
		{"Google", "reg.io", "oauth2accesstoken", "ya29.abcdefgh", "oauth2accesstoken", "Google access token", false, "", "an hour"},
		{"Google key", "reg.io", "_json_key", `{"type":"service_account"}`, "_json_key", "Google service account key", false, "", ""},
		{"Google key cut", "reg.io", "_json_key", `{"type":`, "_json_key", "Google service account key", false, "not JSON", "whole key file"},
		{"Google key in base64", "reg.io", "_json_key_base64", `{"type":1}`, "_json_key_base64", "Google service account key", false, "not the base64 of JSON", "base64 of the whole"},
		{"GitHub Actions", "ghcr.io", "bot", "ghs_abcdefghijkl", "bot", "GitHub Actions or App token", false, "", "ends with its job"},
		{"GitHub", "ghcr.io", "bob", "ghp_abcdefghijkl", "bob", "GitHub personal access token", false, "", ""},
		{"GitLab job", "reg.io", "gitlab-ci-token", "abcdef", "gitlab-ci-token", "GitLab CI job token", false, "", "deploy token"},
		{"GitLab job by password", "reg.io", "bob", "glcbt-64_abcdef", "bob", "GitLab CI job token", false, "", "deploy token"},
		{"GitLab job, JWT", "reg.io", "gitlab-ci-token", jwt(`{"exp":` + unix + `}`), "gitlab-ci-token", "GitLab CI job token", true, "", "deploy token"},
		{"GitLab deploy", "reg.io", "gitlab+deploy-token-7", "abcdef", "gitlab+deploy-token-7", "GitLab deploy token", false, "", ""},
		{"Docker Hub", "docker.io", "bob", "dckr_pat_abcdefgh", "bob", "Docker Hub personal access token", false, "", ""},
		{"Harbor", "reg.io", "robot$shop+ci", "x", "robot$shop+ci", "Harbor robot account", false, "", ""},
		{"Quay", "quay.io", "org+robot", "x", "org+robot", "Quay robot account", false, "", ""},
		{"line break", "reg.io", "bob", "secret\n", "bob", "", false, "ends in a line break", "printf"},
		{"blank", "reg.io", "bob", " secret", "bob", "", false, "begins or ends in a blank", "without it"},
		{"user with a blank", "reg.io", "bob ", "secret", "bob ", "", false, "the user begins or ends", "without it"},
		{"quotes", "reg.io", "bob", `"secret"`, "bob", "", false, "in quotes", "without them"},
		{"placeholder", "reg.io", "bob", "${REGISTRY_PASSWORD}", "bob", "", false, "placeholder", "in its place"},
		{"empty password", "reg.io", "bob", "", "bob", "", false, "the password is empty", "with the password"},
		{"base64 twice", "reg.io", "bob", b64("bob:secret"), "bob", "", false, "itself the base64", "under auth"},
		{"token as the user", "ghcr.io", "ghp_abcdefghijklmnop", "x-oauth-basic", "REDACTED", "GitHub personal access token", false, "", ""},
		{"JWT as the user", "reg.io", jwt(`{}`), "x", "REDACTED", "", false, "", ""},
		{"hex as the user", "reg.io", "0123456789abcdef0123456789abcdef01234567", "x", "REDACTED", "", false, "", ""},
		{"key as the user", "reg.io", "aB3dE6fG9hJ2kL5mN8pQ", "x", "REDACTED", "", false, "", ""},
		{"password as the user", "reg.io", "Sup3rS3cret", "Sup3rS3cret", "REDACTED", "", false, "", ""},
		{"admin", "reg.io", "admin", "admin", "admin", "", false, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, report := keyring.Lookup([]keyring.Secret{secretOf("a", [3]string{tt.key, tt.user, tt.password})}, "reg.io/a")
			e := report.Entries[0]
			if e.User != tt.shown || e.Kind != tt.kind || !has(e.Problem, tt.problem) {
				t.Errorf("%+v", e)
			}
			if e.Expires.Equal(end) != tt.expires || e.Expires.IsZero() == tt.expires {
				t.Errorf("expires %v", e.Expires)
			}
			if e.Matches && !has(e.Hint, tt.hint) {
				t.Errorf("hint %q", e.Hint)
			}
		})
	}
}

func has(text, part string) bool { return strings.Contains(text, part) && (part == "") == (text == "") }

func TestEmptyEntries(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		`{"auths":{"reg.io":{}},"credsStore":"desktop"}`:               "the kubelet ignores credsStore",
		`{"auths":{"reg.io":{"identitytoken":"x"}}}`:                   "the kubelet ignores identitytoken",
		`{"auths":{"reg.io":{}},"credHelpers":{"reg.io":"ecr-login"}}`: "the kubelet ignores credHelpers",
		`{"auths":{"reg.io":{"email":"x"}}}`:                           "it holds no user and password",
	} {
		creds, report := keyring.Lookup([]keyring.Secret{raw("a", modern, data)}, "reg.io/a")
		if len(creds) != 1 || !strings.Contains(report.Entries[0].Problem, want) || report.Entries[0].Hint == "" {
			t.Errorf("%s: %+v", data, report.Entries)
		}
	}
}

func TestKeysAreCleaned(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"https://u:hunter2@reg.io/v2/": "https://REDACTED@reg.io/v2/", "hunter2@reg.io": "REDACTED@reg.io", "u:hunter2@reg.io/a": "REDACTED@reg.io/a", "https://reg.io/v1/": "https://reg.io/v1/",
	} {
		creds, report := keyring.Lookup([]keyring.Secret{secretOf("a", [3]string{key, "u", "p"})}, "reg.io/a")
		if len(creds) != 1 || report.Entries[0].Key != want {
			t.Errorf("%q: %+v", key, report.Entries)
		}
	}
}
