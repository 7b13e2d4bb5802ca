package kube

import (
	"context"
	"fmt"
	"regexp"
	"sort"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/kube/owner"
)

// maxRefused bounds the owners that are looked at for pods they may not create.
const maxRefused = 200

// refused finds owners whose pods admission refuses for their image: there is no
// pod to see, only the owner's FailedCreate.
func (f *finder) refused(ctx context.Context) error {
	last := map[evidence.Ref]*corev1.Event{}
	err := f.eachEvent(ctx, f.sel.namespace, "reason=FailedCreate", func(e *corev1.Event) {
		o := e.InvolvedObject
		if !refusesImage(e.Message) || f.sel.owners != nil && !f.sel.owners[string(o.UID)] {
			return
		}
		ref := evidence.Ref{APIVersion: o.APIVersion, Kind: o.Kind, Namespace: o.Namespace, Name: o.Name, UID: string(o.UID)}
		if old := last[ref]; old == nil && len(last) < maxRefused || old != nil && older(old, e) {
			e := *e
			last[ref] = &e
		}
	})
	if apierrors.IsForbidden(err) {
		f.out.Gaps = append(f.out.Gaps, gap("pods that admission refused", err, "kubectl get events -A --field-selector reason=FailedCreate"))
		return nil
	}
	if err != nil {
		return f.failure("listing events", err)
	}
	refs := make([]evidence.Ref, 0, len(last))
	for ref := range last {
		refs = append(refs, ref)
	}
	sort.Slice(refs, func(i, j int) bool {
		return refs[i].Namespace+"/"+refs[i].Kind+"/"+refs[i].Name < refs[j].Namespace+"/"+refs[j].Kind+"/"+refs[j].Name
	})
	owners := f.owners()
	for _, ref := range refs {
		o, err := owners.Get(ctx, ref)
		switch {
		case apierrors.IsNotFound(err), err == nil && !o.Short:
			continue // gone, or it has its pods by now
		case err != nil && ctx.Err() != nil:
			return ctx.Err()
		}
		f.out.Cases = append(f.out.Cases, f.refusedCase(ref, o, last[ref], err))
	}
	return nil
}

func older(a, b *corev1.Event) bool {
	_, at := eventTime(a)
	_, bt := eventTime(b)
	return at.Before(bt)
}

var (
	refusal   = regexp.MustCompile(`(?i)denied|forbidden|refus|disallow|not allowed|not permitted|block|reject|must |invalid|validation error|not signed|unsigned`)
	aboutPull = regexp.MustCompile(`(?i)\bimages?\b|registr(y|ies)|\brepositor(y|ies)\b|signature|\bcosign\b|attestation|\bdigest\b|imagepolicy|imagepullpolicy`)
	// generic are refusals for something else that may name images in passing.
	generic = regexp.MustCompile(`(?i)exceeded quota|violates PodSecurity|unable to validate against any security context constraint|error looking up service account|PriorityClass|minimum (cpu|memory)|maximum (cpu|memory)`)
)

// refusesImage tells whether a FailedCreate is about the image or its registry.
func refusesImage(message string) bool {
	message = message[:min(len(message), evidence.MaxText)]
	return refusal.MatchString(message) && aboutPull.MatchString(message) && !generic.MatchString(message)
}

func (f *finder) refusedCase(ref evidence.Ref, o *owner.Object, e *corev1.Event, err error) *evidence.Case {
	m := readEvent(e).Message
	m.Origin, m.Text = evidence.OwnerEvent, f.clean.text(m.Text)
	out := &evidence.Case{Pull: evidence.Pull{
		Namespace: ref.Namespace, Kind: evidence.Refused, Reason: "FailedCreate", Workload: ref,
	}}
	if o != nil {
		out.Pull.Container, out.Pull.Image = refusedImage(m.Text, o.Images)
	}
	fact := f.eventFact("event "+ref.Namespace+"/"+e.Name, m)
	fact.Text = fmt.Sprintf("%s %q may not create its pods: %s", strings.ToLower(ref.Kind), ref.Name, sentence(m.Text))
	out.Facts = append(out.Facts, fact)
	if err != nil {
		out.Gaps = append(out.Gaps, gap(fmt.Sprintf("%s %s in namespace %s", strings.ToLower(ref.Kind), ref.Name, ref.Namespace), err, ""))
	}
	return out
}

// refusedImage is the container whose image the refusal names; the only one where it names none.
func refusedImage(text string, images []owner.Image) (container, image string) {
	for _, c := range images {
		if strings.Contains(text, c.Image) || strings.Contains(text, fmt.Sprintf("%q", c.Container)) {
			return c.Container, c.Image
		}
	}
	if len(images) == 1 {
		return images[0].Container, images[0].Image
	}
	return "", ""
}

// containerOf reads `spec.containers{web}`.
func containerOf(fieldPath string) string {
	_, name, ok := strings.Cut(fieldPath, "{")
	if !ok {
		return ""
	}
	return strings.TrimSuffix(name, "}")
}
