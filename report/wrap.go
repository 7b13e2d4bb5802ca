package report

import (
	"strings"
	"unicode"
)

// width is how many columns a text takes: two for East Asian wide characters, none for combining marks.
func width(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case unicode.Is(unicode.M, r):
		case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3,
			r >= 0xf900 && r <= 0xfaff, r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60,
			r >= 0x1f300 && r <= 0x1faff, r >= 0x20000 && r <= 0x3fffd:
			n += 2
		default:
			n++
		}
	}
	return n
}

// wrap breaks prose at spaces; a word that is longer than a line (a URL, a digest) stays whole, so that it can be copied.
func wrap(s string, columns int) []string {
	var lines []string
	line, used := "", 0
	for _, word := range strings.Fields(s) {
		w := width(word)
		if line != "" && used+1+w > columns {
			lines, line, used = append(lines, line), "", 0
		}
		if line != "" {
			line, used = line+" ", used+1
		}
		line, used = line+word, used+w
	}
	if line == "" {
		return lines
	}
	return append(lines, line)
}

// wrapCommand breaks a shell command between its arguments with backslash-newline, so that it runs as printed.
func wrapCommand(cmd string, columns int) []string {
	if strings.Contains(cmd, "\n") || width(cmd) <= columns {
		return strings.Split(cmd, "\n")
	}
	var lines []string
	line := ""
	for _, arg := range phrases(arguments(cmd)) {
		switch {
		case line == "":
			line = arg
		case width(line)+1+width(arg)+2 > columns:
			lines = append(lines, line+` \`)
			line = "  " + arg
		default:
			line += " " + arg
		}
	}
	return append(lines, line)
}

// phrases keeps together what reads as one: a flag and its value, a redirection and its file, a pipe and its command.
func phrases(args []string) []string {
	var out []string
	glue, flag := false, false
	for _, a := range args {
		isFlag := len(a) > 1 && a[0] == '-' && a != "--"
		if glue || flag && !isFlag {
			out[len(out)-1] += " " + a
		} else {
			out = append(out, a)
		}
		glue = a == "|" || a == ">" || a == "<" || a == "&&"
		flag = isFlag && !strings.Contains(a, "=")
	}
	return out
}

// arguments splits a shell command at the spaces outside quotes; it keeps every other character.
func arguments(cmd string) []string {
	var out []string
	var quote byte
	start, depth := 0, 0
	for i := 0; i < len(cmd); i++ {
		c := cmd[i]
		switch {
		case quote == '\'':
			if c == '\'' {
				quote = 0
			}
		case c == '\\':
			i++
		case quote == '"':
			if c == '"' {
				quote = 0
			}
		case quote == '$': // $'…', where a backslash hides the next character
			if c == '\'' {
				quote = 0
			}
		case c == '$' && i+1 < len(cmd) && cmd[i+1] == '\'':
			quote, i = '$', i+1
		case c == '\'' || c == '"':
			quote = c
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ' ' && depth <= 0:
			if i > start {
				out = append(out, cmd[start:i])
			}
			start = i + 1
		}
	}
	if start < len(cmd) {
		out = append(out, cmd[start:])
	}
	return out
}
