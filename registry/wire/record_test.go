package wire_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/internal/registrytest"
)

// TestRecord: every header that tells something is kept.
func TestRecord(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" // of {}
	url := "https://reg.lab/v2/p/manifests/v1"
	for _, tc := range []struct {
		name   string
		status int
		header map[string]string
		body   string
		want   evidence.Step
	}{
		{"plain", 200, map[string]string{"Content-Type": "Application/JSON; charset=utf-8"}, "{}", evidence.Step{MediaType: "application/json", Digest: digest, Size: 2}},
		{"digest", 200, map[string]string{"Docker-Content-Digest": digest, "Content-Type": "a/b"}, "{}", evidence.Step{MediaType: "a/b", Digest: digest, Size: 2}},
		{"schema 1", 200, map[string]string{"Docker-Content-Digest": "sha256:" + digest[8:] + "1", "Content-Type": "application/vnd.docker.distribution.manifest.v1+prettyjws"}, "{}",
			evidence.Step{MediaType: "application/vnd.docker.distribution.manifest.v1+prettyjws", Digest: "sha256:" + digest[8:] + "1", Size: 2}},
		{"other digest", 200, map[string]string{"Docker-Content-Digest": "sha256:" + digest[8:] + "1", "Content-Type": "a/b"}, "{}",
			evidence.Step{MediaType: "a/b", Digest: digest, Size: 2, Failure: evidence.FailedDigest,
				Text: "unexpected digest " + digest + ", the registry names it sha256:" + digest[8:] + "1"}},
		{"limits", 429, map[string]string{"Retry-After": "90", "ratelimit-limit": "100;w=21600", "ratelimit-remaining": "0;w=21600", "docker-ratelimit-source": "192.0.2.1", "Content-Type": ""},
			`{"errors":[{"code":"toomanyrequests","message":"slow down"}]}`,
			evidence.Step{Codes: []string{"TOOMANYREQUESTS"}, Text: "slow down", RetryAfter: now.Add(90 * time.Second),
				Limit: &evidence.RateLimit{Limit: "100;w=21600", Remaining: "0;w=21600", Source: "192.0.2.1"}, Size: 61}},
		{"other spellings", 429, map[string]string{"Retry-After": "Sun, 01 Mar 2026 13:00:00 GMT", "X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "0", "Content-Type": ""}, "",
			evidence.Step{RetryAfter: now.Add(time.Hour), Limit: &evidence.RateLimit{Limit: "10", Remaining: "0"}}},
		{"no sense", 503, map[string]string{"Retry-After": "99999999999", "Content-Type": ""}, "", evidence.Step{}},
		{"before", 503, map[string]string{"Retry-After": "-5", "Content-Type": ""}, "", evidence.Step{}},
		{"challenge", 403, map[string]string{"Www-Authenticate": `Bearer realm="https://auth.lab/token?x=y",error="insufficient_scope",error_description="more wanted"`, "Content-Type": ""}, "",
			evidence.Step{Challenge: "Bearer insufficient_scope", Realm: "https://auth.lab/token", Text: "more wanted"}},
		{"other scheme", 401, map[string]string{"Www-Authenticate": `Negotiate`, "Content-Type": ""}, "", evidence.Step{Challenge: "Negotiate"}},
		{"page", 502, map[string]string{"Content-Type": "text/html"}, "<html><h1>502</h1><p>Bad", evidence.Step{MediaType: "text/html", Text: "HTML page: 502 Bad", Size: 24}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.client.Now = func() time.Time { return now }
			l.serve("reg.lab", "", handle(func(w http.ResponseWriter, _ *http.Request) {
				for k, v := range tc.header {
					w.Header().Set(k, v)
				}
				w.WriteHeader(tc.status)
				_, _ = w.Write([]byte(tc.body))
			}))
			want := tc.want
			want.Name, want.Method, want.URL, want.Status = "manifest", "GET", url, tc.status
			a := l.client.Session("reg.lab", "p", nil).Do(t.Context(), manifest("p"))
			if diff := cmp.Diff(want, a.Last(), cmpopts.IgnoreFields(evidence.Step{}, "Took")); diff != "" {
				t.Error(diff)
			}
			if a.Last().Took.Total == 0 || a.Last().Took.TLS == 0 {
				t.Errorf("%+v", a.Last().Took)
			}
		})
	}
}

