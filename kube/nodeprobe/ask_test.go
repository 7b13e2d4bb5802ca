package nodeprobe

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/refloat-dev/refloat/agent/agenttest"
	"github.com/refloat-dev/refloat/api/v1alpha1"
	"github.com/refloat-dev/refloat/kube/wire"
)

// TestAnswerOfAnotherVersion: an answer that cannot be read is not waited for again.
func TestAnswerOfAnotherVersion(t *testing.T) {
	t.Parallel()
	odd := func(v1alpha1.NodeProbe) any {
		return Object{"phase": "Done", "evidence": Object{"facts": []any{Object{"text": Object{"new": "form"}}}}}
	}
	bubble(t, odd, func(t *testing.T, _ *agenttest.Server, src *Source) {
		began, c := time.Now(), failing("web-1", "reg.lab/a:1", "node-1")
		observe(t, src, c)
		if took := time.Since(began); took > 5*time.Second || !strings.Contains(why(c), "different versions") {
			t.Errorf("%s, %s", took, why(c))
		}
	})
}

// TestCreatedWithoutAnAnswer: a NodeProbe that was made while the connection broke is removed; nobody would know its name.
func TestCreatedWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	bubble(t, nil, func(t *testing.T, s *agenttest.Server, _ *Source) {
		api, err := wire.New(s.Config())
		if err != nil {
			t.Fatal(err)
		}
		defer api.Close()
		s.Create("shop", "other", Object{"nodeName": "node-1"})
		deleted := false
		s.Fail(func(r *http.Request) int {
			deleted = deleted || r.Method == http.MethodDelete && strings.Contains(r.URL.Path, "/refloat-")
			if r.Method == http.MethodPost {
				panic(http.ErrAbortHandler)
			}
			return 0
		})
		a := Asker{API: api}
		if _, err := a.create(t.Context(), Question{Namespace: "shop", Spec: v1alpha1.NodeProbeSpec{NodeName: "node-1"}}); err == nil || !deleted {
			t.Errorf("%v, deleted %v", err, deleted)
		}
		s.Fail(nil)
		p := &probe{Metadata: metadata{Namespace: "shop", Name: "other", UID: "the one before"}}
		if a.remove(t.Context(), p); len(s.Names()) != 1 {
			t.Error("another one of its name was removed")
		}
	})
}
