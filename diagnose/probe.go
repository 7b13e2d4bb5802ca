package diagnose

import (
	"slices"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/evidence"
)

// said is what one walk through the registry's answers comes to.
type said struct {
	// cause is empty where the image was served.
	cause Code
	// also is what the answer does not tell from the cause.
	also []Code
	// blind is why the answer says nothing about any other machine's pull; the cause is then this machine's own.
	blind   string
	attempt *evidence.Attempt
	step    *evidence.Step // where it stopped
}

// answers is what a whole probe comes to.
type answers struct {
	// served is the attempt that the kubelet would get through with; nil where none did.
	served *evidence.Attempt
	// said is the attempt that the kubelet would get furthest with.
	said
	// refused are the kubelet's other attempts that failed.
	refused []said
	// public is set where nothing but the credential keeps the image away.
	public bool
	// unlimited is set where the registry answered without credentials, and not with 429.
	unlimited bool
}

// judge says what the registry's answers to one image mean. The kubelet tries every credential in turn, so one that is
// served settles it; where none is, the one that got furthest tells most, and of equals the last.
func judge(p *evidence.Probe, now time.Time) answers {
	var w answers
	w.blind = orElse(p.Withheld, "it was not asked")
	var compared []said
	for i := range p.Attempts {
		s := judgeAttempt(p, &p.Attempts[i], now)
		if s.step != nil && s.step.Status != 0 && s.attempt.Login == nil {
			w.unlimited = s.step.Status != 429
		}
		switch {
		case s.attempt.Compared:
			compared = append(compared, s)
		case s.served() && w.served == nil:
			if w.attempt != nil {
				w.refused = append(w.refused, w.said)
			}
			w.served, w.said = s.attempt, s
		case w.served == nil:
			w.further(s)
		}
	}
	if w.served == nil {
		w.compare(p, compared)
	}
	return w
}

func (s *said) served() bool { return s.cause == "" && s.blind == "" && s.attempt != nil }

// further keeps the attempt that tells more, and the other one beside it.
func (w *answers) further(s said) {
	switch {
	case w.attempt == nil:
		w.said = s
	case s.blind == "" && (w.blind != "" || stage(s.cause) >= stage(w.cause)):
		w.refused = append(w.refused, w.said)
		w.said = s
	default:
		w.refused = append(w.refused, s)
	}
}

// compare weighs the look that the kubelet would not take: without credentials although one matches.
func (w *answers) compare(p *evidence.Probe, looks []said) {
	for _, s := range looks {
		switch {
		case s.served():
			w.public = true
			if w.blind == "" && stage(w.cause) == stageAuth && !slices.Contains([]Code{ExpiredCredentials, LockedOut, AccountRestricted}, w.cause) {
				w.cause, w.also = InvalidCredentials, nil // everybody may pull it: what is refused is the credential
			}
		case s.blind == "" && (w.blind != "" || w.cause == DeniedOrMissing) && stage(s.cause) >= stageName &&
			(!w.refusedEarlier() || p.Tags != nil && p.Tags.Status == 200):
			// What the registry tells everybody does not hang on a credential, unless it hides from nobody what a login would see.
			w.refused = append(w.refused, w.said)
			w.said = s
		}
		if w.cause == LockedOut && s.blind == "" && s.step != nil && s.step.Status != 429 {
			w.also = nil
		}
	}
}

// refusedEarlier is a login that was not offered because an earlier run was refused.
func (s *said) refusedEarlier() bool {
	return s.attempt != nil && strings.HasPrefix(s.attempt.Skipped, refusedBefore)
}

// The stages of a pull: a later one is only reached when the earlier are passed.
const (
	stageNone = iota
	stageReach
	stageAuth
	stageName
	stageImage
)

func stage(c Code) int {
	switch c.Family() {
	case "network":
		return stageReach
	case "registry":
		switch c {
		case AccountRestricted:
			return stageAuth
		case ContentPolicy:
			return stageImage
		}
		return stageReach
	case "auth":
		return stageAuth
	case "name":
		return stageName
	case "image":
		return stageImage
	}
	return stageNone
}

