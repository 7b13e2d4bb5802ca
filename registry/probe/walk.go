package probe

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/keyring"
	"github.com/refloat-dev/refloat/registry/probe/platform"
	"github.com/refloat-dev/refloat/registry/wire"
)

// walk is one question under way.
type walk struct {
	w      *Walker
	target target
	node   platform.Node
	// platform is as it was asked for; empty where no node tells.
	platform string
	// layers asks for every layer, reasons for what an error says, compare for a look without credentials; listed takes an index's
	// word for its child.
	layers, reasons, compare, listed bool
	probe                            *evidence.Probe
}

// attempt is one walk with one login.
type attempt struct {
	walk
	session *session
	evidence.Attempt
	// settled is set where no other credential can change the answer.
	settled bool
}

// all makes the attempts. matched tells that the kubelet has credentials, whether or not they may be offered here.
func (k *walk) all(ctx context.Context, offered []keyring.Credential, matched bool) {
	var made []*attempt
	try := func(c *keyring.Credential) (settled bool) {
		a := k.with(ctx, c)
		made = append(made, a)
		k.probe.Attempts = append(k.probe.Attempts, a.Attempt)
		return a.Served || a.settled
	}
	settled := false
	for i := range offered {
		if settled = try(&offered[i]); settled || made[i].unasked() {
			break
		}
	}
	if !settled && (!matched || k.compare && k.worthComparing(offered)) {
		settled = try(nil)
		last := &k.probe.Attempts[len(k.probe.Attempts)-1]
		last.Compared = matched
	}
	if k.reasons && !settled {
		k.askTags(ctx, made)
	}
	echoOf(offered).probe(k.probe)
}

// worthComparing: what everybody gets tells something unless the registry is out of reach, a login was none to begin with, one was
// let in, or everybody was answered on the way: a first request goes without, and where the challenge is Basic nobody gets more.
func (k *walk) worthComparing(offered []keyring.Credential) bool {
	if slices.ContainsFunc(offered, func(c keyring.Credential) bool { return anonymous(&c) }) {
		return false
	}
	return !slices.ContainsFunc(k.probe.Attempts, func(a evidence.Attempt) bool {
		if len(a.Steps) == 0 {
			return false
		}
		last := a.Steps[len(a.Steps)-1]
		return last.Name == evidence.StepPing || a.Found != nil || last.Status == http.StatusNotFound || !challenged(a.Steps) ||
			slices.ContainsFunc(a.Steps[:len(a.Steps)-1], func(s evidence.Step) bool {
				return s.Name == evidence.StepManifest && s.Status == http.StatusUnauthorized && s.Challenge == "Basic"
			})
	})
}

// unasked reports whether the registry answered without asking who it is: it answers any other login so.
func (a *attempt) unasked() bool {
	return len(a.Steps) > 0 && a.Steps[len(a.Steps)-1].Name != evidence.StepPing && a.Steps[len(a.Steps)-1].Status >= 400 && !challenged(a.Steps)
}

// challenged reports whether a request below the registry's root was answered with a challenge.
func challenged(steps []evidence.Step) bool {
	return slices.ContainsFunc(steps, func(s evidence.Step) bool {
		return s.Name != evidence.StepPing && (s.Challenge != "" || s.Name == evidence.StepToken)
	})
}

// with walks with one credential, or with none.
func (k *walk) with(ctx context.Context, c *keyring.Credential) *attempt {
	a := &attempt{walk: *k, session: k.w.session(k.target, c)}
	k.probe.Host = a.session.address
	if c != nil {
		login := c.Login
		a.Login = &login
	}
	if a.Skipped = a.session.refusedBefore(); a.Skipped == "" && a.ping(ctx) {
		a.image(ctx)
	}
	return a
}

// ping asks the registry's root, once for all its images, so that an address which does not answer is not tried again for each.
func (a *attempt) ping(ctx context.Context) bool {
	root := a.w.session(target{domain: a.target.domain}, nil)
	got := root.ask(ctx, wire.Ask{Step: evidence.StepPing, Method: http.MethodGet, Path: "/v2/", MaxBody: 64 << 10}, nil)
	a.take(got)
	last := got.last()
	// Any answer will do. The runtime does not ask here, and what the registry says to everybody need not hold for the image: one that
	// challenges here may serve public images without, and a stale credential then harms nobody.
	return got.skipped == "" && last.Status != 0 && last.Status != http.StatusTooManyRequests
}

