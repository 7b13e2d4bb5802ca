package lab

import (
	"context"
	"sync"
	"testing"
	"time"
)

// agent is the agent's installation, which the tests that need it share.
var agent struct {
	sync.Once
	err error
}

// installAgent has the agent run on every node from now on.
func installAgent(t *testing.T) {
	t.Helper()
	agent.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute) // the first caller's end is not everybody's
		defer cancel()
		agent.err = lab.InstallAgent(ctx)
	})
	if agent.err != nil {
		t.Fatal(agent.err)
	}
}
