package wire_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/internal/registrytest/nettest"
	"github.com/refloat-dev/refloat/registry/wire"
)

// TestFlow holds the requests against those of containerd: the challenge of the request that failed, POST, then GET.
func TestFlow(t *testing.T) {
	t.Parallel()
	wrong := &wire.Credential{Username: "ada", Password: "wr0ng-pass"}
	for _, tc := range []struct {
		name  string
		style registrytest.Style
		cred  *wire.Credential
		repo  string
		want  []string
		text  string
	}{
		{"open", registrytest.Open, ada, "pub", []string{"manifest GET 200"}, ""},
		{"open, missing", registrytest.Open, nil, "gone", []string{"manifest GET 404"}, "*"},
		{"hub, public", registrytest.BearerHub, nil, "pub", []string{"manifest GET 401 Bearer", "token GET 200", "manifest GET 200"}, ""},
		{"hub, private", registrytest.BearerHub, nil, "team/app",
			[]string{"manifest GET 401 Bearer", "token GET 200", "manifest GET 401 Bearer insufficient_scope"}, "authentication required"},
		{"hub, credential", registrytest.BearerHub, ada, "team/app", []string{"manifest GET 401 Bearer", "token POST 200", "manifest GET 200"}, ""},
		{"hub, refresh token", registrytest.BearerHub, &wire.Credential{Password: password}, "team/app",
			[]string{"manifest GET 401 Bearer", "token POST 200", "manifest GET 200"}, ""},
		{"hub, no password", registrytest.BearerHub, &wire.Credential{Username: "ada"}, "pub",
			[]string{"manifest GET 401 Bearer", "token GET 200", "manifest GET 200"}, ""},
		{"hub, wrong", registrytest.BearerHub, wrong, "pub",
			[]string{"manifest GET 401 Bearer", "token POST 401", "token GET 401"}, "incorrect username or password"},
		{"quay, private", registrytest.BearerQuay, nil, "team/app", []string{"manifest GET 401 Bearer", "token GET 200", "manifest GET 401 Bearer"}, "*"},
		{"ghcr, private", registrytest.BearerStrict, nil, "team/app", []string{"manifest GET 401 Bearer", "token GET 401"}, "authentication required"},
		{"ghcr, wrong", registrytest.BearerStrict, wrong, "team/app", []string{"manifest GET 401 Bearer", "token POST 403"}, "denied"},
		{"gar, wrong", registrytest.BearerForbidding, wrong, "team/app", []string{"manifest GET 401 Bearer", "token POST 401", "token GET 401"}, "authentication failed"},
		{"ecr, anonymous", registrytest.BasicECR, nil, "pub", []string{"manifest GET 401 Basic"}, "no basic auth credentials; Not Authorized"},
		{"ecr, no password", registrytest.BasicECR, &wire.Credential{Username: "AWS"}, "pub", []string{"manifest GET 401 Basic"}, "no basic auth credentials; Not Authorized"},
		{"ecr, no user", registrytest.BasicECR, &wire.Credential{Password: "x"}, "pub", []string{"manifest GET 401 Basic"}, "no basic auth credentials; Not Authorized"},
		{"ecr", registrytest.BasicECR, ada, "team/app", []string{"manifest GET 401 Basic", "manifest GET 200"}, ""},
		{"ecr, wrong", registrytest.BasicECR, wrong, "team/app", []string{"manifest GET 401 Basic", "manifest GET 401 Basic"}, "Not Authorized"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			r, digest := registry(t, tc.style)
			l.serve("reg.lab", "", r)
			s := l.client.Session("reg.lab", tc.repo, tc.cred)
			a := s.Do(t.Context(), manifest(tc.repo))
			if diff := cmp.Diff(tc.want, trail(a)); diff != "" {
				t.Error(diff)
			}
			last := a.Last()
			if tc.text != "*" && last.Text != tc.text || tc.text == "*" && last.Text == "" {
				t.Errorf("text %q, want %q", last.Text, tc.text)
			}
			clean(t, a, "wr0ng-pass")
			if last.Status != http.StatusOK {
				return
			}
			if !a.OK() || last.Digest != digest || last.Size != int64(len(a.Body)) || last.Size == 0 || a.Header.Get("Docker-Content-Digest") != digest {
				t.Errorf("%+v, %d bytes", last, len(a.Body))
			}
			again := s.Do(t.Context(), wire.Ask{Step: "config", Method: http.MethodHead, Path: "/v2/" + tc.repo + "/manifests/" + digest, Accept: accept})
			if diff := cmp.Diff([]string{"config HEAD 200"}, trail(again)); diff != "" || again.Last().Size != last.Size || again.Last().Digest != digest {
				t.Errorf("a later ask: %s %+v", diff, again.Last())
			}
		})
	}
}

