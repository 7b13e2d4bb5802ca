package registrytest_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/refloat-dev/refloat/internal/registrytest"
)

// guarded is a private registry of that style that holds team/app:v1; ada may
// pull it.
func guarded(t *testing.T, style registrytest.Style) *registrytest.Registry {
	t.Helper()
	r, _ := stocked(t)
	r.Style, r.Private = style, []string{"team/*"}
	r.SetUser(registrytest.User{Name: "ada", Password: "right", Pull: []string{"team/*"}})
	return r
}

const tokenURL = "http://reg.lab/token"

// post sends the form that containerd sends.
func post(t *testing.T, tr http.RoundTripper, form ...string) (int, string) {
	t.Helper()
	v := url.Values{"service": {"reg.lab"}, "client_id": {"containerd-client"}, "scope": {"repository:team/app:pull"}}
	for i := 0; i < len(form); i += 2 {
		v.Set(form[i], form[i+1])
	}
	resp, err := (&http.Client{Transport: tr}).PostForm(tokenURL, v)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestTokenGrants(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		form   []string
		status int
	}{
		{"password", []string{"grant_type", "password", "username", "ada", "password", "right"}, 200},
		{"refresh token", []string{"grant_type", "refresh_token", "refresh_token", "right"}, 200},
		{"wrong password", []string{"grant_type", "password", "username", "ada", "password", "wrong"}, 401},
		{"somebody else's password", []string{"grant_type", "password", "username", "bob", "password", "right"}, 401},
		{"no user name", []string{"grant_type", "password", "username", "", "password", "right"}, 401},
		{"wrong refresh token", []string{"grant_type", "refresh_token", "refresh_token", "wrong"}, 401},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tr := client(t, guarded(t, registrytest.BearerHub))
			status, body := post(t, tr, tc.form...)
			if status != tc.status {
				t.Fatalf("status %d (%s), want %d", status, body, tc.status)
			}
			if status != http.StatusOK {
				if want := `{"details":"incorrect username or password"}` + "\n"; body != want {
					t.Errorf("body %q, want %q", body, want)
				}
				return
			}
			resp, _, err := ask(t, tr, http.MethodHead, tagURL, "Authorization", "Bearer "+tokenIn(t, body))
			if err != nil || resp.StatusCode != http.StatusOK {
				t.Errorf("the token does not open the repository: %v, %v", resp, err)
			}
		})
	}
}

func tokenIn(t *testing.T, body string) string {
	t.Helper()
	var v struct {
		Token       string `json:"token"`
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
	}
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatal(err)
	}
	if v.Token == "" || v.Token != v.AccessToken || v.ExpiresIn != 300 {
		t.Errorf("token response %+v", v)
	}
	return v.Token
}

