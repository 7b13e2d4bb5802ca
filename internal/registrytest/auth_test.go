package registrytest_test

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/refloat-dev/refloat/internal/registrytest"
)

func discard(rc io.ReadCloser) (int64, error) {
	n, err := io.Copy(io.Discard, rc)
	return n, errors.Join(err, rc.Close())
}

// status returns the HTTP status that a pull ended with; 0 for none, 200 for a success.
func status(err error) int {
	var te *transport.Error
	switch {
	case err == nil:
		return 200
	case errors.As(err, &te):
		return te.StatusCode
	}
	return 0
}

func TestStyles(t *testing.T) {
	t.Parallel()
	ada := &authn.Basic{Username: "ada", Password: "right"}
	wrong := &authn.Basic{Username: "ada", Password: "wrong"}
	bob := &authn.Basic{Username: "bob", Password: "bob"}
	old := &authn.Basic{Username: "old", Password: "old"}
	type want map[string]int // who/repository → status
	for _, tc := range []struct {
		style registrytest.Style
		want  want
	}{
		{registrytest.Open, want{"anon/pub": 200, "anon/team/app": 200, "anon/gone": 404, "ada/pub": 200}},
		{registrytest.BearerHub, want{"anon/pub": 200, "anon/team/app": 401, "anon/gone": 401, "ada/team/app": 200,
			"ada/gone": 401, "bob/team/app": 401, "bob/pub": 200, "wrong/pub": 401, "old/pub": 401}},
		{registrytest.BearerQuay, want{"anon/pub": 200, "anon/team/app": 401, "anon/gone": 401, "ada/team/app": 200}},
		{registrytest.BearerStrict, want{"anon/pub": 200, "anon/team/app": 401, "anon/gone": 401, "ada/team/app": 200,
			"bob/team/app": 403, "wrong/pub": 403, "old/pub": 403}},
		{registrytest.BearerForbidding, want{"anon/pub": 200, "anon/team/app": 403, "anon/gone": 403, "ada/team/app": 200,
			"bob/team/app": 403, "wrong/pub": 401}},
		{registrytest.BasicECR, want{"anon/pub": 401, "ada/team/app": 200, "ada/team/gone": 404, "bob/team/app": 403,
			"wrong/team/app": 401, "old/team/app": 403}},
	} {
		t.Run(string(tc.style), func(t *testing.T) {
			t.Parallel()
			r := registrytest.New("reg.lab", tc.style)
			r.Private = []string{"team/*"}
			r.SetUser(registrytest.User{Name: "ada", Password: "right", Pull: []string{"team/*"}})
			r.SetUser(registrytest.User{Name: "bob", Password: "bob"})
			r.SetUser(registrytest.User{Name: "old", Password: "old", Pull: []string{"*"}, Expires: time.Now().Add(-time.Hour)})
			img, err := random.Image(1000, 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, repo := range []string{"pub", "team/app"} {
				if _, err := r.Push(repo, "v1", img); err != nil {
					t.Fatal(err)
				}
			}
			tr := client(t, r)
			who := map[string]authn.Authenticator{"anon": authn.Anonymous, "ada": ada, "bob": bob, "old": old, "wrong": wrong}
			for ask, want := range tc.want {
				user, repo := ask[:indexSlash(ask)], ask[indexSlash(ask)+1:]
				_, err := pull(t, tr, "reg.lab/"+repo+":v1", who[user])
				if got := status(err); got != want {
					t.Errorf("%s: status %d (%v), want %d", ask, got, err, want)
				}
			}
		})
	}
}

func indexSlash(s string) int {
	for i := range s {
		if s[i] == '/' {
			return i
		}
	}
	return len(s)
}