// asked is what a request brought along.
type asked struct{ Method, Path, Query, Body, Auth string }

func ask(t *testing.T, req *http.Request) asked {
	t.Helper()
	b, err := io.ReadAll(io.LimitReader(req.Body, 1<<20))
	if err != nil {
		t.Error(err)
	}
	if ua := req.UserAgent(); ua != "refloat" {
		t.Errorf("user agent %q", ua)
	}
	if enc := req.Header.Get("Accept-Encoding"); enc != "identity" {
		t.Errorf("accept-encoding %q", enc)
	}
	return asked{req.Method, req.URL.Path, req.URL.RawQuery, string(b), req.Header.Get("Authorization")}
}

// TestTokenRequests looks at the token requests byte by byte.
func TestTokenRequests(t *testing.T) {
	t.Parallel()
	const scope = "scope=repository%3Ap%2Fq%3Apull"
	get := asked{"GET", "/tok", "a=1&" + scope + "&service=svc", "", ""}
	basicGet := get
	basicGet.Auth = "Basic YWRhOnNlY3JldC1wYXNz"
	post := asked{"POST", "/tok", "a=1", "client_id=containerd-client&grant_type=password&password=secret-pass&" + scope + "&service=svc&username=ada", ""}
	refresh := post
	refresh.Body = "client_id=containerd-client&grant_type=refresh_token&refresh_token=secret-pass&" + scope + "&service=svc"
	const token = `{"token":"t0ken-value","access_token":"t0ken-value"}`
	cred := &wire.Credential{Username: "ada", Password: "secret-pass"}
	for _, tc := range []struct {
		name    string
		cred    *wire.Credential
		status  int
		body    string
		want    []asked
		failure evidence.Failure
		text    string
	}{
		{"anonymous", nil, 200, token, []asked{get}, "", ""},
		{"anonymous, only token", nil, 200, `{"token":"t0ken-value"}`, []asked{get}, "", ""},
		{"password", cred, 200, token, []asked{post}, "", ""},
		{"refresh token", &wire.Credential{Password: "secret-pass"}, 200, token, []asked{refresh}, "", ""},
		{"POST brings only token", cred, 200, `{"token":"t0ken-value"}`, []asked{post}, "body", "authorization server did not include a token in the response"},
		{"no token", nil, 200, "{}", []asked{get}, "body", "authorization server did not include a token in the response"},
		{"no JSON", nil, 200, "<html>", []asked{get}, "body", "unable to decode token response"},
		{"a string for a number", nil, 200, `{"token":"t","expires_in":"300"}`, []asked{get}, "body", "unable to decode token response"},
		{"a token with a line break", nil, 200, `{"token":"a\r\nX: y"}`, []asked{get}, "body", "the token is one that no header can carry"},
		{"a token of 200 KB", nil, 200, `{"token":"` + strings.Repeat("x", 200_000) + `"}`, []asked{get}, "body", "the token is one that no header can carry"},
		{"POST 400", cred, 400, "{}", []asked{post, basicGet}, "", ""},
		{"POST 404", cred, 404, "", []asked{post, basicGet}, "", ""},
		{"POST 405", cred, 405, "", []asked{post, basicGet}, "", ""},
		{"POST 405 without a user", &wire.Credential{Password: "secret-pass"}, 405, "", []asked{refresh}, "", ""},
		{"POST 403", cred, 403, `{"details":"no"}`, []asked{post}, "", "no"},
		{"POST 429", cred, 429, `{"details":"slow"}`, []asked{post}, "", "slow"},
		{"POST 503", cred, 503, "", []asked{post}, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			var got []asked
			l.serve("auth.lab", "", handle(func(w http.ResponseWriter, req *http.Request) {
				got = append(got, ask(t, req))
				w.WriteHeader(tc.status)
				_, _ = io.WriteString(w, tc.body)
			}))
			l.serve("reg.lab", "", handle(func(w http.ResponseWriter, req *http.Request) {
				if req.Header.Get("Authorization") == "Bearer t0ken-value" {
					return
				}
				w.Header().Set("Www-Authenticate", `Bearer realm="https://auth.lab/tok?a=1",service="svc",scope="repository:p/q:pull"`)
				w.WriteHeader(http.StatusUnauthorized)
			}))
			s := l.client.Session("reg.lab", "p/q", tc.cred)
			a := s.Do(t.Context(), manifest("p/q"))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			for _, step := range a.Steps {
				if step.Name == evidence.StepToken && (step.URL != "https://auth.lab/tok" || step.Realm != step.URL) {
					t.Errorf("token at %q, realm %q", step.URL, step.Realm)
				}
			}
			clean(t, a, "secret-pass", "t0ken-value", basicGet.Auth[6:])
			last := a.Last()
			if last.Failure != tc.failure || last.Text != tc.text {
				t.Errorf("%q %q", last.Failure, last.Text)
			}
			if last.Name != evidence.StepToken {
				return
			}
			n := len(got)
			b := s.Do(t.Context(), manifest("p/q"))
			if again := tc.status >= 500 || tc.failure != ""; again != (len(got) > n) || b.Last().Status != last.Status {
				t.Errorf("asked %d times more, %v", len(got)-n, trail(b))
			}
		})
	}
}

