package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refloat-dev/refloat/internal/registrytest"
)

func TestPairs(t *testing.T) {
	t.Parallel()
	seen, hosts := map[string]bool{}, map[string]bool{}
	for n, p := range pairs {
		host, repository, tag := p.parts()
		if host == "" || repository == "" || tag == "" || p.causes == "" {
			t.Errorf("%s lacks a part", p.image)
		}
		hosts[host] = true
		if key := p.image + " " + p.about(); seen[key] {
			t.Errorf("%s stands twice", key)
		} else {
			seen[key] = true
		}
		text := p.error(n, "sha256:0123")
		for _, left := range []string{"HOST", "REPO", "TAG", "GONE", "USER"} {
			if strings.Contains(text, left) {
				t.Errorf("%s: %s", p.image, text)
			}
		}
		for i, l := range p.logins {
			if knows := p.offered(n, i) == p.user(n, i).Password; knows != (l != wrong) {
				t.Errorf("%s: login %d offers %q", p.image, i, p.offered(n, i))
			}
		}
	}
	if len(pairs) != 20 || len(pairs)*podsOfPair != 300 || len(hosts) != 5 {
		t.Errorf("%d pairs at %d registries", len(pairs), len(hosts))
	}
}

func TestSorted(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	entry := func(seconds int, step registrytest.Step, repository, object string) registrytest.Entry {
		return registrytest.Entry{Time: begin.Add(time.Duration(seconds) * time.Second), Host: "hub.lab", Step: step, Repository: repository, Object: object}
	}
	shelves := map[string]shelf{"hub.lab/acme/app": {own: map[string]bool{"1.0": true, "sha256:a": true}, tags: true}, "hub.lab/acme/odd": {}}
	got := sorted([]registrytest.Entry{
		entry(0, registrytest.StepPing, "", ""),
		entry(1, registrytest.StepManifest, "acme/app", "1.0"),
		entry(2, registrytest.StepToken, "acme/app", ""),
		entry(3, registrytest.StepTags, "acme/app", ""),
		entry(4, registrytest.StepBlob, "acme/app", "sha256:a"),
		entry(5, registrytest.StepBlob, "acme/app", "sha256:a"),
		entry(6, registrytest.StepManifest, "acme/app", "1.1"),
		entry(7, registrytest.StepManifest, "acme/other", "1.0"),
		entry(8, registrytest.StepToken, "acme/other", ""),
		entry(9, registrytest.StepTags, "acme/odd", ""),
	}, shelves, time.Second)
	want := asked{pings: 1, manifests: 2, tokens: 1, blobs: 2, other: 4, mostOfBlob: 2, settled: 6 * time.Second, whole: 10 * time.Second}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(asked{})); diff != "" {
		t.Error(diff)
	}
	if got.all() != 10 {
		t.Errorf("%d requests", got.all())
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	cluster, asking := "# Benchmarks\n\none\n", registriesTitle+"\ntwo\n"
	both := cluster + "\n" + asking
	tests := []struct{ name, document, cluster, registries, want string }{
		{name: "both anew", document: "old", cluster: cluster, registries: asking, want: both},
		{name: "first of registries", document: cluster, registries: asking, want: both},
		{name: "registries anew", document: cluster + "\n" + registriesTitle + "\nold\n", registries: asking, want: both},
		{name: "cluster anew", document: "# Benchmarks\n\nold\n\n" + asking, cluster: cluster, want: both},
		{name: "cluster alone", cluster: cluster, want: cluster},
		{name: "registries alone", registries: asking, want: asking},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, merge(tt.document, tt.cluster, tt.registries)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRegistriesMarkdown(t *testing.T) {
	t.Parallel()
	p := &probing{slow: time.Second, settled: 3 * time.Second, asked: asked{manifests: 40, tokens: 21}, single: make([]asked, len(pairs))}
	p.single[3] = asked{manifests: 5, tokens: 2, mostOfBlob: 2}
	c := checked{late: checkLate, medians: map[string]figures{}, requests: map[string]int{checkRun: 1600}}
	for i, name := range checkRuns {
		c.medians[name] = figures{Wall: time.Duration(i+1) * time.Second, Peak: 40e6}
	}
	text := (&registries{rounds: 3, machine: "m", probing: p, checked: []checked{c}}).markdown()
	for _, want := range []string{
		registriesTitle,
		"| `kubectl refloat check` | 1.00 s | 1.00 | 40 MB | 0.00 s | 1,600 |",
		"| hub.lab/acme/search:9.9, good login, no such tag | 0 | 5 | 2 | 0 | 0 | 0.00 s |",
		"| 5 at most, 40 for all | **missed** |",
		"| 21 for 20 pairs, 2 at most for one | **missed** |",
		"| 2 at most | met |",
		"| 3.00 | **missed** |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
