package kube

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/kube/manifest"
	"github.com/refloat-dev/refloat/kube/pullsecret"
)

const (
	// manifests is where facts are seen that the cluster does not know yet.
	manifests = "the manifests"
	// anywhere is what an image is asked for where neither a node nor a manifest tells.
	anywhere = "linux/amd64"
)

// Planned is what is going to be deployed, and where.
type Planned struct {
	// API is the cluster; nil where none is asked.
	API       *API
	Manifests *manifest.Set
	// Scope's Namespace is for what names none; empty is `default`.
	Scope evidence.Scope
	// Platforms are asked for in place of the nodes' own, such as linux/arm64; empty leaves it to the nodes.
	Platforms []string
	// ByHand names the credentials that are used in place of the cluster's; empty where those are.
	ByHand string
	// Now is the clock where there is no API; nil is time.Now.
	Now func() time.Time
}

// planner is one run of Find.
type planner struct {
	*Planned
	*observer // its Client is nil without a cluster
	out       *evidence.Collection
	nodes     []*plannedNode
	accounts  map[name]seen
	landed    map[*manifest.Pod][]*plannedNode
}

// Find makes a case of every image, platform, namespace and list of pull secrets, with what decides about the
// pull: the secrets that admission would give the pods, and the nodes they could land on. Nodes are listed once,
// each service account and secret is got once, those in the manifests not at all. What is Forbidden is a Gap.
func (p *Planned) Find(ctx context.Context) (*evidence.Collection, error) {
	if p.Scope.Namespace == "" {
		p.Scope.Namespace = "default"
	}
	r := &planner{Planned: p, observer: &observer{at: p.now()}}
	r.out = &evidence.Collection{
		APIVersion: evidence.APIVersion, Kind: evidence.CollectionKind, ObservedAt: r.at, Scope: p.Scope, Cases: []*evidence.Case{},
	}
	if p.API != nil {
		r.Client, r.api = p.API.Client, p.API
		f := &finder{Client: r.Client, at: r.at, out: r.out}
		if err := f.version(ctx); err != nil {
			return nil, err
		}
		if err := r.listNodes(ctx); err != nil {
			return nil, err
		}
	}
	r.readAccounts(ctx)
	r.makeCases()
	r.readSecrets(ctx)
	r.readRooms(ctx)
	r.out.Cases = r.cases
	return r.out, ctx.Err()
}

func (p *Planned) now() time.Time {
	switch {
	case p.API != nil:
		return p.API.Client.now().UTC()
	case p.Now != nil:
		return p.Now().UTC()
	}
	return time.Now().UTC()
}

// PullSecret gets a secret for its contents: the manifests' own comes before the cluster's, for it will replace it.
func (p *Planned) PullSecret(ctx context.Context, namespace, secret string) (kind string, data map[string][]byte, err error) {
	if s := p.ownSecret(name{namespace, secret}); s != nil {
		s = s.DeepCopy()
		return string(s.Type), s.Data, nil
	}
	if p.API == nil {
		return "", nil, fmt.Errorf("secret %s/%s: no cluster was asked", namespace, secret)
	}
	return p.API.PullSecret(ctx, namespace, secret)
}

func (p *Planned) space(namespace string) string {
	if namespace == "" {
		return p.Scope.Namespace
	}
	return namespace
}

// ownSecret is the manifests' own of that name, the last one where there are several.
func (p *Planned) ownSecret(n name) *corev1.Secret {
	for _, s := range slices.Backward(p.Manifests.Secrets) {
		if s.Name == n.name && p.space(s.Namespace) == n.namespace {
			return s
		}
	}
	return nil
}

// readAccounts gets the service accounts of the pods that name no secret of their own.
func (r *planner) readAccounts(ctx context.Context) {
	r.accounts = map[name]seen{}
	if r.ByHand != "" {
		return
	}
	var fresh []name
	for _, i := range r.Manifests.Images {
		n := r.accountOf(i.Pod)
		if _, known := r.accounts[n]; known || i.Pod.OwnSecrets {
			continue
		}
		r.accounts[n] = seen{}
		switch a := r.ownAccount(n); {
		case a != nil:
			r.accounts[n] = r.plannedAccount(n, a)
		case r.Client == nil:
			r.accounts[n] = seen{gaps: []evidence.Gap{accountGap(n.namespace, n.name, "no cluster was asked")}}
		default:
			fresh = append(fresh, n)
		}
	}
	for n, s := range each(ctx, fresh, r.account) {
		for _, g := range s.gaps { // Forbidden: its pull secrets are unknown, not none
			s.gaps = []evidence.Gap{accountGap(n.namespace, n.name, g.Why)}
		}
		r.accounts[n] = s
	}
}

