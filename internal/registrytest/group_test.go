package registrytest_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/internal/registrytest/imagetest"
)

func group(t *testing.T) *registrytest.Group {
	t.Helper()
	g := &registrytest.Group{Storage: "storage.lab"}
	img, err := imagetest.Image(imagetest.Spec{Layers: [][]imagetest.File{{{Path: "a", Data: []byte("a")}}}})
	if err != nil {
		t.Fatal(err)
	}
	hub := g.Add("hub.lab", registrytest.BearerHub, "auth.hub.lab")
	hub.Realm = "http://auth.hub.lab/token"
	hub.Private = []string{"*"}
	hub.SetUser(registrytest.User{Name: "ada", Password: "s3cret", Pull: []string{"*"}})
	for _, r := range []*registrytest.Registry{hub, g.Add("open.lab", registrytest.Open)} {
		if _, err := r.Push("app", "v1", img); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

func TestGroup(t *testing.T) {
	t.Parallel()
	g := group(t)
	tr := client(t, g)
	if _, err := pull(t, tr, "hub.lab/app:v1", &authn.Basic{Username: "ada", Password: "s3cret"}); err != nil {
		t.Error(err)
	}
	if _, err := pull(t, tr, "open.lab:5000/app:v1", authn.Anonymous); err != nil {
		t.Error(err)
	}
	if resp, _, err := ask(t, tr, http.MethodGet, "http://else.lab/v2/"); err != nil || resp.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("%v, %v", resp, err)
	}
	b, err := json.Marshal(g.Log.Entries())
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b, []byte("s3cret")) || !bytes.Contains(b, []byte(`"user":"ada"`)) {
		t.Errorf("the log has a password, or no user: %s", b)
	}
}

func TestStorage(t *testing.T) {
	t.Parallel()
	g := group(t)
	tr := client(t, g)
	away := registrytest.Fault{ID: "away", Where: registrytest.Where{Host: "open.lab", Step: registrytest.StepBlob},
		Answer: registrytest.Answer{Redirect: "http://storage.lab"}}
	if err := g.Faults.Add(away); err != nil {
		t.Fatal(err)
	}
	if _, err := pull(t, tr, "open.lab/app:v1", authn.Anonymous); err != nil {
		t.Fatal(err)
	}
	var steps []registrytest.Step
	for _, e := range g.Log.Entries() {
		steps = append(steps, e.Step)
	}
	want := []registrytest.Step{"ping", "manifest", "blob", "storage"}
	if diff := cmp.Diff(want, steps); diff != "" {
		t.Error(diff)
	}
	down := registrytest.Fault{ID: "down", Where: registrytest.Where{Host: "storage.lab", Repository: "app"},
		Answer: registrytest.Answer{Preset: "storage-denied"}}
	if err := g.Faults.Add(down); err != nil {
		t.Fatal(err)
	}
	if _, err := pull(t, tr, "open.lab/app:v1", authn.Anonymous); status(err) != http.StatusForbidden || !strings.Contains(err.Error(), "AccessDenied") {
		t.Error(err)
	}
}

func TestAdmin(t *testing.T) {
	t.Parallel()
	g := group(t)
	h := registrytest.Admin(&g.Faults, &g.Log)
	do := func(method, path, body string) (int, string) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
		return w.Code, w.Body.String()
	}
	list := func(body string) (faults []registrytest.Fault) {
		if err := json.Unmarshal([]byte(body), &faults); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		return faults
	}
	ids := func(faults []registrytest.Fault) (ids []string) {
		for _, f := range faults {
			ids = append(ids, f.ID)
		}
		return ids
	}
	code, body := do("POST", "/faults", `{"add":[
		{"id":"a","where":{"host":"hub.lab","step":"manifest","method":"GET"},"answer":{"preset":"rate-limited","header":{"retry-after":"60"}}},
		{"id":"b","answer":{"break":"stall","after":-1}}]}`)
	if code != 200 {
		t.Fatal(code, body)
	}
	want := map[string]string{"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "0;w=21600",
		"docker-ratelimit-source": "192.0.2.10", "retry-after": "60"}
	if diff := cmp.Diff(want, list(body)[0].Answer.Header); diff != "" {
		t.Error(diff)
	}
	for _, tc := range []struct {
		body string
		code int
		left []string
	}{
		{`{"clear":["a"]}`, 200, []string{"b"}},
		{`{"clear":["b"],"add":[{"id":"c","answer":{"preset":"no such"}}]}`, 400, []string{"b"}},
		{`{"add":[{"id":"c","answer":{"break":"sideways"}}]}`, 400, []string{"b"}},
		{`{"add":[{"id":"c","were":{}}]}`, 400, []string{"b"}},
		{`{"clear":["*"],"add":[{"id":"c"}]}`, 200, []string{"c"}},
	} {
		if code, body := do("POST", "/faults", tc.body); code != tc.code {
			t.Errorf("%s: %d %s", tc.body, code, body)
		}
		_, body := do("GET", "/faults", "")
		if diff := cmp.Diff(tc.left, ids(list(body)), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", tc.body, diff)
		}
	}
	if code, body := do("GET", "/presets", ""); code != 200 || !strings.Contains(body, "content-policy") {
		t.Error(code, body)
	}
}
