package probe_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/refloat-dev/refloat/registry/probe"
	"github.com/refloat-dev/refloat/registry/wire"
)

// A registry that sends the password back where a manifest is read finds it in no evidence: in the digest's header, in a config's media
// type, as a platform, as a tag.
func TestEcho(t *testing.T) {
	t.Parallel()
	const password = "s3cr3t-horse"
	zeros := "sha256:" + strings.Repeat("0", 64)
	answers := map[string]func(w http.ResponseWriter){
		"digest": func(w http.ResponseWriter) {
			w.Header().Set("Docker-Content-Digest", password)
			w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
		},
		"artifact": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
			fmt.Fprintf(w, `{"schemaVersion":2,"config":{"mediaType":%q,"digest":%q,"size":2}}`, password, zeros)
		},
		"config's digest": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
			fmt.Fprintf(w, `{"schemaVersion":2,"config":{"digest":%q,"size":2}}`, password)
		},
		"platform": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/vnd.oci.image.index.v1+json")
			fmt.Fprintf(w, `{"schemaVersion":2,"manifests":[{"digest":%q,"size":2,"platform":{"os":"linux","architecture":%q}}]}`, zeros, password)
		},
		"tag": func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) },
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch _, _, ok := r.BasicAuth(); {
				case !ok:
					w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
					w.WriteHeader(http.StatusUnauthorized)
				case strings.HasSuffix(r.URL.Path, "/tags/list"):
					fmt.Fprintf(w, `{"tags":[%q]}`, password)
				default:
					answer(w)
				}
			}))
			t.Cleanup(s.Close)
			client := &wire.Client{}
			t.Cleanup(client.CloseIdleConnections)
			w := &probe.Walker{Wire: client}
			got := w.Ask(t.Context(), probe.Question{Image: strings.TrimPrefix(s.URL, "http://") + "/team/app:1", Credentials: creds(cred("alice", password)), Platform: "linux/amd64"})
			text, err := json.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), password) {
				t.Errorf("the evidence holds the password: %s", text)
			}
		})
	}
}
