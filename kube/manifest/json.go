package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"

	"go.yaml.in/yaml/v3"
)

// parseJSON reads a stream of JSON objects into YAML's tree, which knows lines. YAML's own parser takes
// neither objects without a mark between them nor every escape of JSON.
func parseJSON(data []byte) ([]*yaml.Node, error) {
	p := jsonParser{dec: json.NewDecoder(bytes.NewReader(data))}
	p.dec.UseNumber()
	for i, c := range data {
		if c == '\n' {
			p.breaks = append(p.breaks, int64(i))
		}
	}
	var docs []*yaml.Node
	for {
		n, err := p.value(0)
		if errors.Is(err, io.EOF) && len(docs) > 0 {
			return docs, nil
		}
		if err != nil {
			return nil, err
		}
		if docs = append(docs, n); len(docs) > maxDocuments {
			return nil, fmt.Errorf("there are more than %d documents", maxDocuments)
		}
	}
}

type jsonParser struct {
	dec    *json.Decoder
	breaks []int64
}

func (p *jsonParser) value(depth int) (*yaml.Node, error) {
	if depth > maxDepth {
		return nil, errDeep
	}
	t, err := p.dec.Token()
	if err != nil {
		if errors.Is(err, io.EOF) && depth > 0 {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	at := p.dec.InputOffset() - 1
	n := &yaml.Node{Kind: yaml.ScalarNode, Line: 1 + sort.Search(len(p.breaks), func(i int) bool { return p.breaks[i] >= at })}
	switch t := t.(type) {
	case json.Delim:
		n.Kind = yaml.MappingNode
		if t == '[' {
			n.Kind = yaml.SequenceNode
		}
		return n, p.members(n, depth)
	case string:
		n.Tag, n.Value = "!!str", t
	case json.Number:
		n.Tag, n.Value = "!!float", t.String()
	case bool:
		n.Tag, n.Value = "!!bool", fmt.Sprint(t)
	case nil:
		n.Tag, n.Value = "!!null", "null"
	}
	return n, nil
}

// members reads what stands between the brackets; the decoder sees to keys and commas.
func (p *jsonParser) members(n *yaml.Node, depth int) error {
	for p.dec.More() {
		c, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		n.Content = append(n.Content, c)
	}
	_, err := p.dec.Token() // the closing bracket
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// lineAt is the line that a JSON error names, 0 where it names none.
func lineAt(data []byte, err error) int {
	var bad *json.SyntaxError
	switch {
	case errors.As(err, &bad) && bad.Offset <= int64(len(data)):
		return 1 + bytes.Count(data[:bad.Offset], []byte("\n"))
	case errors.Is(err, io.ErrUnexpectedEOF):
		return 1 + bytes.Count(bytes.TrimRight(data, " \t\r\n"), []byte("\n"))
	}
	return 0
}
