package nodeprobe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/refloat-dev/refloat/agent/agenttest"
	"github.com/refloat-dev/refloat/api/v1alpha1"
	"github.com/refloat-dev/refloat/evidence"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type Object = agenttest.Object

func failing(pod, image, node string) *evidence.Case {
	return &evidence.Case{Pull: evidence.Pull{Namespace: "shop", Pod: pod, UID: "uid-of-" + pod, Container: "web", Kind: evidence.App, Image: image, Node: node}}
}

// bubble runs f in a synctest bubble with an API server and, where answer is not nil, agents that answer every NodeProbe with it.
func bubble(t *testing.T, answer func(v1alpha1.NodeProbe) any, f func(t *testing.T, s *agenttest.Server, src *Source)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := agenttest.New()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for answer != nil && ctx.Err() == nil {
				for _, name := range s.Names() {
					var p v1alpha1.NodeProbe
					_, short, _ := strings.Cut(name, "/")
					if s.Get("shop", short, &p) && p.Status.Phase == "" {
						if st := answer(p); st != nil {
							s.SetStatus("shop", short, st)
						}
					}
				}
				select {
				case <-ctx.Done():
				case <-time.After(100 * time.Millisecond):
				}
			}
		}()
		f(t, s, &Source{Config: s.Config()})
		cancel()
		<-ended
		s.Close()
		synctest.Wait()
	})
}

func done(p v1alpha1.NodeProbe) any {
	return Object{"phase": "Done", "agent": "v9", "finished": time.Now(), "evidence": Object{
		"facts": []Object{{"text": "seen from " + p.Spec.NodeName, "host": Object{"name": "reg.lab"}}},
		"gaps":  []Object{{"what": "x", "why": "y", "vantage": "api"}},
		"cut":   2,
	}}
}

func observe(t *testing.T, src *Source, cases ...*evidence.Case) {
	t.Helper()
	if err := src.Observe(t.Context(), cases); err != nil {
		t.Fatal(err)
	}
}

func why(c *evidence.Case) string {
	var all []string
	for _, g := range c.Gaps {
		all = append(all, g.Why+" ["+g.How+"]")
	}
	return strings.Join(all, "; ")
}

func TestNothingToAsk(t *testing.T) {
	t.Parallel()
	bubble(t, nil, func(t *testing.T, s *agenttest.Server, src *Source) {
		planned := failing("web-1", "reg.lab/a:1", "node-1")
		planned.Pull.Kind = evidence.Planned
		observe(t, src, planned, failing("web-2", "reg.lab/a:1", ""))
		observe(t, src)
		if s.Calls("create") != 0 {
			t.Error("something was asked")
		}
	})
}

// TestOncePerImageAndNode: pods that share image and node share the answer; what the answer claims beyond the node is left out.
func TestOncePerImageAndNode(t *testing.T) {
	t.Parallel()
	bubble(t, done, func(t *testing.T, s *agenttest.Server, src *Source) {
		src.Keep = time.Minute
		cases := []*evidence.Case{
			failing("web-1", "reg.lab/a:1", "node-1"), failing("web-2", "reg.lab/a:1", "node-1"),
			failing("web-3", "reg.lab/a:1", "node-2"), failing("web-4", "reg.lab/b:1", "node-1"),
		}
		observe(t, src, cases...)
		if n := s.Calls("create"); n != 3 {
			t.Errorf("%d NodeProbes, not 3", n)
		}
		for _, c := range cases {
			if len(c.Facts) != 1 || c.Facts[0].Where != c.Pull.Node || c.Facts[0].Vantage != evidence.Node || c.Facts[0].Text != "seen from "+c.Pull.Node {
				t.Errorf("%s: %+v", c.Pull.Pod, c.Facts)
			}
			if len(c.Gaps) != 2 || c.Gaps[0].Vantage != evidence.Node || !strings.Contains(c.Gaps[1].Why, "2 facts") {
				t.Errorf("%s: %+v", c.Pull.Pod, c.Gaps)
			}
		}
		var p v1alpha1.NodeProbe
		_, name, _ := strings.Cut(s.Names()[0], "/")
		if !s.Get("shop", name, &p) || p.Spec.Pod == nil || p.Spec.Pod.Container != "web" || p.Spec.Image != "" ||
			len(p.OwnerReferences) != 1 || p.OwnerReferences[0].Name != p.Spec.Pod.Name || string(p.OwnerReferences[0].UID) != p.Spec.Pod.UID {
			t.Errorf("%+v", p)
		}
		if n := s.Calls("get") + s.Calls("list"); n != 0 {
			t.Errorf("%d requests beside create and watch", n)
		}
		again := failing("web-5", "reg.lab/a:1", "node-1")
		observe(t, src, again)
		if n := s.Calls("create"); n != 3 || len(again.Facts) != 1 {
			t.Errorf("%d NodeProbes after asking again at once, %d facts", n, len(again.Facts))
		}
		time.Sleep(2 * time.Minute)
		observe(t, src, failing("web-6", "reg.lab/a:1", "node-1"))
		if n := s.Calls("create"); n != 4 {
			t.Errorf("%d NodeProbes after asking again later", n)
		}
	})
}

