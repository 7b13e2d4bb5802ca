package alternative

import (
	"context"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

const (
	maxAsked  = 5   // questions whether an image is served, for one image
	maxFound  = 3   // to choose from: each costs its registry's pull limit a manifest
	maxOthers = 8   // images of the workload's other containers that are looked at
	maxImage  = 512 // bytes of an image string, beyond which it is none
)

// Asker asks registries. It brings credentials, deadlines and bounds along.
type Asker interface {
	// Served tells whether the whole image is there for a platform; an empty platform means any.
	Served(ctx context.Context, image, platform string) bool
	// Tags lists tags of a repository, HOST/PATH; its first thousand or so where they are many.
	Tags(ctx context.Context, repository string) ([]string, error)
}

// Missing is what a registry was found not to have.
type Missing string

// What may be missing.
const (
	Anything   Missing = ""           // the registry will not tell private from missing
	Name       Missing = "name"       // the image string does not parse
	ShortName  Missing = "short-name" // it names no registry, and the runtime assumes none
	Repository Missing = "repository"
	Tag        Missing = "tag"
	Digest     Missing = "digest"
	Platform   Missing = "platform" // the image is there, for other platforms
)

// Question is an image that cannot be had, and what is known around it.
type Question struct {
	// Image is the reference as the pod has it.
	Image string
	// Platform is the node's, such as linux/arm64; empty where no node tells.
	Platform string
	// Previous is the image that this workload ran before, by its rollout history; empty where unknown.
	Previous string
	// Others are the images of the workload's other containers: they tell its registry.
	Others []string
	// Tags are the repository's tags where they are listed already; More is set where they are not all: then Find lists them again.
	Tags    []string
	More    bool
	Missing Missing
}

// Find asks for the best candidates and returns those that are served, the best first, at most three. It ends early, with
// what it has, when ctx ends.
func Find(ctx context.Context, q Question, ask Asker) evidence.Alternatives {
	f := finder{q: q, ask: ask, seen: map[string]bool{}}
	if len(q.Image) == 0 || len(q.Image) > maxImage {
		return evidence.Alternatives{}
	}
	f.image = split(tidy(q.Image))
	if q.Missing != ShortName && q.Missing != Name {
		f.seen[f.image.String()] = true // what just failed
	}
	f.previous(ctx)
	switch q.Missing {
	case Tag:
		f.moved(ctx)
		f.tags(ctx)
	case Digest:
		if f.image.tag != "" {
			f.offer(ctx, f.image.withTag(f.image.tag), "the tag without the digest: what it holds now may differ")
			f.tags(ctx)
		}
	case Platform:
		f.platforms(ctx)
		f.tags(ctx)
	default:
		f.moved(ctx)
		f.repositories(ctx)
	}
	return evidence.Alternatives{Items: f.found}
}

// finder keeps what was asked, so that nothing is asked twice.
type finder struct {
	q     Question
	ask   Asker
	image ref
	seen  map[string]bool
	asked int
	// listed is set once the tags are as well known as they get.
	listed bool
	found  []evidence.Alternative
}

// previous is what the workload ran last: it was pulled once.
func (f *finder) previous(ctx context.Context) {
	if len(f.q.Previous) <= maxImage {
		f.add(ctx, f.q.Previous, evidence.Alternative{Why: "the last image that this workload ran", Certain: true})
	}
}

// offer asks for a candidate in the spelling that the image has, if it is one.
func (f *finder) offer(ctx context.Context, r ref, why string) {
	f.add(ctx, r.spelled(), evidence.Alternative{Why: why})
}

// add asks for an image once, and keeps it if it is served.
func (f *finder) add(ctx context.Context, image string, a evidence.Alternative) {
	if f.full(ctx) || !valid(image) {
		return
	}
	key := split(image).String()
	if f.seen[key] {
		return
	}
	f.seen[key] = true
	f.asked++
	if f.ask.Served(ctx, image, f.q.Platform) {
		a.Image = evidence.CleanReference(image)
		f.found = append(f.found, a)
	}
}

func (f *finder) full(ctx context.Context) bool {
	return f.asked >= maxAsked || len(f.found) >= maxFound || ctx.Err() != nil
}

// tidy takes off what templates and people put around an image.
func tidy(image string) string {
	image = strings.TrimSpace(image)
	for _, scheme := range []string{"https://", "http://", "docker://", "oci://"} {
		image = strings.TrimPrefix(image, scheme)
	}
	return strings.TrimRight(image, "/")
}
