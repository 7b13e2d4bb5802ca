package probe

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/keyring"
	"github.com/refloat-dev/refloat/registry/wire"
)

// walk is one question under way.
type walk struct {
	w      *Walker
	target target
	node   node
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
		if settled = try(&offered[i]); settled {
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
}

// worthComparing: what everybody gets tells something unless the registry is out of reach or a login was none to begin with.
func (k *walk) worthComparing(offered []keyring.Credential) bool {
	if slices.ContainsFunc(offered, func(c keyring.Credential) bool { return anonymous(&c) }) {
		return false
	}
	return !slices.ContainsFunc(k.probe.Attempts, func(a evidence.Attempt) bool {
		n := len(a.Steps)
		return n > 0 && a.Steps[n-1].Name == evidence.StepPing
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
	a.Found = &evidence.Manifest{MediaType: doc.mediaType, Digest: doc.digest.String(), Platforms: named(doc.entries)}
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

// manifest reads what the reference names.
func (a *attempt) manifest(ctx context.Context, head answer) *document {
	if head.doc != nil {
		return a.undescribed(head)
	}
	mediaType := head.last().MediaType
	d := digest.Digest(head.digest)
	if a.target.digest != "" {
		d = a.target.digest
	}
	if d == "" { // the runtime then takes digest and type from a GET
		q := wire.Ask{Step: evidence.StepManifest, Method: http.MethodGet, Path: a.target.manifest(), Accept: manifestTypes, MaxBody: maxManifest}
		got := a.session.ask(ctx, q, readByTag)
		if !a.take(got) {
			return nil
		}
		return a.undescribed(got)
	}
	if err := d.Validate(); err != nil {
		a.fail(evidence.FailedDigest, fmt.Sprintf("the registry's digest %q is none: %v", head.digest, err))
		return nil
	}
	if !isIndex(mediaType) && !isManifest(mediaType) {
		a.odd(mediaType, d, head.digest != "")
		return nil
	}
	return a.read(ctx, evidence.StepManifest, mediaType, d)
}

// undescribed is a manifest that came in answer to its tag, and whose digest the registry need not have told.
func (a *attempt) undescribed(got answer) *document {
	if want := a.target.digest; want != "" && want.Algorithm() == digest.SHA256 && want != got.doc.digest {
		a.fail(evidence.FailedDigest, "the registry sent other bytes: their digest is "+got.doc.digest.String())
		return nil
	}
	return a.judged(got)
}

// odd is something that no runtime makes a container of. It is named as a manifest where it is one.
func (a *attempt) odd(mediaType string, d digest.Digest, isManifest bool) {
	a.settled = true
	if isManifest && !strings.HasPrefix(mediaType, "text/html") {
		a.Found = &evidence.Manifest{MediaType: mediaType, Digest: d.String()}
	}
}

// fail says that the last request's answer cannot be used.
func (a *attempt) fail(f evidence.Failure, text string) {
	last := a.Steps[len(a.Steps)-1] // a copy: the answer is shared
	last.Failure, last.Text = f, evidence.Clean(text)
	a.Steps = append(slices.Clone(a.Steps[:len(a.Steps)-1]), last)
}

// content is a manifest that was read, and by whom.
type content struct {
	answer
	by *session
}

// read gets a manifest by its digest, once in a run from one registry: whoever is let at the digest has the same bytes.
func (a *attempt) read(ctx context.Context, step evidence.StepName, mediaType string, d digest.Digest) *document {
	q := wire.Ask{Step: step, Method: http.MethodGet, Path: a.target.manifestOf(d), Accept: accept(mediaType), MaxBody: maxManifest}
	got, ok := a.w.content.do(ctx, contentKey{a.session.host, d}, nil, func() (content, bool) {
		r := a.session.ask(ctx, q, func(r *answer, w wire.Answer) { r.doc, r.err = readContent(mediaType, d, w.Body) })
		return content{r, a.session}, r.ok && r.err == nil
	})
	switch {
	case !ok:
		a.Skipped = stopped
		return nil
	case got.by == a.session:
		if !a.take(got.answer) {
			return nil
		}
	case step == evidence.StepChild && got.by.repository != a.session.repository:
		// It is known what it holds, not that it is here.
		if !a.take(a.look(ctx, q)) {
			return nil
		}
	}
	return a.judged(got.answer)
}

// judged is a document that can be gone on with.
func (a *attempt) judged(got answer) *document {
	switch {
	case got.doc == nil:
		a.fail(evidence.FailedDigest, got.err.Error())
	case got.err != nil:
		a.fail(evidence.FailedBody, got.err.Error())
		a.settled = true
	case got.doc.odd && a.Found != nil: // in an index
		a.Found.Child, a.Found.Artifact, a.settled = got.doc.digest.String(), got.doc.mediaType, true
	case got.doc.odd:
		a.odd(got.doc.mediaType, got.doc.digest, got.doc.versioned)
	default:
		return got.doc
	}
	return nil
}

// child goes on with the platform's manifest in an index, which may be in an index of its own.
func (a *attempt) child(ctx context.Context, index *document, deeper int) {
	entry, ok := a.node.choose(index.entries)
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
		for _, p := range named(doc.entries) {
			if len(a.Found.Platforms) < maxPlatforms && !slices.Contains(a.Found.Platforms, p) {
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

// parts are the config and the layers. Without layers to ask for, the config is read where nothing else names the platform: it is
// a blob as they are.
func (a *attempt) parts(ctx context.Context, doc *document) {
	a.probe.Size, a.probe.Layers = doc.size, doc.count
	if doc.artifact != "" {
		a.Found.Artifact, a.settled = doc.artifact, true
		return
	}
	if (a.layers || a.Found.Child == "") && !a.config(ctx, doc.config) {
		return
	}
	a.Served = !a.layers || a.allLayers(ctx, doc.layers)
}

// config is read whole, as it is small and costs no quota: a HEAD would need a second request for the reason.
func (a *attempt) config(ctx context.Context, d v1.Descriptor) bool {
	q := wire.Ask{Step: evidence.StepConfig, Method: http.MethodGet, Path: a.target.blob(d.Digest), Accept: accept(d.MediaType), MaxBody: maxConfig}
	got := a.session.ask(ctx, q, func(r *answer, w wire.Answer) { r.platform = readPlatform(w.Body) })
	if got.platform != "" && a.Found.Child == "" {
		a.Found.Platforms = []string{got.platform}
	}
	return a.take(got)
}
