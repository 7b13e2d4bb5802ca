package alternative

import (
	"context"
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/plan"
)

// moved asks where the repository is known to have gone.
func (f *finder) moved(ctx context.Context) {
	for _, x := range plan.Relocated(f.image.String()) {
		about := x.When
		if x.Note != "" {
			about += "; " + x.Note
		}
		a := evidence.Alternative{Why: "where it has moved to (" + about + ")", Source: x.Source, Certain: x.Same}
		if x.Unverified {
			a.Why = "where it is said to have moved to (" + about + ")"
		}
		for _, place := range x.Places(f.image.String()) {
			host, path, _ := strings.Cut(place, "/")
			there := f.image.at(host, path)
			f.add(ctx, there.spelled(), a)
			if there.digest != "" && there.tag != "" {
				byTag := a
				byTag.Why, byTag.Certain = a.Why+", by its tag alone", false
				f.add(ctx, there.withTag(there.tag).spelled(), byTag)
			}
		}
	}
}

// repositories offers other names for what may be a slip in the name; each is a guess until it is served.
func (f *finder) repositories(ctx context.Context) {
	r := f.image
	lower := r
	lower.host, lower.path = strings.ToLower(r.host), strings.ToLower(r.path)
	switch {
	case lower != r:
		f.offer(ctx, lower, "in lower case")
	case f.q.Missing == Name:
		f.offer(ctx, lower, "without what stands around it")
	}
	f.image = lower
	f.neighbours(ctx)
	if f.q.Missing == ShortName {
		f.offer(ctx, lower.at(lower.host, lower.path), "Docker Hub's image of that name")
	}
	f.hostWord(ctx)
	f.library(ctx)
	f.swappedSegments(ctx)
	f.official(ctx)
}

// neighbours goes by where the workload's other images and its last one come from.
func (f *finder) neighbours(ctx context.Context) {
	r := f.image
	others := append([]string{f.q.Previous}, f.q.Others[:min(len(f.q.Others), maxOthers)]...)
	for i, other := range others {
		if !valid(other) {
			continue
		}
		n := split(other)
		if n.repository() != r.repository() && distance(n.last(), r.last(), allowed(r.last())) <= 2 {
			why := "the repository of another image of this workload"
			if i == 0 {
				why = "the repository that this workload ran before"
			}
			f.offer(ctx, r.at(n.host, n.path), why)
		}
	}
	for _, other := range others {
		if !valid(other) {
			continue
		}
		n := split(other)
		if n.short || n.host == r.host {
			continue
		}
		path := strings.TrimPrefix(r.path, library)
		f.offer(ctx, r.at(n.host, path), "in the registry of this workload's other images")
		if dir := strings.TrimSuffix(n.path, n.last()); r.short && dir != "" && !strings.Contains(path, "/") {
			f.offer(ctx, r.at(n.host, dir+path), "beside this workload's other images")
		}
	}
}

// hostWords are registries that people write without their domain.
var hostWords = map[string]string{
	"docker": hub, "gcr": "gcr.io", "ghcr": "ghcr.io", "mcr": "mcr.microsoft.com", "quay": "quay.io", "registry.k8s": "registry.k8s.io",
}

// hostWord adds what is left out of a well-known registry's name: quay/prometheus/node-exporter.
func (f *finder) hostWord(ctx context.Context) {
	first, rest, ok := strings.Cut(f.image.path, "/")
	if host := hostWords[first]; ok && host != "" && f.image.short {
		if host == hub && !strings.Contains(rest, "/") {
			rest = library + rest
		}
		f.offer(ctx, f.image.at(host, rest), "with the registry's whole name")
	}
}

// library adds or takes away the part that Docker Hub's own images have, and that its mirrors keep.
func (f *finder) library(ctx context.Context) {
	r := f.image
	rest, has := strings.CutPrefix(r.path, library)
	switch {
	case has && (r.host != hub || strings.Contains(rest, "/")):
		f.offer(ctx, r.at(r.host, rest), "without library/")
	case !has && r.host != hub && !strings.Contains(r.path, "/"):
		f.offer(ctx, r.at(r.host, library+r.path), "with library/, as a mirror of Docker Hub has it")
	}
}

// swappedSegments tries neighbours of the path the other way round.
func (f *finder) swappedSegments(ctx context.Context) {
	parts := strings.Split(strings.TrimPrefix(f.image.path, library), "/")
	for i := range min(len(parts)-1, 3) {
		other := slices.Clone(parts)
		other[i], other[i+1] = other[i+1], other[i]
		r := f.image
		r.path = strings.Join(other, "/")
		f.offer(ctx, r, "two parts of the path are swapped")
	}
}

// officials are often used images of Docker Hub's library: no registry lists its repositories to search for a slip.
var officials = strings.Fields(`alpine amazoncorretto amazonlinux bash busybox caddy cassandra centos composer consul couchdb
	debian docker drupal eclipse-temurin elasticsearch elixir erlang fedora fluentd ghost golang gradle
	haproxy hello-world httpd influxdb jenkins joomla kibana kong logstash mariadb matomo maven memcached mongo mongo-express
	mysql nats neo4j nextcloud nginx node openjdk perl php postgres pypy python rabbitmq redis registry rockylinux ruby rust
	solr sonarqube swift telegraf tomcat traefik ubuntu vault wordpress zookeeper`)

func (f *finder) official(ctx context.Context) {
	name, ok := strings.CutPrefix(f.image.path, library)
	if !ok || f.image.host != hub || slices.Contains(officials, name) {
		return
	}
	for slips := 1; slips <= allowed(name); slips++ {
		for _, o := range officials {
			if distance(name, o, slips) == slips {
				r := f.image
				r.path = library + o
				f.offer(ctx, r, "an official image of nearly that name")
			}
		}
	}
}
