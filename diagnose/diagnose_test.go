package diagnose

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refloat-dev/refloat/evidence"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const (
	anonymous401 = `failed to pull and unpack image "shop.example/web/api:1.4": failed to resolve image: pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials`
	noHost       = `failed to pull and unpack image "shop.example/web/api:1.4": failed to resolve image: failed to do request: Head "https://shop.example/v2/web/api/manifests/1.4": dial tcp: lookup shop.example on 10.0.0.2:53: no such host`
	oauth401     = `failed to pull and unpack image "shop.example/web/api:1.4": failed to resolve image: failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://auth.shop.example/token: 401 Unauthorized`
	plain403     = `failed to pull and unpack image "shop.example/web/api:1.4": failed to resolve image: unexpected status from HEAD request to https://shop.example/v2/web/api/manifests/1.4: 403 Forbidden`
	badUnpack    = `failed to create containerd container: error unpacking image: failed to extract layer sha256:11: mount callback failed on /tmp/x: input/output error`
)

func caseOf(facts ...*evidence.Fact) *evidence.Case {
	return &evidence.Case{Pull: evidence.Pull{Namespace: "shop", Pod: "api-0", UID: "u1", Container: "api", Kind: evidence.App, Image: "shop.example/web/api:1.4",
		Node: "node-2", Reason: "ImagePullBackOff"}, Facts: facts}
}

func waiting(text string) *evidence.Fact {
	return &evidence.Fact{Text: text, Message: &evidence.Message{Origin: evidence.Waiting, Reason: "ImagePullBackOff", Text: text}}
}

func event(reason, text string) *evidence.Fact {
	return &evidence.Fact{Message: &evidence.Message{Origin: evidence.Event, Reason: reason, Type: "Warning", Text: text, Last: noon}}
}

func podWith(secrets ...string) *evidence.Fact {
	return &evidence.Fact{Pod: &evidence.Pod{Created: noon.Add(-time.Hour), PullSecrets: secrets, ServiceAccount: "default"}}
}

func secretFact(s evidence.Secret) *evidence.Fact {
	s.Namespace = "shop"
	return &evidence.Fact{Secret: &s}
}

func nodeFact(n evidence.NodeState) *evidence.Fact {
	n.Name = "node-2"
	return &evidence.Fact{NodeState: &n}
}

