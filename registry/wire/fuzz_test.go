package wire_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/registry/wire/challenge"
	"github.com/refloat-dev/refloat/registry/wire/refusal"
)

func FuzzChallenge(f *testing.F) {
	for _, s := range []string{
		`Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull"`,
		`Basic realm="a \"b\"", Bearer realm="c",error="invalid_token"`,
		`Negotiate YWJj==, Basic realm=x`, `Bearer realm="https://a`, "Bearer \x00", ",,=,",
	} {
		f.Add(s, "Basic")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		size := 0
		for _, c := range challenge.Parse(a) {
			if c.Scheme == "" || c.Scheme != strings.ToLower(c.Scheme) {
				t.Fatalf("scheme %q", c.Scheme)
			}
			size += len(c.Scheme)
			for k, v := range c.Params {
				size += len(k) + len(v)
			}
		}
		if size > len(a) {
			t.Fatalf("%d bytes out of %d", size, len(a))
		}
		if c, ok := challenge.Pick([]string{a, b}); ok && c.Scheme != "bearer" && c.Scheme != "basic" {
			t.Fatalf("picked %q", c.Scheme)
		}
	})
}

func FuzzErrorBody(f *testing.F) {
	for _, a := range registrytest.Presets() {
		f.Add([]byte(a.Body))
	}
	f.Add([]byte("<html><script>a</script ><b>&#65;</b>"))
	f.Add([]byte(`{"error":{"code":"a","message":"\u001b]0;x"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r := refusal.Parse(body)
		if !utf8.ValidString(r.Text) {
			t.Fatal("not UTF-8")
		}
		if i := strings.IndexFunc(r.Text, unicode.IsControl); i >= 0 {
			t.Fatalf("control character in %q", r.Text)
		}
		if len(r.Codes) > 8 {
			t.Fatalf("%d codes", len(r.Codes))
		}
		for _, c := range r.Codes {
			if c != strings.ToUpper(c) || len(c) > 64 || strings.ContainsAny(c, " \"<>") {
				t.Fatalf("code %q", c)
			}
		}
		if refusal.Line(r.Text) != r.Text {
			t.Fatalf("not one line: %q", r.Text)
		}
	})
}
