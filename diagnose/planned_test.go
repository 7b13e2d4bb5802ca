package diagnose

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refloat-dev/refloat/evidence"
)

func plannedCase(facts ...*evidence.Fact) *evidence.Case {
	return &evidence.Case{Pull: evidence.Pull{Namespace: "shop", Kind: evidence.Planned, Image: "shop.example/web/api:1.4", Platform: "linux/amd64"}, Facts: facts}
}

func TestPlanned(t *testing.T) {
	t.Parallel()
	noTag := asked(tagged(probeOf(try(nil, ask(evidence.StepManifest, 404, "", "MANIFEST_UNKNOWN"))), 200))
	nobody := asked(probeOf(try(nil, first401, ask(evidence.StepToken, 401, "authentication required", "UNAUTHORIZED"))))
	near := ringOf(evidence.Keyring{Entries: []evidence.KeyringEntry{{Login: *ci, Near: true, Hint: "write shop.example"}}})
	index := asked(probeOf(evidence.Attempt{Steps: walk{ask(evidence.StepManifest, 200, "")}, Found: &evidence.Manifest{MediaType: "application/vnd.oci.image.index.v1+json", Platforms: []string{"linux/arm64"}}}))
	large := probeOf(good(nil))
	large.Size = 6 << 30
	room := func(free uint64) *evidence.Fact {
		return &evidence.Fact{Text: "room", NodeState: &evidence.NodeState{Name: "node-2", ImageFS: &evidence.Filesystem{Available: free, Capacity: 1 << 40}}}
	}
	pod := func(names ...string) *evidence.Fact {
		return &evidence.Fact{Text: "pod", Pod: &evidence.Pod{PullSecrets: names}}
	}
	secret := func(name string, exists evidence.Tri, problem string) *evidence.Fact {
		return &evidence.Fact{Text: "secret " + name, Secret: &evidence.Secret{Namespace: "shop", Name: name, Exists: exists, Problem: problem, Registries: []string{"quay.io"}}}
	}
	gone, hiding := secret("gone", evidence.No, ""), asked(probeOf(try(nil, after(first401).challenged(scope)...)))
	none := ringOf(evidence.Keyring{})
	tests := []join{
		{name: "its one secret is missing", facts: []*evidence.Fact{none, nobody, pod("gone"), gone}, cause: SecretMissing, sure: Likely, says: "the pull secret shop/gone does not exist: without credentials shop.example", cites: "secret gone", masks: []Code{NoCredentials}},
		{name: "missing, and the registry hides", facts: []*evidence.Fact{none, hiding, pod("gone"), gone}, cause: SecretMissing, sure: Possible, stays: []Code{DeniedOrMissing}},
		{name: "missing, and another does not match", facts: []*evidence.Fact{none, nobody, pod("gone", "other"), gone, secret("other", evidence.Yes, "")}, cause: SecretMissing, sure: Possible, stays: []Code{NoCredentials}},
		{name: "missing, and no pod names it", facts: []*evidence.Fact{none, nobody, pod(), gone}, cause: NoCredentials, sure: Likely},
		{name: "missing, and a node may", facts: []*evidence.Fact{ringOf(evidence.Keyring{NodeMay: "an EKS node's credential provider"}), nobody, pod("gone"), gone}, cause: Unknown, sure: NoConfidence, cites: "secret gone", gap: "an EKS node's credential provider"},
		{name: "of the wrong type", facts: []*evidence.Fact{none, nobody, pod("odd"), secret("odd", evidence.Yes, "of type Opaque")}, cause: SecretMalformed, sure: Likely, says: "of type Opaque"},
		{name: "missing, and another is refused", facts: []*evidence.Fact{asked(probeOf(try(ci, ask(evidence.StepToken, 401, "")))), pod("gone", "regcred"), gone}, cause: InvalidCredentials, sure: Likely},
		{name: "no such tag", facts: []*evidence.Fact{noTag}, cause: TagNotFound, sure: Likely, cites: "tag list is answered 200"},
		{name: "no such platform", facts: []*evidence.Fact{index}, cause: PlatformMismatch, sure: Likely, says: "has no variant for linux/amd64"},
		{name: "tag or repository", facts: []*evidence.Fact{asked(probeOf(try(nil, ask(evidence.StepManifest, 404, ""))))}, cause: TagNotFound, sure: Possible, stays: []Code{RepositoryNotFound}},
		{name: "private", facts: []*evidence.Fact{ringOf(evidence.Keyring{}), nobody}, cause: NoCredentials, sure: Likely, says: "no pull secret"},
		{name: "private, and a node may", facts: []*evidence.Fact{ringOf(evidence.Keyring{NodeMay: "an EKS node's credential provider"}), nobody}, cause: Unknown, sure: NoConfidence, says: "an EKS node's credential provider", gap: "an EKS node's credential provider"},
		{name: "private, by its nodes", node: true, facts: []*evidence.Fact{ringOf(evidence.Keyring{}), nobody}, cause: Unknown, sure: NoConfidence, gap: "the node's own credentials"},
		{name: "private, and a secret unread", facts: []*evidence.Fact{ringOf(evidence.Keyring{Unread: []string{"shop/regcred"}}), nobody}, cause: Unknown, sure: NoConfidence, gap: "secret regcred in namespace shop"},
		{name: "public, and a secret unread", facts: []*evidence.Fact{ringOf(evidence.Keyring{Unread: []string{"shop/regcred"}}), asked(probeOf(good(nil)))}, cause: Unknown, sure: NoConfidence, gap: "secret regcred in namespace shop"},
		{name: "a near miss", facts: []*evidence.Fact{near, nobody}, cause: SecretMalformed, sure: Likely, says: "write shop.example"},
		{name: "a broken secret", facts: []*evidence.Fact{ringOf(evidence.Keyring{Broken: "illegal base64 data at input byte 0", BrokenBy: "shop/regcred"})}, cause: SecretMalformed, sure: Likely, says: "shop/regcred"},
		{name: "private or missing", facts: []*evidence.Fact{ringOf(evidence.Keyring{}), asked(probeOf(try(nil, after(first401).challenged(scope)...)))}, cause: DeniedOrMissing, sure: Likely},
		{name: "wrong password", facts: []*evidence.Fact{asked(probeOf(try(ci, ask(evidence.StepToken, 401, ""))))}, cause: InvalidCredentials, sure: Likely, says: "secret shop/regcred"},
		{name: "expired", facts: []*evidence.Fact{asked(probeOf(try(old, ask(evidence.StepToken, 401, ""))))}, cause: ExpiredCredentials, sure: Likely, says: "it ended at"},
		{name: "not reached", facts: []*evidence.Fact{asked(probeOf(try(nil, walk{ask(evidence.StepManifest, 0, "no such host")}.broken(evidence.FailedDNS)...)))}, cause: Unknown, sure: NoConfidence, says: "cannot reach shop.example", gap: "what shop.example answers"},
		{name: "limited here", facts: []*evidence.Fact{asked(probeOf(try(nil, ask(evidence.StepManifest, 429, ""))))}, cause: Unknown, sure: NoConfidence, gap: "limits or blocks this machine"},
		{name: "limited, by account", facts: []*evidence.Fact{asked(probeOf(try(ci, walk{ask(evidence.StepManifest, 429, "")}.limit("5f1c-ac", "0;w=21600")...)))}, cause: RateLimited, sure: Likely, says: "counts the account"},
		{name: "not asked", cause: Unknown, sure: NoConfidence, gap: "it was not asked"},
		{name: "no room anywhere", facts: []*evidence.Fact{asked(large), room(5 << 30)}, cause: DiskFull, sure: Possible, says: "at least 12.0 GiB, compressed and unpacked, and node-2 has 5.0 GiB free"},
		{name: "a chart", facts: []*evidence.Fact{asked(probeOf(evidence.Attempt{Served: true, Steps: walk{ask(evidence.StepManifest, 200, "")}, Found: &evidence.Manifest{Artifact: "application/vnd.cncf.helm.config.v1+json"}}))}, cause: UnsupportedFormat, sure: Likely},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			facts := tt.facts
			if tt.node {
				facts = append(facts, nodeFact(evidence.NodeState{Home: evidence.HomeEKS}))
			}
			d := Diagnose(plannedCase(facts...), noon)
			tt.check(t, d)
			if d.Served || d.Confidence == Confirmed || d.Key == "" {
				t.Errorf("served %v, %s, key %q", d.Served, d.Confidence, d.Key)
			}
		})
	}
	wrong := plannedCase()
	wrong.Pull.Image = "shop.example/Web:1"
	if d := Diagnose(wrong, noon); d.Cause != InvalidReference || d.Confidence != Likely || len(d.Gaps) != 0 {
		t.Errorf("%s (%s), gaps %v", d.Cause, d.Confidence, d.Gaps)
	}
	for name, facts := range map[string][]*evidence.Fact{
		"served": {asked(probeOf(good(nil)))}, "served, a secret missing": {none, asked(probeOf(good(nil))), pod("gone"), gone}, "served to a login": {asked(probeOf(good(ci)))}, "room on one": {asked(large), room(5 << 30), room(1 << 39)}, "room": {asked(large), room(1 << 39)},
	} {
		d := Diagnose(plannedCase(facts...), noon)
		got := Findings(&evidence.Collection{ObservedAt: noon, Cases: []*evidence.Case{plannedCase(facts...)}})
		if !d.Served || len(got) != 0 || !strings.Contains(d.Summary, "would be pulled") {
			t.Errorf("%s: %s (%s) %q, findings %v", name, d.Cause, d.Confidence, d.Summary, got)
		}
	}
}

