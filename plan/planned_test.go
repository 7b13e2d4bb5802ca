package plan_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/plan"
)

var manifests = []evidence.Place{{File: "deploy/web.yaml", Line: 16}, {File: "-", Line: 4}, {File: "deploy/web.yaml", Line: 40}}

// planned is a finding about an image that nothing runs.
func (w world) planned(places ...evidence.Place) diagnose.Finding {
	w.part = evidence.Planned
	f := w.finding()
	for _, c := range f.Cases {
		c.Pull.Pod, c.Pull.Node, c.Pull.UID, c.Places = "", "", "", places
		if len(places) == 0 {
			c.Pull.Workload, c.Pull.Container = evidence.Ref{}, ""
		}
		c.Pull.Platform = "linux/arm64"
	}
	return f
}

var (
	running   = regexp.MustCompile(`rollout|pod/|pods/|set image|deployment/|statefulset/|get events|kubectl edit|refloat why|describe pod|\$SOURCE|docker://('|"|\s|$|docker.io/library/(\s|$|'))`)
	recovered = regexp.MustCompile(`recover|failing pods|these pods|their next try|kubelet and the runtime said|Wait, or hurry|made anew`)
)

// TestPlannedAssumesNothing: whatever the cause, no step is about something that runs, and the last one asks again.
func TestPlannedAssumesNothing(t *testing.T) {
	t.Parallel()
	secret := func(exists evidence.Tri, problem string) []*evidence.Secret {
		return []*evidence.Secret{{Namespace: "shop", Name: "regcred", Exists: exists, Problem: problem, Type: "kubernetes.io/dockerconfigjson"}}
	}
	pod := evidence.Pod{PullSecrets: []string{"regcred"}, ServiceAccount: "web"}
	for _, cause := range codes {
		for _, image := range []string{"", "a b", "Shop/Web", "registry.example.com/shop/web@sha256:" + strings.Repeat("a", 64)} {
			for _, w := range []world{
				{cause: cause, image: image}, {cause: cause, image: image, seen: sure, owners: 5}, {cause: cause, image: image, seen: near},
				{cause: cause, image: image, pod: pod, secrets: secret(evidence.No, "")}, {cause: cause, image: image, pod: pod, secrets: secret(evidence.Yes, "of type Opaque")},
				{cause: cause, image: image, pod: pod, secrets: secret(evidence.Yes, "")}, {cause: cause, image: image, pod: pod, secrets: secret(evidence.Unknown, "")},
			} {
				for _, places := range [][]evidence.Place{nil, manifests} {
					f := w.planned(places...)
					if image == "" { // the world has one of its own for that
						for _, c := range f.Cases {
							c.Pull.Image = ""
						}
					}
					p := plan.For(f)
					holds(t, p)
					if found := running.FindString(commands(p)); found != "" {
						t.Errorf("%s, image %q: %q in\n%s", cause, image, found, commands(p))
					}
					if found := recovered.FindString(prose(p)); found != "" {
						t.Errorf("%s, image %q: says %q in\n%s", cause, image, found, prose(p))
					}
					if last := p.Steps[len(p.Steps)-1]; len(last.Commands) != 1 || !strings.HasPrefix(last.Commands[0], "kubectl refloat check -n shop ") {
						t.Errorf("%s, image %q: the last step is %v", cause, image, last.Commands)
					}
				}
			}
		}
	}
}