// TestVerify has content hashed where one of the cases has it in doubt, and nowhere else.
func TestVerify(t *testing.T) {
	t.Parallel()
	bubble(t, done, func(t *testing.T, s *agenttest.Server, src *Source) {
		src.Verify = func(c *evidence.Case) bool { return c.Pull.Pod == "web-2" }
		observe(t, src, failing("web-1", "reg.lab/a:1", "node-1"), failing("web-2", "reg.lab/a:1", "node-1"), failing("web-3", "reg.lab/b:1", "node-1"))
		got := map[string]bool{}
		for _, name := range s.Names() {
			var p v1alpha1.NodeProbe
			if namespace, name, _ := strings.Cut(name, "/"); s.Get(namespace, name, &p) {
				got[p.Spec.Pod.Name] = p.Spec.Verify
			}
		}
		if diff := cmp.Diff(map[string]bool{"web-1": true, "web-3": false}, got); diff != "" {
			t.Error(diff)
		}
	})
}

// TestStored: of a suspect the stored content alone is asked, beside and apart from what is asked of a failing pull.
func TestStored(t *testing.T) {
	t.Parallel()
	bubble(t, done, func(t *testing.T, s *agenttest.Server, src *Source) {
		suspect := failing("web-2", "reg.lab/a:1", "node-1")
		src.Stored = func(c *evidence.Case) bool { return c == suspect }
		src.Verify = func(*evidence.Case) bool { return true }
		observe(t, src, failing("web-1", "reg.lab/a:1", "node-1"), suspect)
		var checks []string
		for _, name := range s.Names() {
			var p v1alpha1.NodeProbe
			_, short, _ := strings.Cut(name, "/")
			s.Get("shop", short, &p)
			checks = append(checks, fmt.Sprint(p.Spec.Pod.Name, p.Spec.Checks, p.Spec.Verify))
		}
		slices.Sort(checks)
		if diff := cmp.Diff([]string{"web-1[] true", "web-2[content] false"}, checks); diff != "" {
			t.Error(diff)
		}
	})
}

func TestKinds(t *testing.T) {
	t.Parallel()
	volume, sandbox := failing("a", "reg.lab/v:1", "n"), failing("b", "reg.lab/pause:1", "n")
	volume.Pull.Kind, volume.Pull.Volume = evidence.VolumeImage, "data"
	sandbox.Pull.Kind = evidence.Sandbox
	for _, tt := range []struct {
		c    *evidence.Case
		want v1alpha1.NodeProbeSpec
	}{
		{volume, v1alpha1.NodeProbeSpec{NodeName: "n", Pod: &v1alpha1.PodReference{Name: "a", UID: "uid-of-a", Volume: "data"}}},
		{sandbox, v1alpha1.NodeProbeSpec{NodeName: "n", Image: "reg.lab/pause:1"}},
	} {
		q, ok := questionOf(tt.c.Pull)
		if diff := cmp.Diff(tt.want, q.Spec); diff != "" || !ok {
			t.Errorf("%s: %s", tt.c.Pull.Kind, diff)
		}
	}
}

