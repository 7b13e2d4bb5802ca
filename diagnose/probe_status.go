package diagnose

import (
	"slices"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/evidence"
)

// worded are the causes that a registry's own words settle, whatever status carries them.
var worded = []Code{ExpiredCredentials, InvalidCredentials, Forbidden, LockedOut, AccountRestricted, ClientBlocked, ContentPolicy, RateLimited}

// judgeStatus goes by the words where they are plain, and else by the status: clients must not key on the codes alone.
func (s *said) judgeStatus(p *evidence.Probe, now time.Time) {
	status := s.step.Status
	r := words(p, s.step)
	if status < 500 && status != 404 && r.Confidence == Likely && slices.Contains(worded, r.Cause) && s.applies(r.Cause) &&
		(status != 429 || r.Cause != RateLimited) {
		s.cause = r.Cause
		return
	}
	switch status {
	case 401, 403:
		s.refusal(p, now)
	case 404, 410:
		s.missing(p)
	case 402:
		s.cause = AccountRestricted
	case 407:
		s.cause, s.blind = Proxy, "the proxy of this machine refuses: "+answer(s.step)
	case 412:
		s.cause = ContentPolicy
	case 429:
		s.limited()
	case 451:
		s.cause = ClientBlocked
	default:
		s.cause = Unavailable
		if status < 500 {
			s.cause, s.also = NotARegistry, []Code{Unavailable}
		}
	}
}

// applies keeps words about a credential from counting where none was offered.
func (s *said) applies(c Code) bool {
	return s.attempt.Login != nil || c != ExpiredCredentials && c != InvalidCredentials && c != LockedOut
}

// words reads what the registry says by the same rules as a runtime's message.
func words(p *evidence.Probe, s *evidence.Step) Reading {
	text := strings.ToLower(strings.Join(s.Codes, " "))
	if s.Text != "" {
		text = strings.TrimPrefix(text+": "+s.Text, ": ")
	}
	if text == "" {
		return Reading{Cause: Unknown, Confidence: NoConfidence}
	}
	return Read(Text{Message: text, Image: p.Image})
}

// limited is a 429. At the token realm and with a login it may be a lock-out; only what others get there tells.
func (s *said) limited() {
	s.cause = RateLimited
	if s.step.Name == evidence.StepToken && s.attempt.Login != nil {
		s.cause, s.also = LockedOut, []Code{RateLimited}
	}
}

// missing is a 404: a repository or a tag by what the tag list answered, else by the code, else either.
func (s *said) missing(p *evidence.Probe) {
	switch s.step.Name {
	case evidence.StepChild, evidence.StepConfig, evidence.StepLayer:
		s.cause = ContentMissing
		return
	case evidence.StepPing, evidence.StepToken:
		s.cause = NotARegistry
		return
	}
	what := TagNotFound
	if pinned(p.Image) {
		what = DigestNotFound
	}
	coded := func(codes ...string) bool {
		return slices.ContainsFunc(s.step.Codes, func(c string) bool { return slices.Contains(codes, c) })
	}
	tags := 0
	if p.Tags != nil {
		tags = p.Tags.Status
	}
	switch {
	case tags == 200:
		s.cause = what
	case tags == 404 || coded("NAME_UNKNOWN", "REPO_NOT_FOUND"):
		s.cause = RepositoryNotFound
	case len(s.step.Codes) == 0 && strings.HasPrefix(s.step.MediaType, "text/"):
		s.cause, s.also = NotARegistry, []Code{RepositoryNotFound, what}
	case coded("MANIFEST_UNKNOWN") && mannerOf(p).hides():
		s.cause = what // a repository that may not be seen is not spoken of there
	default:
		s.cause, s.also = what, []Code{RepositoryNotFound}
	}
}
