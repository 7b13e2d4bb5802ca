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
	kubelets = []string{"kubelet", "kubelite", "k3s", "k3s-server", "k3s-agent", "rke2", "k0s", "microshift", "hyperkube"}
)

// Runtime finds the container runtime's process: containerd before dockerd, since both may run. The oldest one counts.
func (h *Host) Runtime() (*Process, error) { return h.find(runtimes) }

// Kubelet finds the kubelet's process.
func (h *Host) Kubelet() (*Process, error) { return h.find(kubelets) }

// Process finds the process of a program by its file name, that of an earlier name before that of a later one.
func (h *Host) Process(names ...string) (*Process, error) { return h.find(names) }

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
		if at < 0 || p.aside() || at > rank || at == rank && best != nil && best.PID < pid {
			continue
		}
		best, rank = p, at
	}
	if best == nil {
		return nil, fmt.Errorf("%w: %s", ErrNoProcess, names[0])
	}
	return best, nil
}

// asides are parts of paths by which a containerd is known that serves no kubelet: dockerd's own, the one of Bottlerocket's
// host containers, the one of Talos' own services.
var asides = []string{"/docker/containerd", "/host-containerd/", "/system/run/containerd"}

func (p *Process) aside() bool {
	if p.Name != "containerd" {
		return false
	}
	for _, flag := range []string{p.Flag("config"), p.Flag("c"), p.Flag("address"), p.Flag("a")} {
		if slices.ContainsFunc(asides, func(a string) bool { return strings.Contains(flag, a) }) {
			return true
		}
	}
	return false
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
	p.Started = p.started(h.proc())
	return p
}

// started is when the process began: the node's boot and the ticks since then, which are hundredths of a second on every
// Linux. The time of its folder is only when somebody looked first.
func (p *Process) started(proc string) time.Time {
	const start = 22 - 3 // of proc(5)'s fields, those before the state left out
	fields := p.stat()
	if len(fields) <= start {
		return time.Time{}
	}
	ticks, err := strconv.ParseInt(fields[start], 10, 62)
	if err != nil {
		return time.Time{}
	}
	all, err := readBounded(filepath.Join(proc, "stat"), 1<<20)
	if err != nil {
		return time.Time{}
	}
	for line := range strings.Lines(string(all)) {
		if at, ok := strings.CutPrefix(line, "btime "); ok {
			boot, err := strconv.ParseInt(strings.TrimSpace(at), 10, 62)
			if err != nil {
				return time.Time{}
			}
			return time.Unix(boot, 0).Add(time.Duration(ticks) * 10 * time.Millisecond).UTC()
		}
	}
	return time.Time{}
}

// stat is what /proc tells of the process, from its state on; empty where it does not.
func (p *Process) stat() []string {
	stat, err := readBounded(filepath.Join(p.proc, "stat"), 4<<10)
	if err != nil {
		return nil
	}
	// The name before it stands in brackets and may hold any.
	return strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
}

// State is what the process does: R, S, D (it waits for a disk), T (it is stopped), Z; 0 where /proc does not tell.
func (p *Process) State() byte {
	if fields := p.stat(); len(fields) > 0 {
		return fields[0][0]
	}
	return 0
}

// Unit is the systemd unit that the process belongs to, such as containerd.service; empty where its control groups name none.
func (p *Process) Unit() string {
	groups, err := readBounded(filepath.Join(p.proc, "cgroup"), 64<<10)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(groups)) {
		if name := filepath.Base(strings.TrimSpace(line)); strings.HasSuffix(name, ".service") {
			return name
		}
	}
	return ""
}

// Output is the file that the process's messages go to, by the process's own name for it, and where it is opened from here;
// ok is false where that is no file but the journal's socket, a pipe or a terminal. In a pod it takes CAP_SYS_PTRACE, and no mount.
func (p *Process) Output() (name, at string, ok bool) {
	for _, fd := range []string{"2", "1"} {
		at = filepath.Join(p.proc, "fd", fd)
		name, err := os.Readlink(at)
		if err != nil {
			continue
		}
		if info, err := os.Stat(at); err == nil && info.Mode().IsRegular() {
			return name, at, true
		}
	}
	return "", "", false
}

// Files is the node as the process itself sees it, whatever of it is mounted here: for what lies in folders that are no other
// business of ours, such as the kubelet's own file in its folder full of pods' secrets, and for programs to be run as the process
// would run them. In a pod it takes CAP_SYS_PTRACE, and no mount; without it all that is below is ErrPermission.
func (p *Process) Files() *Host {
	return &Host{Root: filepath.Join(p.proc, "root"), Proc: filepath.Dir(p.proc)}
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
