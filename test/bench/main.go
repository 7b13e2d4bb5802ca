// Command bench measures refloat on the lab, in four parts, and prints what is in docs/benchmarks.md.
//
//	go run ./test/bench [-only cluster|registry|store|agent] [-pods 20000,100000] [-rounds 3] [-keep] [-write]
//
// The lab is bare: etcd, the API server and no kubelets. The first part runs `why -A --no-probe` over pods that have the shape of a
// real cluster's and of which 2 % cannot pull, against the least that a client can do and against kubectl. The second asks the lab's
// registries too: `why -A` over pods that all fail, and `check` beside crane, which a module of its own pins. The third
// hashes files as the node agent does, beside openssl. The fourth asks the agent itself, on a lab with real nodes. Every program that is measured is a process of its own; they run in
// turn, round after round, and the median counts. It ends with an error if refloat's answer is not the one that was made, never for being slow: that is in the table.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/refloat-dev/refloat/test/cluster"
)

// options are the flags.
type options struct {
	sizes       []int
	rounds      int
	only        string // one part; empty: both
	lab         string // an agent is measured on this lab; empty: on one of its own
	keep, write bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := parse()
	if err == nil {
		err = run(ctx, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func parse() (options, error) {
	var o options
	pods := flag.String("pods", "20000,100000", "how many pods, in ascending order")
	flag.StringVar(&o.only, "only", "", "measure one part: cluster, registry, store or agent; -write then keeps the others")
	flag.StringVar(&o.lab, "lab", "", "measure the agent on the lab of this name, which is up")
	flag.IntVar(&o.rounds, "rounds", 3, "how often each program runs")
	flag.BoolVar(&o.keep, "keep", false, "leave the lab up, with its pods, for the next run")
	flag.BoolVar(&o.write, "write", false, "write docs/benchmarks.md")
	flag.Parse()
	for s := range strings.SplitSeq(*pods, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || len(o.sizes) > 0 && n <= o.sizes[len(o.sizes)-1] {
			return o, fmt.Errorf("-pods takes ascending numbers, such as 20000,100000, not %q", *pods)
		}
		o.sizes = append(o.sizes, n)
	}
	if all := []string{"", clusterPart, registryPart, storePart, agentPart}; !slices.Contains(all, o.only) {
		return o, fmt.Errorf("-only takes one of%s, not %q", strings.Join(all, " "), o.only)
	}
	if o.rounds < 1 {
		return o, errors.New("-rounds must be at least 1")
	}
	return o, nil
}

// The parts of the benchmark.
const clusterPart, registryPart = "cluster", "registry"

func run(ctx context.Context, o options) error {
	progs, err := build(ctx)
	if err != nil {
		return err
	}
	defer os.RemoveAll(progs.dir)
	var whole, asking, stored, asked string
	if o.only == "" || o.only == storePart {
		h, err := onStore(ctx, progs, o)
		if err != nil {
			return err
		}
		stored = h.markdown()
	}
	if o.only == "" || o.only == registryPart {
		r, err := onRegistries(ctx, progs, o)
		if err != nil {
			return err
		}
		asking = r.markdown()
	}
	if o.only == "" || o.only == agentPart {
		a, err := onAgents(ctx, o)
		if err != nil {
			return err
		}
		asked = a.markdown()
	}
	if o.only == "" || o.only == clusterPart {
		if whole, err = onCluster(ctx, progs, o); err != nil {
			return err
		}
	}
	fmt.Print(addSection(addSection(merge("", whole, asking), stored), asked))
	if !o.write {
		return nil
	}
	path := filepath.Join(progs.root, "docs", "benchmarks.md")
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	document, oldAsked := cutSection(string(old), agentTitle)
	document, oldStored := cutSection(document, storeTitle)
	document = addSection(merge(document, whole, asking), cmp.Or(stored, oldStored))
	document = addSection(document, cmp.Or(asked, oldAsked))
	return os.WriteFile(path, []byte(document), 0o644)
}

// onCluster measures the api vantage point alone.
func onCluster(ctx context.Context, progs programs, o options) (string, error) {
	r := newReport(ctx, o.rounds)
	var err error
	fmt.Fprintln(os.Stderr, "bench: reading messages …")
	if r.classifier, err = classifier(ctx, progs.root); err != nil {
		return "", err
	}
	lab, err := cluster.Up(ctx, cluster.Config{Name: "bench", Bare: true, Progress: os.Stderr})
	if err != nil {
		return "", err
	}
	err = onLab(ctx, lab, progs, o, r)
	if !o.keep {
		err = errors.Join(err, lab.Down(context.WithoutCancel(ctx)))
	}
	if err != nil {
		return "", err
	}
	return r.markdown(), nil
}

// onLab fills the lab and measures at each size. Between two sizes it first adds the healthy pods alone, to tell memory that
// grows with the cluster from memory that grows with what is wrong in it.
func onLab(ctx context.Context, lab *cluster.Lab, progs programs, o options, r *report) error {
	f, err := newFiller(ctx, lab, os.Stderr)
	if err != nil {
		return err
	}
	if r.kubernetes, err = serverVersion(ctx, lab); err != nil {
		return err
	}
	b := bench{lab: lab, progs: progs, rounds: o.rounds}
	failing := 0
	for i, size := range o.sizes {
		if i > 0 {
			if err := f.fill(ctx, size, failing); err != nil {
				return err
			}
			if err := b.stage(ctx, r, boundOf(size, failing), lean); err != nil {
				return err
			}
		}
		if err := f.fill(ctx, size, size); err != nil {
			return err
		}
		if err := b.stage(ctx, r, boundOf(size, size), all); err != nil {
			return err
		}
		failing = size
	}
	return nil
}
