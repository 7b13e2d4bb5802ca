package hide_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/wire/hide"
)

func TestTake(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, secret, in, want string }{
		{"plain", "hunter22", "a hunter22 b", "a REDACTED b"},
		{"case", "hunter22", "HUNTER22hunter22", "REDACTEDREDACTED"},
		{"inside a word", "hunter22", "xhunter22y", "xREDACTEDy"},
		{"query", "a b&c", "?p=a+b%26c", "?p=REDACTED"},
		{"path", "a b/c", "/a%20b%2Fc", "/REDACTED"},
		{"html", `a<b"c`, "a&lt;b&#34;c", "REDACTED"},
		{"json", `a"b<c`, `{"x":"a\"b\u003cc"}`, `{"x":"REDACTED"}`},
		{"line break", "pass\n", "my pass!", "my REDACTED!"},
		{"short, alone", "x1", "say x1, or 0x12", "say REDACTED, or 0x12"},
		{"short, in letters", "ä", "häh ä", "häh REDACTED"},
		{"longer first", "abcd", "abcd1234", "REDACTED"},
		{"none", "", "a", "a"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var h hide.Secrets
			h.Login("ada", tc.secret)
			if tc.name == "longer first" {
				h.Add("abcd1234")
			}
			if got := h.Take(tc.in); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
			if tc.secret != "" {
				basic := base64.StdEncoding.EncodeToString([]byte("ada:" + tc.secret))
				if got := h.Clean("Basic " + basic); strings.Contains(got, basic[:8]) {
					t.Errorf("%q", got)
				}
			}
		})
	}
}

func TestStep(t *testing.T) {
	t.Parallel()
	var h hide.Secrets
	h.Add("hunter22")
	const s = "x hunter22\n\x1b[2Jy"
	step := evidence.Step{
		Name: "token", Method: "GET", URL: s, Text: s, Codes: []string{"HUNTER22"}, MediaType: s, Challenge: s, Realm: s, Redirects: []string{s},
		Limit: &evidence.RateLimit{Limit: s, Remaining: s, Source: strings.Repeat("z", 1000)},
	}
	h.Step(&step)
	const c = "x REDACTED [2Jy"
	want := evidence.Step{
		Name: "token", Method: "GET", URL: c, Text: c, Codes: []string{"REDACTED"}, MediaType: c, Challenge: c, Realm: c, Redirects: []string{c},
		Limit: &evidence.RateLimit{Limit: c, Remaining: c, Source: strings.Repeat("z", 256) + "…"},
	}
	if diff := cmp.Diff(want, step); diff != "" {
		t.Error(diff)
	}
	in := http.Header{"A": {"hunter22"}}
	if out := h.Header(in); out.Get("A") != "REDACTED" || in.Get("A") != "hunter22" || h.Longest() != 8 {
		t.Error(out, in, h.Longest())
	}
	if got := hide.Shorten("aä", 2); got != "a…" {
		t.Errorf("%q", got)
	}
}