func TestPlannedFits(t *testing.T) {
	t.Parallel()
	named := evidence.Pod{PullSecrets: []string{"regcred"}, ServiceAccount: "web"}
	regcred := func(exists evidence.Tri, registries ...string) []*evidence.Secret {
		return []*evidence.Secret{{Namespace: "shop", Name: "regcred", Exists: exists, Type: "kubernetes.io/dockerconfigjson", Registries: registries}}
	}
	byHand := &evidence.Keyring{Entries: []evidence.KeyringEntry{{Login: evidence.Login{Secret: "file ./my config.json", Key: "registry.example.com", User: "bob"}, Matches: true}}}
	for _, tt := range []struct {
		name   string
		in     world
		places []evidence.Place
		want   []string // in commands
		says   []string // in prose
		absent []string // in commands
	}{
		{"secret missing", world{cause: diagnose.SecretMissing, pod: named, secrets: regcred(evidence.No)}, manifests, []string{"kubectl -n shop create secret generic regcred", "rm ./pull-secret.json", `kubectl refloat check -n shop -f deploy/web.yaml -f - < "$MANIFESTS"`},
			[]string{"imagePullSecrets beside deploy/web.yaml:16, standard input:4, deploy/web.yaml:40"}, []string{"refloat-pull"}},
		{"no credentials, in manifests", world{cause: diagnose.NoCredentials}, manifests[:1], []string{"create secret generic refloat-pull", "check -n shop -f deploy/web.yaml"}, []string{"Name it in the pod template beside deploy/web.yaml:16", "imagePullSecrets: [{name: refloat-pull}]"}, []string{"serviceaccount"}},
		{"no credentials, by hand", world{cause: diagnose.NoCredentials}, nil, []string{"patch serviceaccount/default", "check -n shop registry.example.com/shop/web:v2"}, nil, nil},
		{"no entry in the secret that is named", world{cause: diagnose.NoCredentials, pod: named, secrets: regcred(evidence.Yes, "quay.io")}, manifests, []string{"get secret/regcred"}, []string{"Add an entry for registry.example.com to the secret shop/regcred", "correct it there instead"}, []string{"refloat-pull"}},
		{"expired", world{cause: diagnose.ExpiredCredentials, pod: named, secrets: regcred(evidence.Yes, "registry.example.com")}, manifests, []string{"get secret/regcred"}, []string{"has an entry that registry.example.com takes"}, nil},
		{"wrong, in a file given by hand", world{cause: diagnose.InvalidCredentials, ring: byHand}, manifests[:1], []string{"podman login --authfile './my config.json' registry.example.com", "--docker-config './my config.json' -f deploy/web.yaml"}, []string{"Tried by the kubelet: user bob"}, []string{"secret"}},
		{"no such tag", world{cause: diagnose.TagNotFound, seen: near}, manifests[:1], []string{"skopeo list-tags"}, []string{"Correct the image at deploy/web.yaml:16: name one", "quay.io/shop/web:v2 (where it has moved to)", "https://example.com/moved"}, nil},
		{"no such tag, one is certain", world{cause: diagnose.TagNotFound, seen: sure}, nil, []string{"refloat check -n shop " + web + ":v1"}, []string{"Name another image: to " + web + ":v1, the last image"}, []string{"$IMAGE"}},
		{"no name", world{cause: diagnose.InvalidReference, image: "a b"}, manifests[:1], nil, []string{"Correct the image at deploy/web.yaml:16: write it as HOST/PATH:TAG"}, []string{"skopeo"}},
		{"platform", world{cause: diagnose.PlatformMismatch}, manifests[:1], []string{"docker buildx build --platform linux/amd64,linux/arm64 --tag registry.example.com/shop/web:v2 --push ."}, []string{"must list linux/arm64", "nodeSelector"}, nil},
		{"private or missing", world{cause: diagnose.DeniedOrMissing, seen: near}, manifests[:1], []string{"skopeo inspect --raw --authfile", "create secret generic refloat-pull"}, []string{"If it exists: create", "If it does not: correct the image at deploy/web.yaml:16"}, nil},
		{"private or missing, refused", world{cause: diagnose.DeniedOrMissing, pod: named, secrets: regcred(evidence.Yes, "registry.example.com")}, manifests[:1], []string{"get secret/regcred"}, []string{"If it exists: renew"}, []string{"refloat-pull"}},
		{"a namespace of its own", world{cause: diagnose.TagNotFound}, []evidence.Place{{File: "a", Object: evidence.Ref{Kind: "Pod", Namespace: "shop"}}}, []string{"kubectl refloat check -f a"}, nil, []string{"-n shop"}},
		{"many places", world{cause: diagnose.TagNotFound}, []evidence.Place{{File: "a"}, {File: "b"}, {File: "c"}, {File: "d", Line: 1}}, []string{"-f a -f b -f c -f d"}, []string{"a, b, c and 1 more"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := plan.For(tt.in.planned(tt.places...))
			fits(t, p, tt.want, tt.says, tt.absent)
			holds(t, p)
		})
	}
	f := world{cause: diagnose.Unknown}.planned(manifests...)
	f.Gaps = []evidence.Gap{{Vantage: evidence.Registry, What: "what registry.example.com answers", Why: "this machine cannot reach it.", Deciding: true}, {What: "the disks", Why: "Forbidden"}}
	fits(t, plan.For(f), []string{"https://registry.example.com/v2/"}, []string{"what registry.example.com answers: this machine cannot reach it."}, []string{"disks"})
	f = world{cause: diagnose.DiskFull}.planned(manifests...)
	f.Because = []*evidence.Fact{{NodeState: &evidence.NodeState{Name: "node-7"}}, {NodeState: &evidence.NodeState{Name: "node-9"}}}
	fits(t, plan.For(f), []string{"crictl rmi --prune"}, []string{"full on node-7, node-9"}, nil)
}
