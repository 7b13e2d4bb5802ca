package probe_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/registry/keyring"
	"github.com/refloat-dev/refloat/registry/probe"
)

// TestCost holds the bound that the documentation states: 20 pairs of image and credential, asked for by 300 questions at once, cost
// at most four requests and a token each, and each registry one ping.
func TestCost(t *testing.T) {
	t.Parallel()
	b := newLab(t)
	var pairs []probe.Question
	for _, host := range []string{"one.lab", "two.lab"} {
		r := b.registry(t, host, registrytest.BearerHub)
		r.Private = []string{"*"}
		for i := range 10 {
			repo := fmt.Sprintf("team/app-%d", i)
			push(t, r, repo, "1", linux, v1.Platform{OS: "linux", Architecture: "arm64"})
			q := probe.Question{Image: host + "/" + repo + ":1", Platform: "linux/amd64", Credentials: creds(alice)}
			switch i {
			case 7:
				q.Image += "-missing" // a tag
			case 8:
				q.Platform = "linux/s390x"
			}
			pairs = append(pairs, q)
		}
	}
	w := b.walker()
	var wg sync.WaitGroup
	probes := make([]evidence.Probe, 300)
	for i := range probes {
		wg.Go(func() { probes[i] = w.Ask(t.Context(), pairs[i%len(pairs)]) })
	}
	wg.Wait()

	most, tokens := map[string]int{}, map[string]int{}
	pings := map[string]int{}
	for _, e := range b.Log.Entries() {
		pair := e.Host + "/" + e.Repository + " as " + e.User
		switch e.Step {
		case registrytest.StepPing:
			pings[e.Host]++
		case registrytest.StepToken:
			tokens[pair]++
		default:
			most[e.Host+"/"+e.Repository]++
		}
	}
	const limit, pingLimit, tokenLimit = 4, 1, 1
	for pair, n := range most {
		anonymous := 0
		if strings.HasSuffix(pair, "-7") {
			anonymous = 2 // the missing tag is asked for once without a credential, which is a pair of its own
		}
		if n > limit+anonymous {
			t.Errorf("%s: %d requests", pair, n)
		}
	}
	for pair, n := range tokens {
		if n > tokenLimit && !strings.HasSuffix(pair, "/ as ") {
			t.Errorf("%s: %d tokens", pair, n)
		}
	}
	for host, n := range pings {
		if n > pingLimit {
			t.Errorf("%s: %d pings", host, n)
		}
	}
	total := len(b.Log.Entries())
	t.Logf("%d questions, %d pairs: %d requests, of them %d tokens and %d pings", len(probes), len(pairs), total, b.count(registrytest.StepToken), b.count(registrytest.StepPing))
	for i, p := range probes {
		if i >= len(pairs) && cmp.Diff(probes[i-len(pairs)], p) != "" {
			t.Errorf("question %d got another answer than the same one before", i)
		}
		if n := len(p.Attempts); n == 0 || len(p.Attempts[0].Steps) < 3 {
			t.Fatalf("question %d: %+v", i, p)
		}
	}
}

func TestContentIsReadOnce(t *testing.T) {
	t.Parallel()
	b := newLab(t)
	r := b.registry(t, "reg.lab", registrytest.BearerHub)
	r.SetUser(registrytest.User{Name: "carol", Password: "carols", Pull: []string{"*"}})
	w := b.walker()
	for _, c := range []keyring.Credential{alice, cred("carol", "carols")} {
		for _, platform := range []string{"linux/amd64", "linux/amd64", "linux/arm64"} {
			p := w.Ask(t.Context(), probe.Question{Image: "reg.lab/team/app:1", Credentials: creds(c), Platform: platform})
			if !p.Attempts[0].Served || p.Attempts[0].Found.Child == "" {
				t.Errorf("%+v", p)
			}
		}
	}
	gets := 0
	for _, e := range b.Log.Entries() {
		if e.Step == registrytest.StepManifest && e.Method == "GET" {
			gets++
		}
	}
	if gets != 3 { // the index and two children
		t.Errorf("%d manifests were read", gets)
	}
}

