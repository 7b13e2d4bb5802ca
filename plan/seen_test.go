package plan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/plan"
)

const web = "registry.example.com/shop/web"

// What a registry was seen to serve: one for sure, and several of which none is.
var (
	sure = []evidence.Alternative{{Image: web + ":v1", Why: "the last image that this workload ran", Certain: true}, {Image: web + ":v2.0", Why: "one character differs"}}
	near = []evidence.Alternative{{Image: web + ":v2.0", Why: "one character differs"}, {Image: "quay.io/shop/web:v2", Why: "where it has moved to", Source: "https://example.com/moved"},
		{Image: web + ":v3", Why: "the nearest newer version of its kind"}, {Image: web + ":v4", Why: "the nearest newer version of its kind"}}
)

func TestSeenAlternatives(t *testing.T) {
	t.Parallel()
	two := append([]evidence.Alternative{{Image: "quay.io/shop/web:v2", Certain: true, Why: "moved"}}, sure...)
	for _, tt := range []struct {
		name   string
		in     world
		want   []string // in commands
		says   []string // in prose
		absent []string // in commands
	}{
		{"one is certain", world{cause: diagnose.TagNotFound, seen: sure}, []string{"set image deployment/web app=" + web + ":v1", "app=" + web + ":v2.0"},
			[]string{"Set the image of Deployment web: " + web + ":v1 (the last image that this workload ran)", "Or if this was meant: set the image of Deployment web: " + web + ":v2.0 (one character differs)"}, []string{"$IMAGE"}},
		{"several, none certain", world{cause: diagnose.TagNotFound, seen: near}, []string{"app=" + web + ":v2.0", "app=quay.io/shop/web:v2", "app=" + web + ":v3"},
			[]string{"If this was meant: set the image of Deployment web: " + web + ":v2.0 (one character differs)", "Or if this was meant", "https://example.com/moved", "Served as well: " + web + ":v4"}, []string{"$IMAGE", ":v4"}},
		{"two are certain", world{cause: diagnose.TagNotFound, seen: two}, []string{"app=quay.io/shop/web:v2", "app=" + web + ":v1"}, []string{"If this was meant"}, []string{"$IMAGE"}},
		{"several workloads, none certain", world{cause: diagnose.TagNotFound, seen: near, owners: 2}, []string{`deployment/web app="$IMAGE"`, `deployment/webx app="$IMAGE"`}, []string{"The registry serves: " + web + ":v2.0 (one", "Set IMAGE first"}, []string{"quay.io"}},
		{"many workloads, one certain", world{cause: diagnose.TagNotFound, seen: sure, owners: 5}, []string{"deployment/webx app=" + web + ":v1"}, []string{"2 more workloads", "serves too: " + web + ":v2.0 (one character differs)"}, []string{"$IMAGE", ":v2.0"}},
		{"Argo CD", world{cause: diagnose.TagNotFound, seen: sure, manager: "argocd", by: "Application shop"}, []string{"argocd app sync shop"}, []string{"at its source", web + ":v1 (the last"}, []string{"set image"}},
		{"Argo CD, none certain", world{cause: diagnose.TagNotFound, seen: near, manager: "argocd", by: "Application shop"}, []string{"argocd app sync shop"}, []string{"The registry serves: " + web + ":v2.0"}, []string{"set image"}},
		{"image volume", world{cause: diagnose.TagNotFound, seen: sure, part: evidence.VolumeImage}, []string{`"reference":"'` + web + `:v1'"`}, nil, []string{"$IMAGE"}},
		{"ephemeral container", world{cause: diagnose.TagNotFound, seen: sure, kind: "Pod", part: evidence.Ephemeral}, []string{"debug -it pod/web-1 --image=" + web + ":v1"}, nil, nil},
		{"StatefulSet", world{cause: diagnose.TagNotFound, seen: sure, kind: "StatefulSet"}, []string{"set image statefulset/web app=" + web + ":v1", "delete pod/web-1"}, nil, nil},
		{"CronJob", world{cause: diagnose.RepositoryNotFound, seen: sure, kind: "CronJob"}, []string{"set image cronjob/web app=" + web + ":v1"}, nil, nil},
		{"none that is one", world{cause: diagnose.TagNotFound, seen: []evidence.Alternative{{Image: "a b"}, {Image: web + ":v2"}}}, []string{`app="$IMAGE"`}, nil, nil},
		{"moved, private or missing", world{cause: diagnose.DeniedOrMissing, seen: sure}, []string{"app=" + web + ":v1", "create secret"}, []string{"go on with the step after this"}, nil},
		{"near, private or missing", world{cause: diagnose.DeniedOrMissing, seen: near}, []string{"app=" + web + ":v2.0", "create secret"}, []string{"go on with 2"}, nil},
		{"other platform", world{cause: diagnose.PlatformMismatch, seen: near, node: evidence.NodeState{OS: "linux", Arch: "arm64"}}, []string{"app=" + web + ":v2.0", "docker buildx"}, nil, nil},
		{"bad name", world{cause: diagnose.InvalidReference, image: "Shop/Web:v2", seen: sure}, []string{"app=" + web + ":v1"}, nil, []string{"$IMAGE"}},
		{"a policy takes none of them", world{cause: diagnose.RegistryBlocked, seen: sure}, []string{`app="$IMAGE"`}, nil, []string{":v1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := plan.For(tt.in.finding())
			fits(t, p, tt.want, tt.says, tt.absent)
			holds(t, p)
		})
	}
}

