package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
)

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// names lists a few and counts the rest.
func names(all []string) string {
	shown := make([]string, 0, maxNames)
	for _, s := range all[:min(len(all), maxNames)] {
		shown = append(shown, clean(s))
	}
	text := strings.Join(shown, ", ")
	if more := len(all) - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func join(codes []diagnose.Code) string {
	out := make([]string, len(codes))
	for i, c := range codes {
		out[i] = clean(string(c))
	}
	return strings.Join(out, ", ")
}

func refName(r evidence.Ref) string {
	name := r.Name
	if r.Namespace != "" {
		name = r.Namespace + "/" + name
	}
	if r.Kind == "" {
		return name
	}
	return r.Kind + " " + name
}

func crashLine(c evidence.Crash) string {
	text := fmt.Sprintf("%s/%s, container %s: %s, exit code %d", clean(c.Namespace), clean(c.Pod), clean(c.Container), clean(c.Reason), c.ExitCode)
	if c.Restarts > 0 {
		text += ", " + count(int(c.Restarts), "restart")
	}
	if c.Message != "" {
		text += ": " + clean(c.Message)
	}
	return text
}

// age is how long before the time of observation something was; the wall clock plays no part.
func age(t, now time.Time) string {
	if t.IsZero() || now.IsZero() {
		return ""
	}
	d := now.Sub(t)
	switch {
	case d < -time.Minute:
		return "in " + span(-d) // somebody's clock is wrong: worth seeing
	case d < time.Second:
		return "now" // a look takes a while, and the time of observation is its start
	}
	return span(d) + " ago"
}

func span(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

// escapeCommand leaves a command as plan quoted it; plan writes printable ASCII, so a change here means a broken
// plan, and a command that shows its escapes is better than one that drives the terminal.
func escapeCommand(c string) string {
	var b strings.Builder
	for _, r := range c {
		if r < 0x20 || evidence.Unsafe(r) {
			b.WriteString(escapeRune(r))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
