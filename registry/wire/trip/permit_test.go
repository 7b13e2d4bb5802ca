package trip

import (
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/refloat-dev/refloat/registry/wire/reach"
)

// TestPermit walks what a dialler asks, in an order that matters.
func TestPermit(t *testing.T) {
	t.Parallel()
	lines := New(nil, time.Second)
	defer lines.Close()
	line := lines.To(&url.URL{Scheme: "https", Host: "reg.lab:5000"})
	for _, tc := range []struct {
		name, host, address string
		connected           bool
		ok                  bool
		class               reach.Class // afterwards
	}{
		{"a realm inside, before the registry is known", "auth.lab", "10.0.0.1:443", false, false, reach.Public},
		{"a realm outside", "auth.lab", "203.0.113.1:443", true, true, reach.Public},
		{"the registry at metadata", "reg.lab", "169.254.169.254:5000", true, false, reach.Public},
		{"the registry is tried inside", "reg.lab", "10.0.0.1:5000", false, true, reach.Public},
		{"the registry is inside", "reg.lab", "10.0.0.1:5000", true, true, reach.Private},
		{"a realm inside", "auth.lab", "192.168.0.1:443", false, true, reach.Private},
		{"a realm here", "auth.lab", "127.0.0.1:443", false, false, reach.Private},
		{"a realm at metadata", "auth.lab", "[fe80::1%eth0]:443", false, false, reach.Private},
		{"the registry here, now", "reg.lab", "[::1]:5000", true, false, reach.Private},
		{"the registry outside, now", "reg.lab", "203.0.113.1:5000", true, true, reach.Private},
		{"localhost elsewhere", "localhost", "10.0.0.1:80", false, false, reach.Private},
		{"a pipe", "auth.lab", "pipe", true, false, reach.Private},
	} {
		err := line.permit(tc.host, tc.address, tc.connected)
		var unsafe *Unsafe
		if (err == nil) != tc.ok || err != nil && !errors.As(err, &unsafe) {
			t.Errorf("%s: %v", tc.name, err)
		}
		if got := line.Class(); got != tc.class {
			t.Errorf("%s: %v afterwards", tc.name, got)
		}
	}
}
