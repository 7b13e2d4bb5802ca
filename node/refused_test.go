package node

import (
	"fmt"
	"testing"
	"time"
)

func TestRefused(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	r := (&Engine{Now: func() time.Time { return now }}).refusals()
	if _, ok := r.Refused("a"); ok {
		t.Error("what nobody refused is refused")
	}
	r.Remember("a")
	if at, ok := r.Refused("a"); !ok || !at.Equal(now) {
		t.Error("a refusal is forgotten")
	}
	now = now.Add(refusedFor)
	if _, ok := r.Refused("a"); ok {
		t.Error("a refusal lasts")
	}
	for i := range 3 * maxRefused {
		r.Remember(fmt.Sprint(i))
	}
	if len(r.at) > maxRefused {
		t.Errorf("%d are kept", len(r.at))
	}
}
