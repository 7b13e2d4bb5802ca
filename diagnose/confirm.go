package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// join compares what the messages say with what the registry answers. Where the two agree the verdict is confirmed;
// where they differ, which is right depends on whether the answer hangs on who asks from where.
func (v *view) join(d *Diagnosis) {
	if v.brokenRing(d) || v.probe == nil {
		return
	}
	w := judge(v.probe.Probe, v.now)
	w.prefer(d.Cause)
	v.asked = &w
	v.weigh(d, &w)
	v.doubt(d)
}

// weigh takes the answer for what it is worth to this message.
func (v *view) weigh(d *Diagnosis, w *answers) {
	switch {
	case d.Cause == LockedOut && w.served == nil:
		v.joinLockedOut(d, w)
	case w.blind != "":
		v.joinBlind(d, w)
	case (d.Cause == RateLimited || d.Cause == ClientBlocked) && (w.served != nil || !d.allows(w.cause)):
		v.joinElsewhere(d, w)
	case w.served != nil:
		v.joinServed(d, w)
	case w.cause == RateLimited || w.cause == LockedOut:
		v.joinLimited(d, w)
	case positional(w.cause):
		v.notSeen(d, "it blocks this machine, which says nothing about another address")
		d.because(v.cite(v.text(w)))
	case w.cause == NotARegistry && d.Cause != Unknown && !d.allows(NotARegistry) && stage(d.Cause) != stageNone:
		v.notSeen(d, "what answers this machine is no registry: "+answer(w.step))
	case w.anonymous():
		v.joinAnonymous(d, w)
	case v.c.Pull.Kind == evidence.VolumeImage && w.cause == UnsupportedFormat && !d.allows(UnsupportedFormat):
		// A runtime may well mount an artifact, which it could not run.
	default:
		v.compare(d, w)
	}
}

// anonymous reports whether a look without credentials was refused.
func (w *answers) anonymous() bool {
	return !offered(w.login()) && (w.cause == NoCredentials || w.cause == DeniedOrMissing)
}

// notSeen is a registry that told nothing.
func (v *view) notSeen(d *Diagnosis, why string) {
	v.gapAt(d, evidence.Registry, "what "+orElse(d.Reading.Registry, "the registry")+" answers", why, "")
}

// joinBlind is a registry that was not asked, or not reached. That it refused a credential a moment ago is known all the same.
func (v *view) joinBlind(d *Diagnosis, w *answers) {
	switch {
	case d.Cause == InvalidReference || d.Cause == ShortName || stage(d.Cause) == stageNone && d.Cause != Unknown:
		return // nothing was to be asked
	case (d.Cause == InvalidCredentials || d.Cause == ExpiredCredentials) && w.refusedEarlier():
		c := d.Cause
		if expired(w.login(), v.now) {
			c = ExpiredCredentials
		}
		d.lead(c, Likely)
		w.cause = c
		v.settleOn(d, w, []Code{c})
		d.because(v.cite(v.text(w)))
	}
	v.notSeen(d, w.blind)
}

// refusedBefore is how the walk begins to say why it does not offer a credential again.
const refusedBefore = "the registry refused it"

// gapAt adds a gap, which decides where the message left several causes.
func (v *view) gapAt(d *Diagnosis, from evidence.Vantage, what, why, how string) {
	d.gap(evidence.Gap{Vantage: from, What: what, Why: clean(why, maxDetail), How: how, Deciding: d.Cause == Unknown || len(d.Candidates) > 1})
}

// joinElsewhere is a message of a limit or a block by address beside another answer to this one: neither speaks for the other.
func (v *view) joinElsewhere(d *Diagnosis, w *answers) {
	if !v.spent(d, w) {
		d.because(v.cite(v.text(w)))
	}
}

// compare weighs an answer that does not hang on the address against the message.
func (v *view) compare(d *Diagnosis, w *answers) {
	said := append([]Code{w.cause}, w.also...)
	var both []Code
	for _, c := range said {
		if d.allows(c) || refusal(d, c) || c == w.cause && v.sameStatus(d, w) {
			both = append(both, c)
		}
	}
	fact := v.cite(v.text(w))
	switch at, now := stage(d.Cause), stage(w.cause); {
	case d.Cause == Unknown:
		d.lead(w.cause, Likely)
		v.settleOn(d, w, said)
	case w.cause == CacheCorrupt && slices.Contains(both, CacheCorrupt):
		v.reason = "the registry sends this machine other bytes than the digest's too: it is not " + v.nodeName() + "'s store alone"
	case at == stageNone && !slices.Contains(both, w.cause): // the node's or a policy's: no registry has a say in it
		return
	case len(both) > 0:
		v.agree(d, w, both)
	case d.Cause.Family() == "network": // from here it is reached
		v.nodeSide(d)
	case now > at:
		was := d.Cause
		d.lead(w.cause, Likely)
		v.settleOn(d, w, said)
		d.dismiss(was, "the registry answers otherwise now")
	case now < at:
		v.notSeen(d, "it refused this machine before it came to that")
	default:
		d.lead(w.cause, Likely)
		v.settleOn(d, w, said)
	}
	d.because(fact)
}

// prefer takes, of attempts that got as far, the one that the message is about: it tells of the first that failed.
func (w *answers) prefer(c Code) {
	for i, s := range w.refused {
		if w.cause != c && s.cause == c && s.blind == "" && stage(s.cause) == stage(w.cause) {
			w.refused[i], w.said = w.said, s
		}
	}
}

func joinCodes(all []Code) string {
	out := make([]string, len(all))
	for i, c := range all {
		out[i] = string(c)
	}
	return strings.Join(out, ", ")
}

