package registry

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/keyring"
	"github.com/refloat-dev/refloat/registry/probe"
	"github.com/refloat-dev/refloat/registry/wire"
)

const (
	// inFlight is how many images are asked for at once, perHost how many of them at one registry.
	inFlight, perHost = 16, 4
	// budget is what all questions of a run may take: a registry that is silent shall not keep a person waiting.
	budget = time.Minute
	// fresh is for how long an answer serves again: a watch looks every few seconds, and no registry wants to be asked so often.
	fresh = time.Minute
	// freshFound is for how long what is served instead serves again: each costs a pull of the registry's limit.
	freshFound = 10 * time.Minute
)

// Secrets gets one pull secret by name: its type and its data.
type Secrets interface {
	PullSecret(ctx context.Context, namespace, name string) (kind string, data map[string][]byte, err error)
}

// Source is the registry vantage point as an observe.Source. One Source may observe again and again, as a watch does;
// it then answers for a minute from what it knows.
type Source struct {
	// Secrets reads the secrets that pods name; nil where there is no cluster.
	Secrets Secrets
	// Config is a docker config given by hand, used in place of pod secrets; ConfigName is what it is called in evidence.
	Config     []byte
	ConfigName string
	// Wire asks; nil is a client as containerd has it.
	Wire *wire.Client
	// Refusals remembers credentials that a registry refused; nil remembers for one run.
	Refusals probe.Refusals
	// Layers says where every layer is looked for, and not only what the kubelet asks first; nil is nowhere.
	Layers func(*evidence.Case) bool
	// Withhold says why no credential of a case may be tried, such as a login that is locked out; empty lets it be tried. Nil is never.
	Withhold func(*evidence.Case) string
	// Progress is told of every question that was answered; nil tells nobody.
	Progress func(done, total int)
	// Budget bounds a run; 0 is a minute.
	Budget time.Duration
	// Now is the clock; nil is time.Now.
	Now func() time.Time

	mu    sync.Mutex
	known map[string]known
	found map[string]found
}

// known and found are answers that may serve again.
type known struct {
	at    time.Time
	probe evidence.Probe
	// logins are those of the question's credentials, by which the probe names them.
	logins []evidence.Login
}

type found struct {
	at           time.Time
	alternatives evidence.Alternatives
}

// run is one call of Observe.
type run struct {
	*Source
	at      time.Time
	walker  *probe.Walker
	secrets map[secretName]gotSecret
	// locked are the credentials that must not be tried, and why.
	locked map[offer]string
	// rings are what was looked up before.
	rings map[string]looked
	// done of total questions are answered.
	done, total int
}

// Observe adds to each case what its pod's secrets hold for its image (Keyring), what the registry answered (Probe),
// and what it serves instead (Alternatives). Cases that share image, credentials and platform share the asking.
func (s *Source) Observe(ctx context.Context, cases []*evidence.Case) error {
	r := &run{Source: s, at: s.now().UTC()}
	r.walker = &probe.Walker{Wire: s.Wire, Refusals: s.Refusals, Now: s.Now}
	if r.walker.Wire == nil {
		r.walker.Wire = &wire.Client{Now: s.Now}
		defer r.walker.Wire.CloseIdleConnections()
	}
	limit := s.Budget
	if limit == 0 {
		limit = budget
	}
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()

	r.forget()
	pulls := r.pulls(cases)
	r.readSecrets(within, pulls)
	questions := r.questions(ctx, pulls)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	// A limit that this machine meets too ends all asking there: what may meet it comes last.
	at := slices.IndexFunc(questions, func(q *question) bool { return q.limited })
	if at < 0 {
		at = len(questions)
	}
	r.total = len(questions)
	r.ask(within, questions[:at])
	r.alternatives(within, pulls)
	r.ask(within, questions[at:])
	r.tell(pulls)
	return ctx.Err()
}

// ask asks every question once, those of one registry a few at a time, so that one which is slow takes no other's place.
func (r *run) ask(ctx context.Context, questions []*question) {
	hosts := map[string]chan *question{}
	for _, q := range questions {
		if hosts[q.host] == nil {
			hosts[q.host] = make(chan *question, len(questions))
		}
		hosts[q.host] <- q
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	places := make(chan struct{}, inFlight)
	for _, todo := range hosts {
		close(todo)
		for range min(perHost, len(todo)) {
			all.Go(func() {
				for q := range todo {
					places <- struct{}{}
					q.probe = r.answer(ctx, q)
					<-places
					mu.Lock()
					r.done++
					if r.Progress != nil {
						r.Progress(r.done, r.total)
					}
					mu.Unlock()
				}
			})
		}
	}
	all.Wait()
}

// answer asks, or gives again what was answered a moment ago. What the end of the run cut short is no answer.
func (r *run) answer(ctx context.Context, q *question) evidence.Probe {
	r.mu.Lock()
	k, ok := r.known[q.key]
	r.mu.Unlock()
	if ok && r.at.Sub(k.at) < fresh {
		return named(k.probe, k.logins, q.Credentials)
	}
	p := r.walker.Ask(ctx, q.Question)
	if ctx.Err() != nil {
		return p
	}
	var logins []evidence.Login
	for _, c := range q.Credentials {
		logins = append(logins, c.Login)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil {
		r.known = map[string]known{}
	}
	r.known[q.key] = known{r.at, p, logins}
	return p
}

// forget lets go of what no longer serves: a watch goes on for days.
func (r *run) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.known, func(_ string, k known) bool { return r.at.Sub(k.at) >= fresh })
	maps.DeleteFunc(r.found, func(_ string, k found) bool { return r.at.Sub(k.at) >= freshFound })
}

func (s *Source) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// looked is what a lookup found. It is shared and never changed.
type looked struct {
	creds []keyring.Credential
	ring  evidence.Keyring
}

// lookup is what the kubelet would offer for an image with one pull's secrets. It looks once for pulls that have both in common: secrets
// may have hundreds of entries, and a fleet thousands of pods.
func (r *run) lookup(p *pull, image string) ([]keyring.Credential, evidence.Keyring) {
	key := fmt.Sprintf("%q %q", image, p.secrets)
	r.mu.Lock()
	got, ok := r.rings[key]
	r.mu.Unlock()
	if ok {
		return got.creds, got.ring
	}
	got.creds, got.ring = r.lookUp(p, image)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.rings == nil {
		r.rings = map[string]looked{}
	}
	r.rings[key] = got
	return got.creds, got.ring
}

func (r *run) lookUp(p *pull, image string) ([]keyring.Credential, evidence.Keyring) {
	if r.Config != nil {
		return keyring.Lookup([]keyring.Secret{r.config()}, image)
	}
	var secrets []keyring.Secret
	var unread []string
	for _, n := range p.secrets {
		switch got := r.secrets[n]; {
		case got.unread:
			unread = append(unread, n.namespace+"/"+n.name)
		case got.secret.Name != "":
			secrets = append(secrets, got.secret)
		}
	}
	creds, ring := keyring.Lookup(secrets, image)
	ring.Unread = unread
	return creds, ring
}

// config is the docker config that was given by hand, as if it were a pod's only secret.
func (r *run) config() keyring.Secret {
	const kind, key = "kubernetes.io/dockerconfigjson", ".dockerconfigjson"
	return keyring.Secret{Name: r.ConfigName, Type: kind, Data: map[string][]byte{key: r.Config}}
}
