package report

import (
	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
)

// Verdict is what a whole run comes to; the caller turns it into an exit code.
type Verdict string

// The verdicts, the one that wins first.
const (
	Failing      Verdict = "failing"       // pulls fail
	CannotTell   Verdict = "cannot-tell"   // what could not be seen might be a failing pull
	NothingWrong Verdict = "nothing-wrong" // looked, and found none
)

// Exit says what the run comes to. A failing pull counts as one even where its cause is unknown;
// a planned image does not, for there the cause is all there is.
func Exit(r Report) Verdict {
	verdict := NothingWrong
	for _, f := range r.Findings {
		if !f.Planned || f.Cause != diagnose.Unknown {
			return Failing
		}
		verdict = CannotTell
	}
	if deciding(r.Gaps) {
		verdict = CannotTell
	}
	return verdict
}

func deciding(gaps []evidence.Gap) bool {
	for _, g := range gaps {
		if g.Deciding {
			return true
		}
	}
	return false
}
