package diagnose

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refloat-dev/refloat/evidence"
)

const (
	insufficientScope = `failed to resolve image: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`
	anonymousToken    = `failed to resolve image: failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://auth.shop.example/token: 401 Unauthorized`
	ecrForbidden      = `failed to resolve image: unexpected status from HEAD request to https://1.dkr.ecr.eu-west-1.amazonaws.com/v2/a/manifests/1: 403 Forbidden`
	ecrIdentity       = `denied: User: arn:aws:iam::1:user/x is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:eu-west-1:1:repository/a because no identity-based policy allows it`
)

func TestWeighsSecrets(t *testing.T) {
	t.Parallel()
	gone := secretFact(evidence.Secret{Name: "regcred", Exists: evidence.No})
	opaque := secretFact(evidence.Secret{Name: "regcred", Exists: evidence.Yes, Problem: "type Opaque is ignored"})
	other := secretFact(evidence.Secret{Name: "regcred", Exists: evidence.Yes, Registries: []string{"other.example"}})
	good := secretFact(evidence.Secret{Name: "regcred", Exists: evidence.Yes, Registries: []string{"shop.example"}})
	account := &evidence.Fact{Account: &evidence.ServiceAccount{Namespace: "shop", Name: "default", Exists: evidence.Yes, PullSecrets: []string{"regcred"}}}
	tests := []struct {
		name  string
		facts []*evidence.Fact
		cause Code
		sure  Confidence
		also  []Code
		gap   string
	}{
		{"a dangling secret and a name that may be wrong", []*evidence.Fact{waiting(insufficientScope), podWith("regcred"), gone}, SecretMissing, Possible, []Code{DeniedOrMissing, RepositoryNotFound, NoCredentials, Forbidden}, ""},
		{"an ignored secret and a name that may be wrong", []*evidence.Fact{waiting(insufficientScope), podWith("regcred"), opaque}, SecretMalformed, Possible, []Code{DeniedOrMissing, RepositoryNotFound}, ""},
		{"another registry's secret and a name that may be wrong", []*evidence.Fact{waiting(insufficientScope), podWith("regcred"), other}, SecretMalformed, Possible, []Code{DeniedOrMissing, RepositoryNotFound}, ""},
		{"a missing secret and a bare 403", []*evidence.Fact{waiting(plain403), podWith("regcred"), gone}, SecretMissing, Possible, []Code{Forbidden}, ""},
		{"one of two is missing", []*evidence.Fact{waiting(anonymous401), podWith("regcred", "more"), gone, secretFact(evidence.Secret{Name: "more", Exists: evidence.Yes, Registries: []string{"other.example"}})}, SecretMissing, Possible, []Code{NoCredentials}, ""},
		{"a secret without a fact", []*evidence.Fact{waiting(anonymous401), podWith("regcred")}, NoCredentials, Possible, nil, "secret regcred in namespace shop"},
		{"a second secret without a fact", []*evidence.Fact{waiting(anonymous401), podWith("regcred", "more"), other}, NoCredentials, Possible, nil, "secret more in namespace shop"},
		{"an empty name is no secret", []*evidence.Fact{waiting(anonymous401), podWith("")}, NoCredentials, Possible, nil, ""},
		{"born before, but the registry hides what is missing", []*evidence.Fact{waiting(insufficientScope), podWith(), account}, NoCredentials, Possible, []Code{DeniedOrMissing}, ""},
		{"born before, by an anonymous token", []*evidence.Fact{waiting(anonymousToken), podWith(), account}, NoCredentials, Possible, []Code{DeniedOrMissing}, ""},
		{"born before a secret that would have served", []*evidence.Fact{waiting(anonymous401), podWith(), account, good}, NoCredentials, Likely, nil, ""},
		{"born before a secret for another registry", []*evidence.Fact{waiting(anonymous401), podWith(), account, other}, NoCredentials, Possible, nil, ""},
		{"born before a secret that is missing", []*evidence.Fact{waiting(anonymous401), podWith(), account, gone}, NoCredentials, Possible, nil, ""},
		{"born before, refused by 403", []*evidence.Fact{waiting(plain403), podWith(), account}, NoCredentials, Possible, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := Diagnose(caseOf(tt.facts...), noon)
			checkDiagnosis(t, d)
			if d.Cause != tt.cause || d.Confidence != tt.sure {
				t.Errorf("cause %s (%s), want %s (%s); candidates %v", d.Cause, d.Confidence, tt.cause, tt.sure, d.Candidates)
			}
			for _, c := range tt.also {
				if !d.allows(c) {
					t.Errorf("%s is not among %v", c, d.Candidates)
				}
			}
			if got := slices.ContainsFunc(d.Gaps, func(g evidence.Gap) bool { return g.What == tt.gap }); got != (tt.gap != "") {
				t.Errorf("gaps %v, want %q", d.Gaps, tt.gap)
			}
		})
	}
}