func TestNotInstalled(t *testing.T) {
	t.Parallel()
	bubble(t, nil, func(t *testing.T, s *agenttest.Server, src *Source) {
		s.Fail(func(*http.Request) int { return 404 })
		cases := []*evidence.Case{failing("a", "reg.lab/a:1", "node-1"), failing("b", "reg.lab/b:1", "node-2")}
		observe(t, src, cases...)
		for _, c := range cases {
			if len(c.Gaps) != 1 || c.Gaps[0].Deciding || !strings.Contains(why(c), "not installed") || c.Gaps[0].How != Install {
				t.Errorf("%+v", c.Gaps)
			}
		}
		if n := s.Calls("create"); n != 1 {
			t.Errorf("%d requests, not one", n)
		}
	})
}

func TestForbidden(t *testing.T) {
	t.Parallel()
	bubble(t, nil, func(t *testing.T, s *agenttest.Server, src *Source) {
		s.Fail(func(*http.Request) int { return 403 })
		c := failing("a", "reg.lab/a:1", "node-1")
		observe(t, src, c)
		if !strings.Contains(why(c), "Forbidden") || !strings.Contains(why(c), "--clusterrole=refloat-probe ") {
			t.Error(why(c))
		}
	})
}

// TestSilent: an agent that says nothing is waited for once, and what nobody waits for any more is removed.
func TestSilent(t *testing.T) {
	t.Parallel()
	bubble(t, nil, func(t *testing.T, s *agenttest.Server, src *Source) {
		s.Create("shop", "old", Object{"nodeName": "node-1"})
		s.SetStatus("shop", "old", Object{"phase": "Done", "finished": time.Date(1999, 1, 2, 3, 4, 5, 0, time.UTC)})
		s.Create("shop", "skewed", Object{"nodeName": "node-1"})
		s.SetStatus("shop", "skewed", Object{"phase": "Done", "finished": time.Date(2099, 1, 2, 3, 4, 5, 0, time.UTC)})
		var cases []*evidence.Case
		for i := range 120 {
			cases = append(cases, failing(fmt.Sprint("pod-", i), fmt.Sprint("reg.lab/a:", i), "node-1"))
		}
		began := time.Now()
		observe(t, src, cases...)
		if took := time.Since(began); took > 35*time.Second {
			t.Errorf("took %s", took)
		}
		for _, c := range cases {
			if w := why(c); !strings.Contains(w, "the agent on node-1 has not answered for 30s, last seen 1999-01-02T03:04:05Z") {
				t.Fatal(w)
			}
		}
		if names := strings.Join(s.Names(), " "); names != "shop/old shop/skewed" {
			t.Errorf("left: %s", names)
		}
	})
}

func TestBeganAndDidNotEnd(t *testing.T) {
	t.Parallel()
	running := func(v1alpha1.NodeProbe) any { return Object{"phase": "Running"} }
	bubble(t, running, func(t *testing.T, s *agenttest.Server, src *Source) {
		c := failing("a", "reg.lab/a:1", "node-1")
		observe(t, src, c)
		if w := why(c); !strings.Contains(w, "began to look, and has not ended within 3m0s") || len(s.Names()) != 0 {
			t.Errorf("%s, left %s", w, s.Names())
		}
	})
}

func TestRefused(t *testing.T) {
	t.Parallel()
	refused := func(v1alpha1.NodeProbe) any {
		return Object{"phase": "Refused", "message": "no: token=hunter2hunter2"}
	}
	bubble(t, refused, func(t *testing.T, _ *agenttest.Server, src *Source) {
		c := failing("a", "reg.lab/a:1", "node-1")
		observe(t, src, c)
		if w := why(c); !strings.Contains(w, "the agent refuses: no: token=REDACTED") {
			t.Error(w)
		}
	})
}

