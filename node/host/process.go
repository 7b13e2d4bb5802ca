package host

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Process is a process of the node.
type Process struct {
	PID  int
	Name string // the program's file name
	Args []string
	// Started is when; zero where /proc does not tell.
	Started time.Time
	proc    string
}

// ErrNoProcess says that no such process runs on the node, or that its processes cannot be seen from here.
var ErrNoProcess = errors.New("no such process is seen")

// runtimes are the programs that serve CRI, and kubelets those that are a kubelet, k3s and its like being one too.
var (
	runtimes = []string{"containerd", "crio", "cri-dockerd", "dockerd"}
	kubelets = []string{"kubelet", "k3s", "k3s-server", "k3s-agent", "rke2", "k0s", "hyperkube"}
)

// Runtime finds the container runtime's process: containerd before dockerd, since both may run. The oldest one counts.
func (h *Host) Runtime() (*Process, error) { return h.find(runtimes) }

// Kubelet finds the kubelet's process.
func (h *Host) Kubelet() (*Process, error) { return h.find(kubelets) }

// Isolated reports whether only this program's own processes are seen, as in a pod without hostPID.
func (h *Host) Isolated() bool {
	comm, err := os.ReadFile(filepath.Join(h.proc(), "1", "comm"))
	self, err2 := os.Readlink(filepath.Join(h.proc(), "self"))
	return err != nil || err2 == nil && self == "1" || strings.TrimSpace(string(comm)) == "pause"
}

func (h *Host) find(names []string) (*Process, error) {
	entries, err := os.ReadDir(h.proc())
	if err != nil {
		return nil, fmt.Errorf("looking for %s: %w", names[0], err)
	}
	var best *Process
	rank := len(names)
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		p := h.process(pid)
		if p == nil {
			continue
		}
		at := slices.Index(names, p.Name)
		if at < 0 || at > rank || at == rank && best != nil && best.PID < pid {
			continue
		}
		best, rank = p, at
	}
	if best == nil {
		return nil, fmt.Errorf("%w: %s", ErrNoProcess, names[0])
	}
	return best, nil
}

// process reads one; nil where it is gone, a thread of the kernel, or a zombie.
func (h *Host) process(pid int) *Process {
	dir := filepath.Join(h.proc(), strconv.Itoa(pid))
	line, err := readBounded(filepath.Join(dir, "cmdline"), 128<<10)
	if err != nil || len(line) == 0 {
		return nil
	}
	args := strings.Split(string(bytes.TrimRight(line, "\x00")), "\x00")
	// The name by which it was started, and not the link to its program: reading that needs CAP_SYS_PTRACE.
	first, _, _ := strings.Cut(args[0], " ")
	p := &Process{PID: pid, Name: filepath.Base(first), Args: args, proc: dir}
	if info, err := os.Stat(dir); err == nil {
		p.Started = info.ModTime()
	}
	return p
}

// Env is the process's environment as it was started. In a pod this takes CAP_SYS_PTRACE and the node's processes in view.
func (p *Process) Env() (map[string]string, error) {
	data, err := readBounded(filepath.Join(p.proc, "environ"), 1<<20)
	if err != nil {
		return nil, fmt.Errorf("reading the environment of %s: %w", p.Name, err)
	}
	env := map[string]string{}
	for pair := range strings.SplitSeq(string(data), "\x00") {
		if k, v, ok := strings.Cut(pair, "="); ok && k != "" {
			env[k] = v
		}
	}
	return env, nil
}

// Flag is the value of a flag such as --config, given as --config=X, --config X or with one dash; empty where it is not given.
// Of one that is given twice the last counts.
func (p *Process) Flag(name string) string {
	value := ""
	for i := 1; i < len(p.Args); i++ {
		arg := strings.TrimLeft(p.Args[i], "-")
		if arg == p.Args[i] {
			continue
		}
		k, v, given := strings.Cut(arg, "=")
		switch {
		case k != name:
		case given:
			value = v
		case i+1 < len(p.Args):
			value = p.Args[i+1]
		}
	}
	return value
}

func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, limit))
}
