package health

import (
	"encoding/json"
	"math"
	"regexp"
	"strings"
	"time"
)

// klog begins a line of the kubelet's: E1122 21:26:26.734116   41 file.go:359] message.
var klog = regexp.MustCompile(`^[IWEF](\d{4} \d\d:\d\d:\d\d\.\d{6})\s+\d+ \S+:\d+\] `)

// when is the time that a line bears; zero where it bears none that is known. A line without a year is of the last twelve
// months, and without a zone of the node's.
func when(line string, now time.Time, zone *time.Location) time.Time {
	if m := klog.FindStringSubmatch(line); m != nil {
		// The year that is read with it must be a leap year, or 29 February would not be a date.
		t, err := time.ParseInLocation("2006 0102 15:04:05.000000", "2000 "+m[1], zone)
		if err != nil {
			return time.Time{}
		}
		t = time.Date(now.In(zone).Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), zone)
		if t.After(now.Add(24 * time.Hour)) {
			t = t.AddDate(-1, 0, 0)
		}
		return t.UTC()
	}
	if strings.HasPrefix(line, "{") {
		return jsonTime(line)
	}
	if rest, ok := strings.CutPrefix(line, `time="`); ok { // containerd, CRI-O
		text, _, _ := strings.Cut(rest, `"`)
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00"} {
			if t, err := time.Parse(layout, text); err == nil {
				return t.UTC()
			}
		}
	}
	return time.Time{}
}

// jsonTime is of a line in JSON: `time` of containerd's, `ts` in milliseconds of the kubelet's.
func jsonTime(line string) time.Time {
	var fields struct {
		Time time.Time
		TS   float64
	}
	if json.Unmarshal([]byte(line), &fields) != nil {
		return time.Time{}
	}
	if fields.Time.IsZero() && fields.TS > 0 && fields.TS < math.MaxInt64/1e6 {
		return time.UnixMicro(int64(fields.TS * 1e3)).UTC()
	}
	return fields.Time.UTC()
}
