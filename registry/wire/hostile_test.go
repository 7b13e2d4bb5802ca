package wire_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/internal/registrytest/nettest"
	"github.com/refloat-dev/refloat/registry/wire"
)

// bomb is 16 MiB in 16 KiB.
var bomb = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(make([]byte, 16<<20))
	_ = z.Close()
	return b.Bytes()
})

// pour writes blanks until nobody listens, with a pause that keeps the machine free.
func pour(w io.Writer, req *http.Request) {
	blanks := bytes.Repeat([]byte{' '}, 64<<10)
	for req.Context().Err() == nil {
		if _, err := w.Write(blanks); err != nil {
			return
		}
	}
}

func drip(w http.ResponseWriter, req *http.Request, piece string) {
	for req.Context().Err() == nil {
		_, _ = io.WriteString(w, piece)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-req.Context().Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// TestHostileAnswers: whatever a registry answers is bounded and told.
func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		h       func(w http.ResponseWriter, req *http.Request)
		status  int
		failure evidence.Failure
		text    string
	}{
		{"endless body", pourAll, 200, evidence.FailedBody, "the answer is longer than 4194304 bytes"},
		{"1 GB announced", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1073741824")
			_, _ = w.Write([]byte("{"))
		}, 200, evidence.FailedBody, "the answer is longer than 4194304 bytes"},
		{"a body that drips", func(w http.ResponseWriter, req *http.Request) { drip(w, req, " ") }, 200, evidence.FailedTimeout, "no end of the answer"},
		{"no header", func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done(); panic(http.ErrAbortHandler) }, 0, evidence.FailedTimeout, "no answer to the request"},
		{"a header too long", func(w http.ResponseWriter, _ *http.Request) {
			for i := range 100 {
				w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("x", 1000))
			}
		}, 0, evidence.FailedBody, "server response headers exceeded"},
		{"a bomb", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb())
		}, 200, evidence.FailedBody, "the answer is encoded as gzip"},
		{"a bomb in an error", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.WriteHeader(403)
			_, _ = w.Write(bomb())
		}, 403, "", "the error is encoded as gzip"},
		{"a bomb without a name", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(403)
			_, _ = w.Write(bomb())
		}, 403, "", "the error is no text"},
		{"an endless error", func(w http.ResponseWriter, req *http.Request) {
			w.WriteHeader(500)
			_, _ = io.WriteString(w, "no ")
			pour(w, req)
		}, 500, "", "no"},
		{"an error that drips", func(w http.ResponseWriter, req *http.Request) { w.WriteHeader(429); drip(w, req, "slow ") }, 429, "", "slow"},
		{"a long error", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(500)
			_, _ = io.WriteString(w, strings.Repeat("long ", 10_000))
		}, 500, "", "long long"},
		{"challenges", func(w http.ResponseWriter, _ *http.Request) {
			for range 200 {
				w.Header().Add("Www-Authenticate", strings.Repeat("Negotiate, ", 20))
			}
			w.WriteHeader(401)
		}, 401, "", ""},
		{"codes", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(403)
			_, _ = io.WriteString(w, `{"errors":[`+strings.TrimSuffix(strings.Repeat(`{"code":"a","message":"`+strings.Repeat("b", 500)+`"},`, 100), ",")+`]}`)
		}, 403, "", "bbb"},
		{"controls", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Docker-Ratelimit-Source", "1\t2")
			w.WriteHeader(403)
			_, _ = io.WriteString(w, `{"errors":[{"code":"DENIED","message":"a\u001b[2J\u001b]0;pwned\u0007\r\nAuthorization: x\u202e\u0000b"}]}`)
		}, 403, "", "a [2J ]0;pwned Authorization: x b"},
		{"an odd digest", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Docker-Content-Digest", "sha256:../../etc")
			_, _ = io.WriteString(w, "{}")
		}, 200, "", ""},
		{"a cut body", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "{}")
		}, 200, evidence.FailedInterrupted, "unexpected EOF"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			bomb()
			l.serve("reg.lab", "", handle(func(w http.ResponseWriter, req *http.Request) {
				if req.URL.Path != "/v2/" {
					tc.h(w, req)
				}
			}))
			if tc.failure == evidence.FailedTimeout || strings.Contains(tc.name, "drips") {
				l.hurry()
			}
			a := l.client.Session("reg.lab", "p", ada).Do(t.Context(), manifest("p"))
			last := a.Last()
			if len(a.Steps) != 1 || last.Status != tc.status || last.Failure != tc.failure || !strings.Contains(last.Text, tc.text) {
				t.Errorf("%+v", a.Steps)
			}
			if len(last.Text) > 4<<10 || len(last.Codes) > 8 || len(a.Body) > 4<<20 || strings.ContainsFunc(last.Text, unicode.IsControl) {
				t.Errorf("not bounded: %d %d %q", len(last.Text), len(last.Codes), last.Text)
			}
			if tc.failure != "" && (a.Body != nil || a.Header != nil) {
				t.Errorf("a failed answer has a body of %d bytes", len(a.Body))
			}
			clean(t, a)
		})
	}
}

