package diagnose

import (
	"slices"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/evidence"
)

// refusal is a 401 or 403 whose words settle nothing.
func (s *said) refusal(p *evidence.Probe, now time.Time) {
	if n := len(s.step.Redirects); n > 0 && s.step.Status == 403 { // a storage host, or where registry.k8s.io sends on to
		s.cause = ClientBlocked
		return
	}
	if s.step.Status == 403 && strings.HasPrefix(s.step.MediaType, "text/html") && len(s.step.Codes) == 0 {
		s.cause, s.also = ClientBlocked, []Code{Proxy, Forbidden, NotARegistry}
		return
	}
	if offered(s.attempt.Login) {
		s.refusedLogin(p, now)
		return
	}
	s.refusedNobody(p)
}

// offered reports whether a login counts as one: an entry without a user is taken for none (C24 internal/cri/server/images/image_pull.go:391).
func offered(l *evidence.Login) bool { return l != nil && (l.User != "" || l.Problem == "") }

// refusedNobody is a refusal of a look without credentials.
func (s *said) refusedNobody(p *evidence.Probe) {
	m := mannerOf(p)
	hidden := m.hides() || hints(s.step)
	if m == plain { // by what it does: a token for everybody and then a refusal is Docker Hub's manner, a 403 for the token Google's
		hidden = hidden || s.granted() && s.step.Status == 401 || s.step.Status == 403
	}
	if p.Tags != nil && p.Tags.Status == 200 || s.inside() {
		hidden = false // it let the repository be seen
	}
	if !hidden {
		s.cause = NoCredentials
		return
	}
	s.cause, s.also = DeniedOrMissing, []Code{NoCredentials, RepositoryNotFound}
	if s.step.Status == 403 && s.step.Name != evidence.StepToken {
		s.also = append(s.also, Forbidden)
	}
}

// refusedLogin is a refusal of a login.
func (s *said) refusedLogin(p *evidence.Probe, now time.Time) {
	l, m := s.attempt.Login, mannerOf(p)
	basic := strings.HasPrefix(s.step.Challenge, "Basic") && !s.granted() // Harbor challenges so after a token that is good for less
	switch {
	case expired(l, now) || strings.Contains(l.Kind, "job token"): // a job's token ends with the job
		s.cause = ExpiredCredentials
		if !expired(l, now) && s.step.Status == 403 { // a live one of a project that is not on the allow-list is answered so too
			s.also = []Code{Forbidden}
		}
	case s.inside():
		s.cause = Forbidden
	case s.step.Name == evidence.StepToken && s.step.Status == 401,
		s.step.Name == evidence.StepToken && m == ghcr, // https://github.com/sigstore/scaffolding/issues/127
		basic, l.Problem != "" && s.step.Status == 401 && !s.granted():
		s.cause = InvalidCredentials
	case s.step.Status == 401 && strings.Contains(s.step.Challenge, "invalid_token"):
		s.cause, s.also = InvalidCredentials, []Code{NotARegistry}
	case m.hides() || hints(s.step) || s.step.Status == 401 && s.step.Challenge != "" && !m.tells():
		s.cause, s.also = DeniedOrMissing, []Code{Forbidden, RepositoryNotFound}
	case s.step.Status == 401 && s.step.Challenge == "":
		s.cause, s.also = InvalidCredentials, []Code{Forbidden}
	case m == ecr && l.Expires.IsZero(): // its 403 is a permission's or an old token's, and only the body says which
		s.cause, s.also = Forbidden, []Code{ExpiredCredentials}
	case s.step.Name == evidence.StepToken:
		s.cause, s.also = Forbidden, []Code{InvalidCredentials}
	case len(s.step.Codes) == 0 && s.step.Text == "":
		s.cause, s.also = Forbidden, []Code{ClientBlocked, ContentPolicy, ExpiredCredentials}
	default:
		s.cause = Forbidden
	}
}

// granted reports whether the last token that was asked for was given; an earlier one may be that of a ping.
func (s *said) granted() bool {
	for _, t := range slices.Backward(s.attempt.Steps) {
		if t.Name == evidence.StepToken {
			return t.Status == 200
		}
	}
	return false
}

// inside reports whether the manifest was had before: the repository is there, and this login may see it.
func (s *said) inside() bool {
	return s.step.Name == evidence.StepChild || s.step.Name == evidence.StepConfig || s.step.Name == evidence.StepLayer
}

// hints reports whether the registry's words leave open that there is no such repository, as Artifact Registry's do.
func hints(s *evidence.Step) bool { return strings.Contains(strings.ToLower(s.Text), "not exist") }

func expired(l *evidence.Login, now time.Time) bool {
	return l != nil && !l.Expires.IsZero() && l.Expires.Before(now)
}
