package kube_test

import (
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/kube"
)

func secretsOf(c *evidence.Case) map[string]*evidence.Fact {
	out := map[string]*evidence.Fact{}
	for _, f := range c.Facts {
		if f.Secret != nil {
			out[f.Secret.Name] = f
		}
	}
	return out
}

// TestObserveUnreadSecret: a secret that is refused is known by name, and neither there nor missing.
func TestObserveUnreadSecret(t *testing.T) {
	t.Parallel()
	s := shop()
	s.refuse = []string{"/secrets/"}
	f := secretsOf(observed(t, s, "web-2-a"))["regcred"]
	if f == nil || f.Secret.Exists != evidence.Unknown || f.Text != `secret "regcred" in namespace "shop" could not be read: Forbidden` {
		t.Fatalf("secret fact %+v", f)
	}
}

// TestObserveAccountSecrets: what the account has now is looked at only for pods that were born without.
func TestObserveAccountSecrets(t *testing.T) {
	t.Parallel()
	s := shop()
	account := &corev1.ServiceAccount{ObjectMeta: objectMeta("shop", "default", "sa", nil)}
	account.ImagePullSecrets = []corev1.LocalObjectReference{{Name: "late"}, {Name: "regcred"}}
	secret := &corev1.Secret{ObjectMeta: objectMeta("shop", "late", "late", nil), Type: corev1.SecretTypeDockerConfigJson}
	secret.Data = map[string][]byte{".dockerconfigjson": []byte(`{"auths":{"reg.lab":{"username":"bob","password":"x"}}}`)}
	early := pod("early", nil, "ImagePullBackOff", cause)
	early.Spec.ImagePullSecrets = nil
	second := pod("early-2", nil, "ImagePullBackOff", cause)
	second.Spec.ImagePullSecrets = nil
	s.add(account, secret, early, second)
	c := s.client(t)
	got, err := kube.Find(t.Context(), c, evidence.Scope{Namespace: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	api := kube.API{Client: c}
	if err := api.Observe(t.Context(), got.Cases); err != nil {
		t.Fatal(err)
	}
	for _, one := range got.Cases {
		secrets := secretsOf(one)
		if strings.HasPrefix(one.Pull.Pod, "early") != (secrets["late"] != nil) || secrets["regcred"] == nil {
			t.Errorf("%s: %s", one.Pull.Pod, texts(one))
		}
	}
	if n := s.asked("/secrets/"); n != 2 {
		t.Errorf("%d gets of two secrets", n)
	}
}

// TestObserveHelps: what only helps is a gap when it fails, and decides nothing.
func TestObserveHelps(t *testing.T) {
	t.Parallel()
	s := shop()
	s.refuse = []string{"/namespaces/default/events"}
	s.refuseEnds = []string{"/replicasets"}
	s.add(pod("full", nil, "ErrImagePull", "failed to copy: write x: no space left on device"))
	for target, want := range map[string]string{
		"full":    "the events of nodes",
		"web-2-a": `the history of deployment "web" in namespace "shop"`,
	} {
		found := false
		for _, g := range observed(t, s, target).Gaps {
			if g.What == want && !g.Deciding && strings.HasPrefix(g.Why, "Forbidden") && g.How != "" {
				found = true
			}
		}
		if !found {
			t.Errorf("%s: no gap %q", target, want)
		}
	}
}

// TestFindCredentialsInReferences: people write credentials into image references.
func TestFindCredentialsInReferences(t *testing.T) {
	t.Parallel()
	s := shop()
	const bad = "bob:hunter2@reg.lab/app:1"
	p := pod("leak", nil, "InvalidImageName", `Failed to apply default image tag "`+bad+`": couldn't parse image name`)
	p.Spec.Containers[0].Image = bad
	crash := pod("leak-crash", nil, "CrashLoopBackOff", "back-off")
	crash.Status.ContainerStatuses[0].Image = bad
	s.add(p, crash)
	got, err := kube.Find(t.Context(), s.client(t), evidence.Scope{Namespace: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := evidence.Save(&out, got); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "hunter2") || !strings.Contains(out.String(), "REDACTED@reg.lab/app:1") {
		t.Error("the password is in the collection, or the reference is gone")
	}
}

// TestFindForbiddenNames: the gap asks for what was refused, whatever that is.
func TestFindForbiddenNames(t *testing.T) {
	t.Parallel()
	s := shop()
	s.refuse = []string{"/deployments"}
	s.refusal = `deployments.apps "web" is forbidden: User "dev" cannot get resource "deployments" in API group "apps" in the namespace "shop"`
	got, err := kube.Find(t.Context(), s.client(t), evidence.Scope{Namespace: "shop", Target: "deploy/web"})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Gaps) != 1 || got.Gaps[0].What != "deployments.apps in namespace shop" || got.Gaps[0].How != "kubectl auth can-i get deployments.apps -n shop" {
		t.Errorf("gaps %+v", got.Gaps)
	}
}

// TestFindGarbage: a server that answers nonsense does answer.
func TestFindGarbage(t *testing.T) {
	t.Parallel()
	s := shop()
	s.raw["/api/v1/namespaces/shop/pods"] = "<html>"
	_, err := kube.Find(t.Context(), s.client(t), evidence.Scope{Namespace: "shop"})
	var gone *kube.UnreachableError
	if err == nil || errors.As(err, &gone) || !strings.Contains(err.Error(), "neither protobuf nor JSON") {
		t.Errorf("error %v", err)
	}
}

// TestHowQuotes: a name in a command that people paste is one word.
func TestHowQuotes(t *testing.T) {
	t.Parallel()
	s := shop()
	p := pod("odd", nil, "ImagePullBackOff", cause)
	p.Spec.ImagePullSecrets[0].Name = "x; touch 'y'"
	s.add(p)
	s.refuse = []string{"/secrets/"}
	for _, g := range observed(t, s, "odd").Gaps {
		if strings.HasPrefix(g.How, `kubectl get secret 'x; touch '\''y'\''' -n shop `) {
			return
		}
	}
	t.Error("no gap with a quoted name")
}