// take adds an answer's steps, and tells whether the walk goes on.
func (a *attempt) take(got answer) bool {
	a.Steps = append(a.Steps, got.steps...)
	if got.skipped != "" {
		a.Skipped = got.skipped
	}
	return got.ok
}

// look is a HEAD, and where that fails one GET for the reason, which a HEAD has no room for.
func (a *attempt) look(ctx context.Context, q wire.Ask) answer {
	q.Method = http.MethodHead
	head := a.session.ask(ctx, q, nil)
	last := head.last()
	if head.ok || head.refused || head.skipped != "" || !a.reasons || last.Name != q.Step || !unsaid(last) {
		return head
	}
	get := a.reason(ctx, q)
	if got := get.last(); got.Status < 200 || got.Status > 299 {
		get.steps = slices.Concat(head.steps, get.steps)
		return get
	}
	// The GET is served, whole or too long for a reason. The runtime takes it where HEAD is not allowed (containerd v2.4.2
	// core/remotes/docker/resolver.go, retryRequest) and never heads a blob; what was out of order may be in order again.
	if q.Step != evidence.StepManifest || last.Status == http.StatusMethodNotAllowed || last.Status >= 500 {
		get.steps, get.ok = slices.Concat(head.steps, get.steps), true
		return get
	}
	head.steps = slices.Concat(get.steps, head.steps) // the last is where it stops, as the runtime does
	return head
}

// unsaid reports whether a GET could say more than the HEAD did. There is no second request after a 429 nor where no answer came, and
// a challenge that names its error has said it: the GET would only cost another token.
func unsaid(s evidence.Step) bool {
	return s.Failure == "" && s.Status >= 400 && s.Status != http.StatusTooManyRequests && !strings.Contains(s.Challenge, " ")
}

// reason asks with GET what HEAD was refused. A manifest that comes after all is read; of a blob no more than that it comes.
func (a *attempt) reason(ctx context.Context, q wire.Ask) answer {
	q.Method = http.MethodGet
	if q.Path == a.target.manifest() {
		q.MaxBody = maxManifest
		return a.session.ask(ctx, q, readByTag)
	}
	q.MaxBody = 1 << 10 // an error's text has its own bound
	return a.session.ask(ctx, q, nil)
}

func readByTag(r *answer, w wire.Answer) { r.doc, r.err = readDocument(w.Last().MediaType, w.Body) }

// image walks from the manifest down.
func (a *attempt) image(ctx context.Context) {
	head := a.look(ctx, wire.Ask{Step: evidence.StepManifest, Path: a.target.manifest(), Accept: manifestTypes})
	if !a.take(head) {
		return
	}
	doc := a.manifest(ctx, head)
	if doc == nil {
		return
	}
	a.Found = &evidence.Manifest{MediaType: doc.mediaType, Digest: doc.digest.String(), Platforms: platform.Named(doc.entries)}
	if !isIndex(doc.mediaType) {
		a.parts(ctx, doc)
		return
	}
	if a.platform == "" {
		a.Served = true // no node tells which of them it wants
		return
	}
	a.child(ctx, doc, 1)
}

// fail says that the last request's answer cannot be used.
func (a *attempt) fail(f evidence.Failure, text string) {
	last := a.Steps[len(a.Steps)-1] // a copy: the answer is shared
	last.Failure, last.Text = f, evidence.Clean(text)
	a.Steps = append(slices.Clone(a.Steps[:len(a.Steps)-1]), last)
}

// child goes on with the platform's manifest in an index, which may be in an index of its own.
func (a *attempt) child(ctx context.Context, index *document, deeper int) {
	entry, ok := a.node.Choose(index.entries)
	if !ok {
		a.settled = true // another credential sees the same index
		return
	}
	if a.listed && entry.Platform != nil {
		a.Found.Child, a.Served = entry.Digest.String(), true
		return
	}
	doc := a.read(ctx, evidence.StepChild, entry.MediaType, entry.Digest)
	if doc == nil {
		return
	}
	if isIndex(doc.mediaType) {
		for _, p := range platform.Named(doc.entries) {
			if len(a.Found.Platforms) < platform.Most && !slices.Contains(a.Found.Platforms, p) {
				a.Found.Platforms = append(slices.Clone(a.Found.Platforms), p)
			}
		}
		if deeper == 0 {
			a.settled = true // nobody nests so deep
			return
		}
		a.child(ctx, doc, deeper-1)
		return
	}
	a.Found.Child = doc.digest.String()
	a.parts(ctx, doc)
}
