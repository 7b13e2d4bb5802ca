package registry

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/alternative"
	"github.com/refloat-dev/refloat/registry/keyring"
)

// alternatives looks for what may have been meant by images that the registry does not have.
func (r *run) alternatives(ctx context.Context, pulls []*pull) {
	type search struct {
		asker
		alternative.Question
		pulls []*pull
		found evidence.Alternatives
	}
	searches := map[string]*search{}
	siblings := images(pulls)
	var order []*search
	for _, p := range pulls {
		what, ok := missing(p)
		if !ok {
			continue
		}
		q := alternative.Question{Image: p.c.Pull.Image, Platform: platform(p.c), Missing: what}
		if w := p.c.First(func(f *evidence.Fact) bool { return f.Workload != nil }); w != nil {
			q.Previous = w.Workload.Previous
		}
		if p.question != nil && p.question.probe.Tags != nil {
			q.Tags, q.More = p.question.probe.Tags.Tags, p.question.probe.Tags.More
		}
		q.Others = others(siblings, p)
		key := fmt.Sprintf("%q %q %v", []string{q.Image, q.Platform, q.Previous, string(q.Missing)}, q.Others, p.secrets)
		if searches[key] == nil {
			searches[key] = &search{asker: asker{r, p}, Question: q}
			order = append(order, searches[key])
		}
		searches[key].pulls = append(searches[key].pulls, p)
	}
	group := new(errgroup.Group)
	group.SetLimit(perHost)
	for key, s := range searches {
		group.Go(func() error {
			s.found = r.find(ctx, key, s.asker, s.Question)
			return nil
		})
	}
	_ = group.Wait() // no member fails
	for _, s := range order {
		if len(s.found.Items) == 0 {
			continue
		}
		var names []string
		for _, a := range s.found.Items {
			names = append(names, a.Image)
		}
		fact := r.fact("served instead: "+strings.Join(names, ", "), "registry", evidence.Fact{Alternatives: &s.found})
		for _, p := range s.pulls {
			p.c.Facts = append(p.c.Facts, fact)
		}
	}
}

// find searches, or gives again what was found a while ago.
func (r *run) find(ctx context.Context, key string, ask asker, q alternative.Question) evidence.Alternatives {
	r.mu.Lock()
	k, ok := r.found[key]
	r.mu.Unlock()
	if ok && r.at.Sub(k.at) < freshFound {
		return k.alternatives
	}
	out := alternative.Find(ctx, q, ask)
	if ctx.Err() != nil {
		return out // it may have ended early
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.found == nil {
		r.found = map[string]found{}
	}
	r.found[key] = found{r.at, out}
	return out
}

// missing says what the registry does not have, where it is worth asking for something else.
func missing(p *pull) (alternative.Missing, bool) {
	switch {
	case p.c.Pull.Reason == "InvalidImageName":
		return alternative.Name, true
	case shortName(p.c):
		return alternative.ShortName, true
	case p.question == nil:
		return "", false
	}
	answer := &p.question.probe
	var last *evidence.Attempt
	for i := range answer.Attempts {
		a := &answer.Attempts[i]
		if a.Served {
			return "", false
		}
		if !a.Compared && len(a.Steps) > 0 {
			last = a
		}
	}
	if last == nil {
		return "", false
	}
	at := last.Steps[len(last.Steps)-1]
	switch {
	case last.Found != nil && len(last.Found.Platforms) > 0 && last.Found.Child == "" && at.Name == evidence.StepManifest:
		return alternative.Platform, true
	case at.Name == evidence.StepManifest && at.Status == http.StatusNotFound:
		return absent(p, answer, at), true
	case at.Status == http.StatusUnauthorized || at.Status == http.StatusForbidden:
		// Many registries hide what does not exist. With a credential of its own the pod is more likely refused.
		return alternative.Anything, last.Login == nil
	}
	return "", false
}

func absent(p *pull, answer *evidence.Probe, at evidence.Step) alternative.Missing {
	switch {
	case slices.Contains(at.Codes, "NAME_UNKNOWN"), answer.Tags != nil && answer.Tags.Status == http.StatusNotFound:
		return alternative.Repository
	case strings.Contains(p.c.Pull.Image, "@"):
		return alternative.Digest
	case slices.Contains(at.Codes, "MANIFEST_UNKNOWN"), answer.Tags != nil && answer.Tags.Status == http.StatusOK:
		return alternative.Tag
	}
	return alternative.Anything
}

// shortName tells what CRI-O says where it knows no registry for a name (c/image pkg/shortnames/shortnames.go:320).
func shortName(c *evidence.Case) bool {
	return slices.ContainsFunc(c.Messages(), func(f *evidence.Fact) bool {
		return strings.Contains(f.Message.Text, "short-name") || strings.Contains(f.Message.Text, "short name mode")
	})
}

// images are the images of each workload, in their order.
func images(pulls []*pull) map[evidence.Ref][]string {
	out := map[evidence.Ref][]string{}
	for _, p := range pulls {
		if w := p.c.Pull.Workload; w.Name != "" && !slices.Contains(out[w], p.c.Pull.Image) {
			out[w] = append(out[w], p.c.Pull.Image)
		}
	}
	return out
}

// others are the workload's other images, which tell its registry. Images that belong to no workload have none.
func others(all map[evidence.Ref][]string, p *pull) []string {
	return slices.DeleteFunc(slices.Clone(all[p.c.Pull.Workload]), func(image string) bool { return image == p.c.Pull.Image })
}

// asker asks registries with the credentials that the pull's pod would offer there.
type asker struct {
	*run
	pull *pull
}

func (a asker) Served(ctx context.Context, image, platform string) bool {
	ok, _ := a.walker.Served(ctx, image, a.credentials(image), platform)
	return ok
}

func (a asker) Tags(ctx context.Context, repository string) ([]string, error) {
	var first *keyring.Credential
	if creds := a.credentials(repository); len(creds) > 0 {
		first = &creds[0]
	}
	tags, step := a.walker.Tags(ctx, repository, first)
	if step.Status != http.StatusOK {
		return nil, fmt.Errorf("listing the tags of %s: %s", repository, cmp.Or(step.Text, string(step.Failure)))
	}
	return tags, nil
}

func (a asker) credentials(image string) []keyring.Credential {
	if q := a.pull.question; q != nil && q.Withhold != "" {
		return nil
	}
	creds, ring := a.lookup(a.pull, image)
	host, _, _ := strings.Cut(ring.Repository, "/")
	if slices.ContainsFunc(creds, func(c keyring.Credential) bool { return a.locked[offer{host, c.Username, c.Password}] != "" }) {
		return nil
	}
	return creds
}
