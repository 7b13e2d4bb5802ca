package cluster

import (
	"context"
	"fmt"
	"time"

	"github.com/refloat-dev/refloat/test/cluster/internal/proc"
)

// Status is how a lab is doing.
type Status struct {
	Name      string    `json:"name"`
	Healthy   bool      `json:"healthy"`
	Server    string    `json:"server"`
	Processes []Process `json:"processes"`
	Nodes     []NodeUp  `json:"nodes"`
	Broken    []string  `json:"broken"` // cases
	Problems  []string  `json:"problems"`
}

// Process is one of the lab's processes on the host.
type Process struct {
	Name  string `json:"name"`
	PID   int    `json:"pid"`
	Alive bool   `json:"alive"`
}

// NodeUp is a node and what keeps it from being Ready; an empty Problem is a Ready node.
type NodeUp struct {
	Node
	Problem string `json:"problem"`
}

// Problem is the first thing that is wrong, or empty.
func (s Status) Problem() string {
	if len(s.Problems) == 0 {
		return ""
	}
	return s.Problems[0]
}

// Status looks at every process and asks the API server for its nodes.
func (l *Lab) Status(ctx context.Context) Status {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	st := Status{Name: l.state.Name, Server: l.server(), Broken: l.Broken(), Problems: []string{}}
	for _, rec := range proc.Load(l.path("pids")) {
		p := Process{rec.Name, rec.PID, rec.Alive()}
		if !p.Alive {
			st.Problems = append(st.Problems, p.Name+" has ended")
		}
		st.Processes = append(st.Processes, p)
	}
	for _, n := range l.state.Nodes {
		up := NodeUp{Node: n}
		node, err := l.client.CoreV1().Nodes().Get(ctx, n.Name, getOptions)
		if err != nil {
			up.Problem = err.Error()
		} else {
			up.Problem = nodeReady(node)
		}
		if up.Problem != "" {
			st.Problems = append(st.Problems, fmt.Sprintf("%s is not Ready: %s", n.Name, up.Problem))
		}
		st.Nodes = append(st.Nodes, up)
	}
	st.Healthy = len(st.Problems) == 0
	return st
}
