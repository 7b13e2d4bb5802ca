package registrytest

import (
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
)

// Step is the part of a pull that a request belongs to.
type Step string

// The steps of a pull, in the order a client takes them.
const (
	StepPing     Step = "ping"     // GET /v2/
	StepToken    Step = "token"    // the token endpoint
	StepManifest Step = "manifest" // manifests and indexes, by tag or digest
	StepBlob     Step = "blob"     // configs and layers
	StepTags     Step = "tags"     // tags/list
	StepStorage  Step = "storage"  // the host that blobs are redirected to
	StepOther    Step = "other"    // anything else
)

// ask is one request, reduced to what answers depend on.
type ask struct {
	host, client, method, path string
	step                       Step
	repo, object               string // object: tag, or digest
	digest, role               string // filled by locate where the content is known
	scheme, user, secret       string // Authorization: Basic's parts, Bearer's token
	accept                     []string
	ranges                     string
	query                      url.Values
	base                       string // scheme://host as the client wrote it
	agent                      string
	form                       url.Values
}

// readAsk parses req; a token request's form is bounded to 64 KiB.
func readAsk(w http.ResponseWriter, req *http.Request) *ask {
	a := &ask{
		method: req.Method,
		path:   req.URL.Path,
		ranges: req.Header.Get("Range"),
		query:  req.URL.Query(),
		base:   "http://" + req.Host,
		agent:  req.UserAgent(),
	}
	if req.TLS != nil {
		a.base = "https://" + req.Host
	}
	a.client, _, _ = net.SplitHostPort(req.RemoteAddr)
	for _, v := range req.Header.Values("Accept") {
		for t := range strings.SplitSeq(v, ",") {
			t, _, _ = strings.Cut(t, ";")
			a.accept = append(a.accept, strings.TrimSpace(t))
		}
	}
	a.readAuthorization(req)
	a.step, a.repo, a.object = route(req.URL.Path)
	if a.step == StepToken {
		req.Body = http.MaxBytesReader(w, req.Body, 64<<10)
		_ = req.ParseForm() // what could be read is judged; the rest counts as absent
		a.form = req.Form
		a.repo, _ = parseScope(a.form.Get("scope"))
	}
	return a
}

func (a *ask) readAuthorization(req *http.Request) {
	if user, password, ok := req.BasicAuth(); ok {
		a.scheme, a.user, a.secret = "Basic", user, password
		return
	}
	if token, ok := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer "); ok {
		a.scheme, a.secret = "Bearer", token
	}
}

// route splits a path of the distribution API (spec section "Endpoints").
// Repository names hold slashes, so the last keyword counts.
func route(path string) (step Step, repo, object string) {
	switch path {
	case "/v2/", "/v2":
		return StepPing, "", ""
	case "/token", "/token/", "/v2/token", "/v2/auth", "/oauth2/token", "/service/token", "/jwt/auth":
		return StepToken, "", ""
	}
	if strings.HasPrefix(path, "/artifactory/api/docker/") && strings.HasSuffix(path, "/v2/token") {
		return StepToken, "", ""
	}
	rest, ok := strings.CutPrefix(path, "/v2/")
	if !ok {
		return StepOther, "", ""
	}
	if name, ok := strings.CutSuffix(rest, "/tags/list"); ok && nameShape.MatchString(name) {
		return StepTags, name, ""
	}
	for _, k := range []struct {
		word  string
		step  Step
		shape *regexp.Regexp
	}{{"/manifests/", StepManifest, manifestShape}, {"/blobs/", StepBlob, blobShape}} {
		if i := strings.LastIndex(rest, k.word); i > 0 {
			name, object := rest[:i], rest[i+len(k.word):]
			if nameShape.MatchString(name) && k.shape.MatchString(object) {
				return k.step, name, object
			}
		}
	}
	return StepOther, "", ""
}

// What has another shape is no path of the API, and nobody is asked for credentials there.
var (
	nameShape     = anchored(reference.NameRegexp.String())
	manifestShape = anchored(reference.TagRegexp.String() + "|" + digest.DigestRegexp.String())
	blobShape     = anchored(digest.DigestRegexp.String())
)

func anchored(shape string) *regexp.Regexp { return regexp.MustCompile("^(?:" + shape + ")$") }

// parseScope reads "repository:NAME:pull[,push]".
func parseScope(scope string) (repo string, pull bool) {
	kind, rest, _ := strings.Cut(scope, ":")
	i := strings.LastIndex(rest, ":")
	if kind != "repository" || i < 0 {
		return "", false
	}
	for action := range strings.SplitSeq(rest[i+1:], ",") {
		pull = pull || action == "pull" || action == "*"
	}
	return rest[:i], pull
}

// covers reports whether a pattern list names repo: "*", "team/*" or a name.
func covers(patterns []string, repo string) bool {
	for _, p := range patterns {
		prefix, wild := strings.CutSuffix(p, "*")
		if p == repo || wild && strings.HasPrefix(repo, prefix) {
			return true
		}
	}
	return false
}
