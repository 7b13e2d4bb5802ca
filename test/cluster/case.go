package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Case breaks image pulls in one way, and mends it again.
type Case struct {
	// Name is what `lab break` takes.
	Name string
	// About is one line for a person.
	About string
	// Cause is the code of docs/causes that is true then; empty where the pull works.
	Cause string
	// Ambiguous lists every cause that leaves the same texts and facts in the API, Cause among them: from there a tool may
	// only say that each is possible. Empty where the API tells.
	Ambiguous []string
	// OnlyNode says that the API shows a crash and nothing of the image: only the failing node tells.
	OnlyNode bool
	// Takes says what no other case may use meanwhile.
	Takes Takes
	// Break makes the failure and the workloads that meet it. It must be able to run again after Heal.
	Break func(context.Context, *Lab) error
	// Heal takes everything back, even where Break stopped half way.
	Heal func(context.Context, *Lab) error
	// Pods selects the pods that show the failure.
	Pods Selector
	// NoPods says that the failure keeps the pods from being made: their owner's events show it.
	NoPods bool
	// Owner is the pods' top owner as kubectl spells it, such as "deployment/web"; empty for a bare pod.
	Owner string
	// Image is what cannot be pulled, as the pod spells it.
	Image string
}

// Takes is what a case needs for itself. The zero value takes nothing: the case runs beside any other.
type Takes struct {
	// Host is a registry host whose behaviour towards everybody changes.
	Host string
	// Node says that a whole node is taken: the last one, so use three where other cases run as well.
	Node bool
}

// Selector finds pods by namespace and label.
type Selector struct{ Namespace, Label string }

// Meets reports whether two cases cannot be broken at the same time.
func (t Takes) Meets(o Takes) bool {
	return t.Node && o.Node || t.Host != "" && t.Host == o.Host
}

// Cases lists every case by name.
func Cases() []Case {
	cases := slices.Concat(authCases(), nameCases(), imageCases(), registryCases(), admissionCases(),
		networkCases(), pathCases(), nodeCases(), policyCases(), workloadCases())
	slices.SortFunc(cases, func(a, b Case) int { return strings.Compare(a.Name, b.Name) })
	return cases
}

// FindCase returns the case of that name.
func FindCase(name string) (Case, error) {
	for _, c := range Cases() {
		if c.Name == name {
			return c, nil
		}
	}
	return Case{}, &UserError{What: fmt.Sprintf("there is no case %q", name), Do: "list them: test/cluster/lab cases"}
}

// Spare is the node that cases may take whole: the last.
func (l *Lab) Spare() Node { return l.state.Nodes[len(l.state.Nodes)-1] }

// Broken lists the cases that are broken now.
func (l *Lab) Broken() []string {
	entries, _ := os.ReadDir(l.path("broken"))
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// Break breaks a case, unless one that needs the same is broken already.
func (l *Lab) Break(ctx context.Context, c Case) error {
	broken := l.Broken()
	for _, other := range Cases() {
		if other.Name != c.Name && slices.Contains(broken, other.Name) && c.Takes.Meets(other.Takes) {
			return &UserError{What: fmt.Sprintf("%s cannot be broken while %s is: both take the same", c.Name, other.Name),
				Do: "heal it first: test/cluster/lab heal " + other.Name}
		}
	}
	// Marked first: a case that stops half way must be healed too.
	if err := os.MkdirAll(l.path("broken"), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(l.path("broken", c.Name), nil, 0o600); err != nil {
		return err
	}
	if err := c.Break(ctx, l); err != nil {
		return fmt.Errorf("breaking %s: %w", c.Name, err)
	}
	return nil
}

// Heal takes a case back. Healing what is not broken is no error.
func (l *Lab) Heal(ctx context.Context, c Case) error {
	if err := c.Heal(ctx, l); err != nil {
		return fmt.Errorf("healing %s: %w", c.Name, err)
	}
	if err := os.Remove(filepath.Join(l.path("broken"), c.Name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
