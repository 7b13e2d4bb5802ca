package registrytest

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const tokenLife = 5 * time.Minute // Docker Hub's

// token is what a bearer token says, signed by the registry that gave it.
type token struct {
	User    string `json:"sub,omitempty"`
	Repo    string `json:"repo,omitempty"`
	Pull    bool   `json:"pull,omitempty"`
	Expires int64  `json:"exp"`
}

func (t token) covers(repo string) bool { return t.Pull && t.Repo == repo }

func (r *Registry) realm(a *ask) string { return cmp.Or(r.Realm, a.base+"/token") }

func (r *Registry) service() string { return cmp.Or(r.Service, r.Name) }

// token answers the token endpoint: GET with or without Basic, and the OAuth2
// POST that containerd tries first when it has credentials.
func (r *Registry) token(a *ask) reply {
	if a.method != http.MethodGet && a.method != http.MethodPost {
		return problem(http.StatusMethodNotAllowed, "UNSUPPORTED", "The operation is unsupported.", nil)
	}
	name, password, offered := offeredTo(a)
	u, l := User{}, loginNone
	if offered {
		u, l = r.check(name, password)
	}
	switch l {
	case loginLocked:
		return r.says(refusesLocked, a, name, nil)
	case loginWrong:
		return r.says(refusesWrong, a, name, nil)
	case loginExpired:
		return r.says(refusesExpired, a, name, nil)
	}
	repo, pull := parseScope(a.form.Get("scope"))
	pull = pull && r.mayPull(u, l, repo)
	m := r.Style.manner()
	switch refused := repo != "" && !pull && !m.grants; {
	case l == loginNone && (refused || m.scoped && repo == ""):
		return r.says(refusesAnonymous, a, "", nil)
	case refused && m.strict:
		return r.says(refusesForbidden, a, u.Name, nil)
	}
	return r.grant(token{User: u.Name, Repo: repo, Pull: pull, Expires: r.now().Add(tokenLife).Unix()})
}

// offeredTo finds the credentials in a token request.
func offeredTo(a *ask) (name, password string, ok bool) {
	switch {
	case a.scheme == "Basic":
		return a.user, a.secret, true
	case a.form.Get("grant_type") == "password":
		return a.form.Get("username"), a.form.Get("password"), true
	case a.form.Get("grant_type") == "refresh_token":
		return anyName, a.form.Get("refresh_token"), true
	}
	return "", "", false
}

// mayPull: what is missing is treated as private, so that nobody learns which,
// unless everything of its name is public.
func (r *Registry) mayPull(u User, l login, repo string) bool {
	_, exists := r.tags(repo)
	switch {
	case l == loginGood && covers(u.Pull, repo):
		return exists || !r.Style.manner().hides
	case covers(r.Private, repo):
		return false
	}
	return exists || covers(r.Public, repo)
}

func (r *Registry) grant(t token) reply {
	s := r.sign(t)
	b, err := json.Marshal(map[string]any{
		"token":        s,
		"access_token": s,
		"expires_in":   int(tokenLife / time.Second),
		"issued_at":    r.now().UTC().Format(time.RFC3339),
	})
	if err != nil {
		panic(err) // strings and ints always marshal
	}
	return jsonReply(http.StatusOK, "application/json", b)
}

func (r *Registry) sign(t token) string {
	b, err := json.Marshal(t)
	if err != nil {
		panic(err) // plain fields always marshal
	}
	claims := base64.RawURLEncoding.EncodeToString(b)
	return claims + "." + base64.RawURLEncoding.EncodeToString(r.seal(claims))
}

func (r *Registry) seal(claims string) []byte {
	m := hmac.New(sha256.New, r.key)
	m.Write([]byte(claims))
	return m.Sum(nil)
}

// readToken returns what s says if this registry signed it, expired or not.
func (r *Registry) readToken(s string) (t token, ok bool) {
	claims, seal, _ := strings.Cut(s, ".")
	got, err := base64.RawURLEncoding.DecodeString(seal)
	if err != nil || !hmac.Equal(got, r.seal(claims)) {
		return token{}, false
	}
	b, err := base64.RawURLEncoding.DecodeString(claims)
	if err != nil || json.Unmarshal(b, &t) != nil {
		return token{}, false
	}
	return t, true
}

// userOf names the caller for the log; never more than the name.
func (r *Registry) userOf(a *ask) string {
	if t, ok := r.readToken(a.secret); ok && a.scheme == "Bearer" {
		return t.User
	}
	name, _, _ := offeredTo(a)
	return name
}

// ECRPassword returns a password of the form ECR hands out, whose expiry can
// be read without asking anybody: base64 of JSON with "expiration".
func ECRPassword(expires time.Time) string {
	b := fmt.Appendf(nil, `{"payload":"dGVzdA==","datakey":"dGVzdA==","version":"2","type":"DATA_KEY","expiration":%d}`, expires.Unix())
	return base64.StdEncoding.EncodeToString(b)
}
