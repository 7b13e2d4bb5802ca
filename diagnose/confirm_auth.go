package diagnose

import (
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// ring is what the kubelet would find in the pod's secrets, as the registry vantage point worked it out; nil where it did not.
func (v *view) ring() *evidence.Keyring {
	if v.keyring == nil {
		return nil
	}
	return v.keyring.Keyring
}

// brokenRing is one entry that fails the whole lookup: the message and the keyring agree, or the secret broke since.
func (v *view) brokenRing(d *Diagnosis) bool {
	k := v.ring()
	if k == nil || k.BrokenBy == "" || stage(d.Cause) == stageNone && d.Cause != Unknown {
		return false
	}
	sure := Likely
	if d.Cause == SecretMalformed {
		sure = Confirmed
	}
	was := d.Cause
	d.lead(SecretMalformed, sure)
	d.because(v.keyring)
	if sure == Confirmed || stage(was) == stageAuth {
		for _, c := range slices.Clone(d.Candidates) {
			d.dismiss(c.Cause, "the lookup of credentials itself fails, before any registry is asked")
		}
	}
	v.subject, v.reason = k.BrokenBy, clean(k.Broken, 80)
	return true
}

// joinAnonymous is a registry that refuses a look without credentials, where none of the pod's matches.
func (v *view) joinAnonymous(d *Diagnosis, w *answers) {
	near := v.nearMiss()
	switch at := stage(d.Cause); {
	case d.Cause.Family() == "network":
		v.nodeSide(d)
		d.because(v.cite(v.text(w)))
		return
	case d.Cause != Unknown && at != stageAuth && at != stageReach: // the node got further than this machine without credentials
		if at >= stageName {
			v.notSeen(d, "it refuses a look without credentials, and the node got further")
		}
		return
	}
	fact := v.cite(v.text(w))
	switch {
	case near != nil:
		v.malformed(d, w, near)
	case v.nodeMay() != "" || d.Reading.Cause == InvalidCredentials || d.Reading.Cause == ExpiredCredentials:
		v.nodeOffers(d)
	case len(v.unread()) > 0:
		v.unreadGaps(d)
	default:
		v.noneOffered(d, w)
	}
	d.because(fact)
}

// noneOffered is a pull that went without credentials from a node that has none of its own, as far as anything tells.
func (v *view) noneOffered(d *Diagnosis, w *answers) {
	named := d.Cause == SecretMissing || d.Cause == SecretMalformed // by the API: what the pod names could not serve
	switch {
	case named && w.cause == DeniedOrMissing:
		d.allow(DeniedOrMissing) // the registry may be hiding that there is nothing to pull
		return
	case named:
		d.Confidence = Confirmed
	case d.Cause == Unknown:
		d.lead(w.cause, Likely)
	case stage(d.Cause) == stageReach:
		d.lead(w.cause, Likely)
	case d.Reading.Confidence == Likely && d.Reading.Cause == d.Cause && d.Cause != w.cause && !slices.Contains(w.also, d.Cause):
		d.lead(w.cause, Likely) // the message was about somebody who was known
	default:
		d.lead(w.cause, Confirmed)
	}
	why := v.reason
	stay := []Code{d.Cause}
	v.settleOn(d, w, stay)
	v.reason = why
	switch {
	case why != "" || named:
	case v.c.Pull.Kind == evidence.Planned:
		v.reason = "no pull secret has an entry for it"
	default:
		v.reason = "no pull secret of the pod has an entry for it"
	}
}

// malformed is an entry that was plainly meant for this image and does not match it.
func (v *view) malformed(d *Diagnosis, w *answers, e *evidence.KeyringEntry) {
	sure := Confirmed
	switch {
	case v.nodeMay() != "":
		sure = Possible
		v.nodeGap(d)
	case w.cause == DeniedOrMissing || d.Cause == Unknown || len(v.unread()) > 0:
		sure = Likely
	}
	d.lead(SecretMalformed, sure)
	if sure != Possible {
		why := "the entry meant for this registry does not match, so nothing was offered"
		if e.Matches {
			why = "the entry that matches holds no credential, so nothing was offered"
		}
		for _, c := range slices.Clone(d.Candidates) {
			d.dismiss(c.Cause, why)
		}
		d.Masks = append(d.Masks, without([]Code{w.cause}, d.Masks...)...)
	}
	d.RuledOut = slices.DeleteFunc(d.RuledOut, func(r RuledOut) bool { return r.Cause == SecretMalformed })
	d.because(v.keyring)
	v.subject, v.reason = e.Secret, clean(orElse(e.Hint, e.Why), 110)
}

// nearMiss is an entry that was meant for the image: by its key, or because it holds no credential.
func (v *view) nearMiss() *evidence.KeyringEntry {
	k := v.ring()
	if k == nil {
		return nil
	}
	for i := range k.Entries {
		if e := &k.Entries[i]; !e.Matches && e.Near || e.Matches && !offered(&e.Login) {
			if e.Hint == "" && e.Matches {
				copied := *e
				copied.Hint = e.Problem
				return &copied
			}
			return e
		}
	}
	return nil
}

// firstMatch is the first entry that the kubelet would offer.
func (v *view) firstMatch() *evidence.KeyringEntry {
	if k := v.ring(); k != nil {
		for i := range k.Entries {
			if k.Entries[i].Matches {
				return &k.Entries[i]
			}
		}
	}
	return nil
}

// matched reports whether a credential of the pod matches the image.
func (v *view) matched() bool { return v.firstMatch() != nil || len(v.pullSecrets().matched) > 0 }

// unread are the pod's secrets that nobody could read: one of them may match.
func (v *view) unread() []string {
	if k := v.ring(); k != nil {
		return k.Unread
	}
	if v.pod == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(v.pod.Pod.PullSecrets), func(s string) bool { return s == "" })
}

