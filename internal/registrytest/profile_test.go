package registrytest_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/refloat-dev/refloat/internal/registrytest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// What a pull gets is what the situation says.
func TestSituations(t *testing.T) {
	t.Parallel()
	for _, p := range registrytest.Profiles() {
		seen := map[string]bool{}
		for _, s := range p.Situations {
			if seen[s.Name] {
				t.Errorf("%s: two situations are called %q", p.Name, s.Name)
			}
			seen[s.Name] = true
			for _, cause := range s.Want {
				if _, err := os.Stat("../../docs/causes/" + cause + ".md"); err != nil {
					t.Errorf("%s, %s: %v", p.Name, s.Name, err)
				}
			}
			t.Run(p.Name+"/"+s.Name, func(t *testing.T) {
				t.Parallel()
				auth := authn.Anonymous
				if s.User != "" {
					auth = &authn.Basic{Username: s.User, Password: s.Password}
				}
				err := pullWhole(t, start(t, p, s).Transport, s.Image, auth)
				if (err == nil) != (len(s.Want) == 0) {
					t.Errorf("want %v, and the pull: %v", s.Want, err)
				}
			})
		}
	}
}

func start(t *testing.T, p registrytest.Profile, s registrytest.Situation) *registrytest.Running {
	t.Helper()
	r, err := p.Start(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// pullWhole fetches an image and each of its layers, as nobody but a real client would.
func pullWhole(t *testing.T, tr http.RoundTripper, image string, auth authn.Authenticator) error {
	t.Helper()
	ref, err := name.ParseReference(image)
	if err != nil {
		t.Fatal(err)
	}
	img, err := remote.Image(ref, remote.WithTransport(tr), remote.WithAuth(auth), remote.WithContext(t.Context()),
		remote.WithRetryStatusCodes(), remote.WithRetryPredicate(func(error) bool { return false }))
	if err != nil {
		return err
	}
	layers, err := img.Layers()
	if err != nil {
		return err
	}
	for _, l := range layers {
		rc, err := l.Compressed()
		if err != nil {
			return err
		}
		if _, err := discard(rc); err != nil {
			return err
		}
	}
	return nil
}

// The golden file is each registry's manner as DESIGN.md's causes are concluded from it, a line for each situation.
func TestManners(t *testing.T) {
	t.Parallel()
	var got bytes.Buffer
	for _, p := range registrytest.Profiles() {
		fmt.Fprintf(&got, "# %s\n\n%s\n\n", p.Name, firstAnswer(t, p))
		for _, s := range p.Situations {
			w := walk{t: t, tr: start(t, p, s).Transport, who: s.Account}
			w.all(p, s)
			if len(w.seen) > 1 && strings.Contains(w.seen[0], ": 401 ") {
				w.seen = w.seen[1:] // the challenge stands above
			}
			fmt.Fprintf(&got, "%s: %s\n  %s\n", s.Name, cmp.Or(strings.Join(s.Want, ", "), "served"), strings.Join(w.seen, "\n  "))
		}
		got.WriteByte('\n')
	}
	file := filepath.Join("testdata", "manners.golden")
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")); diff != "" {
		t.Error(diff)
	}
}

// firstAnswer is what the profile's own image is answered without a token, its challenge whole.
func firstAnswer(t *testing.T, p registrytest.Profile) string {
	t.Helper()
	_, rest, _ := strings.Cut(cmp.Or(p.Private, p.Public), "/")
	to := "https://" + p.Hosts[0] + "/v2/" + strings.Replace(rest, ":", "/manifests/", 1)
	resp, body, err := askWithin(t, start(t, p, registrytest.Situation{}).Transport, time.Minute, "GET", to)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusUnauthorized {
		return fmt.Sprintf("%d %s", resp.StatusCode, resp.Header.Get("Location"))
	}
	return fmt.Sprintf("401 %s\n%s", resp.Header.Get("Www-Authenticate"), strings.TrimSpace(body))
}

// walk asks as containerd does: without credentials first, then as the challenge says.
type walk struct {
	t   *testing.T
	tr  http.RoundTripper
	who registrytest.Account
	// seen is what was answered.
	seen []string
	// header is what the challenge led to.
	header string
}

func (w *walk) all(p registrytest.Profile, s registrytest.Situation) {
	_, rest, _ := strings.Cut(s.Image, "/")
	repo, object, sep := strings.Cut(rest, "@")
	if !sep {
		repo, object, _ = strings.Cut(rest, ":")
	}
	base := "https://" + p.Hosts[0] + "/v2/" + repo
	manifest, status := w.get(base+"/manifests/"+object, "repository:"+repo+":pull")
	if status == http.StatusNotFound {
		w.get(base+"/tags/list", "repository:"+repo+":pull")
	}
	if status != http.StatusOK || !s.Layers {
		return
	}
	var m struct{ Manifests, Layers []struct{ Digest string } }
	for _, level := range []string{"index", "child"} {
		if err := json.Unmarshal(manifest, &m); err != nil {
			w.t.Fatalf("%s: %v", level, err)
		}
		if len(m.Layers) == 0 {
			manifest, _ = w.get(base+"/manifests/"+m.Manifests[0].Digest, "")
		}
	}
	w.get(base+"/blobs/"+m.Layers[0].Digest, "")
}

// get asks twice at most.
func (w *walk) get(url, scope string) ([]byte, int) {
	resp, body := w.once("GET", url, w.header)
	if resp.StatusCode != http.StatusUnauthorized || w.header != "" {
		return body, resp.StatusCode
	}
	kind, rest, _ := strings.Cut(resp.Header.Get("Www-Authenticate"), " ")
	if strings.EqualFold(kind, "basic") && w.who.User != "" {
		w.header = w.basic()
	}
	if kind == "Bearer" {
		w.token(rest, scope)
	}
	if w.header != "" {
		resp, body = w.once("GET", url, w.header)
	}
	return body, resp.StatusCode
}

func (w *walk) token(challenge, scope string) {
	q := url.Values{"scope": {scope}}
	var realm string
	for part := range strings.SplitSeq(challenge, ",") {
		k, v, _ := strings.Cut(part, "=")
		switch v = strings.Trim(v, `"`); k {
		case "realm":
			realm = v
		case "service":
			q.Set("service", v)
		}
	}
	var header string
	if w.who.User != "" {
		header = w.basic()
	}
	_, body := w.once("GET", realm+"?"+q.Encode(), header)
	var v struct{ Token string }
	if json.Unmarshal(body, &v) == nil && v.Token != "" {
		w.header = "Bearer " + v.Token
	}
}

func (w *walk) basic() string {
	req, _ := http.NewRequest("GET", "/", nil)
	req.SetBasicAuth(w.who.User, w.who.Password)
	return req.Header.Get("Authorization")
}

// once follows redirects, as a client does, without the credentials.
func (w *walk) once(method, to, auth string) (answer, []byte) {
	for range 3 {
		header := []string{"Accept", string(types.OCIImageIndex) + ", " + string(types.OCIManifestSchema1) + ", */*"}
		if auth != "" {
			header = append(header, "Authorization", auth)
		}
		resp, body, err := askWithin(w.t, w.tr, time.Minute, method, to, header...)
		if err != nil {
			w.t.Fatal(err)
		}
		w.note(to, resp, body)
		if resp.StatusCode != http.StatusTemporaryRedirect {
			return resp, []byte(body)
		}
		to, auth = resp.Header.Get("Location"), ""
	}
	w.t.Fatal("too many redirects")
	return answer{}, nil
}

// note keeps what tells: of a challenge its scheme and error, of what is served its type.
func (w *walk) note(to string, resp answer, body string) {
	to, _, _ = strings.Cut(to, "?")
	_, to, _ = strings.Cut(to, "://")
	host, path, _ := strings.Cut(to, "/")
	last := path[strings.LastIndex(path, "/")+1:]
	if strings.HasPrefix(last, "sha256:") {
		last = "sha256:…" // it depends on how Go compresses
	}
	line := fmt.Sprintf("%s/…/%s: %d", host, last, resp.StatusCode)
	if c := resp.Header.Get("Www-Authenticate"); c != "" {
		kind, rest, _ := strings.Cut(c, " ")
		_, code, _ := strings.Cut(rest, "error=")
		line += " " + strings.TrimSpace(kind+" "+strings.Trim(code, `"`))
	}
	for _, k := range []string{"Retry-After", "Ratelimit-Remaining", "Docker-Ratelimit-Source"} {
		if v := resp.Header.Get(k); v != "" {
			line += fmt.Sprintf(" (%s: %s)", k, v)
		}
	}
	switch body = strings.TrimSpace(strings.ReplaceAll(strings.TrimPrefix(body, `{"errors":`), "\n", " ")); {
	case resp.StatusCode == http.StatusTemporaryRedirect:
	case resp.StatusCode < 300 && !strings.HasPrefix(body, "<"):
		line += " " + resp.Header.Get("Content-Type")
	default:
		line += " " + body[:min(len(body), 120)]
	}
	w.seen = append(w.seen, line)
}
