package kube

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/kube/manifest"
)

const (
	// maxPlaces bounds the places that are kept of one image.
	maxPlaces = 50
	// maxLater bounds the images that are told of which nobody can ask yet.
	maxLater = 20
)

// pullKey is what makes two planned pulls one: the registry is asked the same, with the same credentials.
type pullKey struct {
	image, platform, namespace, secrets string
	// unread is the service account whose secrets nobody could see: what holds for one pod need not hold for another's.
	unread string
}

// makeCases makes the cases, in the order in which the images stand in the manifests.
func (r *planner) makeCases() {
	known := map[pullKey]*evidence.Case{}
	never := map[string]bool{}
	for _, i := range r.Manifests.Images {
		if i.Policy == string(corev1.PullNever) {
			if !never[i.Reference] {
				never[i.Reference] = true
				r.out.Gaps = append(r.out.Gaps, evidence.Gap{
					Vantage: evidence.Node, What: fmt.Sprintf("image %q", i.Reference),
					Why: "its pull policy is Never (" + manifest.Show(i.Place) + "): it is not pulled, and must be on the node already",
				})
			}
			continue
		}
		pod := r.plannedPod(i)
		for _, platform := range r.platforms(i.Pod) {
			k := pullKey{image: i.Reference, platform: platform, namespace: r.space(i.Pod.Namespace), secrets: strings.Join(pod.fact.Pod.PullSecrets, "\n")}
			if len(pod.gaps) > 0 {
				k.unread = pod.fact.Pod.ServiceAccount
			}
			c := known[k]
			if c == nil {
				c = r.newPlanned(i, platform, pod)
				known[k] = c
				r.cases = append(r.cases, c)
			}
			if p := i.Place; p.File != "" && len(c.Places) < maxPlaces && !slices.Contains(c.Places, p) {
				c.Places = append(c.Places, p)
			}
			r.couldLand(c, i.Pod)
		}
	}
	r.later()
}

// later are images that nobody can ask for yet: whether they pull is open. Each is told once, and at most maxLater.
func (r *planner) later() {
	told := map[string]bool{}
	for _, l := range r.Manifests.Later {
		if told[l.Reference] {
			continue
		}
		if told[l.Reference] = true; len(told) > maxLater {
			continue
		}
		r.out.Gaps = append(r.out.Gaps, evidence.Gap{
			Vantage: evidence.Registry, What: fmt.Sprintf("image %q at %s", l.Reference, manifest.Show(l.Place)), Why: l.Why, Deciding: true,
			How: "check the image that it becomes: kubectl refloat check IMAGE",
		})
	}
	if more := len(told) - maxLater; more > 0 {
		r.out.Gaps = append(r.out.Gaps, evidence.Gap{
			Vantage: evidence.Registry, What: fmt.Sprintf("%d more images like these", more), Why: "they are filled in later too", Deciding: true,
		})
	}
}

// plannedPod is what a template's pods would be made with.
type plannedPod struct {
	fact *evidence.Fact
	seen
}

func (r *planner) plannedPod(i manifest.Image) plannedPod {
	n := r.accountOf(i.Pod)
	p := &evidence.Pod{Created: r.at, PullSecrets: i.Pod.PullSecrets, ServiceAccount: n.name}
	of := "a pod"
	if o := i.Place.Object; o.Name != "" {
		of = strings.ToLower(o.Kind) + " " + fmt.Sprintf("%q", o.Name)
	}
	source := "the command line"
	if i.Place.File != "" {
		source = manifest.Show(i.Place)
	}
	if r.ByHand != "" {
		p.PullSecrets = nil
		return plannedPod{fact: r.planned(of+" is taken to pull with the credentials of "+r.ByHand, source, evidence.Fact{Pod: p})}
	}
	var account seen
	from := ""
	if !i.Pod.OwnSecrets {
		account = r.accounts[n]
		from = fmt.Sprintf(" from its service account %q", n.name)
		for _, f := range account.facts {
			if f.Account != nil {
				p.PullSecrets = slices.DeleteFunc(slices.Clone(f.Account.PullSecrets), func(s string) bool { return s == "" })
			}
		}
	}
	text := of + " would get no pull secret" + from
	if len(p.PullSecrets) > 0 {
		text = of + " would get the pull secrets " + listed(p.PullSecrets) + from
	} else if len(account.gaps) > 0 {
		text = of + " may get pull secrets" + from
	}
	return plannedPod{r.planned(text, source, evidence.Fact{Pod: p}), account}
}

func (r *planner) newPlanned(i manifest.Image, platform string, pod plannedPod) *evidence.Case {
	c := &evidence.Case{Pull: evidence.Pull{
		Namespace: r.space(i.Pod.Namespace), Container: i.Container, Volume: i.Volume, Kind: evidence.Planned,
		Image: i.Reference, Policy: i.Policy, Platform: platform, Workload: i.Place.Object,
	}}
	if c.Pull.Workload.Name != "" {
		c.Pull.Workload.Namespace = c.Pull.Namespace
	}
	c.Facts = append([]*evidence.Fact{pod.fact}, pod.facts...)
	c.Gaps = append(c.Gaps, pod.gaps...)
	return c
}