// judgeAttempt says what one walk with one login means by itself.
func judgeAttempt(p *evidence.Probe, a *evidence.Attempt, now time.Time) said {
	s := said{attempt: a}
	if a.Skipped != "" {
		s.blind, s.cause = a.Skipped, Unknown
		return s
	}
	s.step = stopped(a)
	switch {
	case a.Found != nil && unsupported(a.Found):
		s.cause = UnsupportedFormat
	case a.Served:
	case s.step == nil:
		s.blind, s.cause = "no request was made", Unknown
	case s.step.Failure != "":
		s.failed()
	case s.step.Status < 300:
		s.unfit(p)
	default:
		s.judgeStatus(p, now)
	}
	return s
}

// stopped is the last step, or the last that went wrong where others were still under way.
func stopped(a *evidence.Attempt) *evidence.Step {
	n := len(a.Steps)
	if n == 0 {
		return nil
	}
	last := &a.Steps[n-1]
	if a.Served || last.Failure != "" || last.Status >= 300 {
		return last
	}
	for i := n - 1; i >= 0; i-- {
		s := &a.Steps[i]
		if parts := s.Name == evidence.StepChild || s.Name == evidence.StepConfig || s.Name == evidence.StepLayer; parts && (s.Failure != "" || s.Status >= 402) {
			return s
		}
	}
	return last
}

// unsupported is a manifest that no runtime makes a container of.
func unsupported(m *evidence.Manifest) bool {
	return m.Artifact != "" || strings.Contains(m.MediaType, "docker.distribution.manifest.v1+")
}

func isIndex(mediaType string) bool {
	return strings.Contains(mediaType, "image.index") || strings.Contains(mediaType, "manifest.list")
}

// unfit is an answer of 200 that is not what was asked for.
func (s *said) unfit(p *evidence.Probe) {
	found := s.attempt.Found
	switch t := s.step.MediaType; {
	case found != nil && isIndex(found.MediaType) && found.Child == "" && p.Platform != "":
		s.cause = PlatformMismatch
	case strings.HasPrefix(t, "text/") || s.step.Name == evidence.StepPing || s.step.Name == evidence.StepToken:
		s.cause = NotARegistry // a page, or a token answer without a token
	case found == nil && strings.Contains(t, "docker.distribution.manifest.v1+"):
		s.cause = UnsupportedFormat
	case found == nil && s.step.Name == evidence.StepManifest:
		s.cause, s.also = NotARegistry, []Code{UnsupportedFormat}
	default:
		s.cause = UnsupportedFormat
	}
}

// failures are what a request came to that got no answer. None of them says what another machine would get.
var failures = map[evidence.Failure]Code{
	evidence.FailedDNS: DNS, evidence.FailedRefused: Refused, evidence.FailedTimeout: Timeout, evidence.FailedInterrupted: Interrupted,
	evidence.FailedUntrusted: TLSUntrusted, evidence.FailedTLS: TLSInvalid, evidence.FailedPlain: HTTPMismatch, evidence.FailedProxy: Proxy,
}

func (s *said) failed() {
	host := orElse(hostOf(s.step), "the registry")
	if n := len(s.step.Redirects); n > 0 {
		host = s.step.Redirects[n-1] + " (to where the registry sends on)"
	}
	text := clean(orElse(s.step.Text, string(s.step.Failure)), maxProof)
	switch f := s.step.Failure; {
	case f == evidence.FailedDigest:
		s.cause = CacheCorrupt
	case f == evidence.FailedBody && s.step.Status == 200 && (s.step.Name == evidence.StepManifest || s.step.Name == evidence.StepChild):
		s.cause, s.also = UnsupportedFormat, []Code{NotARegistry} // it came whole, and is no manifest
	case f == evidence.FailedUnsafe:
		s.cause, s.blind = Unknown, "it was not asked: "+text
	case f == evidence.FailedBody || f == evidence.FailedRedirect:
		s.cause, s.blind = Unknown, host+" did not answer in a way that can be used: "+text
	default:
		s.cause, s.blind = failures[s.step.Failure], "this machine cannot reach "+host+": "+text
		if s.cause == "" {
			s.cause = Unknown
		}
	}
}

// positional are answers that depend on who asks from where.
func positional(c Code) bool {
	return c.Family() == "network" || c == RateLimited || c == ClientBlocked
}

// without drops codes from all.
func without(all []Code, drop ...Code) []Code {
	return slices.DeleteFunc(slices.Clone(all), func(c Code) bool { return slices.Contains(drop, c) })
}
