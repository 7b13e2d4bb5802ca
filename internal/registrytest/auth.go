package registrytest

import (
	"crypto/subtle"
	"fmt"
	"strings"
	"time"
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
	m := r.Style.manner()
	switch {
	case r.Style == Open, a.step == StepToken, a.step == StepOther:
		return reply{}, false
	case m.basic != "", m.both && a.scheme == "Basic":
		return r.authorizeBasic(a)
	case m.lets && a.scheme == "" && a.repo != "" && r.mayPull(User{}, loginNone, a.repo):
		return reply{}, false
	}
	return r.authorizeBearer(a)
}

func (r *Registry) authorizeBasic(a *ask) (reply, bool) {
	u, l := User{}, loginNone
	if a.scheme == "Basic" {
		u, l = r.check(a.user, a.secret)
	}
	m := r.Style.manner()
	switch {
	case l == loginExpired:
		return r.says(refusesExpired, a, u.Name, nil), true
	case l == loginWrong && m.both:
		return r.says(refusesWrong, a, a.user, nil), true
	case l != loginGood:
		return r.challenge(a, ""), true
	case a.repo == "" || covers(u.Pull, a.repo) || m.both && r.mayPull(u, l, a.repo):
		return reply{}, false
	case m.grants:
		return r.challenge(a, "insufficient_scope"), true
	}
	return r.says(refusesForbidden, a, u.Name, nil), true
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
	case r.Style.manner().grants || t.User == "":
		return r.challenge(a, "insufficient_scope"), true
	}
	return r.says(refusesForbidden, a, t.User, nil), true
}

// challenge is a 401: that of RFC 6750, section 3, where there are tokens. The
// code is empty at first asking.
func (r *Registry) challenge(a *ask, code string) reply {
	m := r.Style.manner()
	h := strings.ReplaceAll(m.basic, "{base}", a.base)
	switch {
	case h != "":
	case m.again != "" && code != "":
		h = m.again
	default:
		h = fmt.Sprintf(`Bearer realm="%s",service="%s"`, r.realm(a), r.service())
		if a.repo != "" {
			h += fmt.Sprintf(`,scope="repository:%s:pull"`, a.repo)
		}
		if code != "" && !m.mute {
			h += fmt.Sprintf(`,error="%s"`, code)
		}
	}
	var detail any
	if a.repo != "" {
		detail = []struct{ Type, Class, Name, Action string }{{"repository", "", a.repo, "pull"}}
	}
	rep := r.says(refusesCaller, a, "", detail)
	rep.header.Set("Www-Authenticate", h)
	return rep
}