// TestStorage: a blob is sent on to a host that gets no credential, and its failure is told with that host's name.
func TestStorage(t *testing.T) {
	t.Parallel()
	g := &registrytest.Group{Storage: "storage.lab"}
	r := g.Add("reg.lab", registrytest.BearerHub)
	r.SetUser(registrytest.User{Name: "ada", Password: password, Pull: []string{"*"}})
	img := small(t)
	if _, err := r.Push("pub", "v1", img); err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	away := registrytest.Fault{ID: "away", Where: registrytest.Where{Host: "reg.lab", Step: registrytest.StepBlob}, Answer: registrytest.Answer{Redirect: "https://storage.lab"}}
	if err := g.Faults.Add(away); err != nil {
		t.Fatal(err)
	}
	l := newLab(t)
	l.serve("reg.lab", "203.0.113.5", g)
	l.serve("storage.lab", "203.0.113.6", g)
	s := l.client.Session("reg.lab", "pub", ada)
	ask := manifest("pub")
	ask.Step, ask.Path = evidence.StepConfig, "/v2/pub/blobs/"+config.String()
	a := s.Do(t.Context(), ask)
	if diff := cmp.Diff([]string{"storage.lab"}, a.Last().Redirects); diff != "" || !a.OK() || len(a.Body) == 0 {
		t.Errorf("%s %v %+v", diff, trail(a), a.Last())
	}
	for _, e := range g.Log.Entries() {
		if e.Step == registrytest.StepStorage && e.Scheme != "" {
			t.Errorf("storage got %+v", e)
		}
	}
	if err := g.Faults.Add(registrytest.Fault{ID: "down", Where: registrytest.Where{Host: "storage.lab"}, Answer: registrytest.Answer{Preset: "storage-denied"}}); err != nil {
		t.Fatal(err)
	}
	a = s.Do(t.Context(), ask)
	if last := a.Last(); last.Status != 403 || last.Text != "answered by storage.lab, to which no credential goes; AccessDenied: Access Denied" {
		t.Errorf("%+v", last)
	}
}

// TestDigest: what is asked for by digest has that digest, whatever the registry names.
func TestDigest(t *testing.T) {
	t.Parallel()
	const (
		of256 = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" // {}
		of512 = "sha512:27c74670adb75075fad058d5ceaf7b20c4e7786c83bae8a32f626f9782af34c9a33c2046ef60fd2a7878d378e29fec851806bbd9a67878f3a9f1cda4830763fd"
	)
	for _, tc := range []struct {
		name, digest, header string
		method               string
		failure              evidence.Failure
	}{
		{"right", of256, "", "GET", ""},
		{"right, named otherwise", of256, of256[:70] + "0", "GET", ""},
		{"wrong", of256[:70] + "0", of256[:70] + "0", "GET", evidence.FailedDigest},
		{"wrong, named right", of256[:70] + "0", of256, "GET", evidence.FailedDigest},
		{"sha512", of512, "", "GET", ""},
		{"sha512, wrong", of512[:100] + "0" + of512[101:], "", "GET", evidence.FailedDigest},
		{"unknown algorithm", "md5:44136fa355b3678a1146ad16f7e8649e", "", "GET", ""},
		{"HEAD", of256[:70] + "0", "", "HEAD", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.serve("reg.lab", "", handle(func(w http.ResponseWriter, _ *http.Request) {
				if tc.header != "" {
					w.Header().Set("Docker-Content-Digest", tc.header)
				}
				_, _ = w.Write([]byte("{}"))
			}))
			ask := manifest("p")
			ask.Method, ask.Path = tc.method, "/v2/p/manifests/"+tc.digest
			a := l.client.Session("reg.lab", "p", nil).Do(t.Context(), ask)
			if a.Last().Failure != tc.failure || (a.Body == nil) != (tc.failure != "" || tc.method == "HEAD") {
				t.Errorf("%+v %q", a.Last(), a.Body)
			}
		})
	}
}
