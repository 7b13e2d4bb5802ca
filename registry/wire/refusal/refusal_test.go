package refusal_test

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/registry/wire/refusal"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, in string
		want     refusal.Refusal
	}{
		{"empty", " \r\n", refusal.Refusal{}},
		{"list", `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":"unknown tag=1"}]}`,
			refusal.Refusal{Kind: refusal.JSON, Codes: []string{"MANIFEST_UNKNOWN"}, Text: "manifest unknown: unknown tag=1"}},
		{"two, lower case", `{"errors":[{"code":"denied","message":"a"},{"code":"unauthorized","detail":{"x":1}},{"code":"DENIED"}]}`,
			refusal.Refusal{Kind: refusal.JSON, Codes: []string{"DENIED", "UNAUTHORIZED"}, Text: "a; unauthorized; DENIED"}},
		{"artifactory", `{"errors":[{"status":401,"message":"Bad props auth token"}]}`, refusal.Refusal{Kind: refusal.JSON, Text: "Bad props auth token"}},
		{"hub login", `{"details":"incorrect username or password"}`, refusal.Refusal{Kind: refusal.JSON, Text: "incorrect username or password"}},
		{"message", `{"message":"no such host"}`, refusal.Refusal{Kind: refusal.JSON, Text: "no such host"}},
		{"oauth", `{"error":"invalid_grant","error_description":"expired"}`, refusal.Refusal{Kind: refusal.JSON, Text: "invalid_grant: expired"}},
		{"err", `{"err":"user is not active"}`, refusal.Refusal{Kind: refusal.JSON, Text: "user is not active"}},
		{"nested", `{"error":{"code":403,"message":"Caller does not have permission"}}`, refusal.Refusal{Kind: refusal.JSON, Text: "Caller does not have permission"}},
		{"string errors", `{"errors":["a","b"]}`, refusal.Refusal{Kind: refusal.JSON, Text: "a; b"}},
		{"text in JSON", `"denied"`, refusal.Refusal{Kind: refusal.JSON, Text: "denied"}},
		{"list alone", `[{"code":"x y","message":"m"}]`, refusal.Refusal{Kind: refusal.JSON, Text: "m"}},
		{"broken", `{"errors":[{"code":`, refusal.Refusal{Kind: refusal.Text, Text: `{"errors":[{"code":`}},
		{"text", "404 page\n not found\n", refusal.Refusal{Kind: refusal.Text, Text: "404 page not found"}},
		{"s3", "\ufeff<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
			refusal.Refusal{Kind: refusal.XML, Codes: []string{"ACCESSDENIED"}, Text: "AccessDenied: Access Denied"}},
		{"html", "<!DOCTYPE html><html><head><title>403</title><style>a{b}</style><script>x < y</script></head><body><h1>For&amp;bidden</h1><!-- no > -->\nby us</body>",
			refusal.Refusal{Kind: refusal.HTML, Text: "403 For&bidden by us"}},
		{"html, never closed", "<html>a<script>b", refusal.Refusal{Kind: refusal.HTML, Text: "a"}},
		{"other xml", "<a>b</a>", refusal.Refusal{Kind: refusal.Text, Text: "<a>b</a>"}},
		{"binary", "\x1f\x8b\x08\x00\x00", refusal.Refusal{Kind: refusal.Binary}},
		{"controls", "{\"message\":\"a\\u001b[2Jb\\u202ec\\r\\nd\u009be\"}", refusal.Refusal{Kind: refusal.JSON, Text: "a [2Jb c d e"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, refusal.Parse([]byte(tc.in))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestPresets: whatever a real service says, something of it is left.
func TestPresets(t *testing.T) {
	t.Parallel()
	for name, a := range registrytest.Presets() {
		if a.Status < 400 || a.Body == "" {
			continue
		}
		if r := refusal.Parse([]byte(a.Body)); r.Text == "" {
			t.Errorf("%s: nothing read from %q", name, a.Body)
		}
	}
}

func TestHostile(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(make([]byte, 1<<20))
	_ = z.Close()
	for name, in := range map[string]string{
		"gzip":     bomb.String(),
		"deep":     strings.Repeat("[", 60_000),
		"deep map": strings.Repeat(`{"error":`, 7_000) + "1" + strings.Repeat("}", 7_000),
		"codes":    `{"errors":[` + strings.TrimSuffix(strings.Repeat(`{"code":"A1","message":"m"},`, 2000), ",") + `]}`,
		"tags":     "<html>" + strings.Repeat("<a><script>", 6000),
		"open":     "<html>" + strings.Repeat("<", 60_000),
		"entities": `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaa">]><Error><Code>&a;</Code></Error>`,
	} {
		r := refusal.Parse([]byte(in))
		if len(r.Codes) > 8 || len(r.Text) > len(in) {
			t.Errorf("%s: %d codes, %d bytes", name, len(r.Codes), len(r.Text))
		}
	}
}
