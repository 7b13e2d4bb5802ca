package report_test

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/plan"
	"github.com/refloat-dev/refloat/report"
)

var seen = time.Date(2026, 9, 20, 3, 14, 0, 0, time.UTC)

// scene is one made-up run.
type scene struct {
	name       string
	collection evidence.Collection
	findings   []diagnose.Finding
}

func (s scene) report() report.Report {
	plans := make([]plan.Plan, len(s.findings))
	for i, f := range s.findings {
		plans[i] = plan.For(f)
	}
	s.collection.ObservedAt = seen
	return report.New(&s.collection, s.findings, plans)
}

func render(format report.Format, r report.Report, o report.Options) (string, error) {
	var b bytes.Buffer
	err := report.Write(&b, format, r, o)
	return b.String(), err
}

func scenes() []scene {
	all := evidence.Scope{AllNamespaces: true, Pods: 20000}
	shop := evidence.Scope{Namespace: "shop", Pods: 13}
	return []scene{
		{"nothing", evidence.Collection{Scope: all}, nil},
		{"nothing-but-gaps", evidence.Collection{Scope: shop, Gaps: []evidence.Gap{forbiddenList}}, nil},
		{"one", evidence.Collection{Scope: shop}, []diagnose.Finding{expired(1)}},
		{"many-pods", evidence.Collection{Scope: all}, []diagnose.Finding{expired(300)}},
		{"several", evidence.Collection{Scope: evidence.Scope{AllNamespaces: true, Pods: 20000, Context: "staging"}, Crashes: crashes, Gaps: []evidence.Gap{forbiddenList}}, []diagnose.Finding{expired(3), unresolved(), tag()}},
		{"hostile", evidence.Collection{Scope: shop, Crashes: []evidence.Crash{{Namespace: evil, Pod: evil, Container: evil, Reason: evil, Message: evil}}}, []diagnose.Finding{hostile()}},
	}
}

var forbiddenList = evidence.Gap{
	Vantage: evidence.API, What: "events in namespace shop", Why: `Forbidden: user "dev" cannot list resource "events"`,
	How: "kubectl auth can-i list events -n shop", Deciding: true,
}

var crashes = []evidence.Crash{{
	Namespace: "shop", Pod: "cart-0", Container: "app", Image: "registry.example.com/shop/cart:v1",
	Reason: "Error", ExitCode: 1, Restarts: 7, Message: "exec /app: exec format error",
}}

func pull(i int, image, node string, owner evidence.Ref) evidence.Pull {
	return evidence.Pull{
		Namespace: "shop", Pod: fmt.Sprintf("%s-%d", owner.Name, i), UID: fmt.Sprintf("uid-%d", i), Container: "app",
		Kind: evidence.App, Image: image, Policy: "IfNotPresent", Node: node, Reason: "ImagePullBackOff", Workload: owner,
	}
}

func deployment(name string) evidence.Ref {
	return evidence.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "shop", Name: name}
}

func expired(pods int) diagnose.Finding {
	secret := &evidence.Fact{
		Text:    "the entry for registry.example.com in secret shop/regcred expired 3h before",
		Vantage: evidence.API, Where: "API server", Source: "secret shop/regcred", Time: seen.Add(-3 * time.Hour),
		Secret: &evidence.Secret{Namespace: "shop", Name: "regcred", Exists: evidence.Yes, Type: "kubernetes.io/dockerconfigjson", Registries: []string{"registry.example.com"}},
	}
	message := &evidence.Fact{
		Text:    `the kubelet says: failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://auth.example.com/token?scope=repository%3Ashop%2Fweb%3Apull&service=registry.example.com: 401 Unauthorized`,
		Vantage: evidence.API, Where: "API server", Source: "pod shop/web-0 status", Time: seen.Add(-4 * time.Minute),
	}
	f := diagnose.Finding{Diagnosis: diagnose.Diagnosis{
		Cause: diagnose.ExpiredCredentials, Confidence: diagnose.Likely,
		Candidates: []diagnose.Candidate{{Cause: diagnose.ExpiredCredentials, Confidence: diagnose.Likely}},
		Summary:    "The password for registry.example.com in secret shop/regcred has expired.",
		Because:    []*evidence.Fact{message, secret},
		RuledOut:   []diagnose.RuledOut{{Cause: diagnose.SecretMissing, Why: "secret shop/regcred exists"}},
		Masks:      []diagnose.Code{diagnose.TagNotFound},
		Gaps:       []evidence.Gap{{Vantage: evidence.Registry, What: "the registry's own answer", Why: "not asked (--no-probe)"}},
		Key:        "secret shop/regcred",
	}}
	for i := range pods {
		name := "web"
		if i%2 == 1 {
			name = "api"
		}
		f.Cases = append(f.Cases, &evidence.Case{
			Pull:  pull(i, "registry.example.com/shop/"+name+":v2", fmt.Sprintf("node-%d", i%7+1), deployment(name)),
			Facts: []*evidence.Fact{message, secret, {Pod: &evidence.Pod{Created: seen.Add(-time.Hour), PullSecrets: []string{"regcred"}}}},
		})
	}
	return f
}

