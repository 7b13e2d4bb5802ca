package diagnose

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refloat-dev/refloat/evidence"
)

const (
	notFound    = `failed to pull and unpack image "shop.example/web/api:1.4": failed to resolve image: shop.example/web/api:1.4: not found`
	limited     = `failed to pull and unpack image "shop.example/web/api:1.4": failed to copy: httpReadSeeker: failed open: unexpected status from GET request to https://shop.example/v2/web/api/manifests/x: 429 Too Many Requests`
	locked      = `failed to pull and unpack image "shop.example/web/api:1.4": failed to resolve image: failed to authorize: failed to fetch oauth token: unexpected status from POST request to https://auth.shop.example/token: 429 Too Many Requests`
	wrongArch   = `failed to create containerd task: exec /app: exec format error`
	noLayer     = `failed to pull and unpack image "shop.example/web/api:1.4": failed to copy: httpReadSeeker: failed open: could not fetch content descriptor ` + d1 + ` (application/vnd.oci.image.layer.v1.tar+gzip) from remote: not found`
	harborRule  = `failed to pull and unpack image "shop.example/web/api:1.4": failed to resolve image: unexpected status from HEAD request to https://shop.example/v2/web/api/manifests/1.4: 412 Precondition Failed`
	ecrExpired  = `failed to pull and unpack image "shop.example/web/api:1.4": failed to resolve image: unexpected status from HEAD request to https://shop.example/v2/web/api/manifests/1.4: 403 Forbidden` + "\n" + `denied: Your authorization token has expired. Reauthenticate and try again.`
	serverError = `failed to pull and unpack image "shop.example/web/api:1.4": failed to resolve image: unexpected status from HEAD request to https://shop.example/v2/web/api/manifests/1.4: 503 Service Unavailable`
)

func asked(p *evidence.Probe) *evidence.Fact {
	return &evidence.Fact{Text: "asked", Vantage: evidence.Registry, Where: "this machine", Probe: p}
}

func ringOf(k evidence.Keyring) *evidence.Fact {
	return &evidence.Fact{Text: "keyring", Vantage: evidence.Registry, Keyring: &k}
}

func entry(l *evidence.Login, matches bool) evidence.KeyringEntry {
	return evidence.KeyringEntry{Login: *l, Matches: matches, Why: "the key is the registry"}
}

// join is one case of what a message and a probe come to together.
type join struct {
	name  string
	facts []*evidence.Fact
	cause Code
	sure  Confidence
	says  string   // in the summary
	cites string   // in a fact that the verdict rests on
	out   []Code   // ruled out
	stays []Code   // among the candidates
	gap   string   // in a deciding gap
	node  bool     // the node has an identity of its own
	masks []Code   // shows only because of the cause
	not   []string // in the summary
}

func (tt *join) check(t *testing.T, d Diagnosis) {
	t.Helper()
	if d.Cause != tt.cause || d.Confidence != tt.sure {
		t.Errorf("cause %s (%s), want %s (%s); candidates %v; %s", d.Cause, d.Confidence, tt.cause, tt.sure, d.Candidates, d.Summary)
	}
	if !strings.Contains(d.Summary, tt.says) || len([]rune(d.Summary)) > maxSummary {
		t.Errorf("summary %q does not say %q", d.Summary, tt.says)
	}
	if d.ServedNow != strings.Contains(d.Summary, " is served now") {
		t.Errorf("served now: %v, summary %q", d.ServedNow, d.Summary)
	}
	if tt.cites != "" && !slices.ContainsFunc(d.Because, func(f *evidence.Fact) bool { return strings.Contains(f.Text, tt.cites) }) {
		for _, f := range d.Because {
			t.Logf("cites %q", f.Text)
		}
		t.Errorf("nothing cites %q", tt.cites)
	}
	for _, c := range tt.out {
		if !slices.ContainsFunc(d.RuledOut, func(r RuledOut) bool { return r.Cause == c && r.Why != "" }) {
			t.Errorf("%s is not ruled out: %v", c, d.RuledOut)
		}
	}
	for _, c := range tt.stays {
		if !d.allows(c) {
			t.Errorf("candidates %v lack %s", d.Candidates, c)
		}
	}
	for _, c := range tt.masks {
		if !slices.Contains(d.Masks, c) {
			t.Errorf("masks %v lack %s", d.Masks, c)
		}
	}
	open := slices.ContainsFunc(d.Gaps, func(g evidence.Gap) bool { return g.Deciding && strings.Contains(g.What+": "+g.Why, tt.gap) })
	if tt.gap != "" && !open {
		t.Errorf("gaps %v lack %q", d.Gaps, tt.gap)
	}
	if tt.sure == Confirmed && (len(d.Candidates) != 1 || slices.ContainsFunc(d.Gaps, func(g evidence.Gap) bool { return g.Deciding })) {
		t.Errorf("confirmed, with candidates %v and gaps %v", d.Candidates, d.Gaps)
	}
	for _, r := range d.RuledOut {
		if strings.HasSuffix(r.Why, ": ") || strings.HasSuffix(r.Why, string(Unknown)) {
			t.Errorf("%s is ruled out without a reason: %q", r.Cause, r.Why)
		}
		if d.allows(r.Cause) {
			t.Errorf("%s is ruled out and a candidate", r.Cause)
		}
	}
}

