package evidence

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// EscapeJSON writes what a terminal should not get as \uXXXX, which is the same JSON:
// such characters can stand inside strings only.
func EscapeJSON(in []byte) []byte {
	out := make([]byte, 0, len(in))
	for i := 0; i < len(in); {
		r, size := utf8.DecodeRune(in[i:])
		switch {
		case !Unsafe(r):
			out = append(out, in[i:i+size]...)
		case r >= 0x10000:
			r -= 0x10000
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		i += size
	}
	return out
}

// Unsafe tells the characters that JSON and YAML allow inside a string and a terminal should never get.
func Unsafe(r rune) bool {
	return r >= 0x7f && !unicode.IsPrint(r) && r != utf8.RuneError && !unicode.Is(unicode.Zs, r)
}
