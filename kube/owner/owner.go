// Package owner walks from a pod up to the object that a person changes, and
// says how its rollout stands and which tool manages its source.
//
// Each object is got once in a Reader's life. The package changes nothing, and
// keeps of an object only what a diagnosis needs.
package owner

import (
	"context"
	"fmt"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	appsv1client "k8s.io/client-go/kubernetes/typed/apps/v1"
	batchv1client "k8s.io/client-go/kubernetes/typed/batch/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/metadata"

	"github.com/refloat-dev/refloat/evidence"
)

// Reader gets owners, each once.
type Reader struct {
	Core      corev1client.CoreV1Interface
	Apps      appsv1client.AppsV1Interface
	Batch     batchv1client.BatchV1Interface
	Metadata  metadata.Interface
	Discovery discovery.ServerResourcesInterface

	mu   sync.Mutex
	seen map[evidence.Ref]*entry
}

type entry struct {
	once   sync.Once
	object *Object
	err    error
}

// Object is what is kept of an owner.
type Object struct {
	Ref evidence.Ref
	// Owner is its own controller; the zero Ref where it has none.
	Owner              evidence.Ref
	Manager, ManagedBy string
	// Rollout is one line for a person.
	Rollout string
	// Short is set where it has fewer pods than it wants.
	Short    bool
	Images   []Image
	Selector *metav1.LabelSelector
	Revision string // the annotation deployment.kubernetes.io/revision
}

// Image is one container of a pod template.
type Image struct{ Container, Image string }

// maxChain ends a circle of owners, which the API server does not forbid.
const maxChain = 8

// Controller is the owner that manages an object; the zero Ref where none does.
func Controller(namespace string, m metav1.Object) evidence.Ref {
	o := metav1.GetControllerOfNoCopy(m)
	if o == nil {
		return evidence.Ref{}
	}
	return evidence.Ref{APIVersion: o.APIVersion, Kind: o.Kind, Namespace: namespace, Name: o.Name, UID: string(o.UID)}
}

// Get returns an owner; an error is the API server's.
func (r *Reader) Get(ctx context.Context, ref evidence.Ref) (*Object, error) {
	r.mu.Lock()
	if r.seen == nil {
		r.seen = map[evidence.Ref]*entry{}
	}
	e := r.seen[ref]
	if e == nil {
		e = new(entry)
		r.seen[ref] = e
	}
	r.mu.Unlock()
	e.once.Do(func() { e.object, e.err = r.get(ctx, ref) })
	return e.object, e.err
}

// Chain goes from an owner to the top, the top one last. Where it ends early
// the error says why, and the chain holds what is known so far.
func (r *Reader) Chain(ctx context.Context, first evidence.Ref) ([]evidence.Ref, []*Object, error) {
	var chain []evidence.Ref
	var objects []*Object
	for ref := first; ref.Name != "" && len(chain) < maxChain; {
		chain = append(chain, ref)
		o, err := r.Get(ctx, ref)
		if err != nil {
			return chain, objects, fmt.Errorf("getting %s %s/%s: %w", strings.ToLower(ref.Kind), ref.Namespace, ref.Name, err)
		}
		objects = append(objects, o)
		ref = o.Owner
	}
	return chain, objects, nil
}

func (r *Reader) get(ctx context.Context, ref evidence.Ref) (*Object, error) {
	o, m, err := r.known(ctx, ref)
	if o == nil && err == nil {
		o = new(Object)
		m, err = r.custom(ctx, ref)
	}
	if err != nil {
		return nil, err
	}
	if ref.UID != "" && string(m.GetUID()) != ref.UID {
		// Somebody else's by now: deleted, and made anew under the same name.
		return nil, apierrors.NewNotFound(schema.GroupResource{Resource: strings.ToLower(ref.Kind)}, ref.Name)
	}
	o.Ref = ref
	o.Ref.UID = string(m.GetUID())
	o.Owner = Controller(ref.Namespace, m)
	o.Manager, o.ManagedBy = Manager(m)
	o.Revision = m.GetAnnotations()["deployment.kubernetes.io/revision"]
	return o, nil
}

// custom gets the metadata of an object of a kind that is not Kubernetes' own.
// The resource's name is guessed as nearly every API has it; discovery is asked
// only where the guess fails.
func (r *Reader) custom(ctx context.Context, ref evidence.Ref) (metav1.Object, error) {
	gv, err := schema.ParseGroupVersion(ref.APIVersion)
	if err != nil {
		return nil, fmt.Errorf("the owner's apiVersion %q: %w", ref.APIVersion, err)
	}
	guess, _ := meta.UnsafeGuessKindToResource(gv.WithKind(ref.Kind))
	o, err := r.Metadata.Resource(guess).Namespace(ref.Namespace).Get(ctx, ref.Name, metav1.GetOptions{})
	if err == nil || !apierrors.IsNotFound(err) {
		return o, err
	}
	list, derr := r.Discovery.ServerResourcesForGroupVersion(ref.APIVersion)
	if derr != nil {
		return nil, err
	}
	for _, res := range list.APIResources {
		if res.Kind != ref.Kind || strings.Contains(res.Name, "/") || res.Name == guess.Resource && res.Namespaced {
			continue
		}
		ns := ref.Namespace
		if !res.Namespaced {
			ns = ""
		}
		return r.Metadata.Resource(gv.WithResource(res.Name)).Namespace(ns).Get(ctx, ref.Name, metav1.GetOptions{})
	}
	return nil, err
}

func images(t *corev1.PodTemplateSpec) []Image {
	var out []Image
	if t == nil {
		return nil
	}
	for _, c := range t.Spec.InitContainers {
		out = append(out, Image{c.Name, evidence.CleanReference(c.Image)})
	}
	for _, c := range t.Spec.Containers {
		out = append(out, Image{c.Name, evidence.CleanReference(c.Image)})
	}
	return out
}