func runJoins(t *testing.T, tests []join) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			facts := tt.facts
			if tt.node {
				facts = append(facts, nodeFact(evidence.NodeState{Home: evidence.HomeEKS}))
			}
			tt.check(t, Diagnose(caseOf(facts...), noon))
		})
	}
}

func TestJoinAuth(t *testing.T) {
	t.Parallel()
	named := secretFact(evidence.Secret{Name: "regcred", Exists: evidence.Yes, Type: "kubernetes.io/dockerconfigjson", Registries: []string{"shop.example"}})
	gone := secretFact(evidence.Secret{Name: "regcred", Exists: evidence.No})
	nobody := asked(probeOf(try(nil, first401, ask(evidence.StepToken, 401, "authentication required", "UNAUTHORIZED"))))
	hubNobody := asked(probeOf(try(nil, after(first401).challenged(scope)...)))
	wrong := asked(probeOf(try(ci, first401, ask(evidence.StepToken, 401, "incorrect username or password"))))
	mine := ringOf(evidence.Keyring{Entries: []evidence.KeyringEntry{entry(ci, true)}})
	empty := ringOf(evidence.Keyring{})
	near := ringOf(evidence.Keyring{Entries: []evidence.KeyringEntry{{Login: *ci, Near: true, Why: "the port is missing", Hint: "write shop.example:443 as the image does"}}})
	noneOf := &evidence.Fact{Message: waiting(anonymous401).Message}
	runJoins(t, []join{
		{name: "private, nothing named", facts: []*evidence.Fact{noneOf, podWith(), empty, nobody}, cause: NoCredentials, sure: Confirmed, says: "names no pull secret", cites: "from this machine, GET https://shop.example/token without credentials is answered 401 UNAUTHORIZED: authentication required", out: []Code{InvalidCredentials, ProviderFailed}},
		{name: "private, on a node with an identity", node: true, facts: []*evidence.Fact{noneOf, podWith(), empty, nobody}, cause: ProviderFailed, sure: Possible, stays: []Code{NoCredentials}, gap: "the node's own credentials"},
		{name: "private, where the keyring says that the node may", facts: []*evidence.Fact{noneOf, podWith(), ringOf(evidence.Keyring{NodeMay: "a credential provider in the kubelet's config"}), nobody}, cause: ProviderFailed, sure: Possible, gap: "credentials: config.json"},
		{name: "private or missing", facts: []*evidence.Fact{waiting(insufficientScope), podWith(), empty, hubNobody}, cause: DeniedOrMissing, sure: Confirmed, cites: "401", out: []Code{ProviderFailed}},
		{name: "private, a secret that is missing", facts: []*evidence.Fact{noneOf, podWith("regcred"), gone, empty, nobody}, cause: SecretMissing, sure: Confirmed, says: "shop/regcred", masks: []Code{NoCredentials}},
		{name: "private or missing, a secret that is missing", facts: []*evidence.Fact{waiting(insufficientScope), podWith("regcred"), gone, empty, hubNobody}, cause: SecretMissing, sure: Possible, stays: []Code{DeniedOrMissing}},
		{name: "a key that nearly matches", facts: []*evidence.Fact{noneOf, podWith("regcred"), near, nobody}, cause: SecretMalformed, sure: Confirmed, says: "write shop.example:443", out: []Code{NoCredentials}, masks: []Code{NoCredentials}},
		{name: "a key that nearly matches, and a registry that hides", facts: []*evidence.Fact{waiting(insufficientScope), podWith("regcred"), near, hubNobody}, cause: SecretMalformed, sure: Likely, says: "write shop.example:443"},
		{name: "an entry without credentials", facts: []*evidence.Fact{noneOf, podWith("regcred"), ringOf(evidence.Keyring{Entries: []evidence.KeyringEntry{entry(hollow, true)}}), asked(probeOf(try(hollow, walk{ask(evidence.StepManifest, 401, "")}.challenged("Basic")...)))}, cause: SecretMalformed, sure: Confirmed, says: "holds no user"},
		{name: "a secret that nobody could read", facts: []*evidence.Fact{noneOf, podWith("regcred"), ringOf(evidence.Keyring{Unread: []string{"shop/regcred"}}), nobody}, cause: NoCredentials, sure: Possible, gap: "secret regcred in namespace shop"},
		{name: "wrong password", facts: []*evidence.Fact{waiting(oauth401), podWith("regcred"), named, mine, wrong}, cause: InvalidCredentials, sure: Confirmed, says: "shop/regcred", cites: "with secret shop/regcred (user ci) is answered 401: incorrect username or password", out: []Code{ExpiredCredentials, NoCredentials}},
		{name: "a line break in the password", facts: []*evidence.Fact{waiting(oauth401), podWith("regcred"), named, mine, asked(probeOf(try(bad, first401, ask(evidence.StepToken, 401, ""))))}, cause: InvalidCredentials, sure: Confirmed, says: "line break"},
		{name: "expired by its own words", facts: []*evidence.Fact{waiting(plain403), podWith("regcred"), named, mine, asked(probeOf(try(old, walk{ask(evidence.StepManifest, 403, "", "DENIED")}...)))}, cause: ExpiredCredentials, sure: Confirmed, says: "it ended at 2026-11-22 09:00 UTC", out: []Code{Forbidden}},
		{name: "forbidden", facts: []*evidence.Fact{waiting(plain403), podWith("regcred"), named, mine, asked(probeOf(try(ci, token200, ask(evidence.StepManifest, 403, "requested access to the resource is denied", "DENIED"))))}, cause: Forbidden, sure: Confirmed, out: []Code{ClientBlocked, ExpiredCredentials}},
		{name: "somebody whom Hub tells nothing", facts: []*evidence.Fact{waiting(insufficientScope), podWith("regcred"), named, mine, asked(at(probeOf(try(ci, after(first401).challenged(scope)...)), "acme/api:1", "registry-1.docker.io"))}, cause: DeniedOrMissing, sure: Confirmed, says: "shown no such repository", out: []Code{NoCredentials}},
		{name: "a stale secret on a public image", facts: []*evidence.Fact{waiting(oauth401), podWith("regcred"), named, mine, asked(probeOf(try(ci, first401, ask(evidence.StepToken, 401, "")), compared(good(nil))))}, cause: InvalidCredentials, sure: Confirmed, says: "the image is public and the secret breaks it", cites: "without credentials it is served"},
		{name: "an expired one on a public image", facts: []*evidence.Fact{waiting(plain403), podWith("regcred"), named, mine, asked(probeOf(try(old, ask(evidence.StepToken, 401, "")), compared(good(nil))))}, cause: ExpiredCredentials, sure: Confirmed, says: "public"},
		{name: "two, of which the first is stale", facts: []*evidence.Fact{waiting(oauth401), podWith("regcred"), named, mine, asked(probeOf(try(old, ask(evidence.StepToken, 401, "")), good(ci)))}, cause: InvalidCredentials, sure: Possible, says: "served now: with secret shop/regcred (user ci)", cites: "the kubelet tries them all"},
		{name: "two that fail", facts: []*evidence.Fact{waiting("[" + oauth401 + ", " + plain403 + "]"), podWith("regcred"), named, mine, asked(probeOf(try(old, ask(evidence.StepToken, 401, "")), try(ci, token200, ask(evidence.StepManifest, 403, "", "DENIED"))))}, cause: Forbidden, sure: Confirmed, cites: "the kubelet tries them all"},
		{name: "two that fail, and the message tells of the first", facts: []*evidence.Fact{waiting("[" + ecrExpired + ", " + plain403 + "]"), podWith("regcred"), named, mine, asked(probeOf(try(old, ask(evidence.StepManifest, 403, "")), try(ci, walk{ask(evidence.StepManifest, 401, "")}.challenged("Basic")...)))}, cause: ExpiredCredentials, sure: Confirmed, cites: "(user ci) it is answered 401, and the kubelet tries them all"},
		{name: "locked out, not tried", facts: []*evidence.Fact{waiting(locked), podWith("regcred"), named, mine, asked(&evidence.Probe{Image: "shop.example/web/api:1.4", Host: "shop.example", Withheld: "the message is a lock-out", Attempts: []evidence.Attempt{compared(try(nil, after(first401)...))}})}, cause: LockedOut, sure: Confirmed, says: "shop/regcred", out: []Code{RateLimited}, cites: "no credential was tried: the message is a lock-out"},
		{name: "locked out, or everybody", facts: []*evidence.Fact{waiting(locked), podWith("regcred"), named, mine, asked(&evidence.Probe{Image: "shop.example/web/api:1.4", Host: "shop.example", Withheld: "x", Attempts: []evidence.Attempt{compared(try(nil, ask(evidence.StepManifest, 429, "")))}})}, cause: LockedOut, sure: Possible, stays: []Code{RateLimited}, gap: "what shop.example answers: x"},
		{name: "fixed since, and the tag is missing", facts: []*evidence.Fact{waiting(oauth401), podWith("regcred"), named, mine, asked(tagged(probeOf(try(ci, ask(evidence.StepManifest, 404, "", "MANIFEST_UNKNOWN"))), 200))}, cause: TagNotFound, sure: Likely, out: []Code{InvalidCredentials}},
		{name: "works now", facts: []*evidence.Fact{waiting(oauth401), podWith("regcred"), named, mine, asked(probeOf(good(ci)))}, cause: InvalidCredentials, sure: Possible, says: "served now: with secret shop/regcred (user ci): the pod only waits"},
		{name: "public, while the node may offer something", node: true, facts: []*evidence.Fact{waiting(oauth401), podWith(), empty, asked(probeOf(good(nil)))}, cause: InvalidCredentials, sure: Possible, says: "may offer some of its own", stays: []Code{ProviderFailed}, gap: "the node's own credentials"},
		{name: "skipped", facts: []*evidence.Fact{waiting(oauth401), podWith("regcred"), named, mine, asked(probeOf(evidence.Attempt{Login: ci, Skipped: "the registry refused it 3 minutes ago"}))}, cause: InvalidCredentials, sure: Likely, cites: "with secret shop/regcred (user ci): the registry refused it 3 minutes ago"},
		{name: "skipped, and forbidden", facts: []*evidence.Fact{waiting(plain403), podWith("regcred"), named, mine, asked(probeOf(evidence.Attempt{Login: ci, Skipped: "the registry refused it 3 minutes ago"}))}, cause: Forbidden, sure: Possible, gap: "refused it 3 minutes ago"},
		{name: "skipped, on a public image", facts: []*evidence.Fact{waiting(oauth401), podWith("regcred"), named, mine, asked(probeOf(evidence.Attempt{Login: ci, Skipped: "the registry refused it 3 minutes ago"}, compared(good(nil))))}, cause: InvalidCredentials, sure: Likely, says: "the image is public and the secret breaks it"},
		{name: "not asked in time", facts: []*evidence.Fact{waiting(oauth401), podWith("regcred"), named, mine, asked(probeOf(evidence.Attempt{Login: ci, Skipped: "the run ended before it was asked"}))}, cause: InvalidCredentials, sure: Possible, gap: "before it was asked"},
		{name: "a broken secret", facts: []*evidence.Fact{waiting("illegal base64 data at input byte 0"), podWith("regcred"), ringOf(evidence.Keyring{Broken: "illegal base64 data at input byte 0", BrokenBy: "shop/regcred"})}, cause: SecretMalformed, sure: Confirmed, says: "shop/regcred"},
		{name: "broken since", facts: []*evidence.Fact{waiting(oauth401), podWith("regcred"), ringOf(evidence.Keyring{Broken: "illegal base64 data at input byte 0", BrokenBy: "shop/regcred"})}, cause: SecretMalformed, sure: Likely, says: "illegal base64", out: []Code{InvalidCredentials}},
		{name: "born before the secret", facts: []*evidence.Fact{noneOf, podWith(), named, {Account: &evidence.ServiceAccount{Namespace: "shop", Name: "default", Exists: evidence.Yes, PullSecrets: []string{"regcred"}}}, empty, nobody}, cause: NoCredentials, sure: Confirmed, says: "created before"},
	})
}

