package diagnose

import (
	"fmt"
	"time"

	"github.com/refloat-dev/refloat/evidence"
)

// seenStall tells a download that stands still from one that is slow, from one that waits its turn.
func (v *view) seenStall(d *Diagnosis) bool {
	silent := v.pod != nil && !v.pod.Pod.PullingSince.IsZero()
	if v.seen.downloads == nil || d.Cause != Stalled && (d.Cause != Unknown || !silent) {
		return false
	}
	var own, still, others []evidence.Download
	for _, x := range v.seen.downloads.Downloads.Active {
		switch mine := x.Image != "" && x.Image == v.c.Pull.Image; {
		case mine && x.Still:
			still = append(still, x)
		case mine:
			own = append(own, x)
		case x.Still:
			others = append(others, x)
		}
	}
	fact := func(x evidence.Download) *evidence.Fact {
		f := sentenceOf(v.seen.downloads, "on "+v.nodeName()+", the download of "+downloadText(x))
		f.Downloads = &evidence.Downloads{Active: []evidence.Download{x}}
		return f
	}
	switch {
	case len(still) > 0:
		sure := Confirmed
		if len(own) > 0 || d.Cause != Stalled {
			sure = Likely
		}
		v.sight(d, Stalled, sure, stallText(still[0]), fact(still[0]))
	case len(own) > 0:
		v.slow(d, own, fact(own[0]))
	case len(others) > 0 && d.Cause == Stalled:
		sure := Possible
		if v.node != nil && v.node.NodeState.Config != nil && v.node.NodeState.Config.SerializePulls {
			sure = Likely
		}
		v.sight(d, Stalled, sure, "it waits behind another pull that stands still"+fromText(others[0]), fact(others[0]))
	default:
		return false // it may be unpacking, or still asking a host
	}
	return true
}

// slow is a pull that moves: nothing is wrong but its speed, for which there is no cause to name.
func (v *view) slow(d *Diagnosis, own []evidence.Download, fact *evidence.Fact) {
	d.Cause, d.Confidence, d.Candidates = Unknown, NoConfidence, nil
	d.RuledOut = append(d.RuledOut, RuledOut{Stalled, "the download moves"})
	var have, total int64
	for _, x := range own {
		have, total = have+max(0, min(x.Offset, 1<<50)), total+max(0, min(x.Total, 1<<50))
	}
	v.moving, v.sighted = true, true
	v.reason = evidence.Size(uint64(have)) + " so far"
	if total > have {
		v.reason = evidence.Size(uint64(have)) + " of " + evidence.Size(uint64(total)) + " so far"
	}
	d.cite(fact)
}

func fromText(x evidence.Download) string {
	if x.Host == "" {
		return ""
	}
	return ", from " + short(x.Host, 60)
}

func stallText(x evidence.Download) string {
	text := fmt.Sprintf("at byte %d", x.Offset)
	if x.Total > 0 {
		text += fmt.Sprintf(" of %d", x.Total)
	}
	return text + fromText(x) + ", for " + seconds(x.StillFor)
}

func downloadText(x evidence.Download) string {
	what := shortDigests(clean(orElse(x.Digest, x.Ref), 80))
	if x.Still {
		return what + " stands still " + stallText(x)
	}
	return what + fromText(x) + fmt.Sprintf(" moves: %d bytes of %d", x.Offset, x.Total)
}

func seconds(n int64) string { return (time.Duration(clamp(max(0, n))) * time.Second).String() }
