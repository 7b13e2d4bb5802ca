package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/evidence"
)

// ecrTokenLife is how long a token of ECR is good for (GetAuthorizationToken).
const ecrTokenLife = 12 * time.Hour

// pullSecrets is what the case knows of the secrets that the pod names, against the registry that the image names.
type pullSecrets struct {
	missing, broken, unmatched, matched []*evidence.Fact
	named                               []string
	unread                              []evidence.Secret // those that exist or not for all that is known
}

func (v *view) pullSecrets() pullSecrets {
	var p pullSecrets
	if v.pod != nil {
		p.named = v.pod.Pod.PullSecrets
	}
	seen := map[string]bool{"": true} // the kubelet skips empty names
	for _, f := range v.secrets {
		s := f.Secret
		if v.pod != nil && !slices.Contains(p.named, s.Name) {
			continue // a secret of the account that the pod was born without
		}
		seen[s.Name] = true
		switch {
		case s.Exists == evidence.No:
			p.missing = append(p.missing, f)
		case s.Exists != evidence.Yes:
			p.unread = append(p.unread, *s)
		case s.Problem != "":
			p.broken = append(p.broken, f)
		case evidence.KeysMatch(s.Registries, v.c.Pull.Image):
			p.matched = append(p.matched, f)
		default:
			p.unmatched = append(p.unmatched, f)
		}
	}
	for _, name := range p.named { // one that may not be read leaves no fact
		if !seen[name] {
			seen[name] = true
			p.unread = append(p.unread, evidence.Secret{Namespace: v.c.Pull.Namespace, Name: name})
		}
	}
	return p
}

// sharpenAuth weighs a refusal against the secrets that the pod names.
func (v *view) sharpenAuth(d *Diagnosis) {
	if v.c.Pull.Kind == evidence.Sandbox {
		v.reason = "the runtime pulls the pause image without pod secrets"
		return
	}
	p := v.pullSecrets()
	for i := range p.unread {
		s := &p.unread[i]
		d.gap(evidence.Gap{Vantage: evidence.API, What: "secret " + s.Name + " in namespace " + s.Namespace, Why: "it could not be read, which does not mean that it is missing",
			How: "kubectl auth can-i get " + evidence.Quote("secret/"+s.Name) + " -n " + evidence.Quote(s.Namespace), Deciding: true})
	}
	v.weighSecrets(d, p)
	// A secret that nobody read may be the one that was used; what the text says by itself it says of any of them.
	if len(p.unread) > 0 && d.Confidence == Likely && (d.Reading.Confidence != Likely || d.Reading.Cause != d.Cause) {
		d.Confidence = Possible
	}
}

func (v *view) weighSecrets(d *Diagnosis, p pullSecrets) {
	switch d.Cause {
	case SecretMalformed:
		v.blame(d, append(p.broken, p.matched...), SecretMalformed, d.Confidence)
	case SecretMissing:
		v.blame(d, p.missing, SecretMissing, d.Confidence)
	case ExpiredCredentials, LockedOut:
		v.blame(d, p.matched, d.Cause, d.Confidence)
	case InvalidCredentials:
		v.offered(d, p)
	case NoCredentials, DeniedOrMissing, Forbidden:
		v.refused(d, p)
	}
}

// offered is a refusal of something that was offered.
func (v *view) offered(d *Diagnosis, p pullSecrets) {
	if v.tokenTooOld(d, p) {
		return
	}
	v.blame(d, p.matched, InvalidCredentials, d.Confidence)
	if len(p.matched) > 0 {
		d.dismiss(NoCredentials, "secret "+secretName(p.matched[0].Secret)+" has an entry for this registry")
	} else if v.pod != nil && len(p.named) == 0 {
		v.reason = "the pod names no pull secret, so what was offered came from the node"
		d.because(v.pod)
		d.allow(ProviderFailed)
	}
}

