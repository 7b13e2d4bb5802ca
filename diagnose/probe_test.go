package diagnose

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refloat-dev/refloat/evidence"
)

const (
	bearer = "Bearer"
	scope  = "Bearer insufficient_scope"
)

// ask is a step, by what a table needs to tell it apart.
func ask(name evidence.StepName, status int, text string, codes ...string) evidence.Step {
	urls := map[evidence.StepName]string{evidence.StepPing: "/v2/", evidence.StepToken: "/token", evidence.StepManifest: "/v2/web/api/manifests/1.4", evidence.StepTags: "/v2/web/api/tags/list"}
	path := orElse(urls[name], "/v2/web/api/blobs/"+d1)
	return evidence.Step{Name: name, Method: "GET", URL: "https://shop.example" + path, Status: status, Text: text, Codes: codes}
}

func (w walk) challenged(c string) walk {
	w[len(w)-1].Challenge = c
	return w
}

func (w walk) typed(t string) walk {
	w[len(w)-1].MediaType = t
	return w
}

func (w walk) via(host string) walk {
	w[len(w)-1].Redirects = []string{host}
	return w
}

func (w walk) broken(f evidence.Failure) walk {
	w[len(w)-1].Failure, w[len(w)-1].Status = f, 0
	return w
}

func (w walk) limit(source, remaining string) walk {
	w[len(w)-1].Limit = &evidence.RateLimit{Limit: "100;w=21600", Remaining: remaining, Source: source}
	return w
}

type walk []evidence.Step

var (
	token200  = ask(evidence.StepToken, 200, "")
	first401  = evidence.Step{Name: evidence.StepManifest, Method: "GET", URL: "https://shop.example/v2/web/api/manifests/1.4", Status: 401, Challenge: bearer, Realm: "https://auth.shop.example/token"}
	anonymous = walk{first401, token200}
	ci        = &evidence.Login{Secret: "shop/regcred", Key: "shop.example", User: "ci"}
	old       = &evidence.Login{Secret: "shop/regcred", Key: "shop.example", User: "AWS", Kind: "ECR token", Expires: noon.Add(-3 * time.Hour)}
	bad       = &evidence.Login{Secret: "shop/regcred", Key: "shop.example", User: "ci", Problem: "the password ends in a line break"}
	hollow    = &evidence.Login{Secret: "shop/regcred", Key: "shop.example", Problem: "the entry holds no user and password"}
)

// after is a walk whose token was granted and that then ends with s.
func after(s evidence.Step) walk { return append(slices.Clone(anonymous), s) }

func try(l *evidence.Login, steps ...evidence.Step) evidence.Attempt {
	return evidence.Attempt{Login: l, Steps: steps}
}

func good(l *evidence.Login, steps ...evidence.Step) evidence.Attempt {
	return evidence.Attempt{Login: l, Steps: append(steps, ask(evidence.StepManifest, 200, "")), Served: true}
}

func compared(a evidence.Attempt) evidence.Attempt {
	a.Compared = true
	return a
}

func probeOf(attempts ...evidence.Attempt) *evidence.Probe {
	return &evidence.Probe{Image: "shop.example/web/api:1.4", Host: "shop.example", Platform: "linux/amd64", Attempts: attempts}
}

func at(p *evidence.Probe, image, host string) *evidence.Probe {
	p.Image, p.Host = image, host
	return p
}

func tagged(p *evidence.Probe, status int) *evidence.Probe {
	s := ask(evidence.StepTags, status, "")
	p.Tags = &s
	return p
}