func pourAll(w http.ResponseWriter, req *http.Request) { pour(w, req) }

// TestDripDeep: a server that says one byte at a time below HTTP, and one that says nothing.
func TestDripDeep(t *testing.T) {
	t.Parallel()
	ln := listen(t)
	stop := nettest.Refuse(ln, nettest.Mute)
	defer stop()
	c := &wire.Client{Timeout: short}
	defer c.CloseIdleConnections()
	a := c.Session(ln.Addr().String(), "p", ada).Do(t.Context(), manifest("p"))
	if a.Last().Failure != evidence.FailedTimeout {
		t.Errorf("%+v", a.Last())
	}
}

// TestRedirects: none takes a credential along, none leads to plain HTTP, none goes on for ever.
func TestRedirects(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		location string // for /v2/p/manifests/v1 at reg.lab
		ip       string // of storage.lab
		want     string
		text     string
		sent     int
	}{
		{"elsewhere", "https://storage.lab/x?sig=s3cretsig", "", "manifest GET 200", "", 1},
		{"same host", "/v2/moved", "", "manifest GET 200", "", 0},
		{"circle", "/v2/p/manifests/v1", "", "manifest GET 307 redirect", "redirected in a circle", 0},
		{"circle over another", "https://storage.lab/back", "", "manifest GET 307 redirect", "redirected in a circle", 1},
		{"too many", "https://storage.lab/more/", "", "manifest GET 307 redirect", "redirected more than 5 times", 5},
		{"plain HTTP", "http://storage.lab/x", "", "manifest GET 307 redirect", "redirected from https to http, which is not followed", 0},
		{"plain HTTP on loopback", "http://127.0.0.1:1/x", "", "manifest GET 307 redirect", "redirected from https to http, which is not followed", 0},
		{"file", "file:///etc/passwd", "", "manifest GET 307 redirect", "redirected from https to file, which is not followed", 0},
		{"no address", "https:///x", "", "manifest GET 307 redirect", "redirected to an address that does not parse", 0},
		{"garbage", "https://a b/%zz", "", "manifest GET 307 redirect", "redirected to an address that does not parse", 0},
		{"user", "https://ada:other@storage.lab/x", "", "manifest GET 200", "", 1},
		{"inside", "https://storage.lab/x", "10.1.1.1", "manifest GET 0 unsafe", "storage.lab at 10.1.1.1:443 is a private address", 0},
		{"inside, said", "https://10.1.1.1/x", "", "manifest GET 0 unsafe", "10.1.1.1 is a private address", 0},
		{"localhost", "https://localhost/x", "", "manifest GET 0 unsafe", "localhost is a loopback address", 0},
		{"metadata", "https://[fe80::1]/x", "", "manifest GET 0 unsafe", "fe80::1 is a link-local or special address, to which nothing is sent", 0},
		{"401 there", "https://storage.lab/401", "", "manifest GET 401 Basic", "no basic auth credentials; answered by storage.lab, to which no credential goes", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			sent := 0
			l.serve("storage.lab", cmpOr(tc.ip, "203.0.113.7"), handle(func(w http.ResponseWriter, req *http.Request) {
				sent++
				if got := ask(t, req); got.Auth != "" || req.Header.Get("Cookie") != "" || req.Referer() != "" {
					t.Errorf("sent along: %+v", got)
				}
				switch {
				case req.URL.Path == "/401":
					w.Header().Set("Www-Authenticate", "Basic realm=x")
					w.WriteHeader(401)
				case req.URL.Path == "/back":
					http.Redirect(w, req, "https://reg.lab/v2/p/manifests/v1", http.StatusTemporaryRedirect)
				case strings.HasPrefix(req.URL.Path, "/more/"):
					http.Redirect(w, req, req.URL.Path+"x", http.StatusTemporaryRedirect)
				}
			}))
			l.serve("reg.lab", "203.0.113.5", handle(func(w http.ResponseWriter, req *http.Request) {
				if req.Header.Get("Authorization") == "" {
					w.Header().Set("Www-Authenticate", "Basic realm=x")
					w.WriteHeader(401)
					return
				}
				w.Header().Set("Set-Cookie", "a=b")
				if req.URL.Path != "/v2/moved" {
					w.Header().Set("Location", tc.location)
					w.WriteHeader(307)
				}
			}))
			a := l.client.Session("reg.lab", "p", ada).Do(t.Context(), manifest("p"))
			got := trail(a)
			if got[len(got)-1] != tc.want || !strings.HasPrefix(a.Last().Text, tc.text) || sent != tc.sent {
				t.Errorf("%v %+v, %d sent", got, a.Last(), sent)
			}
			if len(a.Last().Redirects) == 0 || len(a.Last().Redirects) > 6 || a.Last().URL != "https://reg.lab/v2/p/manifests/v1" {
				if tc.text != "redirected to an address that does not parse" {
					t.Errorf("%+v", a.Last())
				}
			}
			clean(t, a, "s3cretsig", "ada:other")
		})
	}
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// TestRealms: what a registry may send its callers' credentials to.
func TestRealms(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, realm string
		reg, auth   string // where the registry and auth.lab seem to be
		failure     evidence.Failure
		text        string
	}{
		{"public", "https://auth.lab/token", "203.0.113.5", "203.0.113.6", "", ""},
		{"inside, from inside", "https://auth.lab/token", "10.0.0.5", "192.168.0.6", "", ""},
		{"outside, from inside", "https://auth.lab/token", "10.0.0.5", "203.0.113.6", "", ""},
		{"inside", "https://auth.lab/token", "203.0.113.5", "10.0.0.6", "unsafe", "auth.lab at 10.0.0.6:443 is a private address and the registry reg.lab is at a public one: nothing is sent further inside"},
		{"inside, IPv6", "https://auth.lab/token", "203.0.113.5", "fd00::6", "unsafe", "auth.lab at [fd00::6]:443 is a private address"},
		{"loopback", "https://auth.lab/token", "203.0.113.5", "127.0.0.1", "unsafe", "auth.lab at 127.0.0.1:443 is a loopback address"},
		{"loopback, from inside", "https://auth.lab/token", "10.0.0.5", "127.0.0.1", "unsafe", "auth.lab at 127.0.0.1:443 is a loopback address"},
		{"metadata, from inside", "https://auth.lab/token", "10.0.0.5", "169.254.169.254", "unsafe", "auth.lab at 169.254.169.254:443 is a link-local"},
		{"private, said", "https://10.0.0.6/token", "203.0.113.5", "", "unsafe", "10.0.0.6 is a private address"},
		{"loopback, said", "https://[::1]/token", "203.0.113.5", "", "unsafe", "::1 is a loopback address"},
		{"localhost, said", "https://localhost/token", "203.0.113.5", "", "unsafe", "localhost is a loopback address"},
		{"metadata, said", "https://169.254.169.254/latest", "127.0.0.1", "", "unsafe", "169.254.169.254 is a link-local"},
		{"another notation", "https://0x7f.1/token", "203.0.113.5", "", "unsafe", "0x7f.1 is a link-local or special"},
		{"plain HTTP", "http://auth.lab/token", "10.0.0.5", "10.0.0.6", "unsafe", "the token realm http://auth.lab/token is not https"},
		{"plain HTTP on loopback", "http://localhost/token", "127.0.0.1", "", "unsafe", "the token realm http://localhost/token is not https"},
		{"gopher", "gopher://auth.lab/x", "203.0.113.5", "", "unsafe", "the token realm gopher://auth.lab/x is not https"},
		{"a user", "https://x:y@auth.lab/token", "203.0.113.5", "", "unsafe", "the token realm names a user of its own"},
		{"none", "", "203.0.113.5", "", "unsafe", "no realm specified"},
		{"relative", "/token", "203.0.113.5", "", "unsafe", "invalid token auth challenge realm"},
		{"garbage", "https://%zz", "203.0.113.5", "", "unsafe", "invalid token auth challenge realm"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			sent := 0
			l.serve("auth.lab", tc.auth, handle(func(w http.ResponseWriter, _ *http.Request) {
				sent++
				_, _ = io.WriteString(w, `{"access_token":"t0k3n-t0k3n"}`)
			}))
			l.serve("reg.lab", tc.reg, handle(func(w http.ResponseWriter, req *http.Request) {
				if req.Header.Get("Authorization") == "" {
					w.Header().Set("Www-Authenticate", fmt.Sprintf("Bearer realm=%q,service=x", tc.realm))
					w.WriteHeader(401)
				}
			}))
			s := l.client.Session("reg.lab", "p", ada)
			a := s.Do(t.Context(), manifest("p"))
			last := a.Last()
			if last.Failure != tc.failure || !strings.HasPrefix(last.Text, tc.text) {
				t.Errorf("%v %+v", trail(a), last)
			}
			if bad := tc.failure != ""; bad != (sent == 0) || bad != (last.Name == evidence.StepToken) {
				t.Errorf("%d sent, %v", sent, trail(a))
			}
			clean(t, a, "t0k3n-t0k3n")
		})
	}
}