// sameStatus reports whether the node was answered with the status that this machine is answered with: the runtime keeps the
// words that go with it to itself, and the registry says them here.
func (v *view) sameStatus(d *Diagnosis, w *answers) bool {
	sign := httpStatus(d.Reading.Detail)
	return d.Reading.Confidence != Likely && w.step != nil && w.step.Status >= 400 && (sign == fmt.Sprintf("=%d", w.step.Status) || sign == "=5xx" && w.step.Status >= 500)
}

// refusal reports whether c is another reason for what the message calls a refusal without saying why.
func refusal(d *Diagnosis, c Code) bool {
	all := []Code{NoCredentials, InvalidCredentials, ExpiredCredentials, Forbidden, DeniedOrMissing}
	return slices.Contains(all, c) && slices.Contains(all, d.Cause) && (d.Reading.Confidence != Likely || d.Reading.Cause != d.Cause)
}

// agree takes what both vantage points allow. That a registry does not tell private from missing is an answer too.
func (v *view) agree(d *Diagnosis, w *answers, both []Code) {
	sure := Possible
	if len(both) == 1 || both[0] == DeniedOrMissing {
		sure, both = Confirmed, both[:1]
	} else {
		v.gapAt(d, evidence.Registry, "which of "+joinCodes(both)+" it is", "the registry's answer fits each of them", "")
	}
	if !slices.Contains(both, d.Cause) || sure == Confirmed {
		d.lead(both[0], sure)
	}
	v.settleOn(d, w, both)
	if sure == Confirmed && stage(d.Cause) == stageName && v.oneNode && !v.noMirror() {
		// Another node has the image from somewhere: it was here once, or it comes from a mirror that this node does not ask.
		d.Confidence = Likely
		d.RuledOut = slices.DeleteFunc(d.RuledOut, func(r RuledOut) bool { return r.Cause == RegistryConfig })
		d.allow(RegistryConfig)
	}
}

// settleOn rules out what the registry's answer leaves no room for, and names the credential that was used.
func (v *view) settleOn(d *Diagnosis, w *answers, stay []Code) {
	d.RuledOut = slices.DeleteFunc(d.RuledOut, func(r RuledOut) bool { return slices.Contains(stay, r.Cause) })
	if d.Confidence == Likely && len(stay) > 1 && d.Cause != DeniedOrMissing {
		d.Confidence = Possible
		d.allow(stay...)
	}
	if d.Cause == DeniedOrMissing { // the others are what it does not tell
		d.Candidates = slices.DeleteFunc(d.Candidates, func(c Candidate) bool { return slices.Contains(w.also, c.Cause) })
	}
	for _, c := range slices.Clone(d.Candidates) {
		if !slices.Contains(stay, c.Cause) {
			d.dismiss(c.Cause, v.against(c.Cause, w))
		}
	}
	v.reason = v.because(d, w)
	if l := w.login(); l != nil && d.Cause.Family() == "auth" {
		v.subject = l.Secret
	}
}

// because is the summary's half sentence, where the registry's answer says more than the cause.
func (v *view) because(d *Diagnosis, w *answers) string {
	l := w.login()
	switch {
	case w.public:
		return "the image is public and the secret breaks it"
	case l != nil && d.Cause.Family() == "auth" && l.Problem != "":
		return clean(l.Problem, 80)
	case d.Cause == ExpiredCredentials && expired(l, v.now):
		return "it ended at " + l.Expires.UTC().Format("2006-01-02 15:04 MST")
	case d.Cause == PlatformMismatch && w.attempt.Found != nil:
		if v.c.Pull.Kind == evidence.Planned {
			return "it has " + platforms(w.attempt.Found)
		}
		return "it has " + platforms(w.attempt.Found) + ", not " + v.probe.Probe.Platform
	case d.Cause == UnsupportedFormat && w.attempt.Found != nil:
		return "it is " + short(orElse(w.attempt.Found.Artifact, w.attempt.Found.MediaType), 90)
	case d.Cause == DeniedOrMissing && l != nil:
		return "the credential is taken, and shown no such repository"
	case d.Cause.Family() == "name" && strings.Contains(v.reason, " has this image"):
		return v.reason
	}
	return ""
}

// against is why a cause is ruled out by the registry's answer.
func (v *view) against(c Code, w *answers) string {
	l := w.login()
	switch {
	case c == NoCredentials && offered(l):
		return "a credential was offered, and it is what the registry refused or took"
	case c == ExpiredCredentials && l != nil && !l.Expires.IsZero():
		return "the credential itself says that it is good until " + l.Expires.UTC().Format("2006-01-02 15:04 MST")
	case c == ExpiredCredentials && l != nil:
		return "neither the credential nor the registry says so"
	case (c == InvalidCredentials || c == ExpiredCredentials || c == SecretMalformed) && l == nil:
		return "no credential was offered"
	case stage(c) == stageAuth && stage(w.cause) > stageAuth:
		return "the registry lets this repository be asked for"
	case c == RepositoryNotFound && stage(w.cause) >= stageName:
		return "the repository answers"
	case (c == RepositoryNotFound || c == DeniedOrMissing) && w.public:
		return "without credentials it is served"
	case c == ProviderFailed && l == nil && v.nodeHasNone():
		return v.noNodeCredentials()
	case c == ProviderFailed && l == nil:
		return "nothing says that the node has credentials of its own"
	case c == ProviderFailed:
		return "what was asked with is the pod's own credential"
	case c.Family() == "network":
		return "the registry itself answers"
	case c == InvalidCredentials && w.cause == Forbidden:
		return "the registry knows who asks"
	case w.cause == InvalidCredentials || w.cause == ExpiredCredentials:
		return "it is the login that is refused"
	}
	return "the registry gives another reason: " + string(w.cause)
}
