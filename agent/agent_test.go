package agent

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/refloat-dev/refloat/agent/agenttest"
	"github.com/refloat-dev/refloat/api/v1alpha1"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// looker takes its time, counts, and says what it was asked.
type looker struct {
	takes           time.Duration
	began, ended    atomic.Int32
	mu              sync.Mutex
	asked           []node.Question
	most, now       int
	facts           []*evidence.Fact
	panics, forever bool
}

func (l *looker) Look(ctx context.Context, q node.Question) ([]*evidence.Fact, []evidence.Gap) {
	l.began.Add(1)
	l.mu.Lock()
	l.asked = append(l.asked, q)
	l.now++
	l.most = max(l.most, l.now)
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		l.now--
		l.mu.Unlock()
		l.ended.Add(1)
	}()
	if l.panics {
		panic("a bug")
	}
	takes := l.takes
	if l.forever {
		takes = 1000 * time.Hour
	}
	select {
	case <-time.After(takes):
	case <-ctx.Done():
	}
	if l.facts != nil {
		return l.facts, nil
	}
	return []*evidence.Fact{{Text: "asked for " + q.Image, Time: time.Now()}}, nil
}

// bubble runs an agent of node-1 in a synctest bubble, and ends it.
func bubble(t *testing.T, l *looker, f func(t *testing.T, s *agenttest.Server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := agenttest.New()
		stop := start(t, s, l)
		f(t, s)
		stop()
		s.Close()
		synctest.Wait()
	})
}