func TestJudge(t *testing.T) {
	t.Parallel()
	manifest, layer := evidence.StepManifest, evidence.StepLayer
	denied := func(text string) walk { return walk{ask(manifest, 403, text, "DENIED")} }
	unknown := ask(manifest, 404, "manifest unknown", "MANIFEST_UNKNOWN")
	index := &evidence.Manifest{MediaType: "application/vnd.oci.image.index.v1+json", Platforms: []string{"linux/arm64"}}
	ecrImage, ecrHost := "1.dkr.ecr.eu-west-1.amazonaws.com/a:1", "1.dkr.ecr.eu-west-1.amazonaws.com"
	tests := []struct {
		name  string
		probe *evidence.Probe
		want  Code
		also  []Code
	}{
		{"served", probeOf(good(nil)), "", nil},
		{"served to the second", probeOf(try(ci, ask(evidence.StepToken, 401, "")), good(ci)), "", nil},
		{"basic, nobody", probeOf(try(nil, walk{ask(manifest, 401, "Not Authorized")}.challenged("Basic")...)), NoCredentials, nil},
		{"no challenge, nobody", probeOf(try(nil, ask(manifest, 401, ""))), NoCredentials, nil},
		{"token refused, nobody", probeOf(try(nil, first401, ask(evidence.StepToken, 401, "", "UNAUTHORIZED"))), NoCredentials, nil},
		{"token forbidden, nobody", probeOf(try(nil, first401, ask(evidence.StepToken, 403, "", "DENIED"))), DeniedOrMissing, []Code{NoCredentials, RepositoryNotFound}},
		{"Hub, private or missing", at(probeOf(try(nil, after(first401).challenged(scope)...)), "acme/web:1", "registry-1.docker.io"), DeniedOrMissing, []Code{NoCredentials, RepositoryNotFound}},
		{"Hub's manner elsewhere", probeOf(try(nil, after(first401).challenged(scope)...)), DeniedOrMissing, []Code{NoCredentials, RepositoryNotFound}},
		{"GHCR, nobody", at(probeOf(try(nil, ask(evidence.StepToken, 401, "", "UNAUTHORIZED"))), "ghcr.io/a/b:1", "ghcr.io"), DeniedOrMissing, []Code{NoCredentials, RepositoryNotFound}},
		{"ACR, nobody", at(probeOf(try(nil, ask(evidence.StepToken, 401, "", "UNAUTHORIZED"))), "x.azurecr.io/b:1", "x.azurecr.io"), NoCredentials, nil},
		{"private, but its tags are shown", tagged(probeOf(try(nil, after(first401).challenged(scope)...)), 200), NoCredentials, nil},
		{"wrong password at the token realm", probeOf(try(ci, first401, ask(evidence.StepToken, 401, `incorrect username or password`))), InvalidCredentials, nil},
		{"wrong password, basic", probeOf(try(ci, walk{ask(manifest, 401, "")}.challenged("Basic")...)), InvalidCredentials, nil},
		{"GHCR, a bad token", at(probeOf(try(ci, ask(evidence.StepToken, 403, "denied", "DENIED"))), "ghcr.io/a/b:1", "ghcr.io"), InvalidCredentials, nil},
		{"GHCR, no scope for it", at(probeOf(try(ci, token200, ask(manifest, 403, "permission_denied: read_package", "DENIED"))), "ghcr.io/a/b:1", "ghcr.io"), Forbidden, nil},
		{"Hub, somebody", at(probeOf(try(ci, after(first401).challenged(scope)...)), "acme/web:1", "registry-1.docker.io"), DeniedOrMissing, []Code{Forbidden, RepositoryNotFound}},
		{"Google, somebody", at(probeOf(try(ci, denied(`Permission "artifactregistry.repositories.downloadArtifacts" denied on resource "x" (or it may not exist)`)...)), "eu-docker.pkg.dev/p/r/a:1", "eu-docker.pkg.dev"), DeniedOrMissing, []Code{Forbidden, RepositoryNotFound}},
		{"GitLab, somebody", probeOf(try(ci, evidence.Step{Name: evidence.StepToken, Status: 403, URL: "https://gitlab.shop.example/jwt/auth", Realm: "https://gitlab.shop.example/jwt/auth", Codes: []string{"DENIED"}, Text: "access forbidden"})), DeniedOrMissing, []Code{Forbidden, RepositoryNotFound}},
		{"Harbor, nobody", probeOf(try(nil, evidence.Step{Name: manifest, Status: 401, Realm: "https://harbor.shop.example/service/token", Challenge: bearer, Text: "unauthorized to access repository: p/r, action: pull"})), DeniedOrMissing, []Code{NoCredentials, RepositoryNotFound}},
		{"identity without permission", probeOf(try(ci, denied("requested access to the resource is denied")...)), Forbidden, nil},
		{"ECR, no permission", at(probeOf(try(ci, denied("User: x is not authorized to perform: ecr:BatchGetImage on resource: y because no identity-based policy allows it")...)), ecrImage, ecrHost), Forbidden, nil},
		{"ECR, its words", at(probeOf(try(ci, denied("Your authorization token has expired. Reauthenticate and try again.")...)), ecrImage, ecrHost), ExpiredCredentials, nil},
		{"ECR, a bare 403", at(probeOf(try(ci, ask(manifest, 403, ""))), ecrImage, ecrHost), Forbidden, []Code{ExpiredCredentials}},
		{"expired by its own words", probeOf(try(old, walk{ask(manifest, 403, "")}...)), ExpiredCredentials, nil},
		{"a job's token", probeOf(try(&evidence.Login{User: "gitlab-ci-token", Kind: "GitLab CI job token"}, ask(evidence.StepToken, 401, ""))), ExpiredCredentials, nil},
		{"an entry without credentials", probeOf(try(hollow, walk{ask(manifest, 401, "")}.challenged("Basic")...)), NoCredentials, nil},
		{"a stale secret on a public image", probeOf(try(ci, after(first401).challenged(scope)...), compared(good(nil))), InvalidCredentials, nil},
		{"an expired one on a public image", probeOf(try(old, ask(evidence.StepToken, 401, "")), compared(good(nil))), ExpiredCredentials, nil},
		{"the last of two fails", probeOf(try(ci, ask(evidence.StepToken, 401, "")), try(ci, denied("")...)), Forbidden, nil},
		{"the first got further", tagged(probeOf(try(ci, unknown), try(ci, ask(evidence.StepToken, 401, ""))), 200), TagNotFound, nil},
		{"locked out, in words", probeOf(try(ci, ask(evidence.StepToken, 429, "too many failed login attempts for username or IP address"))), LockedOut, nil},
		{"429 to a login", probeOf(try(ci, ask(evidence.StepToken, 429, "Too Many Requests"))), LockedOut, []Code{RateLimited}},
		{"429 to a login, wordless", probeOf(try(ci, ask(evidence.StepToken, 429, ""))), LockedOut, []Code{RateLimited}},
		{"429 to a login, not to others", probeOf(try(ci, ask(evidence.StepToken, 429, "")), compared(try(nil, first401))), LockedOut, nil},
		{"rate limited", probeOf(try(nil, ask(manifest, 429, "You have reached your pull rate limit", "TOOMANYREQUESTS"))), RateLimited, nil},
		{"no such tag", tagged(probeOf(try(nil, unknown)), 200), TagNotFound, nil},
		{"no such tag, on Hub", at(probeOf(try(nil, unknown)), "nginx:1.999", "registry-1.docker.io"), TagNotFound, nil},
		{"no such tag, or repository", probeOf(try(nil, unknown)), TagNotFound, []Code{RepositoryNotFound}},
		{"no such digest", tagged(at(probeOf(try(nil, unknown)), "shop.example/web/api@"+d1, "shop.example"), 200), DigestNotFound, nil},
		{"no such repository, by its code", probeOf(try(ci, ask(manifest, 404, "", "NAME_UNKNOWN"))), RepositoryNotFound, nil},
		{"no such repository, by its tags", tagged(probeOf(try(nil, unknown)), 404), RepositoryNotFound, nil},
		{"the public says no such tag", tagged(at(probeOf(try(ci, after(first401).challenged(scope)...), compared(try(nil, unknown))), "acme/web:1", "registry-1.docker.io"), 200), TagNotFound, nil},
		{"a layer is gone", probeOf(try(nil, ask(manifest, 200, ""), ask(layer, 404, "", "BLOB_UNKNOWN"))), ContentMissing, nil},
		{"a layer is gone, others asked after it", probeOf(try(nil, ask(manifest, 200, ""), ask(layer, 404, ""), ask(layer, 200, ""))), ContentMissing, nil},
		{"a child is gone", probeOf(try(nil, ask(manifest, 200, ""), ask(evidence.StepChild, 404, "", "MANIFEST_UNKNOWN"))), ContentMissing, nil},
		{"other platforms", probeOf(evidence.Attempt{Steps: walk{ask(manifest, 200, "")}, Found: index}), PlatformMismatch, nil},
		{"schema 1", probeOf(evidence.Attempt{Steps: walk{ask(manifest, 200, "")}, Found: &evidence.Manifest{MediaType: "application/vnd.docker.distribution.manifest.v1+prettyjws"}}), UnsupportedFormat, nil},
		{"a chart", probeOf(evidence.Attempt{Steps: walk{ask(manifest, 200, "")}, Served: true, Found: &evidence.Manifest{MediaType: "application/vnd.oci.image.manifest.v1+json", Artifact: "application/vnd.cncf.helm.config.v1+json"}}), UnsupportedFormat, nil},
		{"a web page", probeOf(try(nil, walk{ask(manifest, 200, "")}.typed("text/html")...)), NotARegistry, nil},
		{"a page for 404", probeOf(try(nil, walk{ask(manifest, 404, "")}.typed("text/html")...)), NotARegistry, []Code{RepositoryNotFound, TagNotFound}},
		{"no token in the answer", probeOf(try(nil, first401, token200)), NotARegistry, nil},
		{"no /v2/", probeOf(try(nil, ask(evidence.StepPing, 404, "404 page not found"))), NotARegistry, nil},
		{"suspended", probeOf(try(nil, ask(manifest, 405, "Namespace shop has been disabled.", "UNKNOWN"))), AccountRestricted, nil},
		{"payment", probeOf(try(ci, ask(manifest, 402, ""))), AccountRestricted, nil},
		{"address blocked", probeOf(try(ci, denied("client with IP '192.0.2.8' is not allowed access.")...)), ClientBlocked, nil},
		{"a block page", probeOf(try(nil, walk{ask(manifest, 403, "")}.typed("text/html")...)), ClientBlocked, []Code{Proxy, Forbidden, NotARegistry}},
		{"storage refuses", probeOf(try(ci, walk{ask(manifest, 200, ""), ask(layer, 403, "")}.via("bucket.example")...)), ClientBlocked, nil},
		{"a layer is refused", probeOf(try(ci, ask(manifest, 200, ""), ask(layer, 403, "", "DENIED"))), Forbidden, nil},
		{"scanner", probeOf(try(ci, ask(manifest, 412, "", "PROJECTPOLICYVIOLATION"))), ContentPolicy, nil},
		{"legal reasons", probeOf(try(ci, ask(manifest, 451, ""))), ClientBlocked, nil},
		{"out of order", probeOf(try(nil, ask(manifest, 503, "maintenance"))), Unavailable, nil},
		{"wrong bytes", probeOf(try(nil, walk{ask(layer, 200, "")}.broken(evidence.FailedDigest)...)), CacheCorrupt, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := judge(tt.probe, noon)
			if got.blind != "" || got.cause != tt.want || !slices.Equal(got.also, tt.also) || (tt.want == "") != (got.served != nil) {
				t.Errorf("%q, also %v (blind: %q), want %q, also %v", got.cause, got.also, got.blind, tt.want, tt.also)
			}
		})
	}
}

