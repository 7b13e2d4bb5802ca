package plan

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the table of relocations in the docs")

func TestRelocated(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		image string
		want  []string
		same  bool // of the first
		none  bool
	}{
		{"minio/minio:RELEASE.2025-01-01T00-00-00Z", []string{"quay.io/minio/minio"}, false, false},
		{"docker.io/minio/console", nil, false, false},
		{"index.docker.io/bitnami/redis:7.2", []string{"docker.io/bitnamilegacy/redis", "docker.io/bitnamisecure/redis"}, true, false},
		{"gcr.io/tekton-releases/github.com/tektoncd/pipeline/cmd/controller:v0.60.0@sha256:0a", []string{"ghcr.io/tektoncd/github.com/tektoncd/pipeline/cmd/controller"}, true, false},
		{"k8s.gcr.io/sig-storage/csi-provisioner:v3", []string{"registry.k8s.io/sig-storage/csi-provisioner"}, true, false},
		{"eu.gcr.io/k8s-artifacts-prod/pause:3.1", []string{"registry.k8s.io/pause"}, true, false},
		{"gcr.io/shop/web:v1", nil, false, false}, // Container Registry itself
		{"gcr.io/kubebuilder/kube-rbac-proxy:v0.13", []string{"quay.io/brancz/kube-rbac-proxy", "registry.k8s.io/kubebuilder/kube-rbac-proxy"}, false, false},
		{"quay.io/coreos/prometheus-config-reloader:v0.60", []string{"quay.io/prometheus-operator/prometheus-config-reloader"}, false, false},
		{"openshift/origin-node:v3.11", []string{"quay.io/openshift/origin-node"}, false, false},
		{"openjdk:17", []string{"docker.io/library/eclipse-temurin", "docker.io/library/amazoncorretto"}, false, false},
		{"quay.io/coreos/etcd:v3", nil, false, true},
		{"k8s.gcr.io.example.com/pause", nil, false, true},
		{"registry.example.com/bitnami/redis", nil, false, true},
		{"bitnami", nil, false, true},
		{"", nil, false, true},
	} {
		got := Relocated(tt.image)
		if (len(got) == 0) != tt.none || len(got) > 0 && got[0].Same != tt.same {
			t.Errorf("%q: %+v", tt.image, got)
		}
		var places []string
		for _, r := range got {
			places = append(places, r.Places(tt.image)...)
		}
		if diff := cmp.Diff(tt.want, places); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.image, diff)
		}
	}
}

// TestRelocationsHold is what every row must keep.
func TestRelocationsHold(t *testing.T) {
	t.Parallel()
	for _, x := range Relocations {
		name := strings.Join(x.From, " ")
		switch {
		case len(x.From) == 0 || x.When == "":
			t.Errorf("%q: no old place or no date", name)
		case x.Source == "" && !x.Unverified:
			t.Errorf("%q: no source", name)
		case x.Same && (x.Unverified || len(x.To) == 0):
			t.Errorf("%q: the same where?", name)
		case len(x.To) == 0 && x.Note == "":
			t.Errorf("%q: gone, and nothing said", name)
		}
		for _, place := range append(append([]string{}, x.From...), x.To...) {
			host, path, _ := strings.Cut(place, "/")
			if !strings.Contains(host, ".") || path == "" || strings.Count(place, "*") > 1 || strings.HasPrefix(place, "docker.io/") && !strings.Contains(path, "/") {
				t.Errorf("%q is no place", place)
			}
		}
		for _, from := range x.From {
			if i := strings.Index(from, "*"); i >= 0 && i != len(from)-1 {
				t.Errorf("%q: the star is not at the end", from)
			}
		}
	}
}

func TestRelocatedClause(t *testing.T) {
	t.Parallel()
	const evil = "docker.io/bitnami/x$(reboot) \x1b[2J"
	for image, want := range map[string]string{
		"minio/mc":           "docker.io/minio/mc has moved to quay.io/minio/mc (2026-09-09; frozen in the new place, source only since 2025-10; https://github.com/makeplane/plane/pull/9829).",
		"quay.io/k8scsi/a:1": "quay.io/k8scsi/a has moved to registry.k8s.io/sig-storage/a (2021; not verified).",
		"nginx":              "",
		evil:                 "",
	} {
		if got := relocated(image); got != want {
			t.Errorf("%q: %s", image, got)
		}
	}
}

// TestRelocationsPage holds the page's table to Relocations.
func TestRelocationsPage(t *testing.T) {
	t.Parallel()
	const file, head = "../docs/causes/name.repository-not-found.md", "| old | new | when | source |\n| --- | --- | --- | --- |\n"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), "| old | ")
	_, after, ended := strings.Cut(rest, "\n\n")
	if !ok || !ended {
		t.Fatal("the page has no table that starts with | old |")
	}
	want := before + head + relocationRows() + "\n" + after
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(page)); diff != "" {
		t.Errorf("%s is not what Relocations say (-want +page); run with -update:\n%s", file, diff)
	}
}

func relocationRows() string {
	var b strings.Builder
	for _, x := range Relocations {
		to, source := strings.Join(x.To, " or "), x.Source
		switch {
		case to == "":
			to = x.Note
		case x.Note != "":
			to += " (" + x.Note + ")"
		}
		if x.Unverified {
			source = strings.TrimSpace("not verified " + source)
		}
		b.WriteString("| " + strings.Join([]string{strings.Join(x.From, ", "), to, x.When, source}, " | ") + " |\n")
	}
	return b.String()
}
