package challenge_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/refloat-dev/refloat/registry/wire/challenge"
)

type params = map[string]string

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, in string
		want     []challenge.Challenge
	}{
		{"hub", `Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"`, []challenge.Challenge{
			{Scheme: "bearer", Params: params{"realm": "https://auth.docker.io/token", "service": "registry.docker.io", "scope": "repository:a/b:pull,push"}}}},
		{"blanks and case", `BEARER  Realm = "a" , SERVICE=b`, []challenge.Challenge{{Scheme: "bearer", Params: params{"realm": "a", "service": "b"}}}},
		{"escapes", `Basic realm="a \"b\" \\ c"`, []challenge.Challenge{{Scheme: "basic", Params: params{"realm": `a "b" \ c`}}}},
		{"several in one", `Basic realm="a, b", Bearer realm="c",error="invalid_token", Negotiate`, []challenge.Challenge{
			{Scheme: "basic", Params: params{"realm": "a, b"}},
			{Scheme: "bearer", Params: params{"realm": "c", "error": "invalid_token"}},
			{Scheme: "negotiate", Params: params{}}}},
		{"token68", `Negotiate YWJj/+==, Basic realm=x`, []challenge.Challenge{
			{Scheme: "negotiate", Params: params{}}, {Scheme: "basic", Params: params{"realm": "x"}}}},
		{"empty elements", `,, Basic ,, realm=x,`, []challenge.Challenge{{Scheme: "basic", Params: params{"realm": "x"}}}},
		{"empty value", `Bearer realm="",service=x`, []challenge.Challenge{{Scheme: "bearer", Params: params{"realm": "", "service": "x"}}}},
		{"the last counts", `Bearer realm=a,realm=b`, []challenge.Challenge{{Scheme: "bearer", Params: params{"realm": "b"}}}},
		{"not closed", `Bearer service=x,realm="https://a`, []challenge.Challenge{{Scheme: "bearer", Params: params{"service": "x", "realm": ""}}}},
		{"nothing", "", nil},
		{"only a parameter", `realm="a"`, nil},
		{"garbage", "\x00\x01", nil},
		{"garbage after", "Basic realm=a;b", []challenge.Challenge{{Scheme: "basic", Params: params{"realm": "a"}}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, challenge.Parse(tc.in)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPick(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		in    []string
		want  string
		realm string
		ok    bool
	}{
		{"bearer before basic", []string{`Basic realm="b"`, `Bearer realm="a"`}, "Bearer", "a", true},
		{"basic before others", []string{"Negotiate", `Digest realm="d"`, `Basic realm="b"`}, "Basic", "b", true},
		{"the first basic", []string{`Basic realm="b"`, `Basic realm="c"`}, "Basic", "b", true},
		{"the first in a header", []string{`Basic realm="b", Bearer realm="a"`}, "Basic", "b", true},
		{"none that is supported", []string{"Negotiate"}, "Negotiate", "", false},
		{"none", nil, "", "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c, ok := challenge.Pick(tc.in)
			if c.Name() != tc.want || c.Params["realm"] != tc.realm || ok != tc.ok {
				t.Errorf("got %q %v %v", c.Name(), c.Params, ok)
			}
		})
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"challenges": strings.Repeat("Bearer realm=a, ", 10_000),
		"params":     "Bearer " + strings.Repeat("a=b,", 10_000),
		"names":      "Bearer " + strings.Repeat(`a`, 1<<20) + `="x"`,
		"quotes":     `Bearer realm="` + strings.Repeat(`\"`, 1<<20),
	} {
		total := 0
		for _, c := range challenge.Parse(in) {
			total += 1 + len(c.Params)
		}
		if total > 80 {
			t.Errorf("%s: %d kept", name, total)
		}
	}
	many := make([]string, 10_000)
	for i := range many {
		many[i] = "Negotiate"
	}
	many = append(many, "Bearer realm=a")
	if _, ok := challenge.Pick(many); ok {
		t.Error("read 10,000 headers")
	}
}
