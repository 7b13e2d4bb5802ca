package diagnose

import (
	"testing"

	"github.com/refloat-dev/refloat/evidence"
)

func TestSuspected(t *testing.T) {
	t.Parallel()
	const noFile = `runc create failed: exec: "/app": stat /app: no such file or directory`
	ended := func(reason, text string) *evidence.Fact {
		return &evidence.Fact{Text: text, Message: &evidence.Message{Origin: evidence.Terminated, Reason: reason, Text: text}}
	}
	store := func(d ...evidence.Damage) *evidence.Fact {
		return contentSeen(evidence.Content{Blobs: 5, Have: 5, Damages: d})
	}
	emptied := evidence.Damage{Kind: evidence.DamageEmptied, Role: "snapshot", Digest: layerDigest}
	flipped := evidence.Damage{Kind: evidence.DamageDigest, Role: "layer", Digest: layerDigest}
	config := evidence.Damage{Kind: evidence.DamageSize, Role: "config", Digest: layerDigest}
	partial := evidence.Damage{Kind: evidence.DamagePoisoned, Role: "download", Digest: layerDigest}
	other := *store(emptied)
	other.Where = "node-1"
	tests := []struct {
		join
		not bool
	}{
		{join{name: "emptied", facts: []*evidence.Fact{ended("StartError", noFile), store(flipped, emptied), onlyHere}, cause: CacheCorrupt, sure: Confirmed,
			says: "node-2 stores or received of shop.example/web/api:1.4 is damaged: snapshot sha256:f99bc94b0000… is unpacked into an empty folder", cites: `ended with StartError: runc create failed`, out: []Code{UnsupportedFormat}}, false},
		{join{name: "emptied, and another error", facts: []*evidence.Fact{ended("RunContainerError", "cgroup: out of memory"), store(emptied)}, cause: CacheCorrupt, sure: Likely}, false},
		{join{name: "what a container is made from", facts: []*evidence.Fact{ended("CreateContainerError", "unmarshal: unexpected end of JSON input"), store(config)}, cause: CacheCorrupt, sure: Confirmed}, false},
		{join{name: "content that no start reads", facts: []*evidence.Fact{ended("StartError", noFile), store(flipped, config, partial)}}, true},
		{join{name: "nothing damaged", facts: []*evidence.Fact{ended("StartError", noFile), store()}}, true},
		{join{name: "another node's", facts: []*evidence.Fact{ended("StartError", noFile), &other}}, true},
		{join{name: "not asked", facts: []*evidence.Fact{ended("StartError", noFile)}}, true},
		{join{name: "nothing said", facts: []*evidence.Fact{store(emptied)}}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			one := caseOf(tt.facts...)
			one.Gaps = []evidence.Gap{{What: "x", Why: "y", Deciding: true}}
			d, ok := Suspected(one, noon)
			if found := Findings(&evidence.Collection{ObservedAt: noon, Suspects: []*evidence.Case{one}}); ok == tt.not || len(found) == 1 == tt.not {
				t.Fatalf("a finding: %v, %d of them; %+v", ok, len(found), d)
			}
			if ok {
				tt.check(t, d)
			}
		})
	}
}
