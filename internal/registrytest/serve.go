package registrytest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/opencontainers/go-digest"
)

// allowed are the methods of a registry that is to read only.
var allowed = map[Step][]string{StepManifest: {"GET", "HEAD"}, StepBlob: {"GET", "HEAD"}, StepTags: {"GET"}}

// serve answers a request that may be answered.
func (r *Registry) serve(a *ask) reply {
	if a.step == StepToken {
		return r.token(a)
	}
	if allow := allowed[a.step]; allow != nil && !slices.Contains(allow, a.method) {
		rep := plainReply(http.StatusMethodNotAllowed, "Method not allowed\n")
		rep.header.Set("Allow", strings.Join(allow, ", "))
		return rep
	}
	if r.Elsewhere != "" && (a.step == StepManifest || a.step == StepTags) {
		to := strings.TrimSuffix(r.Elsewhere, "/") + strings.TrimPrefix(a.path, "/v2")
		if q := a.query.Encode(); q != "" {
			to += "?" + q
		}
		return reply{status: http.StatusTemporaryRedirect, header: http.Header{"Location": {to}}}
	}
	switch a.step {
	case StepPing:
		return jsonReply(http.StatusOK, "application/json", []byte("{}"))
	case StepManifest:
		return r.serveManifest(a)
	case StepBlob:
		return r.serveBlob(a)
	case StepTags:
		return r.serveTags(a)
	}
	return plainReply(http.StatusNotFound, "404 page not found\n")
}

func (r *Registry) serveManifest(a *ask) reply {
	if rep, bad := badDigest(a); bad {
		return rep
	}
	m, hasRepo, ok := r.manifest(a.repo, a.digest)
	if !hasRepo {
		return r.noRepository(a)
	}
	if !ok {
		return r.noManifest(a)
	}
	if rep, refused := r.notAccepted(a, m.mediaType); refused {
		return rep
	}
	rep := jsonReply(http.StatusOK, m.mediaType, m.raw)
	if m.mediaType == "" {
		rep.header["Content-Type"] = nil
	}
	rep.header.Set("Docker-Content-Digest", a.digest)
	rep.header.Set("Etag", strconv.Quote(a.digest))
	for k, v := range r.Shown {
		rep.header.Set(k, v)
	}
	return rep
}

// notAccepted refuses types that the client did not name, as distribution does (registry/handlers/manifests.go): Docker's own
// images and, since its third version, OCI's indexes are for everybody. Whoever names nothing is taken to accept anything,
// unlike there. A picky registry makes no exceptions.
func (r *Registry) notAccepted(a *ask, mediaType string) (reply, bool) {
	t, picky := types.MediaType(mediaType), r.Style.manner().picky
	switch {
	case slices.Contains(a.accept, mediaType):
		return reply{}, false
	case picky && t == types.OCIImageIndex:
		return problem(http.StatusNotFound, "MANIFEST_UNKNOWN", "OCI index found, but accept header does not support OCI indexes", nil), true
	case len(a.accept) == 0 && !picky, t == types.DockerManifestSchema2, t == types.OCIImageIndex:
		return reply{}, false
	case t == types.OCIManifestSchema1:
		return problem(http.StatusNotFound, "MANIFEST_UNKNOWN", "OCI manifest found, but accept header does not support OCI manifests", nil), true
	case slices.Contains(a.accept, "*/*"):
		return reply{}, false
	}
	return problem(http.StatusNotFound, "MANIFEST_UNKNOWN", mediaType+" found, but accept header does not support it", nil), true
}

// badDigest tells a malformed digest from one that is merely unknown.
func badDigest(a *ask) (reply, bool) {
	if !strings.Contains(a.object, ":") {
		return reply{}, false
	}
	if _, err := digest.Parse(a.object); err != nil {
		return problem(http.StatusBadRequest, "DIGEST_INVALID", "provided digest did not match uploaded content", err.Error()), true
	}
	return reply{}, false
}

func (r *Registry) serveBlob(a *ask) reply {
	if rep, bad := badDigest(a); bad {
		return rep
	}
	b, ok := r.blob(a.repo, a.object)
	if !ok {
		return problem(http.StatusNotFound, "BLOB_UNKNOWN", "blob unknown to registry", a.object)
	}
	rep := blobReply(a, b)
	rep.header.Set("Docker-Distribution-Api-Version", "registry/2.0")
	rep.header.Set("Docker-Content-Digest", a.digest)
	if rep.status < 300 {
		rep.header.Set("Etag", strconv.Quote(a.digest))
		rep.header.Set("Cache-Control", "max-age=31536000")
	}
	return rep
}

// noRepository is said to requests for manifests as if the tag alone were missing, unless a style knows better: the real
// registry looks up the tag in one go.
func (r *Registry) noRepository(a *ask) reply {
	if a.step == StepTags {
		return r.says(lacksTags, a, "", map[string]string{"name": a.repo})
	}
	return r.says(lacksRepository, a, "", unknown(a))
}

func (r *Registry) noManifest(a *ask) reply {
	return r.says(lacksManifest, a, "", unknown(a))
}

// unknown is the detail of a manifest that is not there.
func unknown(a *ask) string {
	if strings.Contains(a.object, ":") {
		return "unknown manifest name=" + a.repo + " revision=" + a.object
	}
	return "unknown tag=" + a.object
}

// problem is an error in the specification's form.
func problem(status int, code, message string, detail any) reply {
	type one struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Detail  any    `json:"detail,omitempty"`
	}
	b, err := json.Marshal(map[string][]one{"errors": {{code, message, detail}}})
	if err != nil {
		panic(err) // details are strings and maps of strings
	}
	return jsonReply(status, "application/json", append(b, '\n'))
}

func jsonReply(status int, mediaType string, body []byte) reply {
	return reply{status: status, body: body, header: http.Header{
		"Content-Type":                    {mediaType},
		"Docker-Distribution-Api-Version": {"registry/2.0"},
	}}
}

func plainReply(status int, body string) reply {
	return reply{status: status, body: []byte(body), header: http.Header{
		"Content-Type":                    {"text/plain; charset=utf-8"},
		"Docker-Distribution-Api-Version": {"registry/2.0"},
	}}
}
