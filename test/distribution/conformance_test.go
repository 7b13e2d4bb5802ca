package distribution

import (
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// TestConformance is the contract between the fake and the real registry.
func TestConformance(t *testing.T) {
	t.Parallel()
	for _, registry := range []struct {
		name  string
		build func(*testing.T) shops
	}{{"fake", fakeShops}, {"real", realShops}} {
		t.Run(registry.name, func(t *testing.T) {
			t.Parallel()
			s := registry.build(t)
			transports := map[door]*http.Transport{open: client(t, s.open), tokens: client(t, s.tokens), passwords: client(t, s.passwords)}
			fill := digests(t)
			for _, x := range exchanges() {
				t.Run(x.name, func(t *testing.T) {
					tr := transports[x.at()]
					got := x.ask(t, tr, fill)
					x.check(t, got, fill)
				})
			}
		})
	}
}

// TestPull is the whole of it, by a client that checks every digest.
func TestPull(t *testing.T) {
	t.Parallel()
	who := &authn.Basic{Username: user, Password: password}
	for _, registry := range []struct {
		name  string
		build func(*testing.T) shops
	}{{"fake", fakeShops}, {"real", realShops}} {
		t.Run(registry.name, func(t *testing.T) {
			t.Parallel()
			s := registry.build(t)
			for _, tt := range []struct {
				name, repo string
				shop       http.Handler
				as         authn.Authenticator
				status     int // 0: pulled
			}{
				{"open", "team/app", s.open, authn.Anonymous, 0},
				{"public by token", "team/app", s.tokens, authn.Anonymous, 0},
				{"private by token", privateRepo, s.tokens, who, 0},
				{"private to nobody", privateRepo, s.tokens, authn.Anonymous, 401},
				{"wrong password for a token", "team/app", s.tokens, &authn.Basic{Username: user, Password: "wrong"}, 401},
				{"by password", "team/app", s.passwords, who, 0},
				{"by no password", "team/app", s.passwords, authn.Anonymous, 401},
				{"missing", "team/gone", s.open, authn.Anonymous, 404},
			} {
				t.Run(tt.name, func(t *testing.T) {
					ref, err := name.ParseReference(host+"/"+tt.repo+":v1", name.Insecure)
					if err != nil {
						t.Fatal(err)
					}
					idx, err := remote.Index(ref, remote.WithTransport(client(t, tt.shop)), remote.WithAuth(tt.as), remote.WithContext(t.Context()))
					if err == nil {
						err = validate.Index(idx)
					}
					got, te := 0, (*transport.Error)(nil)
					if errors.As(err, &te) {
						got = te.StatusCode
					}
					if got != tt.status || (err == nil) != (tt.status == 0) {
						t.Errorf("status %d (%v), want %d", got, err, tt.status)
					}
				})
			}
		})
	}
}

// TestAlike compares what a pull could notice and no exchange names: every other header, and errors' texts and details.
func TestAlike(t *testing.T) {
	t.Parallel()
	fake, real := fakeShops(t), realShops(t)
	fill := digests(t)
	fakes := map[door]*http.Transport{open: client(t, fake.open), tokens: client(t, fake.tokens)}
	reals := map[door]*http.Transport{open: client(t, real.open), tokens: client(t, real.tokens)}
	for _, x := range exchanges() {
		if x.at() == passwords {
			continue // in the words of another product
		}
		t.Run(x.name, func(t *testing.T) {
			a, b := x.ask(t, fakes[x.at()], fill), x.ask(t, reals[x.at()], fill)
			if diff := cmp.Diff(a.comparable(), b.comparable()); diff != "" {
				t.Errorf("the fake (-) differs from the real one (+):\n%s", diff)
			}
		})
	}
}
