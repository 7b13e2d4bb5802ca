package diagnose

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A phrase that could be an image's name would let a name decide. Guards (and, not) only narrow, so only what sets a rule off is held to it.
func TestNoPhraseIsAName(t *testing.T) {
	t.Parallel()
	name := regexp.MustCompile(`^[a-z0-9]+(?:[._-][a-z0-9]+)*$`)
	known := strings.Fields(`toomanyrequests errimageneverpull proxyconnect invalidimagename signaturevalidationfailed registryunavailable imageinspecterror failedtoretrieveimagepullsecret
		ssl_error getaddrinfow wsarecv wsasend projectpolicyviolation vpcservicecontrols nocredentialproviders managedidentity ec2rolerequesterror getauthorizationtoken assumerolewithwebidentity aadsts aadsts7000222
		expiredtoken invalid_token name_unknown name_invalid tag_invalid repo_not_found manifest_unknown blob_unknown manifest_blob_unknown blobnotfound nosuchkey userprojectmissing consumer_suspended insufficient_scope
		too_many_requests quota_exceeded resource_exhausted throttlingexception imagepolicywebhook 169.254.169.254 metadata.google.internal deprecated-image-specs x-squid-error errors.edgesuite.net policy.sigstore.dev
		hosts.toml newuidmap layerdb applylayer mknod setxattr lsetxattr geo-blocked attestors config.json auth.json policy.json registries.conf stargz nydus soci-snapshotter client.timeout auths
		containerd.sock crio.sock cri-dockerd.sock request-serviceaccounts-token-audience`)
	for _, step := range ladder() {
		for _, r := range step {
			for _, p := range r.any {
				if p != strings.ToLower(p) {
					t.Errorf("%q is not lower case and never matches", p)
				}
				if name.MatchString(p) && !slices.Contains(known, p) {
					t.Errorf("%q for %s could be part of an image's name", p, r.say[0])
				}
			}
			if slices.Contains(r.say[:1], Unknown) != (r.sure == NoConfidence) {
				t.Errorf("%v says %s with confidence %s", r.any, r.say, r.sure)
			}
		}
	}
}

func TestEveryCodeHasASentenceAndIsListed(t *testing.T) {
	t.Parallel()
	for _, c := range Codes() {
		if sentences[c] == "" {
			t.Errorf("%s has no sentence", c)
		}
		if got, ok := ParseCode(string(c)); !ok || got != c {
			t.Errorf("%s does not parse", c)
		}
	}
	if len(Codes()) != len(sentences) {
		t.Errorf("%d codes, %d sentences", len(Codes()), len(sentences))
	}
	if _, ok := ParseCode("auth.nonsense"); ok {
		t.Error("auth.nonsense parses")
	}
	if f := DiskFull.Family(); f != "node" {
		t.Errorf("family of %s is %s", DiskFull, f)
	}
}
