package distribution

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"testing"
)

var challenge = regexp.MustCompile(`^Bearer realm="([^"]+)",service="([^"]+)"(?:,scope="([^"]+)")?$`)

// fetchToken takes the way of a client: asks, reads the challenge, and goes to the realm, as whoever it is.
func fetchToken(t *testing.T, tr http.RoundTripper, path string, as caller) string {
	t.Helper()
	first := send(t, tr, http.MethodGet, "http://"+host+path)
	m := challenge.FindStringSubmatch(first.header.Get("Www-Authenticate"))
	if first.status != http.StatusUnauthorized || m == nil {
		t.Fatalf("%d %v is no challenge", first.status, first.header)
	}
	realm, err := url.Parse(m[1])
	if err != nil {
		t.Fatal(err)
	}
	q := url.Values{"service": {m[2]}}
	if m[3] != "" {
		q.Set("scope", m[3])
	}
	realm.RawQuery = q.Encode()
	var header []string
	if as == ada {
		header = []string{"Authorization", basic(user, password)}
	}
	got := send(t, tr, http.MethodGet, realm.String(), header...)
	var v struct {
		Token     string `json:"token"`
		ExpiresIn int    `json:"expires_in"`
	}
	if err := json.Unmarshal(got.body, &v); err != nil || got.status != http.StatusOK || v.Token == "" || v.ExpiresIn < 60 {
		t.Fatalf("%d %s is no token: %v", got.status, got.body, err)
	}
	return v.Token
}
