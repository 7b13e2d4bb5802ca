package registrytest

import (
	"net/http"
	"strings"
)

// manner is how a style differs from the registry of the distribution project, which is what the zero manner is like.
type manner struct {
	// basic is the challenge of a registry that has no tokens.
	basic string
	// again is the challenge to a token that does not suffice, where it is another than the first.
	again string
	// both takes Basic in place of a token.
	both bool
	// grants gives everybody a token, if an empty one, and lets the request for the manifest find out.
	grants bool
	// hides answers alike for what is private and what is missing, to those too who could pull it.
	hides bool
	// lets serves what is public without a token.
	lets bool
	// strict refuses known users without permission at the token endpoint.
	strict bool
	// scoped refuses anonymous callers a token without a scope.
	scoped bool
	// mute leaves error= out of challenges.
	mute bool
	// picky serves nobody a type who does not name it.
	picky bool
	says  map[refusal]saying
}

// refusal is an occasion to say no.
type refusal string

const (
	refusesCaller    refusal = "caller"    // 401 with a challenge
	refusesAnonymous refusal = "anonymous" // by the token endpoint
	refusesWrong     refusal = "wrong"     // credentials
	refusesExpired   refusal = "expired"   // credentials
	refusesLocked    refusal = "locked"    // too many wrong passwords
	refusesForbidden refusal = "forbidden" // a known user
	lacksRepository  refusal = "repository"
	lacksManifest    refusal = "manifest" // by tag or digest
	lacksTags        refusal = "tags"     // the tag list of a missing repository
)

// saying is the answer on one occasion. In code, text and body, {repo}, {object} and {user} stand for what was asked,
// {project} and {store} for the first two segments of the repository.
type saying struct {
	status     int
	code, text string
	detail     any
	body       string // in place of an error in the specification's form
}

// plainly is what a registry says whose style has no words of its own.
var plainly = map[refusal]saying{
	refusesCaller:    {status: http.StatusUnauthorized, code: "UNAUTHORIZED", text: "authentication required"},
	refusesAnonymous: {status: http.StatusUnauthorized, code: "UNAUTHORIZED", text: "authentication required"},
	refusesWrong:     {status: http.StatusUnauthorized, body: `{"details":"incorrect username or password"}` + "\n"},
	refusesLocked:    {status: http.StatusTooManyRequests, body: lockedBody},
	refusesForbidden: {status: http.StatusForbidden, code: "DENIED", text: "requested access to the resource is denied"},
	lacksManifest:    {status: http.StatusNotFound, code: "MANIFEST_UNKNOWN", text: "manifest unknown"},
	lacksTags:        {status: http.StatusNotFound, code: "NAME_UNKNOWN", text: "repository name not known to registry"},
}

// elsewise is what is said where nothing is said on the occasion itself.
var elsewise = map[refusal]refusal{refusesExpired: refusesWrong, lacksRepository: lacksManifest}

func (s Style) manner() manner { return manners[s] }

// says is the registry's refusal. A detail is the plain registry's, and only goes with its words.
func (r *Registry) says(on refusal, a *ask, user string, detail any) reply {
	own := r.Style.manner().says
	said, ok := own[on]
	if other, has := elsewise[on]; !ok && has {
		on = other
		said, ok = own[on]
	}
	if !ok {
		said = plainly[on]
		said.detail = detail
	}
	if said.body != "" {
		body := filled(said.body, a, user)
		return reply{status: said.status, body: []byte(body), header: http.Header{"Content-Type": {guessType(body)}}}
	}
	return problem(said.status, said.code, filled(said.text, a, user), said.detail)
}

func filled(text string, a *ask, user string) string {
	project, rest, _ := strings.Cut(a.repo, "/")
	store, _, _ := strings.Cut(rest, "/")
	return strings.NewReplacer("{repo}", a.repo, "{object}", a.object, "{user}", user, "{project}", project, "{store}", store, "{account}", ecrAccount).Replace(text)
}
