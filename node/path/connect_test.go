package path

import (
	"testing"

	"github.com/refloat-dev/refloat/evidence"
)

// An address of a family that the node has no route for is tried last by the runtime, and is not what a pull fails by.
func TestFailing(t *testing.T) {
	t.Parallel()
	none := evidence.Address{Address: "[2001:db8::1]:443", Failure: evidence.FailedInterrupted, Text: "dial tcp [2001:db8::1]:443: connect: network is unreachable"}
	lost := evidence.Address{Address: "192.0.2.7:443", Failure: evidence.FailedTimeout, Text: "dial tcp 192.0.2.7:443: i/o timeout"}
	if got := failing([]evidence.Address{none, lost}); got != lost {
		t.Errorf("%+v", got)
	}
	if got := failing([]evidence.Address{none, none}); got != none {
		t.Errorf("%+v", got)
	}
}