// Many planned images with one thing wrong are one finding; two platforms of one image are two.
func TestPlannedGroups(t *testing.T) {
	t.Parallel()
	c := &evidence.Collection{ObservedAt: noon}
	add := func(image, platform string, facts ...*evidence.Fact) {
		one := plannedCase(facts...)
		one.Pull.Image, one.Pull.Platform = image, platform
		c.Cases = append(c.Cases, one)
	}
	nobody := asked(probeOf(try(nil, first401, ask(evidence.StepToken, 401, ""))))
	lost := asked(probeOf(try(nil, walk{ask(evidence.StepManifest, 0, "no such host")}.broken(evidence.FailedDNS)...)))
	index := evidence.Attempt{Steps: walk{ask(evidence.StepManifest, 200, "")}, Found: &evidence.Manifest{MediaType: "application/vnd.oci.image.index.v1+json", Platforms: []string{"linux/amd64"}}}
	for _, tag := range []string{"1", "2", "3"} {
		add("shop.example/a:"+tag, "linux/amd64", ringOf(evidence.Keyring{}), nobody)
		add("lost.example/a:"+tag, "linux/amd64", lost)
	}
	add("shop.example/b:1", "linux/arm64", asked(probeOf(index)))
	add("shop.example/b:1", "linux/s390x", asked(probeOf(index)))
	add("shop.example/b:1", "linux/amd64", asked(probeOf(good(nil))))
	got := map[string]int{}
	for _, f := range Findings(c) {
		got[f.Key] = len(f.Cases)
	}
	want := map[string]int{"auth.no-credentials|shop|shop.example": 3, "unknown|shop|lost.example|network.dns": 3,
		"image.platform-mismatch|shop.example/b:1|linux/arm64": 1, "image.platform-mismatch|shop.example/b:1|linux/s390x": 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	single := good(nil)
	single.Found = &evidence.Manifest{MediaType: "application/vnd.oci.image.manifest.v1+json", Platforms: []string{"linux/arm64"}}
	ending := *ci
	ending.Expires = noon.Add(90 * time.Minute)
	large := probeOf(good(nil))
	large.Size = 1 << 30
	small, roomy := nodeFact(evidence.NodeState{ImageFS: &evidence.Filesystem{Available: 1 << 30, Capacity: 1 << 40}}), nodeFact(evidence.NodeState{ImageFS: &evidence.Filesystem{Available: 1 << 39, Capacity: 1 << 40}})
	tests := []struct {
		name  string
		facts []*evidence.Fact
		want  Code
		says  string
	}{
		{"another platform alone", []*evidence.Fact{asked(probeOf(single))}, PlatformMismatch, "exec format error"},
		{"a credential that ends", []*evidence.Fact{asked(probeOf(good(&ending)))}, ExpiredCredentials, "ends in 1h30m0s"},
		{"a stale one before a good one", []*evidence.Fact{asked(probeOf(try(old, ask(evidence.StepToken, 401, "")), good(ci)))}, ExpiredCredentials, "(user AWS) is refused"},
		{"too little room on one node", []*evidence.Fact{asked(large), small, roomy}, DiskFull, "1 of 2 nodes"},
		{"nothing", []*evidence.Fact{asked(probeOf(good(ci)))}, "", ""},
		{"not served", []*evidence.Fact{asked(probeOf(try(nil, ask(evidence.StepManifest, 404, ""))))}, "", ""},
	}
	for _, tt := range tests {
		one := plannedCase(tt.facts...)
		got := Warnings(&evidence.Collection{ObservedAt: noon, Cases: []*evidence.Case{one, one}})
		if tt.want == "" && len(got) > 0 || tt.want != "" && (len(got) != 1 || got[0].Cause != tt.want || !strings.Contains(got[0].Text, tt.says)) {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