func start(t *testing.T, s *agenttest.Server, l *looker) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- Run(ctx, Config{Node: "node-1", API: s.Config(), Looker: l, Version: "v0", Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	}()
	synctest.Wait()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func free(image string) v1alpha1.NodeProbeSpec {
	return v1alpha1.NodeProbeSpec{NodeName: "node-1", Image: image}
}

func read(t *testing.T, s *agenttest.Server, name string) v1alpha1.NodeProbeStatus {
	t.Helper()
	var p v1alpha1.NodeProbe
	if !s.Get("shop", name, &p) {
		t.Fatalf("%s is not there", name)
	}
	return p.Status
}

func wantText(t *testing.T, st v1alpha1.NodeProbeStatus, text string) {
	t.Helper()
	if st.Phase != v1alpha1.ProbeDone || st.Evidence == nil || len(st.Evidence.Facts) != 1 || st.Evidence.Facts[0].Text != text {
		t.Fatalf("want %q, have %+v", text, st)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	l := &looker{takes: 300 * time.Millisecond}
	bubble(t, l, func(t *testing.T, s *agenttest.Server) {
		s.Create("shop", "a", free("one"))
		s.Create("shop", "other", v1alpha1.NodeProbeSpec{NodeName: "node-2", Image: "one"})
		time.Sleep(time.Second)
		st := read(t, s, "a")
		wantText(t, st, "asked for one")
		if f := st.Evidence.Facts[0]; f.Where != "node-1" || f.Vantage != evidence.Node || st.Agent != "v0" || st.Started == nil || st.Finished == nil {
			t.Errorf("%+v, %+v", f, st)
		}
		if st := read(t, s, "other"); st.Phase != "" {
			t.Errorf("another node's was answered: %+v", st)
		}
		if n := s.Calls("status"); n != 1 {
			t.Errorf("%d writes of a status, not 1", n)
		}
		time.Sleep(9 * time.Minute)
		read(t, s, "a")
		time.Sleep(2 * time.Minute)
		if names := strings.Join(s.Names(), " "); names != "shop/other" {
			t.Errorf("after its time there is %s", names)
		}
	})
}

func TestLongLookSaysThatItRuns(t *testing.T) {
	t.Parallel()
	bubble(t, &looker{takes: 10 * time.Second}, func(t *testing.T, s *agenttest.Server) {
		s.Create("shop", "a", free("one"))
		time.Sleep(3 * time.Second)
		if st := read(t, s, "a"); st.Phase != v1alpha1.ProbeRunning || st.Started == nil {
			t.Fatalf("%+v", st)
		}
		time.Sleep(8 * time.Second)
		wantText(t, read(t, s, "a"), "asked for one")
	})
}

// TestOneAfterTheOther: a stream of equal questions, each beside a look that is under way, has few looks and never two at once.
func TestOneAfterTheOther(t *testing.T) {
	t.Parallel()
	l := &looker{takes: time.Second}
	bubble(t, l, func(t *testing.T, s *agenttest.Server) {
		for i := range 40 {
			s.Create("shop", fmt.Sprintf("p%d", i), free("one"))
			time.Sleep(300 * time.Millisecond)
		}
		time.Sleep(5 * time.Second)
		for i := range 40 {
			wantText(t, read(t, s, fmt.Sprintf("p%d", i)), "asked for one")
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.most != 1 || l.began.Load() > 13 {
			t.Errorf("%d looks, %d at once", l.began.Load(), l.most)
		}
	})
}

// TestThousandAtOnce: those who ask the same before anybody looked share the look; who asks later does not.
func TestThousandAtOnce(t *testing.T) {
	t.Parallel()
	l := &looker{takes: 300 * time.Millisecond}
	bubble(t, l, func(t *testing.T, s *agenttest.Server) {
		for i := range 1000 {
			s.Create("shop", fmt.Sprintf("p%d", i), free("one"))
			if i%100 == 0 {
				time.Sleep(5 * time.Millisecond)
			}
		}
		time.Sleep(10 * time.Second)
		for i := range 1000 {
			wantText(t, read(t, s, fmt.Sprintf("p%d", i)), "asked for one")
		}
		if n := l.began.Load(); n != 1 {
			t.Errorf("%d looks, not one", n)
		}
		s.Create("shop", "first", free("one"))
		time.Sleep(100 * time.Millisecond) // a look is under way
		s.Create("shop", "later", free("one"))
		time.Sleep(time.Second)
		wantText(t, read(t, s, "later"), "asked for one")
		if n := l.began.Load(); n != 3 {
			t.Errorf("%d looks: who asked while one was under way needs one of his own", n)
		}
	})
}

func TestBoundedLooks(t *testing.T) {
	t.Parallel()
	l := &looker{takes: time.Second}
	bubble(t, l, func(t *testing.T, s *agenttest.Server) {
		for i := range 20 {
			s.Create([]string{"shop", "pay"}[i%2], fmt.Sprint("p", i), free(fmt.Sprint("image-", i)))
		}
		time.Sleep(7 * time.Second)
		for i := range 20 {
			if i%2 == 0 {
				wantText(t, read(t, s, fmt.Sprint("p", i)), fmt.Sprint("asked for image-", i))
			}
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.most != 4 {
			t.Errorf("%d looks at once, not 4", l.most)
		}
	})
}

func TestDeletedWhileItRuns(t *testing.T) {
	t.Parallel()
	l := &looker{forever: true}
	bubble(t, l, func(t *testing.T, s *agenttest.Server) {
		s.Create("shop", "a", free("one"))
		s.Create("shop", "b", free("one"))
		time.Sleep(time.Second)
		s.Delete("shop", "a")
		time.Sleep(500 * time.Millisecond)
		if l.ended.Load() != 0 {
			t.Fatal("the look ended though somebody waits for it")
		}
		s.Delete("shop", "b")
		synctest.Wait()
		if l.ended.Load() != 1 {
			t.Fatal("the look goes on though nobody waits for it")
		}
		if n := s.Calls("status"); n != 0 {
			t.Errorf("%d writes for NodeProbes that are gone", n)
		}
	})
}

// TestReplaced: a NodeProbe of the same name that came in its place gets an answer of its own.
func TestReplaced(t *testing.T) {
	t.Parallel()
	l := &looker{takes: time.Second}
	bubble(t, l, func(t *testing.T, s *agenttest.Server) {
		s.Create("shop", "a", free("one"))
		time.Sleep(500 * time.Millisecond)
		s.Delete("shop", "a")
		s.Create("shop", "a", free("two"))
		time.Sleep(5 * time.Second)
		wantText(t, read(t, s, "a"), "asked for two")
	})
}

func TestAPIServerAway(t *testing.T) {
	t.Parallel()
	l := &looker{takes: 5 * time.Second}
	bubble(t, l, func(t *testing.T, s *agenttest.Server) {
		s.Create("shop", "a", free("one"))
		time.Sleep(time.Second)
		s.Away(true)
		s.Create("shop", "b", free("two"))
		time.Sleep(45 * time.Second)
		s.Away(false)
		time.Sleep(20 * time.Second) // the longest pause is 12 s
		wantText(t, read(t, s, "a"), "asked for one")
		wantText(t, read(t, s, "b"), "asked for two")
	})
}

func TestWatchBreaks(t *testing.T) {
	t.Parallel()
	l := &looker{}
	bubble(t, l, func(t *testing.T, s *agenttest.Server) {
		time.Sleep(time.Minute)
		s.Cut()
		s.Create("shop", "a", free("one"))
		time.Sleep(3 * time.Second)
		wantText(t, read(t, s, "a"), "asked for one")
		if s.Calls("list") != 1 {
			t.Errorf("%d lists after a watch that ended", s.Calls("list"))
		}
		// What happened while the watch was away is not told any more: it is listed.
		s.Create("shop", "b", free("two"))
		time.Sleep(time.Second)
		s.Compact()
		s.Delete("shop", "b")
		s.Create("shop", "c", free("three"))
		s.Compact()
		s.Cut()
		time.Sleep(3 * time.Second)
		wantText(t, read(t, s, "c"), "asked for three")
		if s.Calls("list") != 2 {
			t.Errorf("%d lists after a version that is gone", s.Calls("list"))
		}
	})
}

// TestRestart: what an agent that was killed left is worked anew, and what it answered is removed in its time.
func TestRestart(t *testing.T) {
	t.Parallel()
	l := &looker{forever: true}
	synctest.Test(t, func(t *testing.T) {
		s := agenttest.New()
		defer s.Close()
		for i := range 130 { // more than two pages
			name := fmt.Sprint("done-", i)
			s.Create("shop", name, free("one"))
			s.SetStatus("shop", name, Object{"phase": "Done", "finished": time.Now().Add(-7 * time.Minute)})
		}
		s.Create("shop", "a", free("one"))
		stop := start(t, s, l)
		time.Sleep(5 * time.Second)
		if st := read(t, s, "a"); st.Phase != v1alpha1.ProbeRunning {
			t.Fatalf("%+v", st)
		}
		stop() // ends the look, and writes nothing
		if st := read(t, s, "a"); st.Phase != v1alpha1.ProbeRunning {
			t.Fatalf("%+v", st)
		}
		next := &looker{}
		stop = start(t, s, next)
		time.Sleep(time.Second)
		wantText(t, read(t, s, "a"), "asked for one")
		if n := next.began.Load(); n != 1 {
			t.Errorf("%d looks after a restart, not 1", n)
		}
		time.Sleep(4 * time.Minute)
		if names := s.Names(); len(names) != 1 {
			t.Errorf("after their time there are %d", len(names))
		}
		stop()
	})
}

type Object = agenttest.Object

func TestPod(t *testing.T) {
	t.Parallel()
	pod := func(uid, on string) Object {
		return Object{"metadata": Object{"uid": uid}, "spec": Object{
			"nodeName": on, "containers": []Object{{"name": "web", "image": "reg.lab/web:1"}, {"name": "bare"}},
			"initContainers":      []Object{{"name": "init", "image": "reg.lab/init:1"}},
			"ephemeralContainers": []Object{{"name": "debug", "image": "reg.lab/debug:1"}},
			"volumes":             []Object{{"name": "data", "image": Object{"reference": "reg.lab/data:1"}}, {"name": "plain"}},
		}}
	}
	tests := []struct {
		name, image, refused string
		ref                  v1alpha1.PodReference
		checks               []string
	}{
		{"container", "reg.lab/web:1", "", v1alpha1.PodReference{Name: "web", UID: "1", Container: "web"}, nil},
		{"init", "reg.lab/init:1", "", v1alpha1.PodReference{Name: "web", UID: "1", Container: "init"}, nil},
		{"ephemeral", "reg.lab/debug:1", "", v1alpha1.PodReference{Name: "web", UID: "1", Container: "debug"}, nil},
		{"volume", "reg.lab/data:1", "", v1alpha1.PodReference{Name: "web", UID: "1", Volume: "data"}, nil},
		{"no such volume", "", "no image volume", v1alpha1.PodReference{Name: "web", UID: "1", Volume: "plain"}, nil},
		{"no such container", "", "no container", v1alpha1.PodReference{Name: "web", UID: "1", Container: "x"}, nil},
		{"container without an image", "", "names no image", v1alpha1.PodReference{Name: "web", UID: "1", Container: "bare"}, nil},
		{"no such pod", "", "does not exist", v1alpha1.PodReference{Name: "gone", UID: "1", Container: "web"}, nil},
		{"replaced pod", "", "another one", v1alpha1.PodReference{Name: "web", UID: "2", Container: "web"}, nil},
		{"elsewhere", "", "not on this node", v1alpha1.PodReference{Name: "away", UID: "3", Container: "web"}, nil},
		{"a name that is a path", "", "no pod's name", v1alpha1.PodReference{Name: "../../kube-system/pods/web", UID: "1", Container: "web"}, nil},
		{"no such check", "", "no check", v1alpha1.PodReference{Name: "web", UID: "1", Container: "web"}, []string{"shell"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := &looker{}
			bubble(t, l, func(t *testing.T, s *agenttest.Server) {
				s.AddPod("shop", "web", pod("1", "node-1"))
				s.AddPod("shop", "away", pod("3", "node-2"))
				s.Create("shop", "a", v1alpha1.NodeProbeSpec{NodeName: "node-1", Image: "evil", Pod: &tt.ref, Checks: tt.checks})
				time.Sleep(time.Second)
				st := read(t, s, "a")
				if tt.refused == "" {
					wantText(t, st, "asked for "+tt.image)
					return
				}
				if st.Phase != v1alpha1.ProbeRefused || !strings.Contains(st.Message, tt.refused) || st.Finished == nil || l.began.Load() != 0 {
					t.Errorf("want %q, have %+v after %d looks", tt.refused, st, l.began.Load())
				}
			})
		})
	}
}

func TestRate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		asked, want int64
		pod         *v1alpha1.PodReference
	}{
		{0, 64 << 20, nil}, {1 << 10, 1 << 10, nil}, {1 << 40, 64 << 20, nil},
		{1, 16 << 20, &v1alpha1.PodReference{Name: "web", UID: "1", Container: "web"}},
	} {
		t.Run(fmt.Sprint(tt.asked), func(t *testing.T) {
			t.Parallel()
			l := &looker{}
			bubble(t, l, func(t *testing.T, s *agenttest.Server) {
				s.AddPod("shop", "web", Object{"metadata": Object{"uid": "1"}, "spec": Object{"nodeName": "node-1", "containers": []Object{{"name": "web", "image": "one"}}}})
				s.Create("shop", "a", v1alpha1.NodeProbeSpec{NodeName: "node-1", Pod: tt.pod, Verify: true, Rate: tt.asked})
				time.Sleep(time.Second)
				l.mu.Lock()
				defer l.mu.Unlock()
				if len(l.asked) != 1 || l.asked[0].Rate != tt.want {
					t.Errorf("%+v", l.asked)
				}
			})
		})
	}
}

func TestPanicIsAGap(t *testing.T) {
	t.Parallel()
	bubble(t, &looker{panics: true}, func(t *testing.T, s *agenttest.Server) {
		s.Create("shop", "a", free("one"))
		time.Sleep(time.Second)
		st := read(t, s, "a")
		if st.Phase != v1alpha1.ProbeDone || len(st.Evidence.Gaps) != 1 || !st.Evidence.Gaps[0].Deciding {
			t.Errorf("%+v", st)
		}
	})
}

func TestBudget(t *testing.T) {
	t.Parallel()
	bubble(t, &looker{forever: true}, func(t *testing.T, s *agenttest.Server) {
		s.Create("shop", "a", free("one"))
		time.Sleep(2*time.Minute + time.Second)
		st := read(t, s, "a")
		if st.Phase != v1alpha1.ProbeDone || len(st.Evidence.Facts) != 1 || len(st.Evidence.Gaps) != 1 {
			t.Errorf("%+v", st)
		}
	})
}

// TestStatusRefused: a write that is refused for good is not tried for ever, and one that fails for the moment is.
func TestStatusRefused(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]string{403: "once", 422: "once", 500: "often", 429: "often"} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			bubble(t, &looker{}, func(t *testing.T, s *agenttest.Server) {
				s.Fail(func(r *http.Request) int {
					if strings.HasSuffix(r.URL.Path, "/status") {
						return code
					}
					return 0
				})
				s.Create("shop", "a", free("one"))
				time.Sleep(time.Minute)
				if n := s.Calls("status"); (n == 1) != (want == "once") || n > 20 {
					t.Errorf("%d writes", n)
				}
				s.Fail(nil)
				time.Sleep(time.Minute)
				if want == "often" {
					wantText(t, read(t, s, "a"), "asked for one")
				}
			})
		})
	}
}
