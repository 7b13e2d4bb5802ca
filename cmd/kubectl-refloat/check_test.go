package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/internal/registrytest/imagetest"
	"github.com/refloat-dev/refloat/internal/registrytest/nettest"
)

// image is for one platform, with two layers.
func image(os, arch string) (v1.Image, error) {
	return imagetest.Image(imagetest.Spec{
		Platform: v1.Platform{OS: os, Architecture: arch},
		Layers:   [][]imagetest.File{{imagetest.Big("base", 4096, 1)}, {imagetest.Big("app", 2048, 2)}},
	})
}

// newRegistry holds shop/web:1 for two platforms, shop/amd:1 for one, shop/hollow:1 of which a layer is gone, and
// shop/private:1, which bob may pull with hunter2.
func newRegistry() (*registrytest.Registry, error) {
	r := registrytest.New("127.0.0.1", registrytest.BearerQuay)
	r.Private = []string{"shop/private"}
	r.Public = []string{"shop/web", "shop/amd", "shop/hollow"}
	r.SetUser(registrytest.User{Name: "bob", Password: "hunter2", Pull: []string{"*"}})
	amd, err := image("linux", "amd64")
	if err != nil {
		return nil, err
	}
	arm, err := image("linux", "arm64")
	if err != nil {
		return nil, err
	}
	both, err := imagetest.Index(amd, arm)
	if err != nil {
		return nil, err
	}
	only, err := imagetest.Index(amd)
	if err != nil {
		return nil, err
	}
	for repo, idx := range map[string]v1.ImageIndex{"shop/web": both, "shop/private": both, "shop/hollow": both, "shop/amd": only} {
		if _, err := r.PushIndex(repo, "1", idx); err != nil {
			return nil, err
		}
	}
	layers, err := amd.Layers()
	if err != nil {
		return nil, err
	}
	gone, err := layers[1].Digest()
	if err != nil {
		return nil, err
	}
	r.Remove("shop/hollow", gone.String())
	return r, nil
}

func listen(ts *testscript.TestScript, h http.Handler) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	s := nettest.Serve(l, h, nil)
	ts.Defer(func() { ts.Check(s.Close()) })
	return l.Addr().String()
}

// registry starts newRegistry's and puts its host into REGISTRY.
func registry(ts *testscript.TestScript, _ bool, _ []string) {
	r, err := newRegistry()
	ts.Check(err)
	ts.Setenv("REGISTRY", listen(ts, r))
}

var encoded = regexp.MustCompile(`base64\((.*)\)`)

// expand FILE... puts the registry's host where the files say $REGISTRY, and base64 where they say base64(text).
func expand(ts *testscript.TestScript, _ bool, files []string) {
	for _, f := range files {
		text := strings.ReplaceAll(ts.ReadFile(f), "$REGISTRY", ts.Getenv("REGISTRY"))
		text = encoded.ReplaceAllStringFunc(text, func(m string) string {
			return base64.StdEncoding.EncodeToString([]byte(encoded.FindStringSubmatch(m)[1]))
		})
		ts.Check(os.WriteFile(ts.MkAbs(f), []byte(text), 0o600))
	}
}

// cluster DIR serves the files of a directory as an API server: a GET of /a/b is the file DIR/a/b.json, Forbidden
// where that is empty. KUBECONFIG then names it, with the namespace shop.
func cluster(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	host := listen(ts, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		raw, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(filepath.Clean(r.URL.Path)))) //nolint:gosec // cleaned
		if err != nil {
			raw, err = os.ReadFile(filepath.Join(dir, filepath.FromSlash(filepath.Clean(r.URL.Path))+".json")) //nolint:gosec // cleaned
		}
		status, reason := http.StatusNotFound, "NotFound"
		if err == nil && len(raw) == 0 {
			status, reason = http.StatusForbidden, "Forbidden"
		} else if err == nil {
			_, _ = w.Write(raw)
			return
		}
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{
			"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status, "reason": reason, "message": r.URL.Path + ": " + reason,
		})
	}))
	file := filepath.Join(dir, "kubeconfig")
	ts.Check(os.WriteFile(file, fmt.Appendf(nil, `apiVersion: v1
kind: Config
current-context: here
contexts: [{name: here, context: {cluster: here, user: me, namespace: shop}}]
clusters: [{name: here, cluster: {server: "http://%s"}}]
users: [{name: me, user: {}}]
`, host), 0o600))
	ts.Setenv("KUBECONFIG", file)
}

// TestRegistry holds the registry of the scripts to what their goldens take for granted.
func TestRegistry(t *testing.T) {
	t.Parallel()
	if _, err := newRegistry(); err != nil {
		t.Fatal(err)
	}
}