// TestRebinding: a name that resolves further inside the second time is not followed there.
func TestRebinding(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.client.Transport.DisableKeepAlives = true
	l.serve("reg.lab", "203.0.113.5", handle(func(http.ResponseWriter, *http.Request) {}))
	do := func() evidence.Step {
		return l.client.Session("reg.lab", "p", ada).Do(t.Context(), manifest("p")).Last()
	}
	for _, tc := range []struct {
		ip   string
		want evidence.Failure
	}{{"203.0.113.5", ""}, {"10.0.0.1", "unsafe"}, {"127.0.0.1", "unsafe"}, {"169.254.169.254", "unsafe"}, {"203.0.113.6", ""}} {
		l.move("reg.lab", tc.ip)
		if got := do(); got.Failure != tc.want {
			t.Errorf("%s: %+v", tc.ip, got)
		}
	}
	l.client.CloseIdleConnections() // forgets
	l.move("reg.lab", "10.0.0.1")
	if got := do(); got.Failure != "" {
		t.Errorf("%+v", got)
	}
}

// TestCredentialStaysHome: a realm's redirect to another host ends the ask, and so does one that would lose the form.
func TestCredentialStaysHome(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		cred     *wire.Credential
		location string
		status   int
		want     string
		text     string
	}{
		{"POST away", ada, "https://evil.lab/token", 307, "token POST 307 redirect", "redirected to another host, to which no credential is sent after"},
		{"POST to GET", ada, "https://auth.lab/other", 302, "token POST 302 redirect", "a POST was redirected to a GET, which would lose the credential"},
		{"POST at home", ada, "https://auth.lab/other", 308, "token POST 418", ""},
		{"anonymous", nil, "https://evil.lab/token", 302, "token GET 418", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.serve("evil.lab", "", handle(func(w http.ResponseWriter, req *http.Request) {
				if got := ask(t, req); got.Auth != "" || got.Body != "" {
					t.Errorf("got %+v", got)
				}
				w.WriteHeader(418)
			}))
			l.serve("auth.lab", "", handle(func(w http.ResponseWriter, req *http.Request) {
				if req.URL.Path == "/other" {
					w.WriteHeader(418)
					return
				}
				w.Header().Set("Location", tc.location)
				w.WriteHeader(tc.status)
			}))
			l.serve("reg.lab", "", handle(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Www-Authenticate", `Bearer realm="https://auth.lab/token"`)
				w.WriteHeader(401)
			}))
			a := l.client.Session("reg.lab", "p", tc.cred).Do(t.Context(), manifest("p"))
			if got := trail(a); len(got) != 2 || got[1] != tc.want || a.Last().Text != tc.text {
				t.Errorf("%v %q", got, a.Last().Text)
			}
			clean(t, a)
		})
	}
}

