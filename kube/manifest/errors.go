package manifest

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// Error is a file that cannot be taken for manifests. Its text is two lines:
// what is wrong and where, and what to do.
type Error struct {
	File string
	Line int // 0 where none is known
	What string
	Do   string
	Err  error
}

func (e *Error) Error() string {
	at := Show(evidence.Place{File: e.File, Line: e.Line})
	return fmt.Sprintf("%s: %s\n%s", at, strings.ReplaceAll(e.What, "\n", " "), e.Do)
}

func (e *Error) Unwrap() error { return e.Err }

// Show is a place for a person: shop.yaml:12.
func Show(p evidence.Place) string {
	file := p.File
	if file == "-" {
		file = "standard input"
	}
	if p.Line > 0 {
		return fmt.Sprintf("%s:%d", file, p.Line)
	}
	return file
}

const (
	render = "render it first: helm template … | kubectl refloat check -f -"
	build  = "build it first: kubectl kustomize DIR | kubectl refloat check -f -"
	leave  = "name the files to check with -f, and leave this one out"
)

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// syntax is an error of the YAML or JSON parser, in its own words.
func (s *stream) syntax(line int, err error) error {
	what := err.Error()
	if m := yamlLine.FindStringSubmatch(what); m != nil {
		what = what[len(m[0]):]
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
	}
	e := &Error{File: s.file, Line: line, What: "it does not parse: " + evidence.Clean(what), Do: leave, Err: err}
	if bytes.Contains(s.data, []byte("{{")) {
		e.What, e.Do = "it is a template that nobody has rendered ("+evidence.Clean(what)+")", render
	}
	return e
}

func (s *stream) fail(line int, do, format string, args ...any) error {
	return &Error{File: s.file, Line: line, What: fmt.Sprintf(format, args...), Do: do}
}
