package nodeprobe

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	"github.com/refloat-dev/refloat/api/v1alpha1"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/kube/wire"
)

// Install is how a cluster gets the agent.
const Install = "kubectl apply --server-side -k github.com/refloat-dev/refloat/deploy/agent"

const (
	atOnce = 50  // questions under way
	most   = 200 // in a run
)

// Source is the node vantage point for cases: each failing (image, node) is asked about once, of that node's agent. Where
// nothing fails nothing is asked, and where no agent is installed one request says so.
type Source struct {
	Config *rest.Config
	// Silence and Wait are Asker's.
	Silence, Wait time.Duration
	// Keep is how long an answer stands for one who asks again through this Source; 0 asks anew each time.
	Keep time.Duration
	// Verify says where the node's stored content is in doubt, so that it is read and hashed; nil is nowhere.
	Verify func(*evidence.Case) bool
	// Stored says where the node's stored content is all that is asked for; nil is nowhere.
	Stored func(*evidence.Case) bool
	// Progress is told how many questions are answered; nil is nobody.
	Progress func(done, total int)

	// recent are answers that may still stand.
	recent map[key]remembered
}

// key is what is asked about.
type key struct {
	image, node string
	stored      bool // its stored content alone
}

type remembered struct {
	answer *Answer
	at     time.Time
}

// pair is one image on one node, and the cases that it fails.
type pair struct {
	key
	question Question
	cases    []*evidence.Case
	answer   *Answer
}

// run is one Observe.
type run struct {
	asker    *Asker
	progress func(done, total int)

	mu     sync.Mutex
	total  int
	done   int
	silent map[string]error // by node: nobody waits for it twice
}

// Observe implements observe.Source.
func (s *Source) Observe(ctx context.Context, cases []*evidence.Case) error {
	pairs := slices.DeleteFunc(s.pairs(cases), s.remembers)
	if len(pairs) == 0 {
		return nil
	}
	for _, p := range pairs {
		p.question.Spec.Verify = s.Verify != nil && !p.stored && slices.ContainsFunc(p.cases, s.Verify)
	}
	api, err := wire.New(s.Config)
	if err != nil {
		return err
	}
	defer api.Close()
	if len(pairs) > most {
		for _, p := range pairs[most:] {
			p.gap(fmt.Sprintf("%d images and nodes were asked about in this run, and no more are", most), "name one pod or workload")
		}
		pairs = pairs[:most]
	}
	r := &run{
		asker: &Asker{API: api, Silence: s.Silence, Wait: s.Wait}, progress: s.Progress,
		total: len(pairs), silent: map[string]error{},
	}
	first, err := r.asker.create(ctx, pairs[0].question)
	if errors.Is(err, ErrNotInstalled) {
		for _, p := range pairs {
			p.fail(err)
		}
		return nil
	}
	r.all(ctx, pairs, first, err)
	s.remember(pairs)
	return ctx.Err()
}

// remembers adds an answer that still stands.
func (s *Source) remembers(p *pair) bool {
	old, ok := s.recent[p.key]
	if !ok || time.Since(old.at) >= s.Keep {
		return false
	}
	p.add(old.answer)
	return true
}

func (s *Source) remember(pairs []*pair) {
	if s.Keep == 0 {
		return
	}
	maps.DeleteFunc(s.recent, func(_ key, r remembered) bool { return time.Since(r.at) >= s.Keep })
	if s.recent == nil {
		s.recent = map[key]remembered{}
	}
	for _, p := range pairs {
		if p.answer != nil {
			s.recent[p.key] = remembered{p.answer, time.Now()}
		}
	}
}

// all asks about every pair; the first one's NodeProbe is made already.
func (r *run) all(ctx context.Context, pairs []*pair, first *probe, err error) {
	places := make(chan struct{}, atOnce)
	var asking sync.WaitGroup
	for i, p := range pairs {
		places <- struct{}{}
		asking.Go(func() {
			defer func() { <-places }()
			if i == 0 {
				r.join(ctx, p, first, err)
				return
			}
			if known := r.known(p.question.Spec.NodeName); known != nil || ctx.Err() != nil {
				r.join(ctx, p, nil, errors.Join(known, ctx.Err()))
				return
			}
			made, err := r.asker.create(ctx, p.question)
			r.join(ctx, p, made, err)
		})
	}
	asking.Wait()
}

