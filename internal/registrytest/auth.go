package registrytest

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"time"
)

// Style is how a registry asks who is there, and how it refuses.
type Style string

// The styles.
const (
	// Open asks nobody.
	Open Style = "open"
	// BearerHub is Docker Hub's manner: everybody gets a token, and the
	// manifests of private and of missing repositories answer 401 alike.
	BearerHub Style = "bearer-hub"
	// BearerQuay is Quay's manner: as BearerHub, but the second 401 does not say
	// that the scope was insufficient.
	BearerQuay Style = "bearer-quay"
	// BearerStrict is GHCR's manner: the token endpoint itself answers 401 for
	// private and missing repositories, and 403 to wrong credentials.
	BearerStrict Style = "bearer-strict"
	// BearerForbidding is the Artifact Registry's manner: as BearerStrict, but
	// with 403 to anonymous callers and 401 to wrong credentials.
	BearerForbidding Style = "bearer-forbidding"
	// BasicECR is Amazon ECR's manner: Basic, always, and 404 for what is missing.
	BasicECR Style = "basic-ecr"
)

const ecrAccount = "123456789012"

// User may log in. Expired users know their password in vain.
type User struct {
	Name, Password string
	Expires        time.Time // zero: never
	// Pull lists the private repositories the user may pull; "team/*" covers a
	// prefix and "*" everything.
	Pull []string
}

// SetUser adds u or replaces the user of that name, and ends a lock-out.
func (r *Registry) SetUser(u User) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.users[u.Name] = u
	delete(r.failures, u.Name)
}

// RemoveUser takes a user's access away.
func (r *Registry) RemoveUser(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.users, name)
}

// login is what came of checking a name and password.
type login string

const (
	loginNone    login = "none"
	loginGood    login = "good"
	loginWrong   login = "wrong"
	loginExpired login = "expired"
	loginLocked  login = "locked"
)

// hides reports whether private and missing repositories get a token and 401.
func (s Style) hides() bool { return s == BearerHub || s == BearerQuay }

// anyName lets the password alone decide, as the refresh token of an OAuth2
// grant does.
const anyName = "*"

// check verifies a password.
func (r *Registry) check(name, password string) (User, login) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.LockAfter > 0 && r.failures[name] >= r.LockAfter {
		return User{}, loginLocked
	}
	for _, u := range r.users {
		if name != anyName && u.Name != name || subtle.ConstantTimeCompare([]byte(u.Password), []byte(password)) == 0 {
			continue
		}
		if !u.Expires.IsZero() && !r.now().Before(u.Expires) {
			return u, loginExpired
		}
		delete(r.failures, name)
		return u, loginGood
	}
	r.failures[name]++
	return User{}, loginWrong
}

// authorize refuses a, or not. The token endpoint judges for itself.
func (r *Registry) authorize(a *ask) (rep reply, refused bool) {
	switch {
	case r.Style == Open, a.step == StepToken, a.step == StepOther:
		return reply{}, false
	case r.Style == BasicECR:
		return r.authorizeBasic(a)
	}
	return r.authorizeBearer(a)
}

// authorizeBasic gives the answers of ECR, down to the body "Not Authorized".
func (r *Registry) authorizeBasic(a *ask) (reply, bool) {
	u, l := User{}, loginNone
	if a.scheme == "Basic" {
		u, l = r.check(a.user, a.secret)
	}
	switch l {
	case loginExpired:
		return problem(http.StatusForbidden, "DENIED", "Your authorization token has expired. Reauthenticate and try again.", nil), true
	case loginGood:
	default:
		return reply{status: http.StatusUnauthorized, body: []byte("Not Authorized\n"), header: http.Header{
			"Content-Type":     {"text/plain; charset=utf-8"},
			"Www-Authenticate": {fmt.Sprintf(`Basic realm="%s/",service="ecr.amazonaws.com"`, a.base)},
		}}, true
	}
	if a.repo == "" || covers(u.Pull, a.repo) {
		return reply{}, false
	}
	// ECR tells a caller without permission nothing about what exists.
	return problem(http.StatusForbidden, "DENIED", fmt.Sprintf(
		"User: arn:aws:iam::%[1]s:user/%[2]s is not authorized to perform: ecr:BatchGetImage on resource: "+
			"arn:aws:ecr:eu-central-1:%[1]s:repository/%[3]s because no identity-based policy allows the ecr:BatchGetImage action",
		ecrAccount, u.Name, a.repo), nil), true
}

func (r *Registry) authorizeBearer(a *ask) (reply, bool) {
	if a.scheme != "Bearer" {
		return r.challenge(a, ""), true
	}
	t, ok := r.readToken(a.secret)
	switch {
	case !ok || !r.now().Before(time.Unix(t.Expires, 0)):
		return r.challenge(a, "invalid_token"), true
	case a.repo == "" || t.covers(a.repo):
		return reply{}, false
	case r.Style.hides() || t.User == "":
		return r.challenge(a, "insufficient_scope"), true
	}
	return r.denied(a), true
}

// denied refuses somebody who is known.
func (r *Registry) denied(a *ask) reply {
	if r.Style == BearerForbidding {
		return problem(http.StatusForbidden, "DENIED", fmt.Sprintf(
			`Permission "artifactregistry.repositories.downloadArtifacts" denied on resource "%s" (or it may not exist)`, a.repo), nil)
	}
	return problem(http.StatusForbidden, "DENIED", "permission_denied: read_package", nil)
}

// challenge is the 401 of RFC 6750, section 3; code is empty at first asking.
func (r *Registry) challenge(a *ask, code string) reply {
	h := fmt.Sprintf(`Bearer realm="%s",service="%s"`, r.realm(a), r.service())
	var detail any
	if a.repo != "" {
		h += fmt.Sprintf(`,scope="repository:%s:pull"`, a.repo)
		detail = []map[string]string{{"Type": "repository", "Class": "", "Name": a.repo, "Action": "pull"}}
	}
	if code != "" && r.Style != BearerQuay {
		h += fmt.Sprintf(`,error="%s"`, code)
	}
	rep := problem(http.StatusUnauthorized, "UNAUTHORIZED", "authentication required", detail)
	rep.header.Set("Www-Authenticate", h)
	return rep
}