// TestEcho: a server that sends back what it was sent, in every place that is kept.
func TestEcho(t *testing.T) {
	t.Parallel()
	basic := base64.StdEncoding.EncodeToString([]byte("ada:" + password))
	for _, form := range []string{
		password, strings.ToUpper(password), url.QueryEscape(password), url.PathEscape(password), html.EscapeString(password),
		basic, strings.TrimRight(basic, "="), "Basic " + basic, base64.StdEncoding.EncodeToString([]byte(password)),
	} {
		for _, body := range []string{
			"sent " + form, fmt.Sprintf(`{"errors":[{"code":%q,"message":%q,"detail":%q}]}`, form, form, form), "<html><p>" + form + "</p>",
			"<Error><Code>" + html.EscapeString(form) + "</Code><Message>" + html.EscapeString(form) + "</Message></Error>",
			"<html><p>" + strings.ReplaceAll(html.EscapeString(form), "T", "&#84;"),
			strings.Repeat(".", 64<<10-len(form)/2) + form, strings.Repeat(". ", 3<<10) + form,
		} {
			l := newLab(t)
			l.serve("reg.lab", "", handle(func(w http.ResponseWriter, req *http.Request) {
				for _, name := range []string{"Content-Type", "Docker-Ratelimit-Source", "Ratelimit-Limit", "Ratelimit-Remaining", "Retry-After", "Docker-Content-Digest"} {
					w.Header().Set(name, form)
				}
				w.Header().Set("Www-Authenticate", fmt.Sprintf("Basic error=%q,error_description=%q,realm=%q", form, form, form))
				if req.Header.Get("Authorization") != "" {
					w.WriteHeader(403)
					_, _ = io.WriteString(w, body)
					return
				}
				w.WriteHeader(401)
			}))
			a := l.client.Session("reg.lab", "p", ada).Do(t.Context(), manifest("p"))
			if len(a.Steps) != 2 {
				t.Errorf("%v", trail(a))
			}
			clean(t, a, form, basic[:len(basic)-4], url.QueryEscape(password), "VHIwdWI0ZG9y")
		}
	}
}

