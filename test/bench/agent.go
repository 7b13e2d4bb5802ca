package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/api/v1alpha1"
	"github.com/refloat-dev/refloat/kube/nodeprobe"
	"github.com/refloat-dev/refloat/kube/wire"
	"github.com/refloat-dev/refloat/test/cluster"
)

const (
	agentPart      = "agent"
	agentNamespace = "bench-agent"
	agentImage     = "open.lab/bench/agent:1.0"
	probesInTurn   = 200
	probesAtOnce   = 1000
	burstWorkers   = 32
	probes         = "/apis/" + v1alpha1.Group + "/" + v1alpha1.Version + "/namespaces/" + agentNamespace + "/" + v1alpha1.NodeProbeResource
	// settledAfter is how long nothing is asked before memory is read: the runtime gives back what it does not use within minutes.
	settledAfter = 150 * time.Second
)

// askedAgents is what the agents took.
type askedAgents struct {
	machine, revision, kubernetes, load string
	fresh, later                        map[string]int // anonymous memory in bytes, by node
	turn, floor                         []time.Duration
	burst                               burst
}

// burst is many NodeProbes about one image on one node.
type burst struct {
	load          string
	created, done time.Duration // until all are
	looks         int
	requests      int // of the registry
	alone         int // what one look asks it
}

// onAgents measures the agent as it is deployed, on a lab of its own or on the one that is named.
func onAgents(ctx context.Context, o options) (a *askedAgents, err error) {
	lab, err := cluster.Open(o.lab)
	if o.lab == "" {
		lab, err = cluster.Up(ctx, cluster.Config{Name: agentNamespace, Progress: os.Stderr})
		defer func() {
			if lab != nil && !o.keep {
				err = errors.Join(err, lab.Down(context.WithoutCancel(ctx)))
			}
		}()
	}
	if err != nil {
		return nil, err
	}
	fmt.Fprintln(os.Stderr, "bench: installing the agent …")
	if err := lab.InstallAgent(ctx); err != nil {
		return nil, err
	}
	if err := lab.MakeNamespace(ctx, agentNamespace); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lab.DropNamespace(context.WithoutCancel(ctx), agentNamespace)) }()
	image, err := madeImage(agentNamespace, runtime.GOARCH)
	if err == nil {
		err = lab.Push(ctx, agentImage, image)
	}
	if err != nil {
		return nil, err
	}
	api, err := wire.New(lab.RESTConfig())
	if err != nil {
		return nil, err
	}
	defer api.Close()
	b := agentBench{lab: lab, api: api, node: lab.Nodes()[0].Name}
	a = &askedAgents{machine: machine(), revision: revision(ctx), load: loadAverage()}
	if a.kubernetes, err = serverVersion(ctx, lab); err != nil {
		return nil, err
	}
	return a, b.measure(ctx, a)
}

type agentBench struct {
	lab  *cluster.Lab
	api  *wire.Client
	node string
}

func (b agentBench) measure(ctx context.Context, a *askedAgents) (err error) {
	if a.fresh, err = b.memory(ctx); err != nil {
		return err
	}
	before, err := b.requests(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "bench: %d NodeProbes in turn …\n", probesInTurn)
	if a.turn, err = b.inTurn(ctx, b.node); err != nil {
		return err
	}
	after, err := b.requests(ctx)
	if err != nil {
		return err
	}
	a.burst.alone = (after - before) / probesInTurn
	if a.floor, err = b.floorInTurn(ctx); err != nil {
		return fmt.Errorf("the floor: %w", err)
	}
	fmt.Fprintf(os.Stderr, "bench: %d NodeProbes at once …\n", probesAtOnce)
	if err := b.atOnce(ctx, &a.burst); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "bench: waiting for %s …\n", settledAfter)
	select {
	case <-time.After(settledAfter):
	case <-ctx.Done():
		return ctx.Err()
	}
	a.later, err = b.memory(ctx)
	return err
}

// memory is the agents' anonymous memory, from /proc on their nodes.
func (b agentBench) memory(ctx context.Context) (map[string]int, error) {
	const script = `for p in /proc/[0-9]*; do [ "$(readlink $p/exe)" = /refloat-agent ] && grep RssAnon $p/status; done; true`
	all := map[string]int{}
	for _, n := range b.lab.Nodes() {
		out, err := b.lab.Exec(ctx, n.Name, "sh", "-c", script)
		if err != nil {
			return nil, fmt.Errorf("%w: %s", err, out)
		}
		fields := strings.Fields(string(out))
		if len(fields) != 3 {
			return nil, fmt.Errorf("one agent was expected on %s, not: %s", n.Name, out)
		}
		kb, err := strconv.Atoi(fields[1])
		if err != nil {
			return nil, err
		}
		all[n.Name] = kb << 10
	}
	return all, nil
}

// requests is how often the registry was asked about the image.
func (b agentBench) requests(ctx context.Context) (n int, err error) {
	entries, err := b.lab.Requests(ctx)
	for _, e := range entries {
		if e.Host+"/"+e.Repository == strings.TrimSuffix(agentImage, ":1.0") {
			n++
		}
	}
	return n, err
}

func question(node string) nodeprobe.Question {
	return nodeprobe.Question{Namespace: agentNamespace, Spec: v1alpha1.NodeProbeSpec{NodeName: node, Image: agentImage}}
}

// inTurn asks as `kubectl refloat node` does: create, watch, read the answer.
func (b agentBench) inTurn(ctx context.Context, node string) (took []time.Duration, err error) {
	asker := nodeprobe.Asker{API: b.api}
	for range probesInTurn {
		began := time.Now()
		if _, err := asker.Ask(ctx, question(node)); err != nil {
			return nil, err
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took, nil
}
