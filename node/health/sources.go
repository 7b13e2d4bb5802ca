package health

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/node/config"
	"github.com/refloat-dev/refloat/node/health/journal"
	"github.com/refloat-dev/refloat/node/host"
)

// views are the node's files as they are mounted here and, where not all of them are, as one of the processes sees them.
func (l *look) views(all ...*host.Process) {
	l.seen = []*host.Host{l.host}
	for _, p := range all {
		if p == nil || l.host.Sees("/var/log") && l.host.Sees("/run/log") && l.host.Sees("/usr/share/zoneinfo") {
			continue
		}
		if files := p.Files(); len(l.seen) == 1 && readable(files) {
			l.seen = append(l.seen, files)
		}
	}
}

// readable reports whether a process's files are seen at all, which takes a capability.
func readable(h *host.Host) bool {
	_, err := h.Stat("/")
	return err == nil
}

// side is one of the two whose logs speak of pulls.
type side struct {
	name    string
	runtime bool
	proc    *host.Process
	files   []string // where its log may be, where it is not seen from the process
	units   []string // of systemd, where the process tells none
}

func (l *look) runtimeSide() side {
	s := side{name: l.rt.Kind, runtime: true, proc: l.proc}
	switch l.rt.Kind {
	case config.CRIO:
		s.files, s.units = []string{"/var/log/crio.log", "/var/log/crio/crio.log"}, []string{"crio.service"}
	case config.Docker:
		s.files, s.units = []string{"/var/log/docker.log"}, []string{"docker.service", "cri-docker.service"}
	default:
		// k3s and RKE2 have it in containerd's root.
		s.files = []string{filepath.Join(l.rt.Root, "containerd.log"), "/var/log/containerd.log"}
		s.units = []string{"containerd.service", "snap.microk8s.daemon-containerd.service"}
	}
	return s
}

func kubeletSide(p *host.Process) side {
	return side{name: "the kubelet", proc: p,
		files: []string{"/var/log/kubelet.log", "/var/lib/rancher/rke2/agent/logs/kubelet.log", "/var/log/k3s.log"},
		units: []string{"kubelet.service", "k3s.service", "k3s-agent.service", "snap.microk8s.daemon-kubelite.service"}}
}

// wants are the units whose messages are wanted: the process's own where that is known.
func (s side) wants() []string {
	if s.proc != nil {
		if u := s.proc.Unit(); u != "" {
			return []string{u}
		}
	}
	return s.units
}

// read goes through one side's log: the file that the process writes, or else the first that is there and the journal.
func (l *look) read(s side, c *collector) error {
	if s.proc != nil {
		if name, at, ok := s.proc.Output(); ok {
			return c.file(name, at)
		}
	}
	none := true
	for _, name := range s.files {
		err := l.file(name, c)
		if err == nil && len(c.of) > 0 {
			return nil
		}
		none = none && err != nil
	}
	if err := l.journal(s.wants(), c); none || !errors.Is(err, errNoJournal) {
		return err
	}
	return nil
}

// file reads a log of that name, where it is seen first.
func (l *look) file(name string, c *collector) error {
	var errs []error
	for _, h := range l.seen {
		at, err := h.Path(name)
		if err == nil {
			err = c.file(name, at)
		}
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

var errNoJournal = errors.New("it is in no file that is known, and no journal is seen from here")

// maxJournals is how many files of the journal are read, the ones written last.
const maxJournals = 4

// journal goes through the units' messages in the files of the journal.
func (l *look) journal(units []string, c *collector) error {
	files := l.journals()
	if len(files) == 0 {
		return errNoJournal
	}
	var errs []error
	said, skipped := 0, 0
	for _, file := range files {
		for _, unit := range units {
			n, err := file.read(unit, func(at time.Time, message []byte) bool {
				said++
				c.from = unit
				return c.take(string(message), at)
			})
			skipped += n
			errs = append(errs, err)
		}
	}
	switch err := errors.Join(errs...); {
	case said+skipped == 0 && err == nil:
		return fmt.Errorf("the journal has nothing of %s", strings.Join(units, " or "))
	case skipped > 0:
		return fmt.Errorf("%d long messages in the journal are compressed by other means than zstd, and were not read", skipped)
	default:
		return err
	}
}

// journalFile is one by the node's name for it and by where it is opened.
type journalFile struct {
	name, at string
	changed  time.Time
}

func (j journalFile) read(unit string, take func(time.Time, []byte) bool) (int, error) {
	f, err := open(j.name, j.at)
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }()
	skipped, err := journal.Newest(f, unit, take)
	if err != nil {
		err = fmt.Errorf("%s: %w", j.name, err)
	}
	return skipped, err
}

// journals are the files of the system's journal, the one that was written to last first.
func (l *look) journals() []journalFile {
	for _, h := range l.seen {
		if all := journalsOf(h); len(all) > 0 {
			return all
		}
	}
	return nil
}

func journalsOf(h *host.Host) []journalFile {
	var all []journalFile
	for _, dir := range []string{"/var/log/journal", "/run/log/journal"} {
		machines, _ := h.ReadDir(dir) // not there is not read
		for _, m := range machines {
			names, _ := h.ReadDir(filepath.Join(dir, m.Name()))
			for _, n := range names {
				name := filepath.Join(dir, m.Name(), n.Name())
				info, err := n.Info()
				if err != nil || !system(n) {
					continue
				}
				if at, err := h.Path(name); err == nil {
					all = append(all, journalFile{name, at, info.ModTime()})
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b journalFile) int { return cmp.Or(b.changed.Compare(a.changed), cmp.Compare(a.at, b.at)) })
	return all[:min(len(all), maxJournals)]
}

// system tells a file of the system's from a user's.
func system(e fs.DirEntry) bool {
	return e.Type().IsRegular() && strings.HasPrefix(e.Name(), "system") && strings.HasSuffix(e.Name(), ".journal")
}