// TestFaults walks the presets: whatever goes wrong, something is told and nothing leaks.
func TestFaults(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"silence": "manifest GET 0 timeout", "stall-header": "manifest GET 200 timeout", "stall-body": "manifest GET 200 timeout",
		"hang-up": "manifest GET 0 interrupted", "cut": "manifest GET 200 interrupted", "reset": "manifest GET 0 interrupted",
		"reset-body": "manifest GET 200 interrupted", "wrong-bytes": "manifest GET 200 digest", "endless": "manifest GET 200 body",
		"redirect-away": "manifest GET 0 dns", "slow": "manifest GET 200", "late": "manifest GET 0 timeout",
	}
	for name, preset := range registrytest.Presets() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _ := registry(t, registrytest.Open)
			err := r.Faults.Add(registrytest.Fault{ID: name, Where: registrytest.Where{Step: registrytest.StepManifest}, Answer: registrytest.Answer{Preset: name}})
			if err != nil {
				t.Fatal(err)
			}
			l := newLab(t)
			l.serve("reg.lab", "", r)
			if strings.Contains(want[name], "timeout") {
				l.hurry()
			}
			ask := manifest("pub")
			ask.MaxBody = 64 << 10
			a := l.client.Session("reg.lab", "pub", ada).Do(t.Context(), ask)
			last := a.Last()
			expected := want[name]
			if expected == "" && preset.Status >= 400 {
				expected = fmt.Sprintf("manifest GET %d", preset.Status)
				if last.Text == "" {
					t.Errorf("nothing is told: %+v", last)
				}
			}
			if got := trail(a); expected != "" && !strings.HasPrefix(got[len(got)-1], expected) {
				t.Errorf("got %q, want %q: %+v", got, expected, last)
			}
			clean(t, a)
		})
	}
}
