package cluster

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/test/cluster/internal/daemon"
	"github.com/refloat-dev/refloat/test/cluster/internal/proc"
)

// Answers of the lab's DNS, and modes of a registry's port 443.
const (
	DNSOK       = daemon.AnswerOK
	DNSNXDomain = daemon.AnswerNXDomain
	DNSServFail = daemon.AnswerServFail
	DNSNothing  = daemon.AnswerNothing

	PortTLS       = daemon.ModeTLS
	PortExpired   = daemon.ModeExpired
	PortNotYet    = daemon.ModeNotYet
	PortWrongName = daemon.ModeWrongName
	PortUntrusted = daemon.ModeUntrusted
	PortPlain     = daemon.ModePlain
	PortRefused   = daemon.ModeRefused
)

// SetDNS changes what DNS answers about name ("*": every name) to node and its pods (empty: to everybody).
func (l *Lab) SetDNS(ctx context.Context, node, name string, a daemon.Answer) error {
	return l.control().Call(ctx, "PUT", "/dns", daemon.Rule{Node: node, Name: name, Answer: a}, nil)
}

// SetPort changes how a registry host's port 443 answers.
func (l *Lab) SetPort(ctx context.Context, host string, m daemon.Mode) error {
	return l.control().Call(ctx, "PUT", "/ports", daemon.Port{Host: host, Mode: m}, nil)
}

// SetUser adds or replaces a registry's user.
func (l *Lab) SetUser(ctx context.Context, host string, u registrytest.User) error {
	return l.control().Call(ctx, "PUT", "/users", daemon.User{Host: host, User: u}, nil)
}

// AddFault makes registries fail; give the fault the case's name as ID, and Where.Client a Node's IP to fail only there.
func (l *Lab) AddFault(ctx context.Context, faults ...registrytest.Fault) error {
	return l.control().Call(ctx, "POST", "/registry/faults", registrytest.Control{Add: faults}, nil)
}

// ClearFault removes the faults of that ID.
func (l *Lab) ClearFault(ctx context.Context, id string) error {
	return l.control().Call(ctx, "POST", "/registry/faults", registrytest.Control{Clear: []string{id}}, nil)
}

// Requests is what the registries were asked since the lab's start.
func (l *Lab) Requests(ctx context.Context) ([]registrytest.Entry, error) {
	var out []registrytest.Entry
	return out, l.control().Call(ctx, "GET", "/registry/requests", nil, &out)
}

// filler takes room on a node's image filesystem.
const filler = "/var/lib/containerd/filler"

// FillDisk leaves freePercent of a node's image filesystem free.
func (l *Lab) FillDisk(ctx context.Context, node string, freePercent int) error {
	if err := l.FreeDisk(ctx, node); err != nil {
		return err
	}
	out, err := l.Exec(ctx, node, "df", "-k", "--output=size,avail", "/var/lib/containerd")
	if err != nil {
		return err
	}
	var size, avail int
	_, rest, _ := strings.Cut(string(out), "\n")
	if _, err := fmt.Sscan(rest, &size, &avail); err != nil {
		return fmt.Errorf("reading df on %s: %w", node, err)
	}
	take := avail - size*freePercent/100
	if take <= 0 {
		return nil
	}
	if out, err := l.Exec(ctx, node, "fallocate", "-l", strconv.Itoa(take)+"KiB", filler); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// FreeDisk takes FillDisk back.
func (l *Lab) FreeDisk(ctx context.Context, node string) error {
	_, err := l.Exec(ctx, node, "rm", "-f", filler)
	return err
}

// silentHop is a neighbour that does not exist: packets to it leave the node and nobody answers. A blackhole route would
// not do, since it fails a local connect at once.
const (
	silentHop = "169.254.77.77"
	silentMAC = "02:00:00:00:00:77"
)

// DropTraffic makes a node and its pods lose every packet to addr silently; with refuse they are told at once that
// there is no way.
func (l *Lab) DropTraffic(ctx context.Context, node, addr string, refuse bool) error {
	if refuse {
		_, err := l.Exec(ctx, node, "ip", "route", "replace", "prohibit", addr+"/32")
		return err
	}
	if _, err := l.Exec(ctx, node, "ip", "neigh", "replace", silentHop, "lladdr", silentMAC, "dev", "eth0", "nud", "permanent"); err != nil {
		return err
	}
	_, err := l.Exec(ctx, node, "ip", "route", "replace", addr+"/32", "via", silentHop, "dev", "eth0", "onlink")
	return err
}

// RestoreTraffic takes DropTraffic back.
func (l *Lab) RestoreTraffic(ctx context.Context, node, addr string) error {
	_, err := l.Exec(ctx, node, "sh", "-c", "ip route del "+addr+"/32 2>&1 || ! ip route show "+addr+"/32 | grep -q .")
	return err
}

// Service starts, stops, kills, pauses or resumes containerd or kubelet on a node.
func (l *Lab) Service(ctx context.Context, node, service, verb string) error {
	c, err := l.Init(node)
	if err != nil {
		return err
	}
	return c.Do(ctx, service, verb)
}

// SignalProgram sends a signal to one of the lab's host programs, such as kube-apiserver.
func (l *Lab) SignalProgram(name string, sig os.Signal) error {
	rec, ok := proc.Find(l.path("pids"), name)
	if !ok {
		return fmt.Errorf("there is no record of %s", name)
	}
	return rec.Signal(sig)
}

// NodePath is where a node's file can be reached from the host while the node runs.
func (l *Lab) NodePath(node, path string) (string, error) {
	rec, err := l.nodeProcess(node)
	if err != nil {
		return "", err
	}
	return filepath.Join("/proc", strconv.Itoa(rec.PID), "root", path), nil
}

// WriteFile writes a file on a node, such as one below CertsDir.
func (l *Lab) WriteFile(node, path string, data []byte, mode fs.FileMode) error {
	p, err := l.NodePath(node, path)
	if err != nil {
		return err
	}
	return writeFile(p, data, mode)
}

// ReadFile reads a file on a node.
func (l *Lab) ReadFile(node, path string) ([]byte, error) {
	p, err := l.NodePath(node, path)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(p)
}

// RemoveFile removes a file or folder on a node.
func (l *Lab) RemoveFile(node, path string) error {
	p, err := l.NodePath(node, path)
	if err != nil {
		return err
	}
	return os.RemoveAll(p)
}
