package distribution

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// door is which of the shops is asked.
type door string

const (
	open      door = "open"
	tokens    door = "tokens"
	passwords door = "passwords"
)

// exchange is one request and what must come back. In paths and wants, {index}, {child}, {config}, {layer} and {docker} are
// the digests of the goods, {none} one that nothing has.
type exchange struct {
	name, method, path string
	door               door   // zero: open
	as                 caller // at the doors that ask
	header             []string
	status             int
	code               string // the one error's
	want               map[string]string
	body               string // the whole, as JSON; empty: any
	size               int    // of the body; 0: any
}

type caller string

const (
	nobody    caller = ""
	anonymous caller = "anonymous" // with an anonymous token
	ada       caller = "ada"       // with a token of her own, or her password
	wrong     caller = "wrong"     // with a wrong password, or a forged token
)

const (
	images = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, " +
		"application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json"
	index, image, docker = "application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"
	app                  = "/v2/team/app/"
)

var accept = []string{"Accept", images}

func (x exchange) at() door {
	if x.door == "" {
		return open
	}
	return x.door
}

// digests replace the names of the goods.
func digests(t *testing.T) *strings.Replacer {
	t.Helper()
	g := goods(t)
	layers, err := g.child.Layers()
	if err != nil {
		t.Fatal(err)
	}
	pairs := []string{"{none}", "sha256:" + strings.Repeat("0", 64)}
	for _, d := range []struct {
		name string
		of   func() (hash, error)
	}{
		{"{index}", digestOf(g.index.Digest)}, {"{child}", digestOf(g.child.Digest)}, {"{config}", digestOf(g.child.ConfigName)},
		{"{layer}", digestOf(layers[0].Digest)}, {"{docker}", digestOf(g.docker.Digest)},
	} {
		h, err := d.of()
		if err != nil {
			t.Fatal(err)
		}
		pairs = append(pairs, d.name, h.String())
	}
	return strings.NewReplacer(pairs...)
}

type hash interface{ String() string }

func digestOf[H hash](f func() (H, error)) func() (hash, error) {
	return func() (hash, error) { return f() }
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// comparable leaves out what must differ: time, tokens, and details that are null.
func (a answer) comparable() map[string]string {
	out := map[string]string{"status": fmt.Sprint(a.status)}
	for k, v := range a.header {
		if !slices.Contains([]string{"Date", "X-Content-Type-Options", "Content-Length"}, k) {
			out[k] = strings.Join(v, " | ")
		}
	}
	if len(a.body) > 0 && a.body[0] == '{' {
		var v any
		if json.Unmarshal(a.body, &v) == nil {
			b, _ := json.Marshal(v)
			out["body"] = strings.ReplaceAll(string(b), `"detail":null,`, "")
			return out
		}
	}
	out["body"] = string(a.body)
	return out
}

func (x exchange) ask(t *testing.T, tr http.RoundTripper, fill *strings.Replacer) answer {
	t.Helper()
	header := x.header
	path := fill.Replace(x.path)
	switch {
	case x.as == nobody:
	case x.at() == passwords && x.as == ada:
		header = append(slices.Clone(header), "Authorization", basic(user, password))
	case x.at() == passwords:
		header = append(slices.Clone(header), "Authorization", basic(user, "wrong"))
	case x.as == wrong:
		header = append(slices.Clone(header), "Authorization", "Bearer e30.e30.AAAA")
	default:
		header = append(slices.Clone(header), "Authorization", "Bearer "+fetchToken(t, tr, path, x.as))
	}
	return send(t, tr, x.method, "http://"+host+path, header...)
}

func send(t *testing.T, tr http.RoundTripper, method, url string, header ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, b}
}

func basic(user, password string) string {
	req := http.Request{Header: http.Header{}}
	req.SetBasicAuth(user, password)
	return req.Header.Get("Authorization")
}

func (x exchange) check(t *testing.T, got answer, fill *strings.Replacer) {
	t.Helper()
	if got.status != x.status {
		t.Errorf("status %d (%s), want %d", got.status, got.body, x.status)
	}
	for k, v := range x.want {
		if have := got.header.Get(k); have != fill.Replace(v) {
			t.Errorf("%s is %q, want %q", k, have, fill.Replace(v))
		}
	}
	if x.code != "" {
		var v struct {
			Errors []struct{ Code, Message string }
		}
		if err := json.Unmarshal(got.body, &v); err != nil || len(v.Errors) != 1 || v.Errors[0].Code != x.code || v.Errors[0].Message == "" {
			t.Errorf("body %s (%v), want the one error %s", got.body, err, x.code)
		}
		if ct := got.header.Get("Content-Type"); ct != "application/json" {
			t.Errorf("an error of type %q", ct)
		}
	}
	if x.body != "" && strings.TrimSpace(string(got.body)) != x.body {
		t.Errorf("body %s, want %s", got.body, x.body)
	}
	if x.size > 0 && len(got.body) != x.size {
		t.Errorf("%d bytes, want %d", len(got.body), x.size)
	}
	if x.method == http.MethodHead && len(got.body) != 0 {
		t.Errorf("a HEAD with a body of %d bytes", len(got.body))
	}
	if v := got.header.Get("Docker-Distribution-Api-Version"); v != "registry/2.0" {
		t.Errorf("API version %q", v)
	}
}