func TestDiagnose(t *testing.T) {
	t.Parallel()
	good := evidence.Secret{Name: "regcred", Exists: evidence.Yes, Type: "kubernetes.io/dockerconfigjson", Registries: []string{"https://shop.example"}}
	stuck := podWith()
	stuck.Pod.PullingSince = noon.Add(-7 * time.Minute)
	longStuck := podWith()
	longStuck.Pod.PullingSince = noon.Add(-time.Hour)
	started := podWith()
	started.Pod.PullingSince = noon.Add(-30 * time.Second)
	account := &evidence.Fact{Account: &evidence.ServiceAccount{Namespace: "shop", Name: "default", Exists: evidence.Yes, PullSecrets: []string{"regcred"}, Changed: noon.Add(-time.Minute)}}
	full := nodeFact(evidence.NodeState{Ready: "True", DiskPressure: "True", ImageFS: &evidence.Filesystem{Available: 1 << 20, Capacity: 1 << 34}})
	onlyHere := &evidence.Fact{Elsewhere: &evidence.Elsewhere{Running: []string{"node-1"}, Failing: []string{"node-2"}}}
	tests := []struct {
		name  string
		facts []*evidence.Fact
		cause Code
		sure  Confidence
		says  string // in the summary
		also  []Code // among the candidates
		not   []Code // ruled out
	}{
		{"anonymous, nothing named", []*evidence.Fact{waiting(anonymous401), podWith()}, NoCredentials, Possible, "names no pull secret", []Code{ProviderFailed}, nil},
		{"secret missing", []*evidence.Fact{waiting(anonymous401), podWith("regcred"), secretFact(evidence.Secret{Name: "regcred", Exists: evidence.No})}, SecretMissing, Likely, "shop/regcred", nil, []Code{InvalidCredentials}},
		{"secret unreadable by us", []*evidence.Fact{waiting(anonymous401), podWith("regcred"), secretFact(evidence.Secret{Name: "regcred"})}, NoCredentials, Possible, "", nil, nil},
		{"secret of the wrong type", []*evidence.Fact{waiting(anonymous401), podWith("regcred"), secretFact(evidence.Secret{Name: "regcred", Exists: evidence.Yes, Type: "Opaque", Problem: "type Opaque is ignored"})}, SecretMalformed, Likely, "type Opaque", nil, nil},
		{"secret for another registry", []*evidence.Fact{waiting(anonymous401), podWith("regcred"), secretFact(evidence.Secret{Name: "regcred", Exists: evidence.Yes, Registries: []string{"other.example"}})}, SecretMalformed, Likely, "no entry that matches", nil, nil},
		{"secret matches, half empty", []*evidence.Fact{waiting(anonymous401), podWith("regcred"), secretFact(good)}, SecretMalformed, Possible, "shop/regcred", nil, nil},
		{"secret matches, refused", []*evidence.Fact{waiting(oauth401), podWith("regcred"), secretFact(good)}, InvalidCredentials, Possible, "shop/regcred", []Code{ExpiredCredentials}, []Code{NoCredentials}},
		{"secret matches, 403", []*evidence.Fact{waiting(plain403), podWith("regcred"), secretFact(good)}, Forbidden, Possible, "", []Code{ClientBlocked}, []Code{NoCredentials}},
		{"born before the secret", []*evidence.Fact{waiting(anonymous401), podWith(), account}, NoCredentials, Likely, "created before", nil, nil},
		{"missing secret beside DNS", []*evidence.Fact{waiting(noHost), podWith("regcred"), secretFact(evidence.Secret{Name: "regcred", Exists: evidence.No}), event("FailedToRetrieveImagePullSecret", "Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed.")}, DNS, Likely, "cannot resolve shop.example", nil, []Code{SecretMissing}},
		{"missing secret event alone", []*evidence.Fact{event("FailedToRetrieveImagePullSecret", "Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed.")}, Unknown, NoConfidence, "not known", nil, nil},
		{"raw reason", nil, SecretMalformed, Likely, "", nil, nil},
		{"DNS on one node", []*evidence.Fact{waiting(noHost), onlyHere}, DNS, Likely, "runs on node-1", nil, nil},
		{"unpack error on a full disk", []*evidence.Fact{waiting(badUnpack), full}, DiskFull, Possible, "MiB", []Code{FilesystemFailed}, nil},
		{"ENOSPC elsewhere", []*evidence.Fact{waiting("write /var/tmp/x: no space left on device"), nodeFact(evidence.NodeState{Ready: "True", DiskPressure: "False", ImageFS: &evidence.Filesystem{Available: 1 << 33, Capacity: 1 << 34}})}, DiskFull, Likely, "another filesystem", nil, nil},
		{"runtime down", []*evidence.Fact{nodeFact(evidence.NodeState{Ready: "False", ReadyReason: "KubeletNotReady: container runtime is down"})}, RuntimeUnavailable, Likely, "node-2", nil, nil},
		{"stalled", []*evidence.Fact{stuck}, Stalled, Possible, "7m0s", nil, nil},
		{"stalled for long", []*evidence.Fact{longStuck}, Stalled, Likely, "stopped moving", nil, nil},
		{"just started", []*evidence.Fact{started}, Unknown, NoConfidence, "", nil, nil},
		{"platform", []*evidence.Fact{waiting("get image config descriptor: no match for platform in manifest sha256:1: not found"), nodeFact(evidence.NodeState{OS: "linux", Arch: "arm64"})}, PlatformMismatch, Likely, "linux/arm64", nil, nil},
		{"clock", []*evidence.Fact{waiting(`Head "https://shop.example/v2/": tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2020-01-01T00:00:00Z is before 2026-01-01T00:00:00Z`)}, TLSInvalid, Likely, "clock", nil, nil},
		{"a crash's back-off", []*evidence.Fact{event("BackOff", "Back-off restarting failed container api in pod api-0_shop(u1)")}, Unknown, NoConfidence, "", nil, nil},
		{"a probe's refusal", []*evidence.Fact{event("Unhealthy", "Readiness probe failed: dial tcp 10.0.0.3:80: connect: connection refused")}, Unknown, NoConfidence, "", nil, nil},
		{"a program's own words", []*evidence.Fact{{Message: &evidence.Message{Origin: evidence.Terminated, Reason: "Error", Text: "dial tcp: lookup db: no such host"}}}, Unknown, NoConfidence, "", nil, nil},
		{"cause in an event alone", []*evidence.Fact{waiting(`Back-off pulling image "shop.example/web/api:1.4"`), event("Failed", `Failed to pull image "shop.example/web/api:1.4": `+noHost)}, DNS, Likely, "shop.example", nil, nil},
		{"dead mirror", []*evidence.Fact{waiting(`failed to resolve image: failed to do request: Head "https://mirror.example:1/v2/web/api/manifests/1.4?ns=shop.example": dial tcp 192.0.2.3:1: connect: connection refused`), onlyHere}, RegistryConfig, Likely, "mirror.example:1", []Code{Refused}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := caseOf(tt.facts...)
			if tt.name == "raw reason" {
				c.Pull.Reason = "illegal base64 data at input byte 0"
			}
			d := Diagnose(c, noon)
			checkDiagnosis(t, d)
			if d.Cause != tt.cause || d.Confidence != tt.sure {
				t.Errorf("cause %s (%s), want %s (%s); candidates %v", d.Cause, d.Confidence, tt.cause, tt.sure, d.Candidates)
			}
			if !strings.Contains(d.Summary, tt.says) {
				t.Errorf("summary %q does not say %q", d.Summary, tt.says)
			}
			for _, want := range tt.also {
				if !d.allows(want) {
					t.Errorf("candidates %v lack %s", d.Candidates, want)
				}
			}
			for _, want := range tt.not {
				if !slices.ContainsFunc(d.RuledOut, func(r RuledOut) bool { return r.Cause == want }) {
					t.Errorf("%s is not ruled out: %v", want, d.RuledOut)
				}
			}
		})
	}
}