func (v *view) unreadGaps(d *Diagnosis) {
	for _, name := range v.unread() {
		namespace, secret, ok := strings.Cut(name, "/")
		if !ok {
			namespace, secret = v.c.Pull.Namespace, name
		}
		d.gap(evidence.Gap{Vantage: evidence.API, What: "secret " + secret + " in namespace " + namespace, Why: "it could not be read, which does not mean that it is missing",
			How: "kubectl auth can-i get " + evidence.Quote("secret/"+secret) + " -n " + evidence.Quote(namespace), Deciding: true})
	}
}

// nodeMay is why the node may have credentials of its own; empty where nothing says so.
func (v *view) nodeMay() string {
	switch k := v.ring(); {
	case v.c.Pull.Kind == evidence.Sandbox:
		return "the runtime's own configuration"
	case v.nodeHasNone():
		return ""
	case k != nil && k.NodeMay != "":
		return k.NodeMay
	case v.nodeCredentials():
		return "the node's own identity, which usually pulls from here"
	}
	return ""
}

// nodeOffers is a refusal of nobody where the node may well be somebody: nothing follows from it.
func (v *view) nodeOffers(d *Diagnosis) {
	if d.Cause == NoCredentials {
		d.lead(ProviderFailed, Possible)
		v.reason = clean("it may have its own credentials: "+orElse(v.nodeMay(), "what was refused is no secret of the pod"), 110)
	}
	v.nodeGap(d)
}

// nodeCredentialsGap is what only a look at the node closes.
const nodeCredentialsGap = "the node's own credentials: config.json and credential providers"

func (v *view) nodeGap(d *Diagnosis) {
	d.gap(evidence.Gap{Vantage: evidence.Node, What: nodeCredentialsGap,
		Why: "they can be seen there alone, and may be what counts: " + orElse(v.nodeMay(), "what was refused is no secret of the pod"),
		How: "on the node: journalctl -u kubelet | grep 'Failed to provide credentials'", Deciding: true})
}
