package kube

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/kube/pullsecret"
)

// authTexts are in messages whose cause a secret may decide.
var authTexts = []string{
	"401", "403", "denied", "unauthorized", "forbidden", "authoriz", "authent", "credential", "auth field", "base64", "not found", "unmarshal",
}

func aboutAuth(c *evidence.Case) bool { return says(c, authTexts) || len(c.Messages()) == 0 }

func secretKeys(c *evidence.Case) []name {
	pod := podOf(c)
	if pod == nil || c.Pull.Kind == evidence.Sandbox {
		return nil // the runtime pulls the pause image without the pod's secrets
	}
	var out []name
	for _, s := range pod.PullSecrets {
		out = append(out, name{c.Pull.Namespace, s})
	}
	return out
}

func (o *observer) addSecrets(ctx context.Context) {
	o.secrets = each(ctx, distinct(o.cases, secretKeys), o.secret)
	attach(o.cases, secretKeys, o.secrets, aboutAuth)
}

// lateKeys are the secrets that the account has now and that the pod was born without: whether
// one of them is for the image's registry tells whether a new pod would pull.
func lateKeys(c *evidence.Case) []name {
	f := c.First(func(f *evidence.Fact) bool { return f.Account != nil })
	if pod := podOf(c); f == nil || pod == nil || len(pod.PullSecrets) > 0 {
		return nil
	}
	var out []name
	for _, s := range f.Account.PullSecrets {
		if s != "" {
			out = append(out, name{f.Account.Namespace, s})
		}
	}
	return out
}

// addLateSecrets gets what no pod of the run names, and decides nothing: the pod pulled without.
func (o *observer) addLateSecrets(ctx context.Context) {
	var fresh []name
	for _, k := range distinct(o.cases, lateKeys) {
		if _, ok := o.secrets[k]; !ok {
			fresh = append(fresh, k)
		}
	}
	for k, s := range each(ctx, fresh, o.secret) {
		o.secrets[k] = s
	}
	attach(o.cases, lateKeys, o.secrets, nil)
}

func (o *observer) secret(ctx context.Context, n name) seen {
	source := "secret " + n.namespace + "/" + n.name
	what := fmt.Sprintf("secret %q in namespace %q", n.name, n.namespace)
	s, err := o.core.Secrets(n.namespace).Get(ctx, n.name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		shape := &evidence.Secret{Namespace: n.namespace, Name: n.name, Exists: evidence.No}
		return seen{facts: []*evidence.Fact{o.fact(what+" does not exist", source, evidence.Fact{Secret: shape})}}
	case err != nil:
		how := fmt.Sprintf("kubectl get secret %s -n %s -o jsonpath='{.type}'", evidence.Quote(n.name), evidence.Quote(n.namespace))
		shape := &evidence.Secret{Namespace: n.namespace, Name: n.name, Exists: evidence.Unknown}
		return seen{
			facts: []*evidence.Fact{o.fact(what+" could not be read: "+short(err), source, evidence.Fact{Secret: shape})},
			gaps:  []evidence.Gap{gap("secret "+n.name+" in namespace "+n.namespace, err, how)},
		}
	}
	o.api.keep(s)
	shape := pullsecret.Shape(s)
	return seen{facts: []*evidence.Fact{o.fact(secretSentence(what, &shape), source, evidence.Fact{Secret: &shape})}}
}

func secretSentence(what string, s *evidence.Secret) string {
	switch {
	case s.Breaks:
		return fmt.Sprintf("%s does not parse, which fails every pull of the pod: %s", what, s.Problem)
	case s.Problem != "":
		return fmt.Sprintf("%s: %s", what, s.Problem)
	}
	return fmt.Sprintf("%s has credentials for %s", what, listed(s.Registries))
}

// listed is a list for a sentence, bounded.
func listed(names []string) string {
	if len(names) > maxNamed {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNamed], ", "), len(names)-maxNamed)
	}
	return strings.Join(names, ", ")
}

func accountKeys(c *evidence.Case) []name {
	pod := podOf(c)
	if pod == nil || pod.Mirror || c.Pull.Kind == evidence.Sandbox {
		return nil
	}
	account := pod.ServiceAccount
	if account == "" {
		account = "default"
	}
	return []name{{c.Pull.Namespace, account}}
}

func (o *observer) addAccounts(ctx context.Context) {
	got := each(ctx, distinct(o.cases, accountKeys), o.account)
	attach(o.cases, accountKeys, got, nil)
}

func (o *observer) account(ctx context.Context, n name) seen {
	out := &evidence.ServiceAccount{Namespace: n.namespace, Name: n.name, Exists: evidence.Yes}
	text := fmt.Sprintf("service account %q in namespace %q", n.name, n.namespace)
	sa, err := o.core.ServiceAccounts(n.namespace).Get(ctx, n.name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		out.Exists = evidence.No
		text += " does not exist"
	case err != nil:
		return seen{gaps: []evidence.Gap{gap("service account "+n.name+" in namespace "+n.namespace, err, "")}}
	default:
		out.Changed = pullsecret.Changed(sa)
		for _, s := range sa.ImagePullSecrets {
			out.PullSecrets = append(out.PullSecrets, s.Name)
		}
		if len(out.PullSecrets) == 0 {
			text += " names no pull secret"
		} else {
			text += " now names the pull secrets " + listed(out.PullSecrets)
		}
	}
	return seen{facts: []*evidence.Fact{o.fact(text, "serviceaccount "+n.namespace+"/"+n.name, evidence.Fact{Account: out})}}
}
