package probe

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/wire"
)

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