func TestJoinRest(t *testing.T) {
	t.Parallel()
	unknown := ask(evidence.StepManifest, 404, "manifest unknown", "MANIFEST_UNKNOWN")
	noTag := asked(tagged(probeOf(try(nil, unknown)), 200))
	fine := asked(probeOf(good(nil)))
	unreached := asked(probeOf(try(nil, walk{ask(evidence.StepManifest, 0, "lookup shop.example: no such host")}.broken(evidence.FailedDNS)...)))
	amd := good(nil)
	amd.Found = &evidence.Manifest{MediaType: "application/vnd.oci.image.manifest.v1+json", Platforms: []string{"linux/amd64"}}
	arm := probeOf(amd)
	arm.Platform = "linux/arm64/v8"
	index := probeOf(evidence.Attempt{Steps: walk{ask(evidence.StepManifest, 200, "")}, Found: &evidence.Manifest{MediaType: "application/vnd.oci.image.index.v1+json", Platforms: []string{"linux/arm64", "windows/amd64"}}})
	layers := good(nil)
	layers.Steps = append(layers.Steps, ask(evidence.StepLayer, 200, ""))
	onlyHere := &evidence.Fact{Elsewhere: &evidence.Elsewhere{Running: []string{"node-1"}, Failing: []string{"node-2"}}}
	silent := podWith()
	silent.Pod.PullingSince = noon.Add(-time.Hour)
	runJoins(t, []join{
		{name: "a missing tag", facts: []*evidence.Fact{waiting(notFound), noTag}, cause: TagNotFound, sure: Confirmed, cites: "is answered 404 MANIFEST_UNKNOWN: manifest unknown; its tag list is answered 200", out: []Code{RepositoryNotFound, DeniedOrMissing}},
		{name: "a missing repository", facts: []*evidence.Fact{waiting(notFound), asked(tagged(probeOf(try(nil, unknown)), 404))}, cause: RepositoryNotFound, sure: Confirmed, out: []Code{TagNotFound}},
		{name: "either", facts: []*evidence.Fact{waiting(notFound), asked(probeOf(try(nil, unknown)))}, cause: TagNotFound, sure: Possible, stays: []Code{RepositoryNotFound}},
		{name: "pushed since", facts: []*evidence.Fact{waiting(notFound), fine}, cause: TagNotFound, sure: Possible, says: "served now: the pod only waits for its back-off"},
		{name: "there, and on other nodes", facts: []*evidence.Fact{waiting(notFound), fine, onlyHere}, cause: TagNotFound, sure: Possible, says: "may have a mirror", stays: []Code{RegistryConfig}},
		{name: "missing, and not reached from here", facts: []*evidence.Fact{waiting(notFound), unreached}, cause: TagNotFound, sure: Possible, gap: "this machine cannot reach shop.example"},
		{name: "platform", facts: []*evidence.Fact{waiting("get image config descriptor: no match for platform in manifest sha256:1: not found"), asked(index)}, cause: PlatformMismatch, sure: Confirmed, says: "it has linux/arm64, windows/amd64, not linux/amd64", cites: "nothing for linux/amd64"},
		{name: "one platform, and another's node", facts: []*evidence.Fact{waiting(wrongArch), asked(arm)}, cause: PlatformMismatch, sure: Confirmed, says: "made for linux/amd64 alone", out: []Code{UnsupportedFormat}},
		{name: "a layer is gone", facts: []*evidence.Fact{waiting(noLayer), asked(probeOf(try(nil, ask(evidence.StepManifest, 200, ""), ask(evidence.StepLayer, 404, "", "BLOB_UNKNOWN"))))}, cause: ContentMissing, sure: Confirmed},
		{name: "a layer is back", facts: []*evidence.Fact{waiting(noLayer), asked(probeOf(layers))}, cause: ContentMissing, sure: Possible, says: "served now"},
		{name: "the layers were not asked for", facts: []*evidence.Fact{waiting(noLayer), fine}, cause: ContentMissing, sure: Likely},
		{name: "the scanner's rule", facts: []*evidence.Fact{waiting(harborRule), asked(probeOf(try(ci, ask(evidence.StepManifest, 412, "current image with 4 vulnerabilities cannot be pulled due to configured policy", "PROJECTPOLICYVIOLATION"))))}, cause: ContentPolicy, sure: Confirmed},
		{name: "out of order", facts: []*evidence.Fact{waiting(serverError), asked(probeOf(try(nil, ask(evidence.StepManifest, 503, ""))))}, cause: Unavailable, sure: Confirmed},
		{name: "back in order", facts: []*evidence.Fact{waiting(serverError), fine}, cause: Unavailable, sure: Possible, says: "served now"},
		{name: "DNS on the node alone", facts: []*evidence.Fact{waiting(noHost), fine}, cause: DNS, sure: Likely, says: "look at node-2's network, proxy or CA", cites: "from this machine, shop.example serves shop.example/web/api:1.4 without credentials"},
		{name: "DNS on one node of two", facts: []*evidence.Fact{waiting(noHost), fine, onlyHere}, cause: DNS, sure: Likely, says: "the same image runs on node-1"},
		{name: "silent", facts: []*evidence.Fact{silent, fine}, cause: Stalled, sure: Likely, says: "pulling for 1h0m0s without a word", cites: "serves"},
		{name: "DNS here too", facts: []*evidence.Fact{waiting(noHost), unreached}, cause: DNS, sure: Likely},
		{name: "DNS on the node, refused here", facts: []*evidence.Fact{waiting(noHost), podWith(), asked(probeOf(try(nil, first401, ask(evidence.StepToken, 401, ""))))}, cause: DNS, sure: Likely, says: "look at node-2's network"},
		{name: "a blocked address", facts: []*evidence.Fact{waiting(plain403), asked(probeOf(try(nil, ask(evidence.StepManifest, 403, "client with IP '192.0.2.8' is not allowed access.", "DENIED"))))}, cause: Forbidden, sure: Possible, gap: "blocks this machine"},
		{name: "limited here too, by address", facts: []*evidence.Fact{waiting(limited), asked(probeOf(try(ci, walk{ask(evidence.StepManifest, 429, "")}.limit("192.0.2.8", "0;w=21600")...)))}, cause: RateLimited, sure: Likely},
		{name: "limited, by account", facts: []*evidence.Fact{waiting(limited), asked(probeOf(try(ci, walk{ask(evidence.StepManifest, 429, "")}.limit("5f1c-ac", "0;w=21600")...)))}, cause: RateLimited, sure: Confirmed, cites: "counts the account"},
		{name: "limited, by account, as a free look tells", facts: []*evidence.Fact{waiting(limited), asked(probeOf(evidence.Attempt{Login: ci, Served: true, Steps: walk{ask(evidence.StepManifest, 200, "")}.limit("5f1c-ac", "0;w=21600")}))}, cause: RateLimited, sure: Confirmed, says: "remaining 0"},
		{name: "limited there, not here", facts: []*evidence.Fact{waiting(limited), fine}, cause: RateLimited, sure: Likely, not: []string{"served now"}},
		{name: "limited there, refused here", facts: []*evidence.Fact{waiting(limited), podWith(), asked(probeOf(try(nil, first401, ask(evidence.StepToken, 401, ""))))}, cause: RateLimited, sure: Likely},
		{name: "limited there, no tag here", facts: []*evidence.Fact{waiting(limited), noTag}, cause: RateLimited, sure: Likely},
		{name: "no message, no tag", facts: []*evidence.Fact{waiting(`Back-off pulling image "shop.example/web/api:1.4"`), noTag}, cause: TagNotFound, sure: Likely},
		{name: "no message, served", facts: []*evidence.Fact{waiting(`Back-off pulling image "shop.example/web/api:1.4"`), fine}, cause: Unknown, sure: NoConfidence, says: "serves it to this machine", gap: "the error text"},
		{name: "a full disk", facts: []*evidence.Fact{waiting("write /x: no space left on device"), fine}, cause: DiskFull, sure: Likely},
	})
}

// The best alternative is worth a place in the summary only where nobody can mean anything else.
func TestSummaryNamesWhatIsCertain(t *testing.T) {
	t.Parallel()
	for _, certain := range []bool{true, false} {
		other := &evidence.Fact{Alternatives: &evidence.Alternatives{Items: []evidence.Alternative{{Image: "shop.example/web/api:1.3", Why: "the last tag that this workload ran", Certain: certain}}}}
		d := Diagnose(caseOf(waiting(notFound), asked(tagged(probeOf(try(nil, ask(evidence.StepManifest, 404, ""))), 200)), other), noon)
		if got := strings.Contains(d.Summary, "use shop.example/web/api:1.3: the last tag"); got != certain {
			t.Errorf("certain %v: %s", certain, d.Summary)
		}
	}
}

// Diagnosing changes no fact: cases share them.
func TestJoinLeavesFactsAlone(t *testing.T) {
	t.Parallel()
	f := asked(probeOf(good(ci)))
	Diagnose(caseOf(waiting(oauth401), f), noon)
	if f.Text != "asked" {
		t.Errorf("the probe's fact now says %q", f.Text)
	}
}