// TestExpiry: a token is renewed when its time is over, and once when the registry says that it is.
func TestExpiry(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	now := time.Unix(1_800_000_000, 0)
	l.client.Now = func() time.Time { return now }
	var tokens int
	valid := ""
	l.serve("reg.lab", "", handle(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/token" {
			tokens++
			valid = fmt.Sprintf("token-%d", tokens)
			_ = json.NewEncoder(w).Encode(map[string]any{"token": valid, "expires_in": 60})
			return
		}
		if got := req.Header.Get("Authorization"); valid == "" || got != "Bearer "+valid {
			h := `Bearer realm="https://reg.lab/token"`
			if got != "" {
				h += `,error="invalid_token"`
			}
			w.Header().Set("Www-Authenticate", h)
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	s := l.client.Session("reg.lab", "p", nil)
	for _, tc := range []struct {
		name string
		do   func()
		want []string
	}{
		{"first", func() {}, []string{"manifest GET 401 Bearer", "token GET 200", "manifest GET 200"}},
		{"kept", func() {}, []string{"manifest GET 200"}},
		{"over", func() { now = now.Add(61 * time.Second) }, []string{"token GET 200", "manifest GET 200"}},
		{"revoked", func() { valid = "another" }, []string{"manifest GET 401 Bearer invalid_token", "token GET 200", "manifest GET 200"}},
	} {
		tc.do()
		if diff := cmp.Diff(tc.want, trail(s.Do(t.Context(), manifest("p")))); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

// TestBasicAfterToken is Harbor's manner: the token is answered with a Basic challenge.
func TestBasicAfterToken(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		cred *wire.Credential
		want []string
		text string
	}{
		{"anonymous", nil, []string{"manifest GET 401 Bearer", "token GET 200", "manifest GET 401 Basic"}, "no basic auth credentials"},
		{"credential", ada, []string{"manifest GET 401 Bearer", "token POST 200", "manifest GET 401 Basic", "manifest GET 200"}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.serve("reg.lab", "", handle(func(w http.ResponseWriter, req *http.Request) {
				if req.URL.Path == "/token" {
					_, _ = io.WriteString(w, `{"access_token":"t"}`)
					return
				}
				switch scheme, _, _ := strings.Cut(req.Header.Get("Authorization"), " "); scheme {
				case "":
					w.Header().Set("Www-Authenticate", `Bearer realm="https://reg.lab/token"`)
				case "Bearer":
					w.Header().Set("Www-Authenticate", `Basic realm="harbor"`)
				case "Basic":
					return
				}
				w.WriteHeader(http.StatusUnauthorized)
			}))
			a := l.client.Session("reg.lab", "p", tc.cred).Do(t.Context(), manifest("p"))
			if diff := cmp.Diff(tc.want, trail(a)); diff != "" || a.Last().Text != tc.text {
				t.Error(diff, a.Last().Text)
			}
		})
	}
}

// TestLoopback: a registry on this machine is plain HTTP, and so may its realm be.
func TestLoopback(t *testing.T) {
	t.Parallel()
	r, _ := registry(t, registrytest.BearerHub)
	ln := listen(t)
	srv := nettest.Serve(ln, r, nil)
	c := &wire.Client{}
	t.Cleanup(func() {
		c.CloseIdleConnections()
		_ = srv.Close()
	})
	a := c.Session(ln.Addr().String(), "team/app", ada).Do(t.Context(), manifest("team/app"))
	if !a.OK() || len(a.Steps) != 3 || !strings.HasPrefix(a.Last().URL, "http://127.0.0.1:") {
		t.Errorf("%v %+v", trail(a), a.Last())
	}
	if a.Steps[0].Took.Connect == 0 || a.Steps[0].Took.Total == 0 || a.Last().Took.Connect != 0 || a.Last().Took.FirstByte == 0 {
		t.Errorf("times: %+v, %+v", a.Steps[0].Took, a.Last().Took)
	}
}

func TestHost(t *testing.T) {
	t.Parallel()
	c := &wire.Client{}
	for in, want := range map[string]string{
		"docker.io": "registry-1.docker.io", "index.docker.io": "registry-1.docker.io", "ghcr.io": "ghcr.io", "reg.lab:5000": "reg.lab:5000",
		"[::1]:5000": "[::1]:5000", "": "", "a/b": "", "a@b": "", "a?b": "", "a#b": "", "a b": "", "a:b": "", "user:pw@reg.lab": "", "a\r\nb": "",
	} {
		s := c.Session(in, "x", ada)
		if got := s.Host(); got != want {
			t.Errorf("Host(%q) = %q, want %q", in, got, want)
		}
		if want == "" {
			if a := s.Do(t.Context(), manifest("x")); a.Last().Failure != evidence.FailedUnsafe || len(a.Steps) != 1 {
				t.Errorf("%q: %v", in, trail(a))
			}
		}
	}
	for _, path := range []string{"", "v2/", "@evil.lab/v2/", ":80/", ".evil.lab/", "/%zz", "/a\nb"} {
		a := c.Session("reg.lab", "x", ada).Do(t.Context(), wire.Ask{Step: "ping", Path: path})
		if a.Last().Failure != evidence.FailedUnsafe || a.Last().Status != 0 {
			t.Errorf("%q: %v", path, trail(a))
		}
	}
}

func TestOnlyReads(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"PUT", "DELETE", "POST", "get", "GET\r\nX: y"} {
		a := (&wire.Client{}).Session("reg.lab", "x", ada).Do(t.Context(), wire.Ask{Step: "manifest", Method: method, Path: "/v2/"})
		if a.Last().Failure != evidence.FailedUnsafe || a.Last().Status != 0 {
			t.Errorf("%q: %v", method, trail(a))
		}
	}
}

func TestCredentialIsSilent(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(map[string]any{"a": ada, "b": *ada})
	if err != nil {
		t.Fatal(err)
	}
	all := string(b) + fmt.Sprintf("%v %+v %#v %s %q %x %d", *ada, *ada, *ada, *ada, *ada, *ada, *ada) + fmt.Sprint(ada, []wire.Credential{*ada}, ada.LogValue())
	if strings.Contains(all, "Tr0ub") || strings.Contains(all, "547230") || strings.Contains(all, "ada") {
		t.Error(all)
	}
}

// TestMany: one client, many sessions at once.
func TestMany(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for i, style := range []registrytest.Style{registrytest.BearerHub, registrytest.BasicECR, registrytest.Open} {
		r, _ := registry(t, style)
		l.serve(fmt.Sprintf("reg%d.lab", i), "203.0.113.5", r)
	}
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Go(func() {
			s := l.client.Session(fmt.Sprintf("reg%d.lab", i%3), "team/app", ada)
			for range 3 {
				if a := s.Do(t.Context(), manifest("team/app")); !a.OK() {
					t.Errorf("%v %+v", trail(a), a.Last())
				}
			}
		})
	}
	wg.Wait()
}

