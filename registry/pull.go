package registry

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/keyring"
	"github.com/refloat-dev/refloat/registry/probe"
)

// pull is one case and what it is asked with.
type pull struct {
	c        *evidence.Case
	secrets  []secretName
	ring     evidence.Keyring
	creds    []keyring.Credential
	question *question
	// withhold is why the message lets no credential be tried.
	withhold string
}

// host is the registry as references spell it.
func (p *pull) host() string {
	host, _, _ := strings.Cut(p.ring.Repository, "/")
	return host
}

type secretName struct{ namespace, name string }

// gotSecret is a secret that was read; the zero value is one that does not exist.
type gotSecret struct {
	secret keyring.Secret
	unread bool
}

// question is what several pulls may want to know.
type question struct {
	probe.Question
	key, host string
	// limited is set where the registry has limited a pull before.
	limited bool
	probe   evidence.Probe
}

// pulls are the cases that a registry can tell something about.
func (r *run) pulls(cases []*evidence.Case) []*pull {
	var out []*pull
	for _, c := range cases {
		if c.Pull.Kind == evidence.Refused || c.Pull.Image == "" {
			continue // admission refused the pod: nothing was pulled
		}
		p := &pull{c: c}
		pod := c.First(func(f *evidence.Fact) bool { return f.Pod != nil })
		if pod != nil && c.Pull.Kind != evidence.Sandbox { // the runtime pulls the pause image without the pod's secrets
			for _, n := range pod.Pod.PullSecrets {
				if n != "" { // the kubelet skips empty names
					p.secrets = append(p.secrets, secretName{c.Pull.Namespace, n})
				}
			}
		}
		out = append(out, p)
	}
	return out
}

// readSecrets gets every secret once, in parallel. Those that the api vantage point found missing are not asked for again.
func (r *run) readSecrets(ctx context.Context, pulls []*pull) {
	wanted := map[secretName]bool{}
	for _, p := range pulls {
		for _, n := range p.secrets {
			wanted[n] = true
		}
		for _, f := range p.c.Facts {
			if s := f.Secret; s != nil && s.Exists == evidence.No {
				delete(wanted, secretName{s.Namespace, s.Name})
			}
		}
	}
	group := new(errgroup.Group)
	group.SetLimit(inFlight)
	var mu sync.Mutex
	r.secrets = map[secretName]gotSecret{}
	for n := range wanted {
		group.Go(func() error {
			got := r.readSecret(ctx, n)
			mu.Lock()
			defer mu.Unlock()
			r.secrets[n] = got
			return nil
		})
	}
	_ = group.Wait() // no member fails
}

func (r *run) readSecret(ctx context.Context, n secretName) gotSecret {
	if r.Secrets == nil || r.Config != nil {
		return gotSecret{unread: r.Config == nil}
	}
	kind, data, err := r.Secrets.PullSecret(ctx, n.namespace, n.name)
	if err != nil {
		return gotSecret{unread: true}
	}
	return gotSecret{secret: keyring.Secret{Namespace: n.namespace, Name: n.name, Type: kind, Data: data}}
}

// questions looks up each pull's credentials and joins the pulls that ask the same.
func (r *run) questions(ctx context.Context, pulls []*pull) []*question {
	for _, p := range pulls {
		if ctx.Err() != nil {
			return nil
		}
		p.creds, p.ring = r.lookup(p, p.c.Pull.Image)
		p.ring.NodeMay = nodeMay(p.c)
	}
	r.locked = r.withheld(pulls)
	known := map[string]*question{}
	var out []*question
	for _, p := range pulls {
		if p.ring.Broken != "" {
			continue // the kubelet asks nothing either
		}
		q := probe.Question{Image: p.c.Pull.Image, Credentials: p.creds, Platform: platform(p.c), Withhold: p.withhold}
		if r.Layers != nil {
			q.Layers = r.Layers(p.c)
		}
		for _, c := range p.creds {
			q.Withhold = cmp.Or(q.Withhold, r.locked[offer{p.host(), c.Username, c.Password}])
		}
		key := keyOf(q)
		if known[key] == nil {
			known[key] = &question{Question: q, key: key, host: p.host(), limited: wasLimited(p.c)}
			out = append(out, known[key])
		}
		p.question = known[key]
	}
	slices.SortStableFunc(out, func(a, b *question) int { return after(a.limited) - after(b.limited) })
	return out
}

// offer is a credential at a registry.
type offer struct{ host, user, password string }