// refused is a refusal that may be an anonymous pull.
func (v *view) refused(d *Diagnosis, p pullSecrets) {
	switch {
	case len(p.broken) > 0 && len(p.matched) == 0:
		v.atFault(d, p, p.broken, SecretMalformed)
	case len(p.missing) > 0 && len(p.matched) == 0:
		v.atFault(d, p, p.missing, SecretMissing)
	case len(p.unmatched) > 0 && len(p.matched)+len(p.unread) == 0:
		v.atFault(d, p, p.unmatched, SecretMalformed)
		v.reason = fmt.Sprintf("it has no entry that matches %s", v.registryHost())
	case len(p.matched) > 0:
		if v.tokenTooOld(d, p) {
			return
		}
		d.because(p.matched...)
		v.subject = secretName(p.matched[0].Secret)
		if d.Cause == NoCredentials && anonymousText(d.Reading.Detail) {
			d.lead(SecretMalformed, Possible) // an entry with half a credential counts as none (C24 authorizer.go:201)
		} else if d.Cause == NoCredentials {
			d.lead(InvalidCredentials, Possible)
			d.dismiss(NoCredentials, "secret "+v.subject+" has an entry for this registry")
		} else if d.Cause != NoCredentials {
			d.allow(InvalidCredentials, ExpiredCredentials)
			d.dismiss(NoCredentials, "secret "+v.subject+" has an entry for this registry")
		}
	case v.missingEvent != nil && len(p.named) == 0 && v.pod == nil:
		d.lead(SecretMissing, Possible)
		d.because(v.missingEvent)
	case v.pod != nil && len(p.named) == 0:
		v.anonymous(d)
	}
}

// atFault leads with a secret that could not serve. That settles an anonymous refusal where it is the only one
// that the pod names. Elsewhere it is no more than possible: a secret that nothing needs dangles as well, so where
// the registry may hide a missing repository, or the node's identity usually pulls, the other causes stay.
func (v *view) atFault(d *Diagnosis, p pullSecrets, facts []*evidence.Fact, c Code) {
	if len(p.named) != 1 || !v.plainlyAnonymous(d) || v.nodeCredentials() {
		v.blame(d, facts, c, Possible)
		return
	}
	v.blame(d, facts, c, Likely)
	d.Masks = append(d.Masks, NoCredentials)
	for _, c := range []Code{InvalidCredentials, ExpiredCredentials} {
		d.dismiss(c, "the pull was anonymous: no credential was offered")
	}
	d.Candidates = d.Candidates[:1]
}

// plainlyAnonymous is a refusal of a pull without credentials by a registry that would tell a missing repository apart.
func (v *view) plainlyAnonymous(d *Diagnosis) bool {
	hides := slices.ContainsFunc(d.Reading.Candidates, func(c Candidate) bool { return c.Cause == DeniedOrMissing || c.Cause == RepositoryNotFound })
	return d.Reading.Cause == NoCredentials && anonymousText(d.Reading.Detail) && !hides
}

// anonymous is a pod that names no secret at all.
func (v *view) anonymous(d *Diagnosis) {
	d.because(v.pod)
	cloud := v.nodeCredentials()
	if v.account != nil && v.account.Account.Exists == evidence.Yes && len(v.account.Account.PullSecrets) > 0 {
		a := v.account.Account
		sure := Possible
		known, match := v.accountSecrets()
		// Admission copies the account's secrets into every pod that names none, so this one came first
		// (K36 plugin/pkg/admission/serviceaccount/admission.go:138-175). They explain the refusal only if they would have served.
		if !cloud && !v.pod.Pod.Mirror && v.plainlyAnonymous(d) && (match || !known) {
			sure = Likely
		}
		d.lead(NoCredentials, sure)
		d.because(v.account)
		v.subject = a.Namespace + "/" + a.Name
		v.reason = fmt.Sprintf("the pod was created before service account %s had pull secret %s", a.Name, a.PullSecrets[0])
		if known && !match {
			v.reason += ", which has no entry for this registry"
		}
	} else {
		v.reason = "the pod names no pull secret"
	}
	if d.Confidence != Likely && !v.nodeHasNone() { // node credentials may have failed unseen, on any cluster: never surely none
		d.allow(ProviderFailed)
		d.gap(evidence.Gap{Vantage: evidence.Node, What: nodeCredentialsGap, Why: "their failures show in the kubelet's log alone",
			How: "on the node: journalctl -u kubelet | grep 'Failed to provide credentials'", Deciding: true})
	}
	if cloud {
		v.reason += "; the node's own identity usually pulls from here"
		return
	}
	for _, c := range []Code{InvalidCredentials, ExpiredCredentials} {
		d.dismiss(c, "the pod names no pull secret")
	}
}

