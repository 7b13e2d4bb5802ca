package diagnose

import (
	"slices"
	"strings"
	"testing"
)

func TestReadShapes(t *testing.T) {
	t.Parallel()
	for _, s := range allShapes() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			r := Read(Text{Message: s.text})
			if !slices.Contains(s.want, r.Cause) {
				t.Errorf("read %s (%s), want one of %s\n%s", r.Cause, r.Confidence, s.want, s.text)
			}
			if !slices.ContainsFunc(r.Candidates, func(c Candidate) bool { return c.Cause == s.want[0] }) {
				t.Errorf("candidates %v lack %s\n%s", r.Candidates, s.want[0], s.text)
			}
		})
	}
}

// A registry, a name or a wrapper of another cluster must not change the answer.
func TestReadGeneralises(t *testing.T) {
	t.Parallel()
	swaps := []*strings.Replacer{
		strings.NewReplacer("shop.example", "registry.internal.corp:8443", "web/api", "team-7/payments.v2", "1.4", "2026-11-22_a1b2c3"),
		strings.NewReplacer("shop.example", "203.0.113.77:5000", "web/api", "library/redis", d1, strings.ReplaceAll(d1, "1", "e")),
		strings.NewReplacer(`"`, `\"`),
		strings.NewReplacer("Failed to pull image", "(combined from similar events): Failed to pull image"),
		strings.NewReplacer("rpc error: code = Unknown desc = ", ""),
	}
	for _, s := range allShapes() {
		want := Read(Text{Message: s.text})
		for i, swap := range swaps {
			text := swap.Replace(s.text)
			if got := Read(Text{Message: text}); got.Cause != want.Cause || got.Confidence != want.Confidence {
				t.Errorf("%s, swap %d: %s (%s), want %s (%s)\n%s", s.name, i, got.Cause, got.Confidence, want.Cause, want.Confidence, text)
			}
		}
	}
}

// TestFurthestOfSeveral: of the errors of several credentials the one that got in decides.
func TestFurthestOfSeveral(t *testing.T) {
	t.Parallel()
	const (
		expired = "failed to pull and unpack image \"shop.example/a:9\": failed to resolve image: unexpected status from HEAD request to " +
			"https://shop.example/v2/a/manifests/9: 403 Forbidden\ndenied: Your authorization token has expired. Reauthenticate and try again."
		missing = "rpc error: code = NotFound desc = failed to pull and unpack image \"shop.example/a:9\": failed to resolve image: shop.example/a:9: not found"
		nobody  = "failed to pull and unpack image \"shop.example/a:9\": failed to resolve image: pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials"
	)
	tests := []struct {
		name, text string
		want       Code
	}{
		{"expired, then let in", "[" + expired + ", " + missing + "]", TagNotFound},
		{"let in, then expired", "[" + missing + ", " + expired + "]", TagNotFound},
		{"expired, then nobody", "[" + expired + ", " + nobody + "]", ExpiredCredentials},
		{"three", "[" + expired + ", " + nobody + ", " + missing + "]", TagNotFound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if r := Read(Text{Message: tt.text}); r.Cause != tt.want {
				t.Errorf("read %s, want %s: %q", r.Cause, tt.want, r.Detail)
			}
		})
	}
}
