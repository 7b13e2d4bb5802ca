package diagnose

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func checkReading(t *testing.T, r Reading) {
	t.Helper()
	if len(r.Candidates) == 0 || r.Candidates[0] != (Candidate{r.Cause, r.Confidence}) {
		t.Errorf("candidates %v do not begin with %s (%s)", r.Candidates, r.Cause, r.Confidence)
	}
	seen := map[Code]bool{}
	for _, c := range r.Candidates {
		if _, ok := ParseCode(string(c.Cause)); !ok || seen[c.Cause] || !slices.Contains([]Confidence{Likely, Possible, NoConfidence}, c.Confidence) {
			t.Errorf("candidate %v is no code, twice there, or of no confidence that a text can have", c)
		}
		seen[c.Cause] = true
	}
	for name, s := range map[string]string{"image": r.Image, "registry": r.Registry, "host": r.Host, "detail": r.Detail} {
		if len(s) > 4*maxRef || !utf8.ValidString(s) || strings.ContainsAny(s, "\x00\x1b\n\r") {
			t.Errorf("%s is unbounded or unprintable: %.80q", name, s)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range allShapes() {
		f.Add(s.text, "", "")
	}
	f.Add("[", "illegal base64 data at input byte 0", "a/b:c")
	f.Add("(Mirrors also failed: [a: b]): c", "\xff\xfe", "\x1b[31m")
	f.Add("Failed to pull image \"\x00\xff\": [rpc error: code = ", "", "")
	f.Add(strings.Repeat("[", 300)+strings.Repeat(", failed to ", 300), "", "")
	f.Fuzz(func(t *testing.T, message, reason, image string) {
		checkReading(t, Read(Text{Message: message, Reason: reason, Image: image}))
	})
}

func TestReadHostile(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty": "", "10 MB of brackets": strings.Repeat("[", 10<<20), "10 MB of list": strings.Repeat("[failed to a, ", 10<<20/14), "10 MB of quotes": strings.Repeat(`\"`, 5<<20),
		"binary": string([]byte{0, 1, 2, 0xff, 0xfe, 27, '[', '3', '1', 'm'}), "cause at the end of 10 MB": strings.Repeat("x", 10<<20) + ": no space left on device",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := Read(Text{Message: text})
			checkReading(t, r)
			if strings.HasPrefix(name, "cause") && r.Cause != DiskFull {
				t.Errorf("read %s", r.Cause)
			}
		})
	}
}