// What keeps this machine from an answer says nothing.
func TestJudgeIsBlind(t *testing.T) {
	t.Parallel()
	one := func(f evidence.Failure) *evidence.Probe {
		return probeOf(try(nil, walk{ask(evidence.StepManifest, 0, "reset by peer")}.broken(f)...))
	}
	tests := []struct {
		name  string
		probe *evidence.Probe
		cause Code
		why   string
	}{
		{"no such name", one(evidence.FailedDNS), DNS, "this machine cannot reach shop.example: reset by peer"},
		{"refused", one(evidence.FailedRefused), Refused, "this machine cannot reach shop.example: reset by peer"},
		{"untrusted", one(evidence.FailedUntrusted), TLSUntrusted, "this machine cannot reach shop.example: reset by peer"},
		{"plain", one(evidence.FailedPlain), HTTPMismatch, "this machine cannot reach shop.example: reset by peer"},
		{"this machine's proxy", one(evidence.FailedProxy), Proxy, "this machine cannot reach shop.example: reset by peer"},
		{"an unsafe realm", one(evidence.FailedUnsafe), Unknown, "it was not asked: reset by peer"},
		{"an endless answer", one(evidence.FailedBody), Unknown, "shop.example did not answer in a way that can be used: reset by peer"},
		{"storage", probeOf(try(nil, walk{ask(evidence.StepLayer, 0, "timeout")}.broken(evidence.FailedTimeout).via("bucket.example")...)), Timeout,
			"this machine cannot reach bucket.example (to where the registry sends on): timeout"},
		{"skipped", probeOf(evidence.Attempt{Login: ci, Skipped: "the registry refused it 3 minutes ago"}), Unknown, "the registry refused it 3 minutes ago"},
		{"withheld", &evidence.Probe{Withheld: "the registry has locked this login out"}, Unknown, "the registry has locked this login out"},
		{"nothing", &evidence.Probe{}, Unknown, "it was not asked"},
	}
	for _, tt := range tests {
		w := judge(tt.probe, noon)
		if tt.name == "withheld" || tt.name == "nothing" {
			w.cause = Unknown
		}
		if diff := cmp.Diff([]string{string(tt.cause), tt.why}, []string{string(w.cause), w.blind}); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}