// accountGap is a service account whose pull secrets are unknown.
func accountGap(namespace, account, why string) evidence.Gap {
	return evidence.Gap{
		Vantage: evidence.API, What: "secret " + accountSecrets + account + " in namespace " + namespace, Why: why, Deciding: true,
		How: "check with a kubeconfig that may get service accounts, or give the credentials: --docker-config FILE",
	}
}

// accountSecrets is what stands for the names of secrets that a service account may have.
const accountSecrets = "of service account "

// Unread are the pull secrets (namespace/name) of a planned case that a service account may have and that nobody could see.
func Unread(c *evidence.Case) []string {
	var out []string
	for _, g := range c.Gaps {
		if UnreadAccount(g) {
			account, namespace, _ := strings.Cut(strings.TrimPrefix(g.What, "secret "+accountSecrets), " in namespace ")
			out = append(out, namespace+"/"+accountSecrets+account)
		}
	}
	return out
}

// UnreadAccount tells the gap of a service account whose pull secrets nobody could see.
func UnreadAccount(g evidence.Gap) bool {
	return g.Vantage == evidence.API && strings.HasPrefix(g.What, "secret "+accountSecrets)
}

func (p *Planned) accountOf(pod *manifest.Pod) name {
	if pod.ServiceAccount == "" {
		return name{p.space(pod.Namespace), "default"}
	}
	return name{p.space(pod.Namespace), pod.ServiceAccount}
}

func (p *Planned) ownAccount(n name) *corev1.ServiceAccount {
	for _, a := range slices.Backward(p.Manifests.Accounts) {
		if a.Name == n.name && p.space(a.Namespace) == n.namespace {
			return a
		}
	}
	return nil
}

func (r *planner) plannedAccount(n name, a *corev1.ServiceAccount) seen {
	out := &evidence.ServiceAccount{Namespace: n.namespace, Name: n.name, Exists: evidence.Yes}
	for _, s := range a.ImagePullSecrets {
		out.PullSecrets = append(out.PullSecrets, s.Name)
	}
	text := fmt.Sprintf("service account %q in namespace %q, which the manifests make, names no pull secret", n.name, n.namespace)
	if len(out.PullSecrets) > 0 {
		text = fmt.Sprintf("service account %q in namespace %q, which the manifests make, names the pull secrets %s", n.name, n.namespace, listed(out.PullSecrets))
	}
	return seen{facts: []*evidence.Fact{r.planned(text, "serviceaccount "+n.namespace+"/"+n.name, evidence.Fact{Account: out})}}
}

// planned is a fact that the manifests tell.
func (r *planner) planned(text, source string, payload evidence.Fact) *evidence.Fact {
	f := r.fact(text, source, payload)
	f.Where = manifests
	return f
}

// readSecrets gets what the cases name, each secret once.
func (r *planner) readSecrets(ctx context.Context) {
	if r.ByHand != "" {
		return
	}
	got := each(ctx, distinct(r.cases, secretKeys), r.plannedSecret)
	attach(r.cases, secretKeys, got, func(*evidence.Case) bool { return true })
}

func (r *planner) plannedSecret(ctx context.Context, n name) seen {
	what := fmt.Sprintf("secret %q in namespace %q", n.name, n.namespace)
	source := "secret " + n.namespace + "/" + n.name
	if s := r.ownSecret(n); s != nil {
		s = s.DeepCopy() // Shape overwrites the data
		s.Namespace = n.namespace
		shape := pullsecret.Shape(s)
		return seen{facts: []*evidence.Fact{r.planned(secretSentence(what+", which the manifests make,", &shape), source, evidence.Fact{Secret: &shape})}}
	}
	unknown := func(text, why, how string) seen {
		shape := &evidence.Secret{Namespace: n.namespace, Name: n.name, Exists: evidence.Unknown}
		return seen{
			facts: []*evidence.Fact{r.planned(what+" "+text, source, evidence.Fact{Secret: shape})},
			gaps:  []evidence.Gap{{Vantage: evidence.API, What: "secret " + n.name + " in namespace " + n.namespace, Why: why, How: how}},
		}
	}
	var got seen
	if r.Client != nil {
		got = r.secret(ctx, n)
		if f := got.facts[0]; f.Secret.Exists != evidence.No {
			return got
		}
	}
	for _, p := range r.Manifests.Promised {
		if p.Name == n.name && r.space(p.Namespace) == n.namespace {
			return unknown("is not there yet", p.By+" in the manifests will write it", "give its contents: --docker-config FILE")
		}
	}
	if r.Client == nil {
		return unknown("was not looked for", "no cluster was asked", "give a kubeconfig, or the credentials: --docker-config FILE")
	}
	return got
}
