package config

import (
	"bytes"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// keySep joins the parts of a TOML key: no key of a file that parses holds it.
const keySep = "\x00"

// maxDepth bounds how deep keys are noted: no setting is deeper.
const maxDepth = 8

// lines tells where each key and table of a TOML document stands, as far as the document can be read.
type lines map[string]int

// linesOf reads them. What stands in an inline table is at its table's line.
func linesOf(b []byte) lines {
	at := lines{}
	var table string
	line, offset := 1, 0
	p := unstable.Parser{}
	p.Reset(b)
	for p.NextExpression() {
		e := p.Expression()
		it := e.Key()
		if !it.Next() {
			continue
		}
		start := int(it.Node().Raw.Offset)
		line += bytes.Count(b[offset:start], []byte{'\n'})
		offset = start
		key := ""
		if e.Kind == unstable.KeyValue {
			key = table
		}
		for depth := 0; it.Node().Valid() && depth < maxDepth; depth++ {
			if key != "" {
				key += keySep
			}
			key += string(it.Node().Data)
			if _, seen := at[key]; !seen {
				at[key] = line
			}
			if !it.Next() {
				break
			}
		}
		if e.Kind != unstable.KeyValue {
			table = key
		}
	}
	return at
}

// of is the line of a key, or of what it stands in; 0 where neither is written.
func (l lines) of(parts ...string) int {
	for n := len(parts); n > 0; n-- {
		if line := l.exactly(parts[:n]...); line != 0 {
			return line
		}
	}
	return 0
}

// exactly is the line of a key; 0 where it is not written.
func (l lines) exactly(parts ...string) int { return l[strings.Join(parts, keySep)] }
