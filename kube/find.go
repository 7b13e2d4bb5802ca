package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/kube/podscan"
	"github.com/refloat-dev/refloat/kube/stuck"
)

const (
	// unfinished leaves out pods that will never pull again.
	unfinished = "status.phase!=Succeeded,status.phase!=Failed"
	// maxCrashes bounds the crashes that are kept where nobody asked for one pod or workload.
	maxCrashes = 50
	// maxSuspects bounds the images and nodes whose store is in question: each is a NodeProbe.
	maxSuspects = 50
	// besidePages bounds the look at a named pod's namespace for the same image on other nodes.
	besidePages = 10

	defaultPatience = 5 * time.Minute
	namedPatience   = time.Minute
)

// finder is one run of Find.
type finder struct {
	*Client
	sel   selection
	at    time.Time
	out   *evidence.Collection
	tally tally
	clean cleaner
	found []*candidate
	// suspected are the images and nodes of the suspects.
	suspected map[[2]string]bool
}

// candidate is a pod of which a container waits for an image, or may do so.
type candidate struct {
	pull       evidence.Pull // what all its containers have in common
	pod        *evidence.Fact
	containers []stuck.Container
	events     []stuck.Event
}

// Find finds every container in scope that cannot get its image. Only Context,
// Namespace, AllNamespaces, Target and Selector of the scope are read; an empty
// Namespace is `default`. A list that is Forbidden is a deciding Gap of the
// Collection, not an error. To watch, call Find again: it keeps nothing. Errors that a person can act on are NotFoundError,
// TypeError and UnreachableError.
func Find(ctx context.Context, c *Client, scope evidence.Scope) (*evidence.Collection, error) {
	if scope.Namespace == "" && (!scope.AllNamespaces || scope.Target != "") {
		scope.Namespace = "default"
	}
	f := &finder{Client: c, at: c.now().UTC(), clean: cleaner{}}
	f.out = &evidence.Collection{
		APIVersion: evidence.APIVersion, Kind: evidence.CollectionKind, ObservedAt: f.at, Scope: scope, Cases: []*evidence.Case{},
	}
	// Before the first request: a type that leads to no pods is wrong whatever the cluster says.
	if scope.Target != "" {
		if _, err := parseTarget(scope.Target, scope.Namespace); err != nil {
			return nil, err
		}
	}
	err := f.run(ctx)
	switch {
	case err == nil:
		return f.out, nil
	case apierrors.IsForbidden(err):
		f.forbidden(err)
		return f.out, nil
	}
	return nil, err
}

func (f *finder) run(ctx context.Context) error {
	if err := f.version(ctx); err != nil {
		return err
	}
	var err error
	if f.sel, err = f.resolve(ctx, f.out.Scope); err != nil {
		return err
	}
	if f.sel.pod != nil {
		f.out.Scope.Pods = 1
		f.take(f.sel.pod)
	} else if err := f.scan(ctx); err != nil {
		return f.failure("listing pods", err)
	}
	if err := f.events(ctx); err != nil {
		return err
	}
	f.cases()
	if f.sel.pod == nil {
		if err := f.refused(ctx); err != nil {
			return err
		}
	} else if len(f.out.Cases) > 0 {
		f.beside(ctx)
	}
	f.elsewhere()
	if f.out.Scope.Pods == 0 && len(f.out.Cases) == 0 {
		return f.namespaceExists(ctx)
	}
	return nil
}

// version is the first request: a server that does not answer it answers none.
func (f *finder) version(ctx context.Context) error {
	raw, err := f.discovery.RESTClient().Get().AbsPath("/version").SetHeader("Accept", "application/json").DoRaw(ctx)
	var status apierrors.APIStatus
	if err != nil && !errors.As(err, &status) {
		return f.failure("asking for the version", err)
	}
	var info struct {
		GitVersion string `json:"gitVersion"`
	}
	if err == nil && json.Unmarshal(raw, &info) == nil {
		f.out.Cluster.Version = evidence.Clean(info.GitVersion)
	}
	return nil
}

