package refusal

import (
	"bytes"
	"html"
	"strings"
)

// isHTML looks at the first tag.
func isHTML(body []byte) bool {
	head := strings.ToLower(string(body[:min(len(body), 256)]))
	for _, tag := range []string{"<!doctype html", "<html", "<head", "<body", "<title", "<h1", "<center", "<p>", "<div", "<!--"} {
		if strings.HasPrefix(head, tag) {
			return true
		}
	}
	return strings.HasPrefix(head, "<?xml") && bytes.Contains(body[:min(len(body), 1024)], []byte("<html"))
}

// silent are elements whose content nobody reads.
var silent = []string{"script", "style", "svg", "noscript", "template"}

// visible is the text of a page, in one pass: an element that does not end is dropped to the end.
func visible(page string) string {
	lower := asciiLower(page)
	var b strings.Builder
	for i := 0; i < len(page); {
		if page[i] != '<' {
			end := strings.IndexByte(page[i:], '<')
			if end < 0 {
				end = len(page) - i
			}
			b.WriteString(page[i : i+end])
			i += end
			continue
		}
		b.WriteByte(' ')
		i = afterTag(lower, i)
	}
	return html.UnescapeString(b.String())
}

// afterTag is where the text goes on behind the tag at i.
func afterTag(lower string, i int) int {
	closing := ">"
	if strings.HasPrefix(lower[i:], "<!--") {
		closing = "-->"
	}
	for _, name := range silent {
		if rest, ok := strings.CutPrefix(lower[i+1:], name); ok && rest != "" && strings.IndexByte(" \t\r\n/>", rest[0]) >= 0 {
			closing = "</" + name
		}
	}
	end := strings.Index(lower[i:], closing)
	if end < 0 {
		return len(lower)
	}
	end += i + len(closing) - 1 // at the last byte of closing, which may be the end of the tag
	if last := strings.IndexByte(lower[end:], '>'); last >= 0 {
		return end + last + 1
	}
	return len(lower)
}

// asciiLower keeps every byte where it is, which strings.ToLower does not.
func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
