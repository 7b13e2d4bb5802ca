package cluster

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/refloat-dev/refloat/test/cluster/internal/daemon"
)

// Config says what lab to start. The zero value is two nodes by the name of "lab".
type Config struct {
	Name  string
	Nodes int
	// Bare leaves out the nodes, the scheduler, and every controller but those of namespaces and service accounts: a store
	// of objects in which nothing is made, moved or removed, for benchmarks.
	Bare bool
	// ImageMiB is the size of each node's image filesystem; Inodes its number of inodes, where 0 leaves it to mkfs.
	ImageMiB, Inodes int
	// Progress gets a line per step; nil is silence.
	Progress io.Writer
	// Program is the lab's own binary; empty builds it.
	Program string
}

// Node is one node of a lab.
type Node struct {
	Name string `json:"name"`
	IP   string `json:"ip"`
	Pods string `json:"pods"` // its pods' subnet
}

// state is what lab.json keeps, written before anything is started so that Down knows what to look for.
type state struct {
	Name    string `json:"name"`
	ID      string `json:"id"`
	Index   int    `json:"index"`
	Nodes   []Node `json:"nodes"`
	Bin     string `json:"bin"`
	Program string `json:"program"`
	Ready   bool   `json:"ready"`
}

const (
	defaultName  = "lab"
	defaultNodes = 2
	defaultImage = 320
	stateRoot    = "/var/lib/refloat-lab"
)

var nameForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?$`)

func (c Config) withDefaults() (Config, error) {
	if c.Name == "" {
		c.Name = defaultName
	}
	if c.Nodes == 0 && !c.Bare {
		c.Nodes = defaultNodes
	}
	if c.ImageMiB == 0 {
		c.ImageMiB = defaultImage
	}
	if c.Progress == nil {
		c.Progress = io.Discard
	}
	if !nameForm.MatchString(c.Name) {
		return c, badName(c.Name)
	}
	if c.Bare && c.Nodes != 0 {
		return c, &UserError{What: "a bare lab has no nodes", Do: "leave out the number of nodes"}
	}
	if c.Nodes < 1 && !c.Bare || c.Nodes > maxNodes {
		return c, &UserError{What: fmt.Sprintf("a lab cannot have %d nodes", c.Nodes), Do: fmt.Sprintf("use 1 to %d", maxNodes)}
	}
	return c, nil
}

func newState(c Config, p plan) state {
	s := state{Name: c.Name, ID: rand.Text(), Index: p.index, Program: c.Program}
	for i := 1; i <= c.Nodes; i++ {
		s.Nodes = append(s.Nodes, Node{Name: "node-" + strconv.Itoa(i), IP: p.node(i).String(), Pods: p.pods(i).String()})
	}
	return s
}

// bare is a lab without nodes: nothing in it acts on pods.
func (s state) bare() bool { return len(s.Nodes) == 0 }

func (s state) plan() plan { return plan{s.Index} }

func (s state) bridge() string { return "rlab" + strconv.Itoa(s.Index) }

// veth is the host's end of node i's cable, counted from 1.
func (s state) veth(i int) string { return fmt.Sprintf("%sn%d", s.bridge(), i) }

// cgroup is the parent of all the lab's pods.
func (s state) cgroup() string { return "/refloat-lab-" + s.Name }

// hosts is every name that the lab's DNS knows.
func (s state) daemonConfig() daemon.Config {
	p := s.plan()
	cfg := daemonAddresses(p)
	cfg.Bin = s.Bin
	for i, n := range s.Nodes {
		cfg.Nodes[n.Name] = prefixes(p, i+1)
	}
	return cfg
}

func stateDir(name string) string { return filepath.Join(stateRoot, name) }

func lockFile(name string) string { return filepath.Join(stateRoot, name+".lock") }

func readState(name string) (state, error) {
	var s state
	data, err := os.ReadFile(filepath.Join(stateDir(name), "lab.json"))
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(data, &s); err != nil {
		return s, fmt.Errorf("reading lab.json: %w", err)
	}
	return s, nil
}

func (s state) write() error {
	return writeJSON(filepath.Join(stateDir(s.Name), "lab.json"), s)
}

func writeJSON(path string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	// Renamed into place: a crash while writing must not leave a lab that cannot be taken down.
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// takenIndexes reads the index of every lab on this machine.
func takenIndexes() map[int]bool {
	taken := map[int]bool{}
	for _, name := range Names() {
		if s, err := readState(name); err == nil {
			taken[s.Index] = true
		}
	}
	return taken
}

// Names lists the labs on this machine, half-started ones included.
func Names() []string {
	entries, _ := os.ReadDir(stateRoot)
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}
