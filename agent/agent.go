// Package agent is what is resident on a node: it watches for NodeProbes that
// name its node, looks, and writes what it saw into their status.
//
// It opens no port, keeps nothing on disk, reads no secret, and asks the API
// server for its own node's NodeProbes, for the pods they name, and for nothing
// else; it polls nothing. What is looked at is Looker's: this package decides
// which questions are answered, answers equal ones once, and forgets answers
// after a while. It says nothing about causes and changes nothing on the node.
package agent

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/kube/wire"
	"github.com/refloat-dev/refloat/node"
)

// Looker looks at the node. It ends soon after ctx does and then says what it saw until there, the rest being gaps.
type Looker interface {
	Look(ctx context.Context, q node.Question) ([]*evidence.Fact, []evidence.Gap)
}

// Config is one agent.
type Config struct {
	// Node is the node's name in the API; API is how to reach the API server.
	Node string
	API  *rest.Config
	// Looker looks at this node.
	Looker Looker
	// Version is written into each status.
	Version string
	Log     *slog.Logger

	// Looks is how many may be under way at once; 0 is 4.
	Looks int
	// Budget ends a look, VerifyBudget one that reads all content; 0 is 2 minutes and an hour.
	Budget, VerifyBudget time.Duration
	// Rate bounds how fast content is read for a NodeProbe, in bytes a second; 0 is 64 MiB.
	Rate int64
	// Keep is how long a NodeProbe is left after it was answered; 0 is 10 minutes.
	Keep time.Duration
}

// agent is a Config at work.
type agent struct {
	Config
	api    *wire.Client
	looks  chan struct{} // a place for each look that may be under way
	hashes chan struct{} // and for each of those that read all content
	turns  chan struct{} // and for each other request
	tasks  sync.WaitGroup
	// listing is set while a list is read.
	listing atomic.Bool

	mu sync.Mutex
	// known are the NodeProbes that exist, by UID; next are the looks that have not begun and now those that have, by what they are asked.
	known     map[string]*entry
	next, now map[string]*look
	// tenants are the namespaces of known; open counts those that are unanswered, missed is set where one found no room.
	tenants map[string]*tenant
	open    int
	missed  bool
	// again ends the watch, and relist has all listed; round counts the lists.
	again  context.CancelCauseFunc
	relist bool
	round  int
}

// requests is how many requests are under way at once, the watch left out.
const requests = 8

// Run works NodeProbes off until ctx ends. It outlives an API server that is away.
func Run(ctx context.Context, c Config) error {
	if c.Node == "" {
		return errors.New("the agent needs its node's name")
	}
	api, err := wire.New(c.API)
	if err != nil {
		return err
	}
	defer api.Close()
	a := &agent{Config: c, api: api, known: map[string]*entry{}, next: map[string]*look{}, now: map[string]*look{}, tenants: map[string]*tenant{}, again: func(error) {}}
	a.Looks = cmp.Or(c.Looks, 4)
	a.Budget, a.VerifyBudget = cmp.Or(c.Budget, 2*time.Minute), cmp.Or(c.VerifyBudget, time.Hour)
	a.Rate, a.Keep = cmp.Or(c.Rate, 64<<20), cmp.Or(c.Keep, 10*time.Minute)
	a.looks, a.turns = make(chan struct{}, a.Looks), make(chan struct{}, requests)
	a.hashes = make(chan struct{}, max(1, a.Looks/2))
	a.Log.Info("watching for NodeProbes", "node", c.Node, "version", c.Version)
	a.follow(ctx)
	a.forgetOthers(a.nextRound()) // all, which stops the timers: nothing begins any more
	a.tasks.Wait()
	a.Log.Info("ended", "node", c.Node)
	return nil
}
