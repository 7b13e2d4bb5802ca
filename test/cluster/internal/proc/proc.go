// Package proc starts the lab's processes and ends them again, by pid and start time, so that a pid that was given to a
// stranger meanwhile is never touched. It refuses to end anything by name.
package proc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Marker is the environment variable that every process of a lab carries, with the lab's random id as its value.
const Marker = "REFLOAT_LAB_ID"

// Record names one process beyond doubt: a pid is reused, a pid with its start time within one boot is not.
type Record struct {
	Name  string `json:"name"`
	PID   int    `json:"pid"`
	Start uint64 `json:"start"` // clock ticks since boot, /proc/PID/stat field 22
	Boot  string `json:"boot"`
}

// Start runs cmd in a session of its own and leaves its record in dir.
func Start(dir, name string, cmd *exec.Cmd) (Record, error) {
	detach(cmd)
	if err := cmd.Start(); err != nil {
		return Record{}, fmt.Errorf("starting %s: %w", name, err)
	}
	rec := Record{Name: name, PID: cmd.Process.Pid, Boot: bootID()}
	// The start time is read before Wait can reap, so it is this process's even if it has already ended.
	rec.Start, _, _ = stat(rec.PID)
	go func() { _ = cmd.Wait() }()
	data, err := json.Marshal(rec)
	if err != nil {
		return rec, err
	}
	if err := os.WriteFile(filepath.Join(dir, name+".json"), data, 0o600); err != nil {
		_ = cmd.Process.Kill()
		return rec, fmt.Errorf("recording %s: %w", name, err)
	}
	return rec, nil
}

// Load reads the records in dir. A record that cannot be read is skipped: it names nothing.
func Load(dir string) []Record {
	files, _ := filepath.Glob(filepath.Join(dir, "*.json"))
	var recs []Record
	for _, f := range files {
		var rec Record
		if data, err := os.ReadFile(f); err == nil && json.Unmarshal(data, &rec) == nil && rec.PID > 0 {
			recs = append(recs, rec)
		}
	}
	return recs
}

// Find is Load for one name.
func Find(dir, name string) (Record, bool) {
	for _, rec := range Load(dir) {
		if rec.Name == name {
			return rec, true
		}
	}
	return Record{}, false
}

// Alive reports whether the very process of the record still runs.
func (r Record) Alive() bool {
	if r.Boot != bootID() {
		return false
	}
	start, dead, err := stat(r.PID)
	return err == nil && start == r.Start && !dead
}

func (r Record) present() bool {
	start, _, err := stat(r.PID)
	return err == nil && start == r.Start
}

// Signal sends the process a signal, if it is still the very one.
func (r Record) Signal(sig os.Signal) error {
	p, err := os.FindProcess(r.PID) // before the check, as in Kill
	if err != nil || !r.Alive() {
		return fmt.Errorf("%s (pid %d) does not run", r.Name, r.PID)
	}
	defer func() { _ = p.Release() }()
	return p.Signal(sig)
}

// Kill ends the process at once and waits until it is gone.
func (r Record) Kill(ctx context.Context) error {
	// The handle is taken before the check: on Linux it holds the process, so the pid cannot change hands in between.
	p, err := os.FindProcess(r.PID)
	if err != nil || !r.Alive() {
		return nil
	}
	defer func() { _ = p.Release() }()
	if err := p.Signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("ending %s (pid %d): %w", r.Name, r.PID, err)
	}
	for r.Alive() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s (pid %d) to end: %w", r.Name, r.PID, ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// WaitReaped waits until none of the ended processes is left as a zombie, for five seconds at most: a zombie holds nothing
// any more, but whoever looks at ps should not find one, and some machines' init is slow to collect.
func WaitReaped(ctx context.Context, recs []Record) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for slices.ContainsFunc(recs, Record.present) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Marked finds the processes that carry the lab's id, for what a crash left without a record.
func Marked(id string) []Record {
	if id == "" {
		return nil
	}
	want := Marker + "=" + id
	dirs, _ := filepath.Glob("/proc/[0-9]*/environ")
	var recs []Record
	for _, f := range dirs {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		start, _, err := stat(pid)
		if err != nil || pid == os.Getpid() {
			continue
		}
		env, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		for kv := range strings.SplitSeq(string(env), "\x00") {
			if kv == want {
				recs = append(recs, Record{Name: "pid " + strconv.Itoa(pid), PID: pid, Start: start, Boot: bootID()})
			}
		}
	}
	return recs
}

func bootID() string {
	b, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(b))
}

func stat(pid int) (start uint64, dead bool, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, false, err
	}
	return parseStat(string(data))
}

// parseStat reads from behind the last parenthesis: the program's name may hold spaces and parentheses itself. A zombie is
// dead only when no thread is left: while a program runs another in its place, its first thread is a zombie for a moment.
func parseStat(s string) (start uint64, dead bool, err error) {
	_, rest, ok := cutLast(s, ") ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 20 {
		return 0, false, fmt.Errorf("unexpected stat line %q", s)
	}
	start, err = strconv.ParseUint(fields[19], 10, 64)
	return start, (fields[0] == "Z" || fields[0] == "X") && fields[17] <= "1", err
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