func TestGivenUp(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ctx, cancel := context.WithCancel(t.Context())
	l.serve("reg.lab", "", handle(func(_ http.ResponseWriter, req *http.Request) {
		cancel()
		<-req.Context().Done()
		panic(http.ErrAbortHandler)
	}))
	a := l.client.Session("reg.lab", "p", ada).Do(ctx, manifest("p"))
	if s := a.Last(); s.Failure != evidence.FailedInterrupted || s.Text != "given up by the caller" {
		t.Errorf("%+v", s)
	}
	a = l.client.Session("169.254.169.254", "p", ada).Do(t.Context(), manifest("p"))
	if s := a.Last(); s.Failure != evidence.FailedUnsafe || s.Status != 0 {
		t.Errorf("%+v", s)
	}
}

// TestPingAndFork: a ping offers nothing and is not learnt from; a fork has the token already.
func TestPingAndFork(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	r, _ := registry(t, registrytest.BearerHub)
	l.serve("reg.lab", "", r)
	s := l.client.Session("reg.lab", "team/app", ada)
	p := s.Ping(t.Context())
	if diff := cmp.Diff([]string{"ping GET 401 Bearer"}, trail(p)); diff != "" || p.Header.Get("Www-Authenticate") == "" {
		t.Error(diff)
	}
	if a := s.Do(t.Context(), manifest("team/app")); len(a.Steps) != 3 {
		t.Error(trail(a))
	}
	var wg sync.WaitGroup
	for range 4 {
		f := s.Fork()
		wg.Go(func() {
			a := f.Do(t.Context(), manifest("team/app"))
			if diff := cmp.Diff([]string{"manifest GET 200"}, trail(a)); diff != "" {
				t.Error(diff)
			}
			clean(t, a)
		})
	}
	wg.Wait()
	for _, e := range r.Log.Entries() {
		if e.Step == registrytest.StepPing && e.Scheme != "" {
			t.Errorf("%+v", e)
		}
	}
	if a := l.client.Session("a b", "x", ada).Ping(t.Context()); a.Last().Failure != evidence.FailedUnsafe {
		t.Error(trail(a))
	}
}
