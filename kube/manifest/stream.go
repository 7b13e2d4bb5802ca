package manifest

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	maxDocuments = 50000
	// maxDepth is how deep values may stand in each other: an object of the API is a dozen deep.
	maxDepth = 200
	// maxValues bounds what a document's aliases stand for, all expanded.
	maxValues = 4 << 20
)

// stream is one file while it is read.
type stream struct {
	*reader
	file string
	data []byte
	docs int
}

// read visits each document of the file, one after the other.
func (s *stream) read() error {
	s.data = bytes.TrimPrefix(s.data, []byte("\xef\xbb\xbf"))
	if head := bytes.TrimLeft(s.data, " \t\r\n"); len(head) > 0 && head[0] == '{' && !bytes.HasPrefix(head, []byte("{{")) {
		docs, err := parseJSON(s.data)
		if err == nil {
			for _, d := range docs {
				if err := s.document(d); err != nil {
					return err
				}
			}
			return nil
		}
		// A flow mapping of YAML begins so too, but hardly with a quote.
		if strings.HasPrefix(strings.TrimLeft(string(head[1:min(len(head), 100)]), " \t\r\n"), `"`) || s.readYAML() != nil {
			return s.syntax(lineAt(s.data, err), err)
		}
		return nil
	}
	return s.readYAML()
}

func (s *stream) readYAML() error {
	dec := yaml.NewDecoder(bytes.NewReader(s.data))
	for {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return s.syntax(0, err)
		}
		if err := s.document(&doc); err != nil {
			return err
		}
	}
}

func (s *stream) document(doc *yaml.Node) error {
	if s.docs++; s.docs > maxDocuments {
		return s.fail(doc.Line, "check it in parts", "there are more than %d documents", maxDocuments)
	}
	w := weigher{known: map[*yaml.Node]int{}}
	if _, err := w.weigh(doc, 0); err != nil {
		return s.fail(doc.Line, leave, "%v", err)
	}
	if w.template > 0 && bytes.Contains(s.data, []byte("{{")) {
		return s.fail(w.template, render, "it is a template that nobody has rendered")
	}
	return s.object(resolve(doc), 0)
}

var (
	errDeep  = errors.New("values stand in each other too deep")
	errCycle = errors.New("an alias names what it is a part of")
	errBomb  = errors.New("the aliases stand for too much")
)

// weigher counts the values of a document as if its aliases were written out, without writing them out.
type weigher struct {
	known    map[*yaml.Node]int // of anchored nodes; 0 while one is being counted
	template int                // line of a mapping used as a key, which is what {{ … }} reads as
}

func (w *weigher) weigh(n *yaml.Node, depth int) (int, error) {
	if depth > maxDepth {
		return 0, errDeep
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Anchor != "" {
		if sum, ok := w.known[n]; ok {
			if sum == 0 {
				return 0, errCycle
			}
			return sum, nil
		}
		w.known[n] = 0
	}
	sum := 1
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && c.Kind == yaml.MappingNode && w.template == 0 {
			w.template = c.Line
		}
		part, err := w.weigh(c, depth+1)
		if err != nil {
			return 0, err
		}
		if sum += part; sum > maxValues {
			return 0, errBomb
		}
	}
	if n.Anchor != "" {
		w.known[n] = sum
	}
	return sum, nil
}
