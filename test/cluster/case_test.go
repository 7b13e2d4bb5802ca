package cluster

import (
	"slices"
	"strings"
	"testing"
	"unicode"
)

func TestCasesAreUnique(t *testing.T) {
	t.Parallel()
	names, namespaces := map[string]bool{}, map[string]string{}
	for _, c := range Cases() {
		if names[c.Name] {
			t.Errorf("two cases are called %s", c.Name)
		}
		names[c.Name] = true
		if other := namespaces[c.Pods.Namespace]; other != "" {
			t.Errorf("%s and %s share the namespace %s", c.Name, other, c.Pods.Namespace)
		}
		namespaces[c.Pods.Namespace] = c.Name
	}
}

func TestCasesAreWhole(t *testing.T) {
	t.Parallel()
	for _, c := range Cases() {
		if c.About == "" || c.Image == "" || c.Pods.Namespace == "" || c.Pods.Label == "" || c.Break == nil || c.Heal == nil {
			t.Errorf("%s lacks a field: %+v", c.Name, c)
		}
		if len(c.Ambiguous) > 0 && (len(c.Ambiguous) == 1 || !slices.Contains(c.Ambiguous, c.Cause)) {
			t.Errorf("%s: %s is to be one of several, which are %q", c.Name, c.Cause, c.Ambiguous)
		}
	}
}

// TestNamesDoNotTell keeps the answer out of what a tool reads in the cluster.
func TestNamesDoNotTell(t *testing.T) {
	t.Parallel()
	for _, c := range Cases() {
		_, cause, _ := strings.Cut(c.Cause, ".")
		seen := strings.Join([]string{c.Pods.Namespace, c.Pods.Label, c.Owner, c.Image}, " ")
		for _, whole := range []string{c.Name, cause} {
			if whole != "" && strings.Contains(seen, whole) {
				t.Errorf("%s: %q contains %q", c.Name, seen, whole)
			}
		}
		for _, word := range words(c.Name + " " + cause) {
			if len(word) > 3 && slices.Contains(words(seen), word) {
				t.Errorf("%s: %q has the word %q", c.Name, seen, word)
			}
		}
	}
}

func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) })
}

// TestEveryCauseIsShown holds the cases to what Kubernetes 1.36 with containerd 2.4 can show. The others of the table need
// another runtime, such as name.short-name.
func TestEveryCauseIsShown(t *testing.T) {
	t.Parallel()
	shown := map[string]bool{}
	for _, c := range Cases() {
		shown[c.Cause] = true
	}
	for family, causes := range map[string]string{
		"auth": "no-credentials invalid-credentials expired-credentials forbidden locked-out secret-missing secret-malformed " +
			"provider-failed denied-or-missing",
		"name":     "invalid-reference repository-not-found tag-not-found digest-not-found",
		"image":    "platform-mismatch unsupported-format content-missing",
		"network":  "dns refused timeout interrupted stalled tls-untrusted tls-invalid http-mismatch proxy",
		"registry": "unavailable rate-limited account-restricted client-blocked content-policy not-a-registry",
		"node":     "disk-full filesystem cache-corrupt runtime-unavailable pull-throttled",
		"policy":   "never-pull signature registry-blocked",
	} {
		for _, cause := range strings.Fields(causes) {
			if !shown[family+"."+cause] {
				t.Errorf("no case shows %s.%s", family, cause)
			}
		}
	}
}

func TestEveryOwnerOccurs(t *testing.T) {
	t.Parallel()
	kinds := map[string]bool{}
	for _, c := range Cases() {
		kind, _, _ := strings.Cut(c.Owner, "/")
		kinds[kind] = true
	}
	for _, k := range []ownerKind{barePod, deployment, statefulSet, daemonSet, job, cronJob} {
		if !kinds[string(k)] {
			t.Errorf("no case's pods come from a %q", k)
		}
	}
}

func TestCasesThatMeet(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		a, b Takes
		want bool
	}{
		{"nothing", Takes{}, Takes{}, false},
		{"two nodes", Takes{Node: true}, Takes{Node: true}, true},
		{"one host", Takes{Host: "a.lab"}, Takes{Host: "a.lab"}, true},
		{"two hosts", Takes{Host: "a.lab"}, Takes{Host: "b.lab"}, false},
		{"host and node", Takes{Host: "a.lab"}, Takes{Node: true}, false},
	} {
		if got := tt.a.Meets(tt.b); got != tt.want {
			t.Errorf("%s: Meets is %v", tt.name, got)
		}
	}
}

func TestSplitImage(t *testing.T) {
	t.Parallel()
	for image, want := range map[string]string{
		"open.lab/a/b:1.0":        "open.lab a/b",
		"open.lab/a/b@sha256:00":  "open.lab a/b",
		"open.lab/a:1@sha256:000": "open.lab a",
	} {
		host, repo := splitImage(image)
		if got := host + " " + repo; got != want {
			t.Errorf("%s: %s, want %s", image, got, want)
		}
	}
}