// withheld are the credentials that must not be tried, and why: a login that one pod's message says is locked out is so for
// every pod that has it.
func (r *run) withheld(pulls []*pull) map[offer]string {
	out := map[offer]string{}
	if r.Withhold == nil {
		return out
	}
	for _, p := range pulls {
		if p.withhold = r.Withhold(p.c); p.withhold == "" {
			continue
		}
		for _, c := range p.creds {
			out[offer{p.host(), c.Username, c.Password}] = p.withhold
		}
	}
	return out
}

func after(last bool) int {
	if last {
		return 1
	}
	return 0
}

// wasLimited tells a message of too many requests: what that was about is for diagnose to say.
func wasLimited(c *evidence.Case) bool {
	return slices.ContainsFunc(c.Messages(), func(f *evidence.Fact) bool {
		return strings.Contains(f.Message.Text, "429 Too Many Requests") || strings.Contains(strings.ToLower(f.Message.Text), "toomanyrequests")
	})
}

// keyOf is equal for questions with one answer. Of credentials it keeps a hash, and that in memory only.
func keyOf(q probe.Question) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %t %q", q.Image, q.Platform, q.Layers, q.Withhold)
	for _, c := range q.Credentials {
		fmt.Fprintf(h, " %q %q", c.Username, c.Password)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// logins names in an answer the pull's own secrets: another pod's secret may hold the same credential.
func (p *pull) logins() evidence.Probe {
	var asked []evidence.Login
	for _, c := range p.question.Credentials {
		asked = append(asked, c.Login)
	}
	return named(p.question.probe, asked, p.creds)
}

// named is an answer whose logins, given by logins, are those of creds: the same credentials in the same order, from other secrets.
func named(p evidence.Probe, logins []evidence.Login, creds []keyring.Credential) evidence.Probe {
	p.Attempts = slices.Clone(p.Attempts)
	for i, a := range p.Attempts {
		if a.Login == nil {
			continue
		}
		if j := slices.Index(logins, *a.Login); j >= 0 && j < len(creds) {
			own := creds[j].Login
			p.Attempts[i].Login = &own
		}
	}
	return p
}

// platform is what the pull's node wants: its operating system and architecture as the API tells them, on Windows with the build.
func platform(c *evidence.Case) string {
	if c.Pull.Platform != "" {
		return c.Pull.Platform
	}
	f := c.First(func(f *evidence.Fact) bool { return f.NodeState != nil && f.NodeState.Name == c.Pull.Node })
	if f == nil || f.NodeState.OS == "" || f.NodeState.Arch == "" {
		return ""
	}
	n := f.NodeState
	out := n.OS + "/" + n.Arch
	if n.OS == "windows" && n.Kernel != "" {
		out += ":" + n.Kernel
	}
	return out
}

// clouds are registries that nodes of their own cloud pull from with the node's identity, as their credential providers match them.
var clouds = []struct{ part, what string }{
	{".dkr.ecr.", "nodes in AWS pull from ECR with the kubelet's credential provider"},
	{".pkg.dev/", "nodes in Google Cloud pull from Artifact Registry with the kubelet's credential provider"},
	{"gcr.io/", "nodes in Google Cloud pull from gcr.io with the kubelet's credential provider"},
	{".dkr.ecr-fips.", "nodes in AWS pull from ECR with the kubelet's credential provider"},
	{".dkr-ecr.", "nodes in AWS pull from ECR with the kubelet's credential provider"},
	{".azurecr.cn/", "nodes in Azure pull from ACR with the kubelet's credential provider"},
	{".azurecr.us/", "nodes in Azure pull from ACR with the kubelet's credential provider"},
	{".azurecr.io/", "nodes in Azure pull from ACR with the kubelet's credential provider"},
}

// nodeMay says why the node, or one of those that a planned pod may land on, may have credentials that nothing here sees.
func nodeMay(c *evidence.Case) string {
	for _, f := range c.Facts {
		if f.NodeState == nil {
			continue
		}
		if f.NodeState.Providers == evidence.Yes {
			return "the kubelet on " + f.NodeState.Name + " has a credential provider"
		}
		switch f.NodeState.Home {
		case evidence.HomeEKS, evidence.HomeGKE, evidence.HomeAKS:
			return "the kubelets of " + strings.ToUpper(string(f.NodeState.Home)) + " have a credential provider"
		case evidence.HomeOpenShift:
			return "the nodes of OpenShift have the cluster's global pull secret"
		case evidence.HomeK3s, evidence.HomeRKE2:
			return "registries.yaml on the nodes of " + strings.ToUpper(string(f.NodeState.Home)) + " may hold credentials"
		}
	}
	for _, x := range clouds {
		if strings.Contains(c.Pull.Image, x.part) {
			return x.what
		}
	}
	return ""
}
