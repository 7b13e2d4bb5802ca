package probe

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/keyring"
	"github.com/refloat-dev/refloat/registry/wire"
)

const (
	maxTags      = 1000 // that are read: one page
	maxTagList   = 1 << 20
	maxNamedTags = 50 // that evidence names
)

// tagShape is what the distribution specification calls a tag.
var tagShape = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)

// Tags lists tags of an image's repository, at most a thousand, sorted; the step says how the registry answered, and with More that
// there are others. It asks once in a run for each credential; nil and one without a user ask as nobody.
func (w *Walker) Tags(ctx context.Context, image string, c *keyring.Credential) ([]string, evidence.Step) {
	t, err := resolve(image)
	if err != nil {
		return nil, evidence.Step{Name: evidence.StepTags, Failure: evidence.FailedUnsafe, Text: evidence.Clean(err.Error())}
	}
	k := walk{w: w, target: t, probe: &evidence.Probe{}}
	a := &attempt{walk: k, session: w.session(t, c)}
	if a.Skipped = a.session.refusedBefore(); a.Skipped == "" && a.ping(ctx) {
		tags, step := a.tags(ctx)
		if c != nil {
			e := echoOf([]keyring.Credential{*c})
			tags, step.Tags, step.Text = e.names(tags), e.names(step.Tags), e.all.Take(step.Text)
		}
		return tags, step
	}
	step := evidence.Step{Name: evidence.StepTags, Failure: evidence.FailedUnsafe, Text: a.Skipped}
	if n := len(a.Steps); n > 0 {
		step = a.Steps[n-1]
	}
	return nil, step
}

// askTags asks for the tag list where a manifest is missing, as the first who was told so: that tells a missing tag from a
// missing repository.
func (k *walk) askTags(ctx context.Context, made []*attempt) {
	for _, a := range made {
		if n := len(a.Steps); n == 0 || a.Steps[n-1].Name != evidence.StepManifest || a.Steps[n-1].Status != http.StatusNotFound {
			continue
		}
		if _, step := a.tags(ctx); step.Status != 0 || step.Failure != "" {
			k.probe.Tags = &step
		}
		return
	}
}

func (a *attempt) tags(ctx context.Context) ([]string, evidence.Step) {
	q := wire.Ask{Step: evidence.StepTags, Method: http.MethodGet, Path: a.target.tags(), Accept: []string{"application/json"}, MaxBody: maxTagList}
	got := a.session.ask(ctx, q, readTags)
	if got.skipped != "" {
		return nil, evidence.Step{Name: evidence.StepTags, Text: got.skipped}
	}
	step := got.last()
	if got.ok && got.err != nil {
		step.Failure, step.Text = evidence.FailedBody, evidence.Clean(got.err.Error())
	}
	step.Tags, step.More = near(got.tags, a.target.object), got.more || len(got.tags) > maxNamedTags
	return got.tags, step
}

func readTags(r *answer, w wire.Answer) {
	var list struct {
		Tags []string `json:"tags"`
	}
	r.err = json.Unmarshal(w.Body, &list)
	r.more = strings.Contains(w.Header.Get("Link"), "next")
	for _, t := range list.Tags {
		switch {
		case !tagShape.MatchString(t):
		case len(r.tags) == maxTags:
			r.more = true
		default:
			r.tags = append(r.tags, t)
		}
	}
	slices.Sort(r.tags)
	r.tags = slices.Compact(r.tags)
}

// near picks those beside a tag in the sorted list: there the likely ones are.
func near(sorted []string, tag string) []string {
	if len(sorted) <= maxNamedTags {
		return sorted
	}
	i, _ := slices.BinarySearch(sorted, tag)
	i = min(max(i-maxNamedTags/2, 0), len(sorted)-maxNamedTags)
	return sorted[i : i+maxNamedTags]
}
