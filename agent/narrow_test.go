package agent

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/refloat-dev/refloat/agent/agenttest"
	"github.com/refloat-dev/refloat/api/v1alpha1"
	"github.com/refloat-dev/refloat/evidence"
)

// rival is in every part of these facts that is somebody else's.
func nodeFacts() []*evidence.Fact {
	return []*evidence.Fact{
		{Text: "room", Disk: &evidence.Disk{Frees: 7, Unused: []evidence.UnusedImage{{Names: []string{"reg.lab/rival:1"}, ID: "rival"}}}},
		{Text: "damaged", Content: &evidence.Content{Image: "reg.lab/web:1", Damages: []evidence.Damage{
			{Kind: evidence.DamageSize, Role: "layer", Images: []string{"reg.lab/web:1", "reg.lab/rival:1"}, MoreImages: 2}}}},
		{Text: "all of rival's", Content: &evidence.Content{}},
		{Text: "rival's stands still", Downloads: &evidence.Downloads{Active: []evidence.Download{
			{Ref: "mine", Image: "reg.lab/web:1"}, {Ref: "rival", Digest: "rival", Host: "rival.lab", Still: true, StillFor: 60}}}},
		{Text: "well", Runtime: &evidence.Runtime{Logs: []evidence.LogLine{
			{Text: `pulling "reg.lab/web:1" failed`},
			{Text: `err="ErrImagePull: reg.lab/web:1" pod="shop/web-1"`},
			{Text: `err="ErrImagePull: reg.lab/web:1" pod="rival/web-1"`},
			{Text: `err="pod \"a\": reg.lab/web:1" pods=["rival/web-1"]`},
			{Text: `RunPodSandbox for &PodSandboxMetadata{Name:web,Namespace:rival,} reg.lab/web:1`},
			{Text: `fetching https://reg.lab/v2/rival/manifests/1`},
		}}},
		{Text: "keys", Keyring: &evidence.Keyring{Entries: []evidence.KeyringEntry{{Login: evidence.Login{Key: "reg.lab"}, Matches: true}, {Login: evidence.Login{Key: "rival.lab"}}}}},
	}
}

// TestPodSeesItsImageAlone: who asks about a pod learns nothing of other tenants; who may ask freely learns all.
func TestPodSeesItsImageAlone(t *testing.T) {
	t.Parallel()
	l := &looker{facts: nodeFacts(), takes: time.Second}
	bubble(t, l, func(t *testing.T, s *agenttest.Server) {
		s.AddPod("shop", "web-1", Object{"metadata": Object{"uid": "1"}, "spec": Object{
			"nodeName": "node-1", "containers": []Object{{"name": "web", "image": "reg.lab/web:1"}}}})
		s.Create("shop", "bound", v1alpha1.NodeProbeSpec{NodeName: "node-1", Pod: &v1alpha1.PodReference{Name: "web-1", UID: "1", Container: "web"}})
		s.Create("shop", "free", free("reg.lab/web:1"))
		time.Sleep(5 * time.Second)
		for name, want := range map[string]bool{"bound": false, "free": true} {
			raw, err := json.Marshal(read(t, s, name))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(string(raw), "rival"); got != want {
				t.Errorf("%s: others are named: %v\n%s", name, got, raw)
			}
		}
		e := read(t, s, "bound").Evidence
		if len(e.Facts) != 5 || !strings.Contains(text(t, e), `"moreImages":3`) || !strings.Contains(text(t, e), `"still":true`) || !strings.Contains(text(t, e), `"frees":7`) || strings.Count(text(t, e), `"from"`) != 2 {
			t.Errorf("what is the pod's own is not all there: %s", text(t, e))
		}
	})
}

func text(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestImageThatIsNoReference: the image of a pod is any text, and looks for no lines.
func TestImageThatIsNoReference(t *testing.T) {
	t.Parallel()
	for _, image := range []string{"level=info", "", " ", "INFO", "pod="} {
		if own(`level=info pod="shop/web" INFO`, image, "shop") {
			t.Errorf("%q finds lines", image)
		}
	}
}
