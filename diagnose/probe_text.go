package diagnose

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// maxAnswer bounds the registry's own words in a sentence.
const maxAnswer = 140

// cite is a copy of the probe's fact whose text is the one sentence that bears on the verdict.
func (v *view) cite(text string) *evidence.Fact {
	out := *v.probe
	out.Text = clean(text, 2*maxRef)
	return &out
}

// from is where the registry was asked from, at the head of a sentence or in it.
func (v *view) from() string { return "from " + orElse(v.probe.Where, "this machine") }

// refused says which request was answered how, and with which credential.
func (v *view) refusedText(s said) string {
	switch {
	case s.step == nil && s.attempt != nil && s.attempt.Login != nil:
		return v.from() + ", " + with(s.attempt.Login) + ": " + orElse(s.blind, "no request was made")
	case s.step == nil:
		return v.from() + ": " + orElse(s.blind, "no request was made")
	}
	text := fmt.Sprintf("%s, %s %s %s is answered %s", v.from(), s.step.Method, shortDigests(s.step.URL), with(s.attempt.Login), answer(s.step))
	if s.step.Failure != "" {
		text = fmt.Sprintf("%s, %s %s %s fails: %s", v.from(), s.step.Method, shortDigests(s.step.URL), with(s.attempt.Login), answer(s.step))
	}
	if r := realmHost(s.step); s.attempt.Login != nil && s.step.Name != evidence.StepToken && r != "" && r != hostOf(s.step) {
		text += " (token from " + r + ")"
	}
	return text
}

// servedText says that the registry serves the image, and to whom.
func (v *view) servedText(a *evidence.Attempt) string {
	p := v.probe.Probe
	text := fmt.Sprintf("%s, %s serves %s %s", v.from(), orElse(p.Host, "the registry"), short(p.Image, maxSummary), with(a.Login))
	if a.Found != nil && a.Found.Child != "" && p.Platform != "" {
		text += " for " + p.Platform
	}
	if p.Size > 0 {
		text += fmt.Sprintf(" (%s compressed)", evidence.Size(uint64(p.Size)))
	}
	return text
}

// with names a credential by where it is kept and by its user.
func with(l *evidence.Login) string {
	switch {
	case l == nil:
		return "without credentials"
	case l.User == "":
		return "with the entry " + quoteKey(l.Key) + " of " + secretOf(l)
	}
	return "with " + secretOf(l) + " (user " + short(l.User, 60) + ")"
}

func quoteKey(key string) string { return `"` + short(key, 80) + `"` }

// secretOf leaves `file PATH` and what is the node's own as they are.
func secretOf(l *evidence.Login) string {
	if strings.HasPrefix(l.Secret, "file ") || strings.HasPrefix(l.Secret, "the node's ") || l.Secret == "" {
		return orElse(l.Secret, "a credential")
	}
	return "secret " + l.Secret
}

// answer is a step's status, codes and words.
func answer(s *evidence.Step) string {
	if s.Failure != "" {
		return clean(orElse(s.Text, string(s.Failure)), maxAnswer)
	}
	text := fmt.Sprint(s.Status)
	if len(s.Codes) > 0 {
		text += " " + strings.Join(s.Codes[:min(len(s.Codes), 3)], ", ")
	}
	switch words := middle(strings.Join(strings.Fields(s.Text), " "), maxAnswer); {
	case strings.HasPrefix(s.MediaType, "text/html"):
		text += " with a web page"
	case words != "":
		text += ": " + words
	}
	if n := len(s.Redirects); n > 0 {
		text += " by " + s.Redirects[n-1]
	}
	return clean(text, 2*maxDetail)
}

func realmHost(s *evidence.Step) string {
	u, err := url.Parse(s.Realm)
	if err != nil {
		return ""
	}
	return u.Host
}

// found says what is under the reference where that is what is wrong.
func (v *view) foundText(s said) string {
	p, m := v.probe.Probe, s.attempt.Found
	switch {
	case m == nil:
	case s.cause == PlatformMismatch:
		return fmt.Sprintf("%s: the index of %s lists %s, and nothing for %s", v.from(), short(p.Image, maxSummary), platforms(m), p.Platform)
	case m.Artifact != "":
		return fmt.Sprintf("%s: %s is an artifact (%s), not a container image", v.from(), short(p.Image, maxSummary), short(m.Artifact, 100))
	case s.cause == UnsupportedFormat:
		return fmt.Sprintf("%s: the manifest of %s is %s", v.from(), short(p.Image, maxSummary), short(m.MediaType, 100))
	}
	return v.refusedText(s)
}

func platforms(m *evidence.Manifest) string {
	const shown = 6
	if len(m.Platforms) == 0 {
		return "no platform"
	}
	text := strings.Join(m.Platforms[:min(len(m.Platforms), shown)], ", ")
	if more := len(m.Platforms) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return clean(text, maxDetail)
}

// text is the sentence of the deciding answer, with what the others add.
func (v *view) text(w *answers) string {
	text := v.foundText(w.said)
	if w.served != nil {
		text = v.servedText(w.served)
	}
	if t := v.probe.Probe.Tags; t != nil && w.step != nil && w.step.Status == 404 && stage(w.cause) == stageName {
		text += fmt.Sprintf("; its tag list is answered %d", t.Status)
	}
	if l := w.login(); l != nil && w.served == nil && l.Problem != "" {
		text += "; " + l.Problem
	} else if l != nil && w.served != nil && !l.Expires.IsZero() {
		text += "; that credential ends at " + l.Expires.UTC().Format("2006-01-02 15:04 MST")
	} else if expired(l, v.now) && w.served == nil {
		text += "; it ended at " + l.Expires.UTC().Format("2006-01-02 15:04 MST")
	}
	if w.public {
		text += "; without credentials it is served: the image is public and the secret breaks it"
	}
	for _, s := range w.refused {
		if s.attempt != nil && s.attempt.Login != nil && s.step != nil && s.blind == "" {
			text += "; " + with(s.attempt.Login) + " it is answered " + answer(s.step) + ", and the kubelet tries them all"
			break
		}
	}
	return text
}

func (s *said) login() *evidence.Login {
	if s.attempt == nil {
		return nil
	}
	return s.attempt.Login
}
