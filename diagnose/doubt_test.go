package diagnose

import (
	"testing"

	"github.com/refloat-dev/refloat/evidence"
)

// What answers here need not be what answered the node, and an answer that everybody gets need not be about the credential.
func TestJoinDoubts(t *testing.T) {
	t.Parallel()
	const (
		unknownTag = `failed to pull and unpack image "shop.example/web/api:1.4": manifest for shop.example/web/api:1.4 not found: manifest unknown: manifest unknown`
		noRepo     = `failed to pull and unpack image "shop.example/web/api:1.4": name unknown: repository name not known to registry`
		mirror401  = `failed to pull and unpack image "shop.example/web/api:1.4": failed to resolve image: pulling from host mirror.corp failed with status code [manifests 1.4]: 401 Unauthorized`
		mirrorHead = `failed to pull and unpack image "shop.example/web/api:1.4": failed to resolve image: unexpected status from HEAD request to https://mirror.corp/v2/web/api/manifests/1.4?ns=shop.example: 403 Forbidden`
		mirrorTok  = `failed to pull and unpack image "shop.example/web/api:1.4": failed to resolve image: failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://mirror.corp/token?scope=x: 401 Unauthorized`
		suspended  = `failed to pull and unpack image "shop.example/web/api:1.4": failed to resolve image: unexpected status from HEAD request to https://shop.example/v2/web/api/manifests/1.4: 402 Payment Required`
		badBytes   = `failed to pull and unpack image "shop.example/web/api:1.4": failed commit on ref "layer-sha256:1": unexpected commit digest sha256:2, expected sha256:1: failed precondition`
	)
	page := asked(probeOf(try(nil, walk{ask(evidence.StepManifest, 404, "HTML page: sign in")}.typed("text/html")...)))
	empty := ringOf(evidence.Keyring{})
	mine := ringOf(evidence.Keyring{Entries: []evidence.KeyringEntry{entry(ci, true)}})
	nobody := asked(probeOf(try(nil, first401, ask(evidence.StepToken, 401, "authentication required", "UNAUTHORIZED"))))
	forbidden := asked(probeOf(try(ci, token200, ask(evidence.StepManifest, 403, "requested access to the resource is denied", "DENIED"))))
	hiding := compared(try(nil, ask(evidence.StepManifest, 404, "", "NAME_UNKNOWN")))
	runJoins(t, []join{
		{name: "a page that answers 404 here", facts: []*evidence.Fact{waiting(unknownTag), page}, cause: TagNotFound, sure: Possible},
		{name: "a page that answers 404 here, and no such repository there", facts: []*evidence.Fact{waiting(noRepo), page}, cause: RepositoryNotFound, sure: Likely},
		{name: "a mirror wants credentials", facts: []*evidence.Fact{waiting(mirrorTok), podWith(), empty, nobody}, cause: NoCredentials, sure: Likely},
		{name: "a mirror wants credentials, older words", facts: []*evidence.Fact{waiting(mirror401), podWith(), empty, nobody}, cause: NoCredentials, sure: Likely},
		{name: "a mirror refuses", facts: []*evidence.Fact{waiting(mirrorHead), podWith("regcred"), mine, forbidden}, cause: Forbidden, sure: Likely},
		{name: "the account is restricted, and the image public", facts: []*evidence.Fact{waiting(suspended), podWith("regcred"), mine, asked(probeOf(try(ci, ask(evidence.StepManifest, 402, "")), compared(good(nil))))}, cause: AccountRestricted, sure: Confirmed},
		{name: "a credential refused before, and a registry that hides from nobody", facts: []*evidence.Fact{waiting(oauth401), podWith("regcred"), mine, asked(probeOf(evidence.Attempt{Login: ci, Skipped: "the registry refused it 3 minutes ago"}, hiding))}, cause: InvalidCredentials, sure: Likely},
		{name: "other bytes here too", facts: []*evidence.Fact{waiting(badBytes), asked(probeOf(try(nil, walk{ask(evidence.StepManifest, 200, "unexpected digest")}.broken(evidence.FailedDigest)...)))}, cause: CacheCorrupt, sure: Possible, says: "other bytes"},
	})
}