func unresolved() diagnose.Finding {
	message := &evidence.Fact{
		Text: "lookup registry.lab.example on 10.0.0.10:53: no such host", Vantage: evidence.API, Where: "API server",
		Source: "event shop/cache-0.17c3", Time: seen.Add(-90 * time.Second),
	}
	ref := evidence.Ref{APIVersion: "apps/v1", Kind: "StatefulSet", Namespace: "shop", Name: "cache"}
	return diagnose.Finding{
		Diagnosis: diagnose.Diagnosis{
			Cause: diagnose.DNS, Confidence: diagnose.Confirmed, Summary: "node-2 cannot resolve registry.lab.example; node-1 can.",
			Reading: diagnose.Reading{Host: "registry.lab.example", Registry: "registry.lab.example", Detail: message.Text},
			Because: []*evidence.Fact{message},
		},
		Cases: []*evidence.Case{{
			Pull: pull(0, "registry.lab.example/cache:7", "node-2", ref),
			Facts: []*evidence.Fact{message, {NodeState: &evidence.NodeState{Name: "node-2", Runtime: "containerd"}},
				{Elsewhere: &evidence.Elsewhere{Running: []string{"node-1"}}}},
		}},
	}
}

func tag() diagnose.Finding {
	ref := deployment("front")
	return diagnose.Finding{
		Diagnosis: diagnose.Diagnosis{
			Cause: diagnose.TagNotFound, Confidence: diagnose.Possible, Summary: "registry.example.com does not have shop/front:v9.",
			Candidates: []diagnose.Candidate{{Cause: diagnose.TagNotFound, Confidence: diagnose.Possible}, {Cause: diagnose.RepositoryNotFound, Confidence: diagnose.Possible}},
		},
		Cases: []*evidence.Case{{
			Pull: pull(0, "registry.example.com/shop/front:v9", "node-3", ref),
			Facts: []*evidence.Fact{{Workload: &evidence.Workload{Ref: ref, Manager: "argocd", ManagedBy: "Application front",
				Previous: "registry.example.com/shop/front:v8", PreviousAvailable: true}}},
		}},
	}
}

// evil tries terminal sequences, bidi overrides, broken UTF-8, markup, YAML, shell and sheer length.
var evil = "\x1b]0;owned\a\x1b[2J\u202egnp.\u200b\xff\r\n- `x` <b>|]]> $(reboot) 'q' \"d\" \\ \u009b31m" + strings.Repeat("\u0301", 5)

func hostile() diagnose.Finding {
	long := strings.Repeat("A", 1<<20)
	fact := &evidence.Fact{Text: evil + long, Vantage: "x" + evidence.Vantage(evil), Where: evil, Source: evil, Time: seen.Add(time.Hour)}
	ref := evidence.Ref{Kind: "Deployment", Namespace: evil, Name: evil}
	p := pull(0, evil, evil, ref)
	p.Namespace, p.Pod, p.Container = evil, evil, evil
	return diagnose.Finding{
		Diagnosis: diagnose.Diagnosis{
			Cause: diagnose.InvalidReference, Confidence: diagnose.Likely, Summary: evil, Because: []*evidence.Fact{fact},
			RuledOut: []diagnose.RuledOut{{Cause: diagnose.Code(evil), Why: evil}}, Masks: []diagnose.Code{diagnose.Code(evil)},
			Gaps: []evidence.Gap{{What: evil, Why: evil, How: evil}}, Reading: diagnose.Reading{Host: evil, Registry: evil},
		},
		Cases: []*evidence.Case{{Pull: p, Facts: []*evidence.Fact{fact, {Workload: &evidence.Workload{Ref: ref, Manager: "helm", ManagedBy: evil, Previous: evil}}}}},
	}
}
