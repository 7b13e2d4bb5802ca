package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/internal/registrytest"
)

// late is how long registries keep each answer back while failing pods are asked for: on loopback all else would be noise.
const late = 200 * time.Millisecond

// probing is what `why -A` takes that asks registries.
type probing struct {
	load      string
	with      figures // why -A
	without   figures // why -A --no-probe
	asked     asked   // of why -A, from its last round
	settled   time.Duration
	whole     time.Duration
	single    []asked // why POD, for one pod of each pair
	slowest   int     // of them, the pair
	slow      time.Duration
	alone     figures // of that pair, as a process
	confirmed int     // pairs whose verdict is
}

// shelvesOf are the shelves by HOST/REPOSITORY.
func shelvesOf(list []shelf) map[string]shelf {
	out := map[string]shelf{}
	for n, s := range list {
		host, repository, _ := pairs[n].parts()
		out[host+"/"+repository] = s
	}
	return out
}

// delay keeps every answer of every registry back, or none.
func (b bench) delay(ctx context.Context, by time.Duration) error {
	if err := b.lab.ClearFault(ctx, marker); err != nil || by == 0 {
		return err
	}
	return b.lab.AddFault(ctx, registrytest.Fault{ID: marker, Where: registrytest.Where{Early: true}, Answer: registrytest.Answer{DelayMillis: int(by.Milliseconds())}})
}

// desk runs a command where the registries' names and certificate are known, with a home of its own: no run shall know what an
// earlier one was refused.
func (b bench) desk(ctx context.Context, command ...string) (*exec.Cmd, func(), error) {
	home, err := os.MkdirTemp(b.progs.dir, "home")
	if err != nil {
		return nil, nil, err
	}
	cmd, err := b.lab.AtDesk(ctx, command...)
	if err != nil {
		return nil, nil, err
	}
	var env []string
	for _, name := range []string{"KUBECONFIG=", "SSL_CERT_FILE="} {
		env = append(env, lastOf(cmd.Env, name))
	}
	cmd.Env = append(env, "PATH="+os.Getenv("PATH"), "HOME="+home)
	return cmd, func() { _ = os.RemoveAll(home) }, nil
}

// lastOf is the setting of a name that counts. Nothing of the caller's own reaches what is measured, such as a proxy.
func lastOf(env []string, name string) string {
	out := ""
	for _, s := range env {
		if strings.HasPrefix(s, name) {
			out = s
		}
	}
	return out
}

// measureAtDesk is measure at the desk, and what registries were asked meanwhile.
func (b bench) measureAtDesk(ctx context.Context, exit int, command ...string) (figures, []registrytest.Entry, error) {
	var f figures
	cmd, done, err := b.desk(ctx, append([]string{b.progs.measure}, command...)...)
	if err != nil {
		return f, nil, err
	}
	defer done()
	var errs strings.Builder
	cmd.Stderr = &errs
	begin := time.Now()
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &f)
	}
	if err == nil && f.Exit != exit {
		err = fmt.Errorf("exit code %d, not %d", f.Exit, exit)
	}
	if err != nil {
		return f, nil, fmt.Errorf("%s: %w\n%s", filepath.Base(command[0]), err, errs.String())
	}
	log, err := since(ctx, b.lab, begin)
	return f, log, err
}

// answer runs refloat at the desk for what it says.
func (b bench) answer(ctx context.Context, exit int, out any, args ...string) error {
	cmd, done, err := b.desk(ctx, append([]string{b.progs.refloat}, args...)...)
	if err != nil {
		return err
	}
	defer done()
	text, err := cmd.Output()
	var ended *exec.ExitError
	if err != nil && (!errors.As(err, &ended) || ended.ExitCode() != exit) {
		return fmt.Errorf("kubectl refloat %s: %w", args[0], err)
	}
	return json.Unmarshal(text, out)
}

