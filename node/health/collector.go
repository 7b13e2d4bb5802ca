package health

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/evidence"
)

// collector keeps the lines of one log that are wanted, the newest first.
type collector struct {
	marks
	now      time.Time
	zone     *time.Location
	dies     bool // last words are wanted
	from     string
	of, near []evidence.LogLine // about the image; about its registry, or last words
	seen     map[string]bool
}

func (c *collector) file(name, at string) error {
	f, err := open(name, at)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	c.from = evidence.Clean(name)
	return tail(f, func(line []byte) bool {
		text := string(line)
		return c.take(text, when(text, c.now, c.zone))
	})
}

// take looks at one line; it is false where older ones are not wanted.
func (c *collector) take(line string, at time.Time) bool {
	if !at.IsZero() && c.now.Sub(at) > fresh {
		return false
	}
	low := strings.ToLower(line)
	switch {
	case has(low, c.image) && c.fresh(low):
		c.of = append(c.of, evidence.LogLine{Time: at, From: c.from, Text: short(strings.TrimSpace(line))})
	case len(c.near) < few && (has(low, c.registry) || c.dies && grave(low)) && c.fresh(low):
		c.near = append(c.near, evidence.LogLine{Time: at, From: c.from, Text: short(strings.TrimSpace(line))})
	}
	return len(c.of) < maxLines && (len(c.near) < few || len(c.image) > 0)
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

// lines are those about the image; last words, or where they are few the ones about its registry.
func (c *collector) lines() []evidence.LogLine {
	keep := max(few-len(c.of), 0)
	if c.dies {
		keep = few
	}
	return slices.Concat(c.of, c.near[:min(len(c.near), keep)])
}

// grave reports whether a line, in lower case, may be why a runtime does not run. Mere errors are those of its pods.
func grave(line string) bool {
	for _, mark := range []string{"level=fatal", "level=panic", `"level":"fatal"`, `"level":"panic"`, "failed to load plugin"} {
		if strings.Contains(line, mark) {
			return true
		}
	}
	// What it prints where its log is not open yet, and what Go prints.
	return strings.HasPrefix(line, "containerd: ") || strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ")
}
