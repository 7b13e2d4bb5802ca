package health

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/evidence"
)

const (
	// maxLines is how many lines evidence takes; few is how many of one log may be about the registry alone, or last words.
	maxLines = 20
	few      = 4
	// fresh is how old a line may be: a pull that fails now has said so since yesterday.
	fresh = 24 * time.Hour
)

// logs collects the newest lines about the image, and the last words of a runtime that does not answer.
func (l *look) logs(image string) {
	kubelet, _ := l.host.Kubelet() // not seen is what the other ways are for
	l.views(l.proc, kubelet)
	now, zone := time.Now(), l.zone()
	var m marks
	if image != "" {
		m = of(image, l.rt.Endpoints)
	}
	var found []evidence.LogLine
	for _, s := range []side{l.runtimeSide(), kubeletSide(kubelet)} {
		c := &collector{marks: m, now: now, zone: zone, dies: l.found.Answers == evidence.No && s.runtime}
		if image == "" && !c.dies {
			continue
		}
		if err := l.read(s, c); err != nil {
			how := fmt.Sprintf("on the node: journalctl -u %s --since -1h", s.wants()[0])
			if image != "" {
				how += fmt.Sprintf(" | grep '%s'", word(image))
			}
			l.gap("the log of "+s.name, evidence.Clean(err.Error()), how)
		}
		found = append(found, c.lines()...)
	}
	slices.SortStableFunc(found, func(a, b evidence.LogLine) int { return b.Time.Compare(a.Time) })
	found = slices.Compact(found) // k3s is both sides' unit
	l.found.Logs = found[:min(len(found), maxLines)]
}

// word is what to look for by hand.
func word(image string) string {
	name, _, _ := strings.Cut(evidence.CleanReference(image), "@")
	return strings.ReplaceAll(name, "'", "")
}

// zone is the node's, in which a kubelet writes its times.
func (l *look) zone() *time.Location {
	for _, h := range l.seen {
		if data, err := h.ReadFile("/etc/localtime"); err == nil {
			if zone, err := time.LoadLocationFromTZData("node", data); err == nil {
				return zone
			}
		}
	}
	return time.UTC
}
