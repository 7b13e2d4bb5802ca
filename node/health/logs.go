package health

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/config"
	"github.com/refloat-dev/refloat/node/host"
)

const (
	// maxLines is how many lines evidence takes; an eighth of the newest may be about the registry rather than the image.
	maxLines = 20
	// fresh is how old a line may be: a pull that fails now has said so since yesterday.
	fresh = 24 * time.Hour
)

// side is one of the two whose logs speak of pulls.
type side struct {
	name  string
	proc  *host.Process
	files []string // where its log is, where it is not seen from the process
	units []string // of systemd, where the process tells none
}

// logs collects the newest lines about the image.
func (l *look) logs(image string) {
	kubelet, _ := l.host.Kubelet() // not seen is what the other ways are for
	m, now, zone := of(image, l.rt.Endpoints), time.Now(), l.zone()
	var found []evidence.LogLine
	for _, s := range []side{l.runtimeSide(), {
		name: "the kubelet", proc: kubelet,
		files: []string{"/var/log/kubelet.log", "/var/lib/rancher/rke2/agent/logs/kubelet.log", "/var/log/k3s.log"},
		units: []string{"kubelet.service"},
	}} {
		c := &collector{marks: m, now: now, zone: zone}
		if err := l.read(s, c); err != nil {
			l.gap(fmt.Sprintf("the log of %s", s.name), evidence.Clean(err.Error()),
				fmt.Sprintf("on the node: journalctl -u %s --since -1h | grep '%s'", s.unit(), l.word(image)))
		}
		found = append(found, c.lines()...)
	}
	slices.SortStableFunc(found, func(a, b evidence.LogLine) int { return b.Time.Compare(a.Time) })
	l.found.Logs = found[:min(len(found), maxLines)]
}

func (l *look) runtimeSide() side {
	s := side{name: l.rt.Kind, proc: l.proc}
	switch l.rt.Kind {
	case config.CRIO:
		s.files, s.units = []string{"/var/log/crio.log", "/var/log/crio/crio.log"}, []string{"crio.service"}
	case config.Docker:
		s.files, s.units = []string{"/var/log/docker.log"}, []string{"docker.service", "cri-docker.service"}
	default:
		// k3s and RKE2 have it in containerd's root.
		s.files, s.units = []string{filepath.Join(l.rt.Root, "containerd.log"), "/var/log/containerd.log"}, []string{"containerd.service"}
	}
	return s
}

// read goes through one side's log: the file that the process writes, or else the first that is there.
func (l *look) read(s side, c *collector) error {
	if s.proc != nil {
		if name, at, ok := s.proc.Output(); ok {
			return c.file(name, at)
		}
	}
	for _, name := range s.files {
		at, err := l.host.Path(name)
		if err != nil {
			continue
		}
		if err := c.file(name, at); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return errNoLog
}

var errNoLog = errors.New("it is in no file that is known, and may be in the journal")

// unit is the systemd unit that a process belongs to.
func (s side) unit() string {
	if s.proc != nil {
		if u := s.proc.Unit(); u != "" {
			return u
		}
	}
	return s.units[0]
}

// word is what to look for by hand.
func (l *look) word(image string) string {
	name, _, _ := strings.Cut(evidence.CleanReference(image), "@")
	return strings.ReplaceAll(name, "'", "")
}

// zone is the node's, in which a kubelet writes its times.
func (l *look) zone() *time.Location {
	if data, err := l.host.ReadFile("/etc/localtime"); err == nil {
		if zone, err := time.LoadLocationFromTZData("node", data); err == nil {
			return zone
		}
	}
	return time.UTC
}

// collector keeps the lines of one log that are wanted, the newest first.
type collector struct {
	marks
	now      time.Time
	zone     *time.Location
	from     string
	of, near []evidence.LogLine // about the image, and about its registry
	seen     map[string]bool
}

func (c *collector) file(name, at string) error {
	c.from = evidence.Clean(name)
	return tail(at, func(line []byte) bool { return c.take(string(line)) })
}

// take looks at one line; it is false where older ones are not wanted.
func (c *collector) take(line string) bool {
	at := when(line, c.now, c.zone)
	if !at.IsZero() && c.now.Sub(at) > fresh {
		return false
	}
	low := strings.ToLower(line)
	switch {
	case has(low, c.image) && c.fresh(low):
		c.of = append(c.of, evidence.LogLine{Time: at, From: c.from, Text: short(strings.TrimSpace(line))})
	case len(c.near) < maxLines && has(low, c.registry) && c.fresh(low):
		c.near = append(c.near, evidence.LogLine{Time: at, From: c.from, Text: short(strings.TrimSpace(line))})
	}
	return len(c.of) < maxLines
}

var numbers = regexp.MustCompile(`[0-9a-f]{6,}|\d+`)

// fresh reports whether a line says more than to repeat a newer one: the kubelet says the same at each back-off.
func (c *collector) fresh(line string) bool {
	kind := numbers.ReplaceAllString(line, "#")
	if c.seen[kind] {
		return false
	}
	if c.seen == nil {
		c.seen = map[string]bool{}
	}
	c.seen[kind] = true
	return true
}

// lines are those about the image, and where they are few the ones about its registry.
func (c *collector) lines() []evidence.LogLine {
	const few = 4
	return slices.Concat(c.of, c.near[:min(len(c.near), max(few-len(c.of), 0))])
}
