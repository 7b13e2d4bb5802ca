package plan

import (
	"fmt"
	"strings"
)

// quote makes any text one word of a POSIX shell, in printable ASCII. Names come from a cluster that may be hostile:
// what does not print is written as $'\x1b', which bash, zsh and ksh undo.
func quote(s string) string {
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

// kubectl is a command in a namespace; args are shell text already.
func kubectl(namespace string, args ...string) string {
	lead := "kubectl"
	if namespace != "" {
		lead += " -n " + quote(namespace)
	}
	return lead + " " + strings.Join(args, " ")
}

// object is TYPE/NAME as kubectl takes it: the type leads, so that no name can pass for a flag.
func object(kind, name string) string {
	return quote(strings.ToLower(kind) + "/" + name)
}

// newFile writes lines into a file on a node, only where there is none yet: what somebody wrote is not overwritten.
func newFile(path string, lines ...string) string {
	words := make([]string, len(lines))
	for i, l := range lines {
		words[i] = quote(l)
	}
	return fmt.Sprintf(`sudo test ! -e %s && printf '%%s\n' %s | sudo tee %s`, quote(path), strings.Join(words, " "), quote(path))
}

// manual is a step for a person.
func manual(title, note, after string, commands ...string) Step {
	return Step{Title: title, Risk: Manual, Note: note, After: after, Commands: commands}
}
