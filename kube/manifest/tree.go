package manifest

import (
	"encoding/json"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// resolve gives what a node stands for.
func resolve(n *yaml.Node) *yaml.Node {
	for n != nil {
		switch {
		case n.Kind == yaml.AliasNode:
			n = n.Alias
		case n.Kind == yaml.DocumentNode && len(n.Content) > 0:
			n = n.Content[0]
		default:
			return n
		}
	}
	return nil
}

// field is a mapping's value as it stands there, nil where there is none. The last of several wins, and each
// wins over a merged one, as in kubectl.
func field(n *yaml.Node, key string) *yaml.Node {
	n = resolve(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	var found *yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		if k := n.Content[i]; k.Kind == yaml.ScalarNode && k.Value == key {
			found = n.Content[i+1]
		}
	}
	if found != nil {
		return found
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Tag != "!!merge" {
			continue
		}
		for _, m := range listOf(n.Content[i+1]) {
			if found := field(m, key); found != nil {
				return found
			}
		}
	}
	return nil
}

// listOf is a sequence's items; anything else is a list of itself.
func listOf(n *yaml.Node) []*yaml.Node {
	n = resolve(n)
	switch {
	case n == nil:
		return nil
	case n.Kind == yaml.SequenceNode:
		return n.Content
	}
	return []*yaml.Node{n}
}

// at is what stands at a dotted path; a * is every item or value there.
func at(n *yaml.Node, path string) []*yaml.Node {
	found := []*yaml.Node{n}
	for _, part := range strings.Split(path, ".") {
		var next []*yaml.Node
		for _, n := range found {
			if part == "*" {
				next = append(next, values(n)...)
			} else if v := field(n, part); v != nil {
				next = append(next, v)
			}
		}
		found = next
	}
	return found
}

func values(n *yaml.Node) []*yaml.Node {
	n = resolve(n)
	if n == nil || n.Kind == yaml.ScalarNode {
		return nil
	}
	if n.Kind == yaml.SequenceNode {
		return n.Content
	}
	var out []*yaml.Node
	for i := 1; i < len(n.Content); i += 2 {
		out = append(out, n.Content[i])
	}
	return out
}

// text is a scalar's value; empty for null and for what is no scalar.
func text(n *yaml.Node) string {
	n = resolve(n)
	if n == nil || n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return ""
	}
	return n.Value
}

// decode reads a part of a document into a type of the API, which knows JSON only. What does not fit is an
// error of that part: the API server would refuse it.
func decode(n *yaml.Node, into any) error {
	var plain any
	if err := n.Decode(&plain); err != nil {
		return err
	}
	raw, err := json.Marshal(plain)
	if err != nil {
		return fmt.Errorf("a key is not a text: %w", err)
	}
	return json.Unmarshal(raw, into)
}
