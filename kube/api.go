package kube

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/kube/owner"
)

// API is the api vantage point as an observe.Source.
type API struct {
	Client *Client
	// Keep holds the pull secrets that Observe read until PullSecret asks for them: one request serves both.
	Keep bool

	mu   sync.Mutex
	kept map[name]*corev1.Secret
}

// PullSecret gets a secret by its name, for who must know its contents: its type and its data, which belong to the caller.
// It is never listed, and never read twice in a run.
func (a *API) PullSecret(ctx context.Context, namespace, secret string) (kind string, data map[string][]byte, err error) {
	key := name{namespace, secret}
	a.mu.Lock()
	s := a.kept[key]
	delete(a.kept, key)
	a.mu.Unlock()
	if s == nil {
		if s, err = a.Client.core.Secrets(namespace).Get(ctx, secret, metav1.GetOptions{}); err != nil {
			return "", nil, fmt.Errorf("reading secret %s/%s: %w", namespace, secret, err)
		}
	}
	return string(s.Type), s.Data, nil
}

func (a *API) keep(s *corev1.Secret) {
	if !a.Keep {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.kept == nil {
		a.kept = map[name]*corev1.Secret{}
	}
	a.kept[name{s.Namespace, s.Name}] = s.DeepCopy()
}

// observer is one run of Observe.
type observer struct {
	*Client
	api    *API
	at     time.Time
	cases  []*evidence.Case
	owners *owner.Reader
	// secrets are what was got so far: pods and service accounts name the same ones.
	secrets map[name]seen
}

// seen is what one request gave: facts, or what could not be seen.
type seen struct {
	facts []*evidence.Fact
	gaps  []evidence.Gap
}

// name is an object in a namespace.
type name struct{ namespace, name string }

// Observe adds what the API knows of each case: its pull secrets, its service
// account, its node, and its workload up to the top, which Pull.Workload then is.
// Each object is got once for all cases, and its fact is shared.
func (a *API) Observe(ctx context.Context, cases []*evidence.Case) error {
	o := &observer{Client: a.Client, api: a, at: a.Client.now().UTC(), cases: cases, owners: a.Client.owners()}
	for _, step := range []func(context.Context){o.addSecrets, o.addAccounts, o.addLateSecrets, o.addNodes, o.addWorkloads} {
		step(ctx)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

func (o *observer) fact(text, source string, payload evidence.Fact) *evidence.Fact {
	return newFact(text, source, o.at, payload)
}

// each gets every key once, a few at a time.
func each[K comparable, V any](ctx context.Context, keys []K, get func(context.Context, K) V) map[K]V {
	values := make([]V, len(keys))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(requests)
	for i, k := range keys {
		group.Go(func() error {
			if ctx.Err() == nil {
				values[i] = get(ctx, k)
			}
			return nil
		})
	}
	_ = group.Wait() // no member fails
	out := make(map[K]V, len(keys))
	for i, k := range keys {
		out[k] = values[i]
	}
	return out
}

// distinct collects the keys of the cases, each once and in their order.
func distinct[K comparable](cases []*evidence.Case, keys func(*evidence.Case) []K) []K {
	var out []K
	known := map[K]bool{}
	for _, c := range cases {
		for _, k := range keys(c) {
			if !known[k] {
				known[k] = true
				out = append(out, k)
			}
		}
	}
	return out
}

// attach adds to each case what its keys gave. Gaps are deciding where the case says so.
func attach[K comparable](cases []*evidence.Case, keys func(*evidence.Case) []K, got map[K]seen, deciding func(*evidence.Case) bool) {
	for _, c := range cases {
		for _, k := range keys(c) {
			c.Facts = append(c.Facts, got[k].facts...)
			for _, g := range got[k].gaps {
				g.Deciding = g.Deciding || deciding != nil && deciding(c)
				c.Gaps = append(c.Gaps, g)
			}
		}
	}
}

func podOf(c *evidence.Case) *evidence.Pod {
	if f := c.First(func(f *evidence.Fact) bool { return f.Pod != nil }); f != nil {
		return f.Pod
	}
	return nil
}

// says tells whether a reason or message of the case contains one of the texts, in any case.
func says(c *evidence.Case, texts []string) bool {
	for _, f := range c.Messages() {
		low := strings.ToLower(f.Message.Reason + " " + f.Message.Text)
		for _, t := range texts {
			if strings.Contains(low, t) {
				return true
			}
		}
	}
	return false
}

// byCount sorts keys by how many cases they have, most first, then by name.
func byCount(count map[string]int) []string {
	out := make([]string, 0, len(count))
	for k := range count {
		out = append(out, k)
	}
	sort.Slice(out, func(i, j int) bool {
		if count[out[i]] != count[out[j]] {
			return count[out[i]] > count[out[j]]
		}
		return out[i] < out[j]
	})
	return out
}