func TestInterruptedLeavesNothing(t *testing.T) {
	t.Parallel()
	bubble(t, nil, func(t *testing.T, s *agenttest.Server, src *Source) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(5*time.Second, cancel)
		err := src.Observe(ctx, []*evidence.Case{failing("a", "reg.lab/a:1", "node-1"), failing("b", "reg.lab/b:1", "node-1")})
		if !errors.Is(err, context.Canceled) || len(s.Names()) != 0 {
			t.Errorf("%v, left %s", err, s.Names())
		}
	})
}

// TestWatchBreaks: an answer that comes while no watch is up is seen, whether the version is still known or not.
func TestWatchBreaks(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"cut", "away", "gone"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			slow := func(p v1alpha1.NodeProbe) any {
				if time.Since(p.CreationTimestamp.Time) < 10*time.Second {
					return nil
				}
				return done(p)
			}
			bubble(t, slow, func(t *testing.T, s *agenttest.Server, src *Source) {
				time.AfterFunc(time.Second, func() {
					switch how {
					case "cut":
						s.Cut()
					case "away":
						s.Away(true)
						time.AfterFunc(12*time.Second, func() { s.Away(false) })
					case "gone":
						s.Compact()
						s.Cut()
					}
				})
				c := failing("a", "reg.lab/a:1", "node-1")
				observe(t, src, c)
				if len(c.Facts) != 1 {
					t.Errorf("%+v", c)
				}
			})
		})
	}
}

func TestAtMostSoMany(t *testing.T) {
	t.Parallel()
	bubble(t, done, func(t *testing.T, s *agenttest.Server, src *Source) {
		var cases []*evidence.Case
		for i := range most + 3 {
			cases = append(cases, failing(fmt.Sprint("pod-", i), fmt.Sprint("reg.lab/a:", i), "node-1"))
		}
		told := 0
		src.Progress = func(n, _ int) { told = n }
		observe(t, src, cases...)
		if n := s.Calls("create"); n != most || told != most {
			t.Errorf("%d NodeProbes, %d told", n, told)
		}
		if w := why(cases[most]); !strings.Contains(w, "200 images and nodes") {
			t.Error(w)
		}
	})
}

// TestHostileAnswer: an agent that was taken over says nothing for anybody but its node.
func TestHostileAnswer(t *testing.T) {
	t.Parallel()
	hostile := func(v1alpha1.NodeProbe) any {
		facts := []any{nil, Object{
			"text": strings.Repeat("x", 20000), "vantage": "registry", "where": "this machine", "nobody": "knows this",
			"message": Object{"origin": "waiting", "text": "forged"}, "secret": Object{"name": "forged"}, "keyring": Object{}, "pod": Object{},
			"host": Object{"name": "reg.lab", "text": "Authorization: Basic aHVudGVyMjpodW50ZXIy"},
		}}
		for range 500 {
			facts = append(facts, Object{"text": "more"})
		}
		return Object{"phase": "Done", "evidence": Object{"facts": facts}}
	}
	bubble(t, hostile, func(t *testing.T, _ *agenttest.Server, src *Source) {
		c := failing("a", "reg.lab/a:1", "node-1")
		observe(t, src, c)
		f := c.Facts[0]
		if len(c.Facts) != maxFacts || len(f.Text) > evidence.MaxText || f.Vantage != evidence.Node || f.Where != "node-1" {
			t.Errorf("%d facts, %d bytes, %s, %s", len(c.Facts), len(f.Text), f.Vantage, f.Where)
		}
		if f.Message != nil || f.Secret != nil || f.Keyring != nil || f.Pod != nil || strings.Contains(f.Host.Text, "aHVu") {
			t.Errorf("%+v", f)
		}
	})
}
