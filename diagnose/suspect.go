package diagnose

import (
	"slices"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/evidence"
)

// Suspected diagnoses a container whose image was pulled and that cannot start. It is a pull failure only where the node's own
// store shows what is lost of that image; ok is false everywhere else, and the crash is nothing but a crash.
func Suspected(c *evidence.Case, now time.Time) (d Diagnosis, ok bool) {
	v := look(c, now)
	if v.seen == nil || v.seen.content == nil || len(v.messages) == 0 {
		return d, false
	}
	said := v.messages[0]
	content := *v.seen.content.Content
	content.Damages = slices.DeleteFunc(slices.Clone(content.Damages), func(x evidence.Damage) bool { return !keepsFromStarting(&x, said.Message) })
	x := v.damage(&content, &d)
	if x == nil {
		return d, false
	}
	d.Gaps = slices.Clone(c.Gaps)
	d.Reading = Reading{Cause: Unknown, Confidence: NoConfidence, Image: clean(c.Pull.Image, maxRef), Registry: v.registryHost(), Detail: clean(said.Message.Text, evidence.MaxText)}
	sure := Likely
	if losesFiles(said.Message.Text) {
		sure = Confirmed
	}
	v.sight(&d, CacheCorrupt, sure, damageWords(x))
	d.because(v.proof(said, d.Reading), v.damageFact(x))
	if v.oneNode {
		d.because(v.elsewhere)
		d.RuledOut = append(d.RuledOut, RuledOut{UnsupportedFormat, "the same image runs on " + v.elsewhere.Elsewhere.Running[0]})
	}
	v.exonerate(&d)
	d.settle()
	d.Summary = v.summary(&d)
	d.Key = v.key(&d)
	return d, true
}

// keepsFromStarting tells damage that a container meets. What is unpacked is what it runs; of the content that was unpacked
// long ago only what describes the image is read again, when a container is made (C24 internal/cri/server/container_create.go).
func keepsFromStarting(x *evidence.Damage, m *evidence.Message) bool {
	switch x.Kind {
	case evidence.DamageEmptied, evidence.DamageSnapshot:
		return true
	case evidence.DamageMissing, evidence.DamageSize, evidence.DamageDigest:
		return m.Reason == "CreateContainerError" && slices.Contains([]string{"config", "manifest", "index"}, x.Role)
	}
	return false
}

// losesFiles tells an error about what the image's files should hold: the program, a folder, a user.
func losesFiles(text string) bool {
	text = strings.ToLower(text)
	for _, w := range []string{"no such file or directory", "not found", "not a directory", "exec format error", "in passwd file", "no users found", "unmarshal"} {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}