// TestSeenForEachPod: the pods of one workload may run on different platforms, and its containers fail with different images.
func TestSeenForEachPod(t *testing.T) {
	t.Parallel()
	f := world{cause: diagnose.TagNotFound, seen: near}.finding()
	again := world{cause: diagnose.TagNotFound, seen: near[1:2]}.finding()
	again.Cases[0].Pull.Pod = "web-2"
	f.Cases = append(f.Cases, again.Cases...)
	fits(t, plan.For(f), []string{"app=quay.io/shop/web:v2"}, nil, []string{"$IMAGE", "app=" + web + ":v2.0", "app=" + web + ":v3"})

	f = world{cause: diagnose.TagNotFound, seen: sure}.finding()
	other := world{cause: diagnose.TagNotFound, image: web + "-proxy:v2"}.finding()
	other.Cases[0].Pull.Container = "proxy"
	f.Cases = append(f.Cases, other.Cases...)
	fits(t, plan.For(f), []string{"app=" + web + `:v1 proxy="$IMAGE"`}, []string{"Set IMAGE first"}, nil)
}

func TestCredentialsAreNamed(t *testing.T) {
	t.Parallel()
	secret := func(name, key string) *evidence.Secret {
		return &evidence.Secret{Namespace: "shop", Name: name, Exists: evidence.Yes, Type: "kubernetes.io/dockerconfigjson", Registries: []string{key}}
	}
	pod := evidence.Pod{PullSecrets: []string{"old", "new"}}
	both := []*evidence.Secret{secret("old", "registry.example.com"), secret("new", "registry.example.com")}
	old := evidence.Login{Secret: "shop/old", Key: "registry.example.com", User: "bob"}
	refused := &evidence.Probe{Attempts: []evidence.Attempt{
		{Login: &old, Steps: []evidence.Step{{Name: evidence.StepPing, Status: 401}, {Name: evidence.StepToken, Status: 401}}},
		{Login: &evidence.Login{Secret: "shop/new", Key: "registry.example.com", User: "mallory"}, Served: true},
		{Compared: true, Steps: []evidence.Step{{Name: evidence.StepManifest, Status: 401}}},
	}}
	expired := &evidence.Probe{Attempts: []evidence.Attempt{{Login: &evidence.Login{Secret: "shop/old", Key: "registry.example.com", User: "AWS", Kind: "ECR token",
		Expires: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)}, Skipped: "the registry refused it 3 minutes ago"}}}
	near := &evidence.Keyring{Entries: []evidence.KeyringEntry{{Login: evidence.Login{Secret: "shop/old", Key: "https://registry.example.com/v2"}, Near: true,
		Why: "the path v2 without a slash is a path prefix", Hint: `write "registry.example.com"`}}}
	wrong := []*evidence.Secret{secret("new", "quay.io"), secret("old", "https://registry.example.com/v2")}
	matching := &evidence.Keyring{Entries: []evidence.KeyringEntry{{Login: old, Matches: true}}}
	for _, tt := range []struct {
		name         string
		in           world
		want, says   []string
		absent, mute []string
	}{
		{"only the stale one of two is renewed", world{cause: diagnose.InvalidCredentials, pod: pod, secrets: both, probe: refused}, []string{"get secret/old"},
			[]string{"Refused: user bob (key registry.example.com of secret shop/old; 401 at the token)."}, []string{"secret/new"}, []string{"mallory"}},
		{"expired", world{cause: diagnose.ExpiredCredentials, pod: pod, secrets: both, probe: expired}, []string{"get secret/old"},
			[]string{"it is of the kind ECR token", "ends at 2026-09-01 00:00 UTC", "refused it 3 minutes ago"}, []string{"secret/new"}, nil},
		{"no right", world{cause: diagnose.Forbidden, pod: pod, secrets: both, probe: refused}, nil, []string{"Refused: user bob"}, nil, nil},
		{"locked out, not asked", world{cause: diagnose.LockedOut, pod: pod, secrets: both, ring: matching}, []string{"--replicas=0"}, []string{"Tried by the kubelet: user bob", "First scale the workload down:"}, nil, []string{"Refused:"}},
		{"key nearly right", world{cause: diagnose.SecretMalformed, pod: pod, secrets: wrong, ring: near}, []string{"get secret/old"},
			[]string{`The key https://registry.example.com/v2 is not used: the path v2 without a slash is a path prefix; write "registry.example.com".`}, nil, nil},
		{"key nearly right, no credentials", world{cause: diagnose.NoCredentials, pod: pod, secrets: wrong, ring: near}, []string{"get secret/old"}, []string{"is not used"}, []string{"secret/new"}, nil},
		{"key nearly right in a secret that is not known", world{cause: diagnose.SecretMalformed, pod: pod, ring: near}, nil, []string{"is not used"}, nil, nil},
		{"nobody asked", world{cause: diagnose.InvalidCredentials, pod: pod, secrets: both}, []string{"get secret/old", "get secret/new"}, nil, nil, []string{"Refused:", "Tried by"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := plan.For(tt.in.finding())
			fits(t, p, tt.want, tt.says, tt.absent)
			for _, s := range tt.mute {
				if strings.Contains(prose(p), s) {
					t.Errorf("says %q:\n%s", s, prose(p))
				}
			}
		})
	}
}

func fits(t *testing.T, p plan.Plan, want, says, absent []string) {
	t.Helper()
	got, text := commands(p), prose(p)
	for _, s := range want {
		if !strings.Contains(got, s) {
			t.Errorf("no command with %s in\n%s", s, got)
		}
	}
	for _, s := range says {
		if !strings.Contains(text, s) {
			t.Errorf("does not say %q:\n%s", s, text)
		}
	}
	for _, s := range absent {
		if strings.Contains(got, s) {
			t.Errorf("a command with %s in\n%s", s, got)
		}
	}
}
