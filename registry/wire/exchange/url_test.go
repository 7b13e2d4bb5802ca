package exchange_test

import (
	"net/url"
	"testing"

	"github.com/refloat-dev/refloat/registry/wire/exchange"
)

func TestURL(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		in, shown, origin string
		loopback          bool
	}{
		{"https://reg.lab/v2/?a=b#c", "https://reg.lab/v2/", "https://reg.lab:443", false},
		{"https://u:p@REG.lab:443/x%2Fy", "https://REG.lab:443/x%2Fy", "https://reg.lab:443", false},
		{"http://localhost:5000/", "http://localhost:5000/", "http://localhost:5000", true},
		{"http://127.0.0.2/", "http://127.0.0.2/", "http://127.0.0.2:80", true},
		{"http://[::1]:80/", "http://[::1]:80/", "http://::1:80", true},
		{"https://[::ffff:127.0.0.1]/", "https://[::ffff:127.0.0.1]/", "https://::ffff:127.0.0.1:443", true},
		{"https://a.localhost/", "https://a.localhost/", "https://a.localhost:443", false},
		{"https://10.0.0.1/", "https://10.0.0.1/", "https://10.0.0.1:443", false},
	} {
		u, err := url.Parse(tc.in)
		if err != nil {
			t.Fatal(err)
		}
		if got := exchange.Shown(u); got != tc.shown {
			t.Errorf("Shown(%s) = %s", tc.in, got)
		}
		if got := exchange.Origin(u); got != tc.origin {
			t.Errorf("Origin(%s) = %s", tc.in, got)
		}
		if got := exchange.Loopback(u); got != tc.loopback {
			t.Errorf("Loopback(%s) = %v", tc.in, got)
		}
	}
}
