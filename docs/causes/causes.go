// Package causes holds one page for each cause: what it means, how it looks,
// how it is known, its fix, how to prevent it, and where all that comes from.
//
// It knows nothing of the program: the pages are read as they are, on the web
// and by `kubectl refloat explain CODE`.
package causes

import (
	"embed"
	"sort"
	"strings"
)

//go:embed *.md
var pages embed.FS

// Page returns a cause's page in Markdown; false where there is none of that code.
func Page(code string) (string, bool) {
	if strings.ContainsAny(code, `/\`) {
		return "", false
	}
	b, err := pages.ReadFile(code + ".md")
	if err != nil {
		return "", false
	}
	return string(b), true
}

// Codes lists the causes that have a page, sorted.
func Codes() []string {
	entries, err := pages.ReadDir(".")
	if err != nil { // an embedded folder always reads
		return nil
	}
	var codes []string
	for _, e := range entries {
		codes = append(codes, strings.TrimSuffix(e.Name(), ".md"))
	}
	sort.Strings(codes)
	return codes
}
