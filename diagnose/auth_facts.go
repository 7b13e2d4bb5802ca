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
	missing, unread, broken, unmatched, matched []*evidence.Fact
	named                                       []string
}

func (v *view) pullSecrets() pullSecrets {
	var p pullSecrets
	if v.pod != nil {
		p.named = v.pod.Pod.PullSecrets
	}
	for _, f := range v.secrets {
		s := f.Secret
		if v.pod != nil && !slices.Contains(p.named, s.Name) {
			continue // a secret of the account that the pod was born without
		}
		switch {
		case s.Exists == evidence.No:
			p.missing = append(p.missing, f)
		case s.Exists != evidence.Yes:
			p.unread = append(p.unread, f)
		case s.Problem != "":
			p.broken = append(p.broken, f)
		case keysMatch(s.Registries, v.c.Pull.Image):
			p.matched = append(p.matched, f)
		default:
			p.unmatched = append(p.unmatched, f)
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
	for _, f := range p.unread {
		d.gap(evidence.Gap{Vantage: evidence.API, What: "secret " + secretName(f.Secret), Why: "it could not be read, which does not mean that it is missing",
			How: "kubectl auth can-i get secret/" + f.Secret.Name + " -n " + f.Secret.Namespace, Deciding: true})
	}
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
		v.blame(d, p.broken, SecretMalformed, Likely)
		v.onlySecret(d, p)
	case len(p.missing) > 0 && len(p.matched) == 0:
		v.blame(d, p.missing, SecretMissing, Likely)
		v.onlySecret(d, p)
	case len(p.unmatched) > 0 && len(p.matched)+len(p.unread) == 0:
		v.blame(d, p.unmatched, SecretMalformed, Likely)
		v.reason = fmt.Sprintf("it has no entry that matches %s", v.registryHost())
		v.onlySecret(d, p)
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

// onlySecret settles an anonymous refusal where the one secret that the pod names is at fault. Where
// the registry may hide a missing repository, or the node's identity usually pulls, the other causes stay.
func (v *view) onlySecret(d *Diagnosis, p pullSecrets) {
	if len(p.named) != 1 || d.Reading.Cause != NoCredentials || !anonymousText(d.Reading.Detail) || v.nodeCredentials() {
		return
	}
	if d.allows(DeniedOrMissing) || d.allows(RepositoryNotFound) {
		return
	}
	d.Masks = append(d.Masks, NoCredentials)
	for _, c := range []Code{InvalidCredentials, ExpiredCredentials} {
		d.dismiss(c, "the pull was anonymous: no credential was offered")
	}
	d.Candidates = d.Candidates[:1]
}

// anonymous is a pod that names no secret at all.
func (v *view) anonymous(d *Diagnosis) {
	d.because(v.pod)
	cloud := v.nodeCredentials()
	if v.account != nil && v.account.Account.Exists == evidence.Yes && len(v.account.Account.PullSecrets) > 0 {
		a := v.account.Account
		sure := Possible
		// Admission copies the account's secrets into every pod that names none (TRUTH 2.6), so this one came first.
		if !cloud && !v.pod.Pod.Mirror {
			sure = Likely
		}
		d.lead(NoCredentials, sure)
		d.because(v.account)
		v.subject = a.Namespace + "/" + a.Name
		v.reason = fmt.Sprintf("the pod was created before service account %s had pull secret %s", a.Name, a.PullSecrets[0])
	} else {
		v.reason = "the pod names no pull secret"
	}
	if d.Confidence != Likely { // node credentials may have failed unseen, on any cluster: never surely none
		d.allow(ProviderFailed)
		d.gap(evidence.Gap{Vantage: evidence.Node, What: "the node's own credentials: config.json and credential providers", Why: "their failures show in the kubelet's log alone",
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

// tokenTooOld tells an ECR token that has outlived itself, by when its secret was last written.
func (v *view) tokenTooOld(d *Diagnosis, p pullSecrets) bool {
	if !strings.Contains(v.registryHost(), ".dkr.ecr.") || len(p.matched) == 0 {
		return false
	}
	s := p.matched[0].Secret
	written := s.Changed
	if written.IsZero() {
		written = s.Created
	}
	if written.IsZero() || v.now.Sub(written) < ecrTokenLife {
		return false
	}
	d.lead(ExpiredCredentials, Likely)
	d.because(p.matched[0])
	v.subject = secretName(s)
	v.reason = fmt.Sprintf("it was written %s ago and a token of ECR lives 12h", v.now.Sub(written).Round(time.Hour))
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
	h := v.registryHost()
	if strings.Contains(h, ".dkr.ecr.") || strings.HasSuffix(h, ".pkg.dev") || h == "gcr.io" || strings.HasSuffix(h, ".gcr.io") || strings.HasSuffix(h, ".azurecr.io") {
		return true
	}
	if v.node == nil {
		return false
	}
	home := v.node.NodeState.Home
	return home == evidence.HomeEKS || home == evidence.HomeGKE || home == evidence.HomeAKS
}

func anonymousText(detail string) bool {
	return strings.Contains(detail, "no basic auth credentials") || strings.Contains(detail, "anonymous token")
}

func secretName(s *evidence.Secret) string { return s.Namespace + "/" + s.Name }