func TestECRTokenTooOld(t *testing.T) {
	t.Parallel()
	written := func(name string, age time.Duration) *evidence.Fact {
		return secretFact(evidence.Secret{Name: name, Exists: evidence.Yes, Registries: []string{"*.dkr.ecr.*.amazonaws.com"}, Changed: noon.Add(-age)})
	}
	tests := []struct {
		name  string
		text  string
		facts []*evidence.Fact
		want  Code
		sure  Confidence
	}{
		{"old", ecrForbidden, []*evidence.Fact{podWith("a"), written("a", 13*time.Hour)}, ExpiredCredentials, Likely},
		{"all old", ecrForbidden, []*evidence.Fact{podWith("a", "b"), written("a", 13*time.Hour), written("b", 30*time.Hour)}, ExpiredCredentials, Likely},
		{"one is fresh", ecrForbidden, []*evidence.Fact{podWith("a", "b"), written("a", 13*time.Hour), written("b", time.Hour)}, Forbidden, Possible},
		{"one is unread", ecrForbidden, []*evidence.Fact{podWith("a", "b"), written("a", 13*time.Hour)}, ExpiredCredentials, Possible},
		{"the identity is refused", ecrIdentity, []*evidence.Fact{podWith("a"), written("a", 13*time.Hour)}, Forbidden, Likely},
	}
	for _, tt := range tests {
		c := caseOf(append(tt.facts, waiting(tt.text))...)
		c.Pull.Image = "1.dkr.ecr.eu-west-1.amazonaws.com/a:1"
		if d := Diagnose(c, noon); d.Cause != tt.want || d.Confidence != tt.sure {
			t.Errorf("%s: %s (%s), want %s (%s)", tt.name, d.Cause, d.Confidence, tt.want, tt.sure)
		}
	}
}

func TestPLEGAloneIsPossible(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]Confidence{"KubeletNotReady: PLEG is not healthy: pleg was last seen active 3m1s ago; threshold is 3m0s": Possible,
		"KubeletNotReady: [container runtime is down, PLEG is not healthy: pleg was last seen active 5m ago]": Likely} {
		if d := Diagnose(caseOf(nodeFact(evidence.NodeState{Ready: "False", ReadyReason: reason})), noon); d.Cause != RuntimeUnavailable || d.Confidence != want {
			t.Errorf("%s: %s (%s), want %s", reason, d.Cause, d.Confidence, want)
		}
	}
}

func TestFindingKeepsWhatItsCasesLeaveOpen(t *testing.T) {
	t.Parallel()
	gone := secretFact(evidence.Secret{Name: "regcred", Exists: evidence.No})
	sure, open := caseOf(waiting(anonymous401), podWith("regcred"), gone), caseOf(waiting(insufficientScope), podWith("regcred"), gone)
	open.Pull.UID = "u2"
	open.Gaps = []evidence.Gap{{Vantage: evidence.API, What: "events"}}
	for _, cases := range [][]*evidence.Case{{sure, open}, {open, sure}} {
		got := Findings(&evidence.Collection{ObservedAt: noon, Cases: cases})
		if len(got) != 1 || got[0].Confidence != Likely || !got[0].allows(DeniedOrMissing) {
			t.Fatalf("%+v", got)
		}
		if n := len(slices.DeleteFunc(slices.Clone(got[0].Gaps), func(g evidence.Gap) bool { return g.What != "events" })); n != 1 {
			t.Errorf("gaps %v", got[0].Gaps)
		}
	}
}

func TestCommandsAreQuoted(t *testing.T) {
	t.Parallel()
	c := caseOf(waiting(anonymous401), podWith("a;reboot"))
	c.Pull.Namespace = "x$(id)"
	for _, g := range Diagnose(c, noon).Gaps {
		if strings.Contains(g.How, "can-i") && g.How != `kubectl auth can-i get 'secret/a;reboot' -n 'x$(id)'` {
			t.Error(g.How)
		}
	}
}