// accountSecrets reports whether all secrets of the service account were looked at, and whether one has an entry for the registry.
func (v *view) accountSecrets() (known, match bool) {
	known = true
	for _, name := range v.account.Account.PullSecrets {
		i := slices.IndexFunc(v.secrets, func(f *evidence.Fact) bool { return f.Secret.Name == name && f.Secret.Exists != evidence.Unknown })
		if i < 0 {
			known = false
			continue
		}
		s := v.secrets[i].Secret
		match = match || s.Exists == evidence.Yes && s.Problem == "" && evidence.KeysMatch(s.Registries, v.c.Pull.Image)
	}
	return known, match
}

// tokenTooOld tells an ECR token that has outlived itself, by when its secret was last written.
func (v *view) tokenTooOld(d *Diagnosis, p pullSecrets) bool {
	if !strings.Contains(v.registryHost(), ".dkr.ecr.") || len(p.matched) == 0 {
		return false
	}
	// A registry that knows who asks has taken the token: only a bare 403 may also be an old one.
	if r := d.Reading; r.Cause == Forbidden && !slices.ContainsFunc(r.Candidates, func(c Candidate) bool { return c.Cause == ExpiredCredentials }) {
		return false
	}
	youngest := ecrTokenLife
	for i, f := range p.matched { // the kubelet tries them all: one that is still good would have pulled
		written := f.Secret.Changed
		if written.IsZero() {
			written = f.Secret.Created
		}
		age := v.now.Sub(written)
		if written.IsZero() || age < ecrTokenLife {
			return false
		}
		if i == 0 || age < youngest {
			youngest = age
		}
	}
	d.lead(ExpiredCredentials, Likely)
	d.because(p.matched...)
	v.subject = secretName(p.matched[0].Secret)
	v.reason = fmt.Sprintf("it was written %s ago and a token of ECR lives 12h", youngest.Round(time.Hour))
	return true
}

// blame leads with c where there is a secret to name.
func (v *view) blame(d *Diagnosis, facts []*evidence.Fact, c Code, sure Confidence) {
	if len(facts) == 0 {
		return
	}
	d.lead(c, sure)
	d.because(facts...)
	v.subject = secretName(facts[0].Secret)
	if p := facts[0].Secret.Problem; p != "" {
		v.reason = clean(p, 80)
	}
}

// nodeCredentials reports whether the node's own identity is how such a pull usually authenticates.
func (v *view) nodeCredentials() bool {
	if v.nodeHasNone() {
		return false
	}
	h := v.registryHost()
	if ofECR(h) || ofACR(h) || strings.HasSuffix(h, ".pkg.dev") || h == "gcr.io" || strings.HasSuffix(h, ".gcr.io") {
		return true
	}
	if v.node == nil {
		return false
	}
	home := v.node.NodeState.Home
	return home == evidence.HomeEKS || home == evidence.HomeGKE || home == evidence.HomeAKS || home == evidence.HomeOpenShift
}

func anonymousText(detail string) bool {
	return strings.Contains(detail, "no basic auth credentials") || strings.Contains(detail, "anonymous token")
}

func secretName(s *evidence.Secret) string { return s.Namespace + "/" + s.Name }
