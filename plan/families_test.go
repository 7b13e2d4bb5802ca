package plan

import (
	"testing"

	"github.com/refloat-dev/refloat/diagnose"
)

func TestEveryCauseHasAFamily(t *testing.T) {
	t.Parallel()
	for _, c := range diagnose.Codes() {
		if _, ok := families[c]; !ok && c != diagnose.Unknown {
			t.Errorf("no steps for %s", c)
		}
	}
	if want := len(diagnose.Codes()) - 1; len(families) != want {
		t.Errorf("steps for %d causes, want %d", len(families), want)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   string
		want reference
	}{
		{"nginx", reference{"docker.io", "library/nginx", "", ""}},
		{"nginx:1.29", reference{"docker.io", "library/nginx", "1.29", ""}},
		{"shop/web", reference{"docker.io", "shop/web", "", ""}},
		{"index.docker.io/shop/web", reference{"docker.io", "shop/web", "", ""}},
		{"registry.example.com/shop/web:v1", reference{"registry.example.com", "shop/web", "v1", ""}},
		{"registry.example.com:5000/web", reference{"registry.example.com:5000", "web", "", ""}},
		{"localhost/web:v1@sha256:0a", reference{"localhost", "web", "v1", "sha256:0a"}},
		{"", reference{"docker.io", "library/", "", ""}},
	} {
		if got := parse(tt.in); got != tt.want {
			t.Errorf("parse(%q) = %+v, want %+v", tt.in, got, tt.want)
		}
	}
}

func TestRespell(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in, want string
		ok       bool
	}{
		{"nginx:1.29", "docker.io/library/nginx:1.29", true},
		{"registry.example.com/a", "registry.example.com/a:latest", true},
		{"registry.example.com/a:v1", "registry.example.com/a:v1", false},
		{"a b", "", false},
	} {
		got, ok := respell(tt.in)
		if ok != tt.ok || ok && got != tt.want {
			t.Errorf("respell(%q) = %q, %v", tt.in, got, ok)
		}
	}
}
