package diagnose

import (
	"fmt"
	"time"

	"github.com/refloat-dev/refloat/evidence"
)

// soon is how long before its end a credential is worth a word.
const soon = 24 * time.Hour

// Warning is something about a planned image that is served: no pull fails of it, and what comes after may.
type Warning struct {
	// Cause is the code whose page explains it.
	Cause Code   `json:"cause"`
	Image string `json:"image"`
	Text  string `json:"text"`
}

// Warnings are what is worth knowing about the planned images of a collection that would be pulled.
func Warnings(c *evidence.Collection) []Warning {
	var out []Warning
	seen := map[Warning]bool{}
	for _, one := range c.Cases {
		if one == nil || one.Pull.Kind != evidence.Planned {
			continue
		}
		v := look(one, c.ObservedAt)
		if v.probe == nil {
			continue
		}
		for _, w := range v.warnings() {
			if !seen[w] {
				seen[w] = true
				out = append(out, w)
			}
		}
	}
	return out
}

func (v *view) warnings() []Warning {
	w := judge(v.probe.Probe, v.now)
	if w.served == nil {
		return nil
	}
	var out []Warning
	warn := func(c Code, text string) {
		out = append(out, Warning{c, clean(v.c.Pull.Image, maxRef), clean(text, maxProof)})
	}
	if text := v.otherPlatform(w.served); text != "" {
		warn(PlatformMismatch, text)
	}
	if l := w.login(); l != nil && !l.Expires.IsZero() && l.Expires.Sub(v.now) < soon && !expired(l, v.now) {
		warn(ExpiredCredentials, fmt.Sprintf("the credential of %s that it is served to ends in %s", secretOf(l), l.Expires.Sub(v.now).Round(time.Minute)))
	}
	for _, s := range w.refused {
		if l := s.login(); l != nil && s.blind == "" && stage(s.cause) == stageAuth {
			warn(s.cause, fmt.Sprintf("%s (user %s) is refused, and the kubelet goes on to the next that matches", secretOf(l), short(l.User, 60)))
		}
	}
	if need, short := v.cramped(); len(short) > 0 && len(short) < v.roomKnown() {
		warn(DiskFull, fmt.Sprintf("%d of %d nodes have less free than the %s that it takes at least, compressed and unpacked", len(short), v.roomKnown(), evidence.Size(need)))
	}
	return out
}
