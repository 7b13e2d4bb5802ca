package registrytest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/refloat-dev/refloat/internal/registrytest"
)

func TestPresets(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		preset string
		status int
		header map[string]string
		body   string // contained
	}{
		{"rate-limited", 429, map[string]string{"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "0;w=21600",
			"docker-ratelimit-source": "192.0.2.10", "retry-after": "3600"}, "You have reached your unauthenticated pull rate limit"},
		{"rate-limited-bare", 429, nil, "Too Many Requests"},
		{"error-500", 500, nil, `"UNKNOWN"`},
		{"error-502", 502, map[string]string{"content-type": "text/html; charset=utf-8"}, "502 Bad Gateway"},
		{"error-503", 503, map[string]string{"content-type": "application/json"}, `"UNAVAILABLE"`},
		{"error-504", 504, nil, "504 Gateway Time-out"},
		{"payment-required", 402, nil, "Payment required"},
		{"user-inactive", 403, nil, `{"err":"user is not active"}`},
		{"client-blocked-geo", 403, map[string]string{"content-type": "text/html; charset=utf-8"}, "export control"},
		{"client-blocked-acr", 403, nil, "is not allowed access"},
		{"content-policy", 412, nil, `vulnerability severity of \"Critical\"`},
		{"manifest-unknown", 404, nil, "MANIFEST_UNKNOWN"},
		{"html", 200, map[string]string{"content-type": "text/html; charset=utf-8", "docker-content-digest": ""}, "It works!"},
		{"foreign-api", 200, map[string]string{"content-type": "application/json"}, "artifact-portal"},
		{"no-type", 200, map[string]string{"content-type": ""}, `"schemaVersion"`},
		{"odd-type", 200, map[string]string{"content-type": "application/x-foo"}, `"schemaVersion"`},
		{"redirect-away", 307, map[string]string{"location": "https://storage.invalid/bucket/reg.lab/team/app/v1"}, ""},
	} {
		t.Run(tc.preset, func(t *testing.T) {
			t.Parallel()
			r, _ := stocked(t)
			set(t, r, registrytest.Where{Step: registrytest.StepManifest}, registrytest.Answer{Preset: tc.preset})
			tr := client(t, r)
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				resp, body, err := ask(t, tr, method, tagURL)
				if err != nil {
					t.Fatal(err)
				}
				if resp.StatusCode != tc.status {
					t.Errorf("%s: status %d, want %d", method, resp.StatusCode, tc.status)
				}
				for k, v := range tc.header {
					if got := resp.Header.Get(k); got != v {
						t.Errorf("%s: %s is %q, want %q", method, k, got, v)
					}
				}
				if method == http.MethodGet && !strings.Contains(body, tc.body) {
					t.Errorf("body %q lacks %q", body, tc.body)
				}
			}
		})
	}
}

func TestPresetBodiesAreSound(t *testing.T) {
	t.Parallel()
	for name, a := range registrytest.Presets() {
		if strings.HasPrefix(a.Body, "{") && !json.Valid([]byte(a.Body)) {
			t.Errorf("%s: no JSON: %s", name, a.Body)
		}
		if err := (&registrytest.Faults{}).Add(registrytest.Fault{Answer: registrytest.Answer{Preset: name}}); err != nil {
			t.Error(err)
		}
	}
}
