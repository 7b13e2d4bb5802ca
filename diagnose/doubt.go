package diagnose

import (
	"net/url"
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// doubt takes back what is confirmed where the message tells of another host than any that answered here: the node then asked a
// mirror, and what its upstream says to this machine is no second witness.
func (v *view) doubt(d *Diagnosis) {
	family := d.Cause.Family()
	if d.Confidence != Confirmed || family != "auth" && family != "name" || d.Cause == SecretMissing || d.Cause == SecretMalformed || !v.mirrored(d) {
		return
	}
	d.Confidence = Likely
	v.gapAt(d, evidence.Node, "what "+d.Reading.Host+" answers", "the node asked it in place of "+orElse(d.Reading.Registry, "the registry")+", which is what was asked from here",
		"on the node: look into /etc/containerd/certs.d, registries.conf or registries.yaml for it")
}

// mirrored reports whether the message's host is neither the registry nor below it, nor a token realm that it named, nor where it sent on to.
func (v *view) mirrored(d *Diagnosis) bool {
	host, p := strings.ToLower(d.Reading.Host), v.probe.Probe
	if host == "" || host == strings.ToLower(p.Host) || host == d.Reading.Registry || strings.HasSuffix("."+host, "."+registryOf(p.Image, p.Host)) {
		return false
	}
	for _, a := range p.Attempts {
		for i := range a.Steps {
			s := &a.Steps[i]
			realm, _ := url.Parse(s.Realm)
			if host == hostOf(s) || realm != nil && host == realm.Host || slices.Contains(s.Redirects, host) {
				return false
			}
		}
	}
	return true
}
