package evidence

import (
	"fmt"
	"strings"
)

// Quote makes any text one word of a POSIX shell, in printable ASCII. Names come from a cluster that may be hostile:
// what does not print is written as $'\x1b', which bash, zsh and ksh undo.
func Quote(s string) string {
	plain, printable := s != "", true
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < 0x20 || c > 0x7e {
			printable = false
		}
		if !safeByte(c) {
			plain = false
		}
	}
	switch {
	case plain && s[0] != '-' && s[0] != '~' && s[0] != '=':
		return s
	case printable:
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return ansiQuote(s)
}

func safeByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_@%+=:,./-~", c) >= 0
}

func ansiQuote(s string) string {
	var b strings.Builder
	b.WriteString("$'")
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\'' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < 0x20 || c > 0x7e:
			// Three octal digits: unlike \xHH they cannot swallow the character that follows.
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('\'')
	return b.String()
}
