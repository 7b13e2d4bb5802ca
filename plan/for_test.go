package plan_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/plan"
)

var born = time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)

// world is a case that tests change one thing of.
type world struct {
	cause   diagnose.Code
	served  bool // by now
	image   string
	kind    string
	manager string
	by      string
	part    evidence.ContainerKind
	node    evidence.NodeState
	pod     evidence.Pod
	secrets []*evidence.Secret
	account *evidence.ServiceAccount
	chain   []evidence.Ref
	prev    string
	reading diagnose.Reading
	owners  int
	seen    []evidence.Alternative
	ring    *evidence.Keyring
	probe   *evidence.Probe
}

func (w world) finding() diagnose.Finding {
	if w.image == "" {
		w.image = "registry.example.com/shop/web:v2"
	}
	if w.kind == "" {
		w.kind = "Deployment"
	}
	if w.part == "" {
		w.part = evidence.App
	}
	w.node.Name = "node-2"
	w.pod.Created = born
	f := diagnose.Finding{Diagnosis: diagnose.Diagnosis{Cause: w.cause, Confidence: diagnose.Likely, Reading: w.reading, ServedNow: w.served}}
	for i := range max(w.owners, 1) {
		name := "web"
		if i > 0 {
			name += strings.Repeat("x", i)
		}
		ref := evidence.Ref{APIVersion: "apps/v1", Kind: w.kind, Namespace: "shop", Name: name}
		c := &evidence.Case{
			Pull: evidence.Pull{Namespace: "shop", Pod: name + "-1", Container: "app", Kind: w.part, Volume: "assets", Image: w.image, Node: "node-2", Workload: ref},
			Facts: []*evidence.Fact{
				{NodeState: &w.node}, {Pod: &w.pod},
				{Workload: &evidence.Workload{Ref: ref, Manager: w.manager, ManagedBy: w.by, Chain: w.chain, Previous: w.prev}},
			},
		}
		if w.seen != nil {
			c.Facts = append(c.Facts, &evidence.Fact{Alternatives: &evidence.Alternatives{Items: w.seen}})
		}
		if w.ring != nil {
			c.Facts = append(c.Facts, &evidence.Fact{Keyring: w.ring})
		}
		if w.probe != nil {
			c.Facts = append(c.Facts, &evidence.Fact{Probe: w.probe})
		}
		if w.account != nil {
			c.Facts = append(c.Facts, &evidence.Fact{Account: w.account})
		}
		for _, s := range w.secrets {
			c.Facts = append(c.Facts, &evidence.Fact{Secret: s})
		}
		f.Cases = append(f.Cases, c)
	}
	return f
}

func commands(p plan.Plan) string {
	var all []string
	for _, s := range p.Steps {
		all = append(all, s.Commands...)
	}
	return strings.Join(all, "\n")
}

func prose(p plan.Plan) string {
	var b strings.Builder
	for _, s := range p.Steps {
		b.WriteString(s.Title + "\n" + s.Note + "\n" + s.After + "\n")
	}
	return b.String()
}

var codes = diagnose.Codes()

var secretArgument = regexp.MustCompile(`--docker-password|--password[= ]|\$\{?(REG_)?PASSWORD| -p "?\$|--from-literal`)

// TestEveryCause holds what no plan may break.
func TestEveryCause(t *testing.T) {
	t.Parallel()
	for _, f := range everything() {
		holds(t, plan.For(f))
	}
}

func holds(t *testing.T, p plan.Plan) {
	t.Helper()
	if len(p.Steps) < 2 {
		t.Fatalf("only %d steps", len(p.Steps))
	}
	for _, s := range p.Steps {
		if s.Title == "" || s.Risk != plan.Manual {
			t.Fatalf("step %+v", s)
		}
		for _, c := range s.Commands {
			if secretArgument.MatchString(c) {
				t.Fatalf("a secret in an argument: %s", c)
			}
			for _, r := range c {
				if r < 0x20 || r > 0x7e {
					t.Fatalf("%q in command %q", r, c)
				}
			}
		}
	}
}

func TestEmptyFinding(t *testing.T) {
	t.Parallel()
	for _, cause := range append(diagnose.Codes(), "made.up") {
		plan.For(diagnose.Finding{Diagnosis: diagnose.Diagnosis{Cause: cause}})
		plan.For(diagnose.Finding{Diagnosis: diagnose.Diagnosis{Cause: cause}, Cases: []*evidence.Case{{}}})
	}
}
