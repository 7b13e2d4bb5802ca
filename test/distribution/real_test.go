package distribution

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	_ "github.com/distribution/distribution/v3/registry/auth/htpasswd"
	"github.com/distribution/distribution/v3/registry/auth/token"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/crypto/bcrypt"
)

// realShops are three doors to one store of the real registry.
func realShops(t *testing.T) shops {
	t.Helper()
	dir := t.TempDir()
	stock(t, realRegistry(t, dir, false, nil))
	return shops{open: realRegistry(t, dir, true, nil), tokens: realTokens(t, dir), passwords: realPasswords(t, dir)}
}

// realRegistry is the store behind one door; those of the test itself are to read only, as the fake is.
func realRegistry(t *testing.T, dir string, readOnly bool, auth configuration.Auth) http.Handler {
	t.Helper()
	app := handlers.NewApp(context.WithoutCancel(t.Context()), &configuration.Configuration{
		Storage: configuration.Storage{
			"filesystem":  {"rootdirectory": filepath.Join(dir, "store")},
			"maintenance": {"uploadpurging": map[any]any{"enabled": false}, "readonly": map[any]any{"enabled": readOnly}},
		},
		Auth: auth,
	})
	t.Cleanup(func() {
		if err := app.Shutdown(); err != nil {
			t.Error(err)
		}
	})
	return app
}

func realPasswords(t *testing.T, dir string) http.Handler {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "htpasswd")
	if err := os.WriteFile(file, fmt.Appendf(nil, "%s:%s\n", user, hash), 0o600); err != nil {
		t.Fatal(err)
	}
	return realRegistry(t, dir, true, configuration.Auth{"htpasswd": {"realm": "real", "path": file}})
}

// realTokens puts a token endpoint before the registry, which has none of its own; what it grants is Docker Hub's manner.
func realTokens(t *testing.T, dir string) http.Handler {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	const issuer = "conformance"
	jwks, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: issuer, Algorithm: "ES256", Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "jwks.json")
	if err := os.WriteFile(file, jwks, 0o600); err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: issuer}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", realRegistry(t, dir, true, configuration.Auth{"token": {
		"realm": "http://" + host + "/token", "issuer": issuer, "service": service, "jwks": file,
	}}))
	mux.HandleFunc("/token", func(w http.ResponseWriter, req *http.Request) {
		name, word, offered := req.BasicAuth()
		if offered && (name != user || word != password) {
			http.Error(w, "wrong", http.StatusUnauthorized)
			return
		}
		_ = req.ParseForm()
		repo := strings.TrimSuffix(strings.TrimPrefix(req.Form.Get("scope"), "repository:"), ":pull")
		var access []*token.ResourceActions
		if slices.Contains(publicRepos, repo) || offered && repo == privateRepo {
			access = append(access, &token.ResourceActions{Type: "repository", Name: repo, Actions: []string{"pull"}})
		}
		now := time.Now()
		raw, err := jwt.Signed(signer).Claims(token.ClaimSet{
			Issuer: issuer, Subject: name, Audience: []string{service}, Access: access,
			NotBefore: now.Add(-time.Minute).Unix(), IssuedAt: now.Unix(), Expiration: now.Add(5 * time.Minute).Unix(),
		}).Serialize()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"token": raw, "access_token": raw, "expires_in": 300, "issued_at": now.UTC().Format(time.RFC3339)})
	})
	return mux
}
