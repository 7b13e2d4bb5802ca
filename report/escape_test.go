package report

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestEscape(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "a b", "a b"},
		{"spaces", " a \r\n\t b ", "a b"},
		{"colour", "\x1b[31mred", `\x1b[31mred`},
		{"title by OSC", "\x1b]0;x\a", `\x1b]0;x\x07`},
		{"C1 control", "\u009b31m", `\x9b31m`},
		{"bidi", "a\u202eb\u2066", `a\u202eb\u2066`},
		{"zero width", "a\u200bb\ufeff", `a\u200bb\ufeff`},
		{"invalid UTF-8", "a\xff\xfeb", `a\xff\xfeb`},
		{"replacement character", "\ufffd", "\ufffd"},
		{"no-break space", "a\u00a0b", `a\xa0b`},
		{"tag character", "\U000e0041", `\U000e0041`},
		{"other scripts", "образ 镜像 é", "образ 镜像 é"},
		{"stacked marks", "a\u0301\u0301\u0301", "a\u0301\u0301" + `\u0301`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := escape(tt.in); got != tt.want {
				t.Errorf("escape(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestCleanCuts(t *testing.T) {
	t.Parallel()
	got := clean(strings.Repeat("é", 1<<20))
	if !utf8.ValidString(got) || !strings.HasSuffix(got, "(cut: 600 of 2097152 bytes shown)") {
		t.Errorf("got %q", got)
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"a", "\x1b[0m", "\u202e", "\xff", "\r\n", "a\u0301\u0301\u0301", "\U000e0041", "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := escape(s)
		for _, r := range got {
			if !unicode.IsPrint(r) {
				t.Fatalf("escape(%q) lets %U through", s, r)
			}
		}
		if escape(got) != got {
			t.Fatalf("escape(%q) is not stable: %q, then %q", s, got, escape(got))
		}
		if n := len(clean(s)); n > 10*maxText+100 {
			t.Fatalf("clean gives %d bytes for %d", n, len(s))
		}
		for _, line := range wrap(got, 20) {
			if width(line) > 20 && strings.Contains(line, " ") {
				t.Fatalf("line %q does not fit", line)
			}
		}
	})
}

// FuzzWrapCommand: breaking a command must not change its words.
func FuzzWrapCommand(f *testing.F) {
	for _, s := range []string{"kubectl -n shop get pod", `a 'b c' "d e" $'f\' g' h\ i`, "$(a b) c", "| > <", "a  b", "'", `"\"`, "a \\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsAny(s, "\n") {
			t.Skip("commands are one line")
		}
		got := strings.Join(wrapCommand(s, 20), "\n")
		got = strings.ReplaceAll(got, " \\\n ", "")
		if squeeze(got) != squeeze(s) {
			t.Errorf("wrapCommand(%q) gives %q", s, got)
		}
	})
}

func squeeze(s string) string { return strings.ReplaceAll(s, " ", "") }
