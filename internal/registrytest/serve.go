package registrytest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// serve answers a request that may be answered.
func (r *Registry) serve(a *ask) reply {
	if a.step == StepToken {
		return r.token(a)
	}
	if a.method != http.MethodGet && a.method != http.MethodHead {
		return problem(http.StatusMethodNotAllowed, "UNSUPPORTED", "The operation is unsupported.", nil)
	}
	if r.Elsewhere != "" && (a.step == StepManifest || a.step == StepTags) {
		to := strings.TrimSuffix(r.Elsewhere, "/") + strings.TrimPrefix(a.path, "/v2")
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
	return reply{
		status: http.StatusNotFound,
		header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}},
		body:   []byte("404 page not found\n"),
	}
}

func (r *Registry) serveManifest(a *ask) reply {
	if strings.Contains(a.object, ":") && !validDigest(a.object) {
		return problem(http.StatusBadRequest, "DIGEST_INVALID", "provided digest did not match uploaded content", nil)
	}
	m, hasRepo, ok := r.manifest(a.repo, a.digest)
	if !hasRepo {
		return r.noRepository(a)
	}
	if !ok {
		return r.noManifest(a)
	}
	// As distribution does (registry/handlers/manifests.go): a type that the
	// client did not name is not there for it.
	if len(a.accept) > 0 && !slices.Contains(a.accept, "*/*") && !slices.Contains(a.accept, m.mediaType) {
		return problem(http.StatusNotFound, "MANIFEST_UNKNOWN",
			fmt.Sprintf("%s found, but accept header does not support it", m.mediaType), nil)
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

func (r *Registry) serveBlob(a *ask) reply {
	b, ok := r.blob(a.repo, a.object)
	if !ok {
		return blobUnknown(a)
	}
	return blobReply(a, b)
}

// blobReply serves all of b, or the one range that was asked for.
func blobReply(a *ask, b []byte) reply {
	rep := reply{status: http.StatusOK, body: b, header: http.Header{
		"Content-Type":          {"application/octet-stream"},
		"Docker-Content-Digest": {a.digest},
		"Accept-Ranges":         {"bytes"},
	}}
	spec, ok := strings.CutPrefix(a.ranges, "bytes=")
	from, to, dash := strings.Cut(spec, "-")
	if !ok || !dash || strings.Contains(spec, ",") || from == "" {
		return rep // what is not understood is ignored (RFC 9110, 14.2)
	}
	first, err1 := strconv.Atoi(from)
	last, err2 := strconv.Atoi(to)
	if to == "" {
		last, err2 = len(b)-1, nil
	}
	last = min(last, len(b)-1)
	if err1 != nil || err2 != nil || first > last {
		out := problem(http.StatusRequestedRangeNotSatisfiable, "RANGE_INVALID", "invalid content range", nil)
		out.header.Set("Content-Range", fmt.Sprintf("bytes */%d", len(b)))
		return out
	}
	rep.status, rep.body, rep.offset = http.StatusPartialContent, b[first:last+1], int64(first)
	rep.header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, last, len(b)))
	return rep
}

func (r *Registry) serveTags(a *ask) reply {
	tags, ok := r.tags(a.repo)
	if !ok {
		return r.noRepository(a)
	}
	b, err := json.Marshal(map[string]any{"name": a.repo, "tags": tags})
	if err != nil {
		panic(err) // strings always marshal
	}
	return jsonReply(http.StatusOK, "application/json", b)
}

func (r *Registry) noRepository(a *ask) reply {
	on := lacksRepository
	if a.step == StepTags {
		on = lacksTags
	}
	return r.says(on, a, "", map[string]string{"name": a.repo})
}

func (r *Registry) noManifest(a *ask) reply {
	detail := "unknown tag=" + a.object
	if validDigest(a.object) {
		detail = "unknown manifest name=" + a.repo + " revision=" + a.object
	}
	return r.says(lacksManifest, a, "", detail)
}

func blobUnknown(a *ask) reply {
	return problem(http.StatusNotFound, "BLOB_UNKNOWN", "blob unknown to registry", map[string]string{"digest": a.object})
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
