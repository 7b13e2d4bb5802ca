package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText bounds a text from outside, in bytes; the whole of it is in the saved collection.
const maxText = 600

// escape makes any text safe for one line of a terminal: spaces are joined, and what does not print
// (control characters, terminal sequences, bidi and zero-width marks, invalid UTF-8) shows as \x1b or \u202e.
func escape(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	space, marks := false, 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == '\n' || r == '\t' || r == '\r' || r == ' ' {
			space, marks, i = true, 0, i+size
			continue
		}
		if space && b.Len() > 0 {
			b.WriteByte(' ')
		}
		space = false
		// A stack of combining marks draws over the lines around it.
		if unicode.Is(unicode.M, r) {
			marks++
		} else {
			marks = 0
		}
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsPrint(r) && marks <= 2:
			b.WriteString(s[i : i+size])
		default:
			b.WriteString(escapeRune(r))
		}
		i += size
	}
	return b.String()
}

func escapeRune(r rune) string {
	switch {
	case r < 0x100:
		return fmt.Sprintf(`\x%02x`, r)
	case r < 0x10000:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}

// clean is escape, bounded: a longer text is cut, and says so.
func clean(s string) string {
	if len(s) <= maxText {
		return escape(s)
	}
	cut := maxText
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return fmt.Sprintf("%s ... (cut: %d of %d bytes shown)", escape(s[:cut]), cut, len(s))
}

// OneLine makes an error's text safe for one line of a terminal, and bounds it.
func OneLine(s string) string { return clean(s) }
