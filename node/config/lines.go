package config

import (
	"bytes"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// keySep joins the parts of a TOML key: no key of a file that parses holds it.
const keySep = "\x00"

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
		key := string(it.Node().Data)
		for it.Next() {
			key += keySep + string(it.Node().Data)
		}
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = key
		default:
			if table != "" {
				key = table + keySep + key
			}
		}
		if _, seen := at[key]; !seen {
			at[key] = line
		}
	}
	return at
}

// of is the line of a key, or of what it stands in; 0 where neither is written.
func (l lines) of(parts ...string) int {
	for n := len(parts); n > 0; n-- {
		if line := l[strings.Join(parts[:n], keySep)]; line != 0 {
			return line
		}
	}
	return 0
}