// join waits for a pair's answer and adds it to its cases.
func (r *run) join(ctx context.Context, p *pair, made *probe, err error) {
	var answer *Answer
	if err == nil {
		answer, err = r.asker.await(ctx, made)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var silent *SilentError
	if errors.As(err, &silent) && !silent.Began {
		r.silent[p.question.Spec.NodeName] = err
	}
	r.done++
	if r.progress != nil {
		r.progress(r.done, r.total)
	}
	if err != nil {
		p.fail(err)
		return
	}
	p.answer = answer
	p.add(answer)
}

// add joins an answer to the pair's cases, which are no other pair's.
func (p *pair) add(answer *Answer) {
	for _, c := range p.cases {
		c.Facts = append(c.Facts, answer.Facts...)
		c.Gaps = append(c.Gaps, answer.Gaps...)
	}
	if answer.Cut > 0 {
		p.gap(fmt.Sprintf("%d facts or parts of them did not fit into its answer", answer.Cut), "")
	}
}

func (r *run) known(node string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.silent[node]
}

// pairs groups the cases that fail on a node by image and node, in their order.
func (s *Source) pairs(cases []*evidence.Case) []*pair {
	by := map[key]*pair{}
	var out []*pair
	for _, c := range cases {
		q, ok := questionOf(c.Pull)
		if !ok {
			continue
		}
		k := key{c.Pull.Image, c.Pull.Node, s.Stored != nil && s.Stored(c)}
		if k.stored {
			q.Spec.Checks = []string{"content"}
		}
		p := by[k]
		if p == nil {
			p = &pair{key: k, question: q}
			by[k] = p
			out = append(out, p)
		}
		p.cases = append(p.cases, c)
	}
	return out
}

// questionOf is what is asked about a pull. The pause image is in no pod's spec: it is asked about freely.
func questionOf(p evidence.Pull) (Question, bool) {
	q := Question{Namespace: p.Namespace, Spec: v1alpha1.NodeProbeSpec{NodeName: p.Node}}
	if p.Node == "" || p.Image == "" || p.Pod == "" || p.UID == "" {
		return q, false
	}
	switch p.Kind {
	case evidence.App, evidence.Init, evidence.Ephemeral:
		q.Spec.Pod = &v1alpha1.PodReference{Name: p.Pod, UID: p.UID, Container: p.Container}
	case evidence.VolumeImage:
		q.Spec.Pod = &v1alpha1.PodReference{Name: p.Pod, UID: p.UID, Volume: p.Volume}
	case evidence.Sandbox:
		q.Namespace, q.Spec.Image = Namespace, p.Image // its answer is of the whole node, which no tenant's readers may see
	default:
		return q, false
	}
	return q, true
}

// fail says in each case why its node was not heard.
func (p *pair) fail(err error) {
	why, how := Explain(err, p.question)
	p.gap(why, how)
}

func (p *pair) gap(why, how string) {
	g := evidence.Gap{Vantage: evidence.Node, What: "what node " + p.question.Spec.NodeName + " sees", Why: why, How: how}
	for _, c := range p.cases {
		c.Gaps = append(c.Gaps, g)
	}
}

// Explain says why a question has no answer, and how it could have one.
func Explain(err error, q Question) (why, how string) {
	var refused *RefusedError
	var silent *SilentError
	switch {
	case errors.Is(err, ErrNotInstalled):
		return "refloat-agent is not installed in this cluster", Install
	case apierrors.IsForbidden(err) && q.Spec.Pod == nil:
		return "Forbidden: " + evidence.Clean(err.Error()),
			"ask for the cluster role refloat-probe-free: kubectl create clusterrolebinding refloat-probe-free --clusterrole=refloat-probe-free --user=USER"
	case apierrors.IsForbidden(err):
		return "Forbidden: " + evidence.Clean(err.Error()),
			"ask for the role refloat-probe: kubectl create rolebinding refloat-probe --clusterrole=refloat-probe --user=USER -n " + evidence.Quote(q.Namespace)
	case errors.As(err, &refused):
		return err.Error(), ""
	case errors.As(err, &silent):
		return err.Error(), "kubectl get pods -n " + Namespace + " -l " + agentLabel + " -o wide"
	case errors.Is(err, context.Canceled):
		return "interrupted", ""
	}
	return evidence.Clean(err.Error()), ""
}