// probing measures one run over all failing pods beside runs for one pod of each pair.
func (b bench) probing(ctx context.Context, list []shelf) (*probing, error) {
	p := &probing{load: loadAverage()}
	var err error
	if p.confirmed, err = b.verdicts(ctx); err != nil {
		return nil, err
	}
	if err := b.delay(ctx, late); err != nil {
		return nil, err
	}
	shelves := shelvesOf(list)
	for n := range pairs {
		_, log, err := b.measureAtDesk(ctx, 3, b.progs.refloat, "why", squadPodName(0), "-n", squad(n), "-o", "json")
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(os.Stderr, "bench: %s, %s: %s\n", pairs[n].image, pairs[n].about(), course(log))
		p.single = append(p.single, sorted(log, shelves, late))
		if p.single[n].settled > p.single[p.slowest].settled {
			p.slowest = n
		}
	}
	var with, without, alone []figures
	var settled, whole, slow []time.Duration
	for round := range b.rounds {
		f, log, err := b.measureAtDesk(ctx, 3, b.progs.refloat, "why", "-A", "-o", "json")
		if err != nil {
			return nil, err
		}
		p.asked = sorted(log, shelves, late)
		with, settled, whole = append(with, f), append(settled, p.asked.settled), append(whole, p.asked.whole)
		if f, _, err = b.measureAtDesk(ctx, 3, b.progs.refloat, "why", "-A", "--no-probe", "-o", "json"); err != nil {
			return nil, err
		}
		without = append(without, f)
		if f, log, err = b.measureAtDesk(ctx, 3, b.progs.refloat, "why", squadPodName(0), "-n", squad(p.slowest), "-o", "json"); err != nil {
			return nil, err
		}
		alone, slow = append(alone, f), append(slow, sorted(log, shelves, late).settled)
		fmt.Fprintf(os.Stderr, "bench: %d pairs, round %d: settled after %.2f s, slowest alone %.2f s\n", len(pairs), round+1, p.asked.settled.Seconds(), slow[round].Seconds())
	}
	p.with, p.without, p.alone = medians(with), medians(without), medians(alone)
	p.settled, p.whole, p.slow = middle(settled), middle(whole), middle(slow)
	return p, b.delay(ctx, 0)
}

func middle(list []time.Duration) time.Duration {
	slices.Sort(list)
	return (list[(len(list)-1)/2] + list[len(list)/2]) / 2
}

// verdicts asks once and compares: each pair's pods in a finding of a cause that may be. It counts the pairs whose verdict is confirmed.
func (b bench) verdicts(ctx context.Context) (confirmed int, err error) {
	var report struct {
		Findings []struct {
			Cause, Confidence string
			Pods              []struct{ Namespace string }
		}
	}
	if err := b.answer(ctx, 3, &report, "why", "-A", "-o", "json"); err != nil {
		return 0, err
	}
	pods := map[string]int{}
	for _, f := range report.Findings {
		counted := map[string]bool{}
		for _, p := range f.Pods {
			pods[p.Namespace]++
			n := -1
			if _, err := fmt.Sscanf(p.Namespace, "squad-%d", &n); err != nil || n < 0 || n >= len(pairs) {
				return 0, fmt.Errorf("a finding of %s for pods of %s", f.Cause, p.Namespace)
			}
			if !slices.Contains(strings.Fields(pairs[n].causes), f.Cause) {
				return 0, fmt.Errorf("%s is said to be %s, and is of %s", pairs[n].image, f.Cause, pairs[n].causes)
			}
			if !counted[p.Namespace] && f.Confidence == "confirmed" {
				confirmed++
			}
			counted[p.Namespace] = true
		}
	}
	for n := range pairs {
		if pods[squad(n)] != podsOfPair {
			return 0, fmt.Errorf("%d of the %d pods of %s are in findings", pods[squad(n)], podsOfPair, squad(n))
		}
	}
	return confirmed, nil
}
