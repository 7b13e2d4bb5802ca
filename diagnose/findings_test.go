package diagnose

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refloat-dev/refloat/evidence"
)

func TestFindingsGroupByRootCause(t *testing.T) {
	t.Parallel()
	c := &evidence.Collection{ObservedAt: noon}
	gone := secretFact(evidence.Secret{Name: "regcred", Exists: evidence.No})
	for i := range 300 {
		one := caseOf(waiting(anonymous401), podWith("regcred"), gone)
		one.Pull.Pod, one.Pull.UID = fmt.Sprintf("api-%d", i), fmt.Sprintf("uid-%d", i)
		one.Pull.Image = fmt.Sprintf("shop.example/web/api:%d", i%7)
		c.Cases = append(c.Cases, one, one) // the same pull seen twice
	}
	for i := range 3 {
		one := caseOf(waiting(noHost))
		one.Pull.UID = fmt.Sprintf("dns-%d", i)
		c.Cases = append(c.Cases, one)
	}
	got := map[string]int{}
	var order []Code
	for _, f := range Findings(c) {
		got[f.Key] = len(f.Cases)
		order = append(order, f.Cause)
	}
	want := map[string]int{"auth.secret-missing|shop/regcred": 300, "network.dns|shop.example": 3}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Code{SecretMissing, DNS}, order); diff != "" {
		t.Error(diff)
	}
}