func TestChallenges(t *testing.T) {
	t.Parallel()
	const plain = `Bearer realm="http://reg.lab/token",service="reg.lab",scope="repository:team/app:pull"`
	for _, tc := range []struct {
		name  string
		style registrytest.Style
		token string // "", "anonymous", "forged", "old"
		want  string
	}{
		{"hub, first", registrytest.BearerHub, "", plain},
		{"hub, anonymous", registrytest.BearerHub, "anonymous", plain + `,error="insufficient_scope"`},
		{"hub, forged", registrytest.BearerHub, "forged", plain + `,error="invalid_token"`},
		{"hub, old", registrytest.BearerHub, "old", plain + `,error="invalid_token"`},
		{"quay, anonymous", registrytest.BearerQuay, "anonymous", plain},
		{"ecr", registrytest.BasicECR, "", `Basic realm="http://reg.lab/",service="ecr.amazonaws.com"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := guarded(t, tc.style)
			if tc.token == "old" {
				r.Now = stepping(time.Hour)
			}
			tr := client(t, r)
			var header []string
			switch tc.token {
			case "anonymous", "old":
				_, body, err := ask(t, tr, http.MethodGet, tokenURL+"?service=reg.lab&scope=repository%3Ateam%2Fapp%3Apull")
				if err != nil {
					t.Fatal(err)
				}
				header = []string{"Authorization", "Bearer " + tokenIn(t, body)}
			case "forged":
				header = []string{"Authorization", "Bearer " + base64.RawURLEncoding.EncodeToString([]byte(`{"exp":9999999999}`)) + ".AAAA"}
			}
			resp, _, err := ask(t, tr, http.MethodGet, tagURL, header...)
			if err != nil {
				t.Fatal(err)
			}
			if got := resp.Header.Get("Www-Authenticate"); resp.StatusCode != 401 || got != tc.want {
				t.Errorf("%d %s, want 401 %s", resp.StatusCode, got, tc.want)
			}
		})
	}
}

// stepping is a clock that every look puts forward.
func stepping(by time.Duration) func() time.Time {
	var looks atomic.Int64
	return func() time.Time { return time.Now().Add(time.Duration(looks.Add(1)) * by) }
}

func TestRefusalTexts(t *testing.T) {
	t.Parallel()
	basic := func(user, password string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	}
	for _, tc := range []struct {
		name, url, auth string
		style           registrytest.Style
		status          int
		code, text      string
	}{
		{"expired", tagURL, basic("AWS", "old"), registrytest.BasicECR, 403, "DENIED",
			"Your authorization token has expired. Reauthenticate and try again."},
		{"no permission", tagURL, basic("bob", "bob"), registrytest.BasicECR, 403, "DENIED", "is not authorized to perform: ecr:BatchGetImage"},
		{"no repository", "http://reg.lab/v2/team/gone/manifests/v1", basic("ada", "right"), registrytest.BasicECR, 404, "NAME_UNKNOWN",
			"The repository with name 'team/gone' does not exist in the registry with id '123456789012'"},
		{"no tag", tagURL + "2", basic("ada", "right"), registrytest.BasicECR, 404, "MANIFEST_UNKNOWN", "Requested image not found"},
		{"anonymous", tokenURL + "?scope=repository:team/app:pull", "", registrytest.BearerForbidding, 403, "DENIED", "(or it may not exist)"},
		{"anonymous", tokenURL + "?scope=repository:team/app:pull", "", registrytest.BearerStrict, 401, "UNAUTHORIZED", "authentication required"},
		{"wrong", tokenURL + "?scope=repository:team/app:pull", basic("ada", "x"), registrytest.BearerStrict, 403, "DENIED", "denied"},
		{"no tag", tagURL + "2", "", registrytest.Open, 404, "MANIFEST_UNKNOWN", "manifest unknown"},
		{"no repository", "http://reg.lab/v2/gone/tags/list", "", registrytest.Open, 404, "NAME_UNKNOWN", "repository name not known to registry"},
	} {
		t.Run(fmt.Sprintf("%s, %s", tc.style, tc.name), func(t *testing.T) {
			t.Parallel()
			r := guarded(t, tc.style)
			r.SetUser(registrytest.User{Name: "bob", Password: "bob"})
			r.SetUser(registrytest.User{Name: "AWS", Password: "old", Pull: []string{"*"}, Expires: time.Now().Add(-time.Minute)})
			resp, body, err := ask(t, client(t, r), http.MethodGet, tc.url, "Authorization", tc.auth)
			if err != nil {
				t.Fatal(err)
			}
			var v struct {
				Errors []struct{ Code, Message string }
			}
			if err := json.Unmarshal([]byte(body), &v); err != nil || len(v.Errors) != 1 {
				t.Fatalf("%v: %s", err, body)
			}
			if e := v.Errors[0]; resp.StatusCode != tc.status || e.Code != tc.code || !strings.Contains(e.Message, tc.text) {
				t.Errorf("%d %+v, want %d %s %q", resp.StatusCode, e, tc.status, tc.code, tc.text)
			}
		})
	}
}

func TestLockOut(t *testing.T) {
	t.Parallel()
	r := guarded(t, registrytest.BearerHub)
	r.LockAfter = 2
	tr := client(t, r)
	var got []int
	for _, password := range []string{"x", "x", "x", "right"} {
		status, _ := post(t, tr, "grant_type", "password", "username", "ada", "password", password)
		got = append(got, status)
	}
	if diff := cmp.Diff([]int{401, 401, 429, 429}, got); diff != "" {
		t.Error(diff)
	}
	if _, body := post(t, tr, "grant_type", "password", "username", "ada", "password", "right"); !strings.Contains(body, "too many failed login attempts") {
		t.Errorf("body %q", body)
	}
	r.SetUser(registrytest.User{Name: "ada", Password: "right", Pull: []string{"*"}})
	if status, _ := post(t, tr, "grant_type", "password", "username", "ada", "password", "right"); status != 200 {
		t.Errorf("after the reset: %d", status)
	}
}

func TestECRPassword(t *testing.T) {
	t.Parallel()
	b, err := base64.StdEncoding.DecodeString(registrytest.ECRPassword(time.Unix(1700000000, 0)))
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Type       string
		Expiration int64
	}
	if err := json.Unmarshal(b, &v); err != nil || v.Type != "DATA_KEY" || v.Expiration != 1700000000 {
		t.Errorf("%v: %s", err, b)
	}
}
