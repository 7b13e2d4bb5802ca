package diagnose

import (
	"slices"
	"strings"
	"testing"

	"github.com/refloat-dev/refloat/evidence"
)

// A verdict's first fact holds the cause, and few enough words to be read.
func TestProofShowsWhatDecided(t *testing.T) {
	t.Parallel()
	layer := `failed to pull and unpack image "shop.example/web/api:1.4": failed to extract layer (application/vnd.oci.image.layer.v1.tar+gzip ` + d1 + `) to overlayfs as "extract-572046927-ICtN ` + d2 +
		`": write /var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/122/fs/usr/share/` + strings.Repeat("deep/", 60) + `model: no space left on device`
	counted := event("Failed", `Failed to pull image "shop.example/web/api:1.4": `+noHost)
	counted.Message.Count = 4
	malformed := "unable to parse auth field, must be formatted as base64(username:password)"
	raw := &evidence.Fact{Text: "x", Message: &evidence.Message{Origin: evidence.Waiting, Reason: malformed, Text: malformed}}
	tests := []struct {
		name string
		fact *evidence.Fact
		want []string
	}{
		{"waiting", waiting(`Back-off pulling image "shop.example/web/api:1.4": ErrImagePull: ` + oauth401), []string{`container "api" waits with ImagePullBackOff: failed to authorize: `, `: 401 Unauthorized`}},
		{"event", counted, []string{`event Failed (4 times): Head "https://shop.example`, "no such host"}},
		{"a layer", waiting(layer), []string{"sha256:111111111111…", "no space left on device", " … "}},
		{"raw reason", raw, []string{`container "api" waits: unable to parse auth field`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			before := *tt.fact
			d := Diagnose(caseOf(tt.fact), noon)
			if len(d.Because) == 0 {
				t.Fatal("nothing is cited")
			}
			got := d.Because[0]
			for _, want := range tt.want {
				if !strings.Contains(got.Text, want) {
					t.Errorf("%q lacks %q", got.Text, want)
				}
			}
			if len([]rune(got.Text)) > 4*76 || got.Message != tt.fact.Message || *tt.fact != before {
				t.Errorf("%d characters, or the case was changed: %q", len(got.Text), got.Text)
			}
		})
	}
}

func TestOneSecretSettlesIt(t *testing.T) {
	t.Parallel()
	other := secretFact(evidence.Secret{Name: "regcred", Exists: evidence.Yes, Type: "kubernetes.io/dockerconfigjson", Registries: []string{"shop.example:5000"}})
	d := Diagnose(caseOf(waiting(anonymous401), podWith("regcred"), other), noon)
	if d.Cause != SecretMalformed || d.Confidence != Likely || len(d.Candidates) != 1 || !slices.Contains(d.Masks, NoCredentials) {
		t.Errorf("%s (%s), candidates %v, masks %v", d.Cause, d.Confidence, d.Candidates, d.Masks)
	}
	for name, facts := range map[string][]*evidence.Fact{
		"a second secret that nobody could read": {waiting(anonymous401), podWith("regcred", "second"), other, secretFact(evidence.Secret{Name: "second"})},
		"a node with an identity of its own":     {waiting(anonymous401), podWith("regcred"), other, nodeFact(evidence.NodeState{Home: evidence.HomeEKS})},
	} {
		if d := Diagnose(caseOf(facts...), noon); len(d.Candidates) < 2 {
			t.Errorf("%s: only %v stay", name, d.Candidates)
		}
	}
}