// scan goes through the pods of the selection and keeps those that may be stuck.
func (f *finder) scan(ctx context.Context) error {
	scan := podscan.Scan{
		REST: f.core.RESTClient(), Namespace: f.sel.namespace,
		Options: metav1.ListOptions{LabelSelector: f.sel.labels, FieldSelector: unfinished},
	}
	return scan.Each(ctx, func(g *podscan.Glance) error {
		f.out.Scope.Pods++
		for _, image := range g.Running {
			f.tally.runs(image, g.Node)
		}
		if !g.Waiting {
			return nil
		}
		pod, err := g.Pod()
		if err != nil {
			return fmt.Errorf("decoding a pod: %w", err)
		}
		if f.sel.has(pod) {
			f.take(pod)
		}
		return nil
	})
}

// take keeps what is needed of a pod that may be stuck.
func (f *finder) take(pod *corev1.Pod) {
	var containers []stuck.Container
	for _, c := range stuck.Read(pod) {
		if c.State == stuck.Crashed && (f.out.Scope.Target != "" || len(f.out.Crashes) < maxCrashes) {
			f.out.Crashes = append(f.out.Crashes, c.Crash)
		}
		if c.NeverRan {
			f.suspect(pod, c)
		}
		c.Message = f.clean.text(c.Message)
		if c.State == stuck.Failing {
			c.Reason = f.clean.text(c.Reason)
		}
		containers = append(containers, c)
	}
	waits := false
	for _, c := range containers {
		waits = waits || c.State != stuck.Crashed
	}
	if !waits {
		return
	}
	f.found = append(f.found, &candidate{pull: pullOf(pod), pod: f.podFact(pod), containers: containers})
}

// pullOf is what the pulls of a pod have in common.
func pullOf(pod *corev1.Pod) evidence.Pull {
	return evidence.Pull{
		Namespace: pod.Namespace, Pod: pod.Name, UID: string(pod.UID), Node: pod.Spec.NodeName, Workload: workloadOf(pod),
	}
}

func (f *finder) patience() time.Duration {
	switch {
	case f.Patience != 0:
		return f.Patience
	case f.sel.pod != nil:
		return namedPatience
	}
	return defaultPatience
}

// cases turns the candidates, now with their events, into cases.
func (f *finder) cases() {
	for _, cand := range f.found {
		for _, c := range stuck.Settle(cand.containers, cand.events, f.at, f.patience()) {
			f.out.Cases = append(f.out.Cases, f.newCase(cand, c))
		}
	}
	f.found = nil
}

// beside looks at the other pods of a named pod's namespace for the same image.
// It is a help that nothing depends on: an error leaves it out.
func (f *finder) beside(ctx context.Context) {
	scan := podscan.Scan{
		REST: f.core.RESTClient(), Namespace: f.sel.namespace, MaxPages: besidePages,
		Options: metav1.ListOptions{FieldSelector: unfinished},
	}
	err := scan.Each(ctx, func(g *podscan.Glance) error {
		for _, image := range g.Running {
			f.tally.runs(image, g.Node)
		}
		return nil
	})
	if err != nil {
		f.out.Gaps = append(f.out.Gaps, gap("the same image on other nodes", err, ""))
	}
}

// namespaceExists keeps an empty answer from hiding a wrong name.
func (f *finder) namespaceExists(ctx context.Context) error {
	ns := f.out.Scope.Namespace
	if ns == "" || f.out.Scope.AllNamespaces {
		return nil
	}
	_, err := f.core.Namespaces().Get(ctx, ns, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return f.missing(ctx, evidence.Ref{APIVersion: "v1", Kind: "Namespace", Name: ns}, err)
	}
	return nil
}

// forbidden leaves a deciding gap in place of what may not be listed.
func (f *finder) forbidden(err error) {
	verb, resource := refusedRequest(err)
	g := gap(resource+" in namespace "+f.sel.namespace, err, "")
	g.How = "kubectl auth can-i " + verb + " " + evidence.Quote(resource) + " -n " + evidence.Quote(f.sel.namespace)
	switch {
	case f.sel.namespace == "" && resource != "pods":
		g.What, g.How = resource+" in all namespaces", "kubectl auth can-i "+verb+" "+evidence.Quote(resource)+" -A"
	case f.sel.namespace == "":
		g.What, g.How = "pods in all namespaces", "ask for one namespace: kubectl refloat why -n NAMESPACE"
	}
	g.Deciding = true
	f.out.Cases = []*evidence.Case{}
	f.out.Gaps = append(f.out.Gaps, g)
}
