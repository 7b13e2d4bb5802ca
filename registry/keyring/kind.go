package keyring

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// maxSecret bounds what of a password is looked into: no token or key file is longer.
const maxSecret = 32 << 10

// kind is what a credential plainly is.
type kind struct {
	name    string
	expires time.Time
	hint    string
}

const (
	nilUUID   = "00000000-0000-0000-0000-000000000000"
	jobHint   = "it ends with its job: make the secret of a deploy token that may read the registry"
	gitlabJob = "GitLab CI job token"
	google    = "Google access token"
)

// tokenPrefixes are what tokens begin with, the longer ones first.
var tokenPrefixes = []struct{ text, kind, hint string }{
	{"ghs_", "GitHub Actions or App token", "it ends with its job or within the hour: make the secret of a token that may read packages"},
	{"ghp_", "GitHub personal access token", ""},
	{"github_pat_", "GitHub personal access token", ""},
	{"gho_", "GitHub OAuth token", ""},
	{"ghu_", "GitHub App user token", ""},
	{"glcbt-", gitlabJob, jobHint},
	{"gldt-", "GitLab deploy token", ""},
	{"glpat-", "GitLab personal access token", ""},
	{"dckr_pat_", "Docker Hub personal access token", ""},
	{"dckr_oat_", "Docker Hub organisation access token", ""},
	{"ya29.", google, googleHint},
	{"AKCp", "Artifactory API key", ""},
}

const (
	googleHint = "it lives for an hour: let the node's credential provider do it, or make the secret of a service account's key"
	ecrHint    = "it lives for 12 hours: let the node's credential provider do it, or something that renews the secret"
	acrHint    = "it lives for 3 hours: make the secret of a service principal or a token of the registry"
)

// users tell a kind by themselves.
var users = map[string]kind{
	"gitlab-ci-token":   {name: gitlabJob, hint: jobHint},
	"oauth2accesstoken": {name: google, hint: googleHint},
	"_token":            {name: google, hint: googleHint},
	"_dcgcloud_token":   {name: google, hint: googleHint},
	"_json_key":         {name: "Google service account key"},
	"_json_key_base64":  {name: "Google service account key"},
	"$oauthtoken":       {name: "API token"},
}

// kindOf tells what a credential is, and when it ends by its own words. The order is
// that of how much is known: what decodes, what has a mark, what has a telling user.
func kindOf(host, user, password string) kind {
	if len(password) > maxSecret || len(user) > maxSecret {
		return users[user]
	}
	password = strings.TrimSpace(password)
	k, known := users[user]
	switch {
	case user == "AWS":
		return ecr(host, password)
	case strings.HasPrefix(password, "cmVmdGtu"):
		if ref, ok := artifactory(password); ok {
			return ref
		}
	case isJWT(password) || isJWT(strings.TrimPrefix(password, "glcbt-")):
		return jwtKind(user, password, k)
	}
	for _, p := range tokenPrefixes {
		if strings.HasPrefix(password, p.text) || strings.HasPrefix(user, p.text) {
			return kind{name: p.kind, hint: p.hint}
		}
	}
	switch {
	case known:
		return k
	case strings.HasPrefix(user, "gitlab+deploy-token-"):
		return kind{name: "GitLab deploy token"}
	case user == nilUUID:
		return kind{name: "ACR token"}
	case strings.HasPrefix(user, "robot$"):
		return kind{name: "Harbor robot account"}
	case host == "quay.io" && strings.Contains(user, "+"):
		return kind{name: "Quay robot account"}
	}
	return kind{}
}

// ecr reads what `aws ecr get-login-password` gives: base64 of JSON that names its end.
func ecr(host, password string) kind {
	k := kind{name: "ECR token", hint: ecrHint}
	if strings.HasPrefix(host, "public.ecr.aws") {
		k.name = "ECR Public token"
	}
	var token struct {
		Type       string      `json:"type"`
		Expiration json.Number `json:"expiration"`
	}
	if json.Unmarshal(decoded(password), &token) == nil {
		k.expires = unix(token.Expiration.String())
	}
	return k
}

// artifactory reads an Artifactory reference token: base64 of reftkn:01:SECONDS:…, where 0 is never.
func artifactory(password string) (kind, bool) {
	part := strings.SplitN(string(decoded(password)), ":", 4)
	if len(part) < 3 || part[0] != "reftkn" {
		return kind{}, false
	}
	return kind{name: "Artifactory reference token", expires: unix(part[2])}, true
}

func isJWT(text string) bool {
	return strings.HasPrefix(text, "eyJ") && strings.Count(text, ".") == 2
}

// jwtKind reads the claims of a token, which nobody verifies here.
func jwtKind(user, password string, byUser kind) kind {
	k := kind{name: "JSON web token"}
	var claims struct {
		Exp json.Number `json:"exp"`
		Iss string      `json:"iss"`
		Sub string      `json:"sub"`
	}
	dec := json.NewDecoder(bytes.NewReader(decoded(strings.Split(password, ".")[1])))
	dec.UseNumber()
	if dec.Decode(&claims) == nil {
		k.expires = unix(claims.Exp.String())
	}
	switch {
	case byUser.name != "":
		k.name, k.hint = byUser.name, byUser.hint
	case strings.HasPrefix(password, "glcbt-"):
		k.name, k.hint = gitlabJob, jobHint
	case user == nilUUID:
		k.name, k.hint = "ACR refresh token", acrHint
	case strings.HasPrefix(claims.Sub, "system:serviceaccount:"):
		k.name = "service account token"
	case strings.HasPrefix(claims.Iss, "jfac@") || strings.HasPrefix(claims.Iss, "jfrt@"):
		k.name = "Artifactory access token"
	}
	return k
}

// unix reads seconds since 1970, and nothing from before 2001 or after 2286.
func unix(seconds string) time.Time {
	const first, last = 1e9, 1e10
	n, err := strconv.ParseFloat(seconds, 64)
	if err != nil || !(n >= first && n < last) {
		return time.Time{}
	}
	return time.Unix(int64(n), 0).UTC()
}
