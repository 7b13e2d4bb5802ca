package probe

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/keyring"
	"github.com/refloat-dev/refloat/registry/wire"
)

// refusalLife is how long a refused credential is not tried again.
const refusalLife = 10 * time.Minute

// login is one credential at one registry. Until the registry has taken it, one request at a time carries it: twenty images that
// share a wrong password must not be twenty failed logins.
type login struct {
	host, user, password string
	// turn holds one token: whoever has it may use the credential, and change what is below.
	turn   chan struct{}
	proven chan struct{} // closed when the registry has taken the credential
	// before is when an earlier run was refused.
	before time.Time
	// refused are the steps of the refusal, in this run.
	refused []evidence.Step
}

// anonymous reports whether a credential comes to none: a runtime passes over one without a user
// (containerd v2.4.2 internal/cri/server/images/image_pull.go, ParseAuth).
func anonymous(c *keyring.Credential) bool { return c == nil || c.Username == "" }

func newLogin(host string, c *keyring.Credential) *login {
	l := &login{host: host, turn: make(chan struct{}, 1), proven: make(chan struct{})}
	if anonymous(c) {
		close(l.proven)
		return l
	}
	l.user, l.password = c.Username, c.Password
	return l
}

// credential is what the wire offers; nil for none.
func (l *login) credential() *wire.Credential {
	if l.user == "" {
		return nil
	}
	return &wire.Credential{Username: l.user, Password: l.password}
}

// key names the credential to those who remember refusals, without giving it away; a repository narrows it.
func (l *login) key(repository string) string {
	h := sha256.New()
	for _, part := range []string{l.host, l.user, l.password, repository} {
		_ = binary.Write(h, binary.BigEndian, int64(len(part))) // a hash takes every write
		h.Write([]byte(part))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// use runs ask, alone as long as nobody knows whether the registry takes the credential. It returns the steps of the refusal
// in place of asking where it does not; ok is false where ctx ended first.
func (l *login) use(ctx context.Context, ask func() wire.Answer) (a wire.Answer, how outcome, ok bool) {
	select {
	case <-l.proven:
		return ask(), accepted, true
	default:
	}
	select {
	case l.turn <- struct{}{}:
	case <-l.proven:
		return ask(), accepted, true
	case <-ctx.Done():
		return wire.Answer{}, undecided, false
	}
	defer func() { <-l.turn }()
	if l.refused != nil {
		return wire.Answer{Steps: l.refused}, repeated, true
	}
	a = ask()
	switch how = l.judge(a.Steps); how {
	case accepted:
		select {
		case <-l.proven:
		default:
			close(l.proven)
		}
	case refusedLogin:
		l.refused = a.Steps
	}
	return a, how, true
}

// outcome is what an answer says about the credential.
type outcome int

const (
	undecided    outcome = iota
	accepted             // whatever the repository says, the login is good
	refusedLogin         // the registry does not take it
	refusedHere          // the token realm denies it for this repository, or altogether: it does not tell
	repeated             // it was refused before in this run
)

// judge reads steps that carried a credential which was not proven before.
func (l *login) judge(steps []evidence.Step) outcome {
	if len(steps) == 0 {
		return undecided
	}
	last := steps[len(steps)-1]
	switch {
	case last.Failure != "":
	case last.Name == evidence.StepToken && last.Status == 401 && strings.Contains(l.host, ".azurecr."):
		return refusedHere // ACR says the same to a good login that may not pull
	case last.Name == evidence.StepToken && last.Status == 401:
		return refusedLogin
	case last.Name == evidence.StepToken && last.Status == 403 && slices.Contains(last.Codes, "DENIED"):
		return refusedHere
	case slices.ContainsFunc(steps, func(s evidence.Step) bool { return s.Name == evidence.StepToken && s.Status == 200 && s.Failure == "" }):
		return accepted // Harbor asks for Basic after the token, and refuses a good login there
	case last.Status == 401 && strings.HasPrefix(last.Challenge, "Basic") && l.password != "":
		return refusedLogin
	}
	if len(steps) > 1 && last.Name != evidence.StepToken && last.Failure == "" && (last.Status < 300 || last.Status == 404) {
		return accepted
	}
	return undecided // what is answered at the first request, as public images are, was asked without the credential
}

// ago says when a credential was refused.
func ago(d time.Duration) string {
	switch m := int(d / time.Minute); m {
	case 0:
		return "the registry refused it less than a minute ago"
	case 1:
		return "the registry refused it 1 minute ago"
	default:
		return fmt.Sprintf("the registry refused it %d minutes ago", m)
	}
}