func checkDiagnosis(t *testing.T, d Diagnosis) {
	t.Helper()
	if len(d.Candidates) == 0 || d.Candidates[0] != (Candidate{d.Cause, d.Confidence}) || d.Confidence == Confirmed {
		t.Errorf("cause %s (%s) and candidates %v do not agree, or the API alone confirmed it", d.Cause, d.Confidence, d.Candidates)
	}
	if d.Summary == "" || len([]rune(d.Summary)) > maxSummary || strings.ContainsAny(d.Summary, "\n\x1b{}") {
		t.Errorf("summary %q", d.Summary)
	}
	if d.Key == "" || (d.Cause == Unknown && len(d.Gaps) == 0) {
		t.Errorf("no key, or an unknown cause without a gap: %+v", d)
	}
	for _, r := range d.RuledOut {
		if d.allows(r.Cause) {
			t.Errorf("%s is ruled out and a candidate", r.Cause)
		}
	}
}

// A secret that could not be read is a gap, never missing.
func TestForbiddenSecretIsAGap(t *testing.T) {
	t.Parallel()
	d := Diagnose(caseOf(waiting(anonymous401), podWith("regcred"), secretFact(evidence.Secret{Name: "regcred"})), noon)
	if d.allows(SecretMissing) || !slices.ContainsFunc(d.Gaps, func(g evidence.Gap) bool {
		return strings.Contains(g.What, "secret regcred in namespace shop") && g.Deciding
	}) {
		t.Errorf("candidates %v, gaps %v", d.Candidates, d.Gaps)
	}
}

func TestCloudIsNeverSurelyAnonymous(t *testing.T) {
	t.Parallel()
	for _, image := range []string{"123456789012.dkr.ecr.eu-west-1.amazonaws.com/api:1", "europe-docker.pkg.dev/p/r/api:1", "shop.azurecr.io/api:1"} {
		c := caseOf(waiting(strings.ReplaceAll(anonymous401, "shop.example/web/api:1.4", image)), podWith())
		c.Pull.Image = image
		if d := Diagnose(c, noon); d.Confidence == Likely || !d.allows(ProviderFailed) {
			t.Errorf("%s: %s (%s), candidates %v", image, d.Cause, d.Confidence, d.Candidates)
		}
	}
}

func TestOldECRTokenHasExpired(t *testing.T) {
	t.Parallel()
	image := "123456789012.dkr.ecr.eu-west-1.amazonaws.com/api:1"
	c := caseOf(waiting(strings.ReplaceAll(plain403, "shop.example/web/api:1.4", image)), podWith("ecr"),
		secretFact(evidence.Secret{Name: "ecr", Exists: evidence.Yes, Registries: []string{"*.dkr.ecr.*.amazonaws.com"}, Changed: noon.Add(-30 * time.Hour)}))
	c.Pull.Image = image
	if d := Diagnose(c, noon); d.Cause != ExpiredCredentials || !strings.Contains(d.Summary, "30h") {
		t.Errorf("%s (%s): %s", d.Cause, d.Confidence, d.Summary)
	}
}