// The bytes of a child are known from another repository; whether it is in this one is not.
func TestChildOfAnotherRepository(t *testing.T) {
	t.Parallel()
	b := newLab(t)
	r := b.registry(t, "reg.lab", registrytest.Open)
	platforms := []v1.Platform{linux, {OS: "linux", Architecture: "arm64"}}
	push(t, r, "team/one", "1", platforms...)
	w := b.walker()
	first := w.Ask(t.Context(), probe.Question{Image: "reg.lab/team/app:1", Platform: "linux/amd64"})
	child := first.Attempts[0].Found.Child
	// The same index under another name, without its child.
	raw := rawOf(t, b, "team/app", first.Attempts[0].Found.Digest)
	r.PushRaw("team/copy", "1", "application/vnd.oci.image.index.v1+json", raw)
	p := w.Ask(t.Context(), probe.Question{Image: "reg.lab/team/copy:1", Platform: "linux/amd64"})
	want := []string{pingedOpen, headOK, "HEAD child Not Found", "GET child Not Found"}
	if diff := cmp.Diff(want, trail(p.Attempts[0])); diff != "" || child == "" {
		t.Error(diff)
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	b := newLab(t)
	r := b.registry(t, "reg.lab", registrytest.Open)
	push(t, r, "team/two", "1", linux)
	b.registry(t, "other.lab", registrytest.Open)
	b.fault(t, "f", registrytest.Where{Host: "reg.lab", Repository: "team/app", Step: registrytest.StepManifest}, "rate-limited")
	var late time.Duration // how far the clock is ahead
	var mu sync.Mutex
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return time.Now().Add(late) }
	w := &probe.Walker{Wire: b.client, Now: clock}
	ask := func(image string) evidence.Attempt {
		return w.Ask(t.Context(), probe.Question{Image: image, Platform: "linux/amd64"}).Attempts[0]
	}
	limited := ask("reg.lab/team/app:1")
	want := []string{pingedOpen, "HEAD manifest Too Many Requests"}
	if diff := cmp.Diff(want, trail(limited)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(limited, ask("reg.lab/team/app:1")); diff != "" {
		t.Errorf("the same question: %s", diff)
	}
	before := len(b.Log.Entries())
	if a := ask("reg.lab/team/two:1"); !strings.Contains(a.Skipped, "429") || a.Served {
		t.Errorf("went on after a 429: %+v", a)
	}
	if n := len(b.Log.Entries()); n != before {
		t.Errorf("%d requests after a 429", n-before)
	}
	if a := ask("other.lab/team/app:1"); !a.Served {
		t.Error("another registry's 429 counts")
	}
	mu.Lock()
	late = 2 * time.Hour // the preset says 3600 seconds
	mu.Unlock()
	b.Faults.Clear("*")
	for _, image := range []string{"reg.lab/team/two:1", "reg.lab/team/app:1"} {
		if a := ask(image); !a.Served {
			t.Errorf("%s is not asked for again: %v %s", image, trail(a), a.Skipped)
		}
	}
}

func TestDeadRegistry(t *testing.T) {
	t.Parallel()
	b := newLab(t)
	b.dead["gone.lab"] = true
	w := b.walker()
	for i := range 20 {
		p := w.Ask(t.Context(), probe.Question{Image: fmt.Sprintf("gone.lab/team/app-%d:1", i), Credentials: creds(alice, bob), Platform: "linux/amd64"})
		if len(p.Attempts) != 2 { // nothing is compared
			t.Fatalf("%d attempts", len(p.Attempts))
		}
		for _, a := range p.Attempts {
			if len(a.Steps) != 1 || a.Steps[0].Name != evidence.StepPing || a.Steps[0].Failure == "" || a.Served {
				t.Fatalf("%+v", a)
			}
		}
	}
	if n := b.dialled["gone.lab"]; n != 1 {
		t.Errorf("dialled %d times", n)
	}
}

func TestServedAndTags(t *testing.T) {
	t.Parallel()
	b := newLab(t)
	r := b.registry(t, "reg.lab", registrytest.BearerHub)
	r.Private = []string{"*"}
	push(t, r, "team/alone", "1", linux)
	for i := range 120 {
		push(t, r, "team/alone", fmt.Sprintf("v1.%03d", i), linux)
	}
	w := b.walker()
	for _, tc := range []struct {
		image, platform string
		creds           []keyring.Credential
		want            bool
		asked           int // requests, the ping and tokens left out
	}{
		{"reg.lab/team/app:1", "linux/amd64", creds(alice), true, 3},  // one is the challenge
		{"reg.lab/team/app:1", "linux/s390x", creds(alice), false, 0}, // the same index
		{"reg.lab/team/app:1", "linux/amd64", nil, false, 2},
		{"reg.lab/team/app:2", "linux/amd64", creds(alice), false, 1},
		{"reg.lab/team/alone:1", "linux/amd64", creds(stale, alice), true, 5},
		{"reg.lab/team/alone:1", "linux/arm64", creds(alice), false, 0},
		{"reg.lab/team/alone:1", "", creds(alice), true, 0},
		{"reg.lab/UPPER:1", "", creds(alice), false, 0},
	} {
		before := len(b.Log.Entries()) - b.count(registrytest.StepToken) - b.count(registrytest.StepPing)
		got, p := w.Served(t.Context(), tc.image, tc.creds, tc.platform)
		n := len(b.Log.Entries()) - b.count(registrytest.StepToken) - b.count(registrytest.StepPing) - before
		if got != tc.want || n != tc.asked {
			t.Errorf("%s for %s: served %v with %d requests: %+v", tc.image, tc.platform, got, n, p)
		}
	}
	tags, step := w.Tags(t.Context(), "reg.lab/team/alone:v1.060", &alice)
	if len(tags) != 121 || len(step.Tags) != 50 || !step.More || step.Status != 200 {
		t.Errorf("%d tags, step %+v", len(tags), step)
	}
	if step.Tags[25] != "v1.060" {
		t.Errorf("the named tags are around %s", step.Tags[25])
	}
	if tags, step := w.Tags(t.Context(), "reg.lab/team/alone", nil); tags != nil || step.Status != 401 {
		t.Errorf("nobody got %v, %+v", tags, step)
	}
	n := b.count(registrytest.StepTags)
	w.Tags(t.Context(), "reg.lab/team/alone:other", &alice)
	if b.count(registrytest.StepTags) != n {
		t.Error("asked for the tags twice")
	}
}

// A run that is called off returns, and what it was just asking is not taken for an answer.
func TestCalledOff(t *testing.T) {
	t.Parallel()
	b := newLab(t)
	b.registry(t, "reg.lab", registrytest.Open)
	b.fault(t, "f", registrytest.Where{Step: registrytest.StepManifest}, "silence")
	w := b.walker()
	ctx, cancel := context.WithCancel(t.Context())
	q := probe.Question{Image: "reg.lab/team/app:1", Platform: "linux/amd64"}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if p := w.Ask(ctx, q); p.Attempts[0].Served {
				t.Error("served")
			}
		})
	}
	for b.count(registrytest.StepManifest) == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	wg.Wait()
	b.Faults.Clear("*")
	if p := w.Ask(t.Context(), q); !p.Attempts[0].Served {
		t.Errorf("not asked again: %v", trail(p.Attempts[0]))
	}
}
