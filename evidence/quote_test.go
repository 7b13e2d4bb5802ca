package evidence_test

import (
	"os/exec"
	"testing"

	"github.com/refloat-dev/refloat/evidence"
)

func TestQuote(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "web-1", "web-1"},
		{"image", "registry.example.com:5000/shop/web@sha256:0a", "registry.example.com:5000/shop/web@sha256:0a"},
		{"empty", "", "''"},
		{"flag", "-o", "'-o'"},
		{"space", "a b", "'a b'"},
		{"substitution", "$(reboot)", "'$(reboot)'"},
		{"quote", "it's", `'it'\''s'`},
		{"escape sequence", "a\x1b[2Jb", `$'a\033[2Jb'`},
		{"bidi", "a\u202eb", `$'a\342\200\256b'`},
		{"digits after an escape", "\x011", `$'\0011'`},
		{"newline and quote", "a\n'b", `$'a\012\'b'`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := evidence.Quote(tt.in); got != tt.want {
				t.Errorf("Quote(%q) = %s, want %s", tt.in, got, tt.want)
			}
		})
	}
}

// FuzzQuote holds Quote to the shell itself: what it prints must come back as it went in.
func FuzzQuote(f *testing.F) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		f.Skip("no bash")
	}
	for _, s := range []string{"web", "it's", "$(x)`y`", "a\nb", "\x1b]0;x\a", "-n", "\\", "é\u202e", "~root", "!x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for i := 0; i < len(s); i++ {
			if s[i] == 0 {
				t.Skip("no argument can hold a zero byte")
			}
		}
		quoted := evidence.Quote(s)
		for i := 0; i < len(quoted); i++ {
			if quoted[i] < 0x20 || quoted[i] > 0x7e {
				t.Fatalf("Quote(%q) prints byte %#x", s, quoted[i])
			}
		}
		out, err := exec.Command(bash, "-c", "printf %s "+quoted).Output()
		if err != nil {
			t.Fatal(err)
		}
		if s != "" && string(out) != s && s[0] != '-' {
			t.Errorf("the shell reads %s as %q, want %q", quoted, out, s)
		}
	})
}
