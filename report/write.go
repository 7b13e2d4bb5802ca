package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"sigs.k8s.io/yaml"

	"github.com/refloat-dev/refloat/evidence"
)

// Format is an output format, as given to -o.
type Format string

// The formats of a Report. JSONL is for readings only.
const (
	Text     Format = "text"
	JSON     Format = "json"
	YAML     Format = "yaml"
	Markdown Format = "markdown"
	SARIF    Format = "sarif"
	JUnit    Format = "junit"
	GitHub   Format = "github" // workflow commands, for planned images
	JSONL    Format = "jsonl"
)

// Formats are what Write takes, for a flag's help and its check.
func Formats() []Format { return []Format{Text, JSON, YAML, Markdown, SARIF, JUnit} }

// DefaultWidth is used where Options has no Width.
const DefaultWidth = 80

// Options concern the text format alone.
type Options struct {
	// Width is the number of columns; 0 means DefaultWidth.
	Width int
	// Colour allows terminal colours; the caller knows the terminal and NO_COLOR.
	Colour bool
}

func (o Options) width() int {
	if o.Width <= 0 {
		return DefaultWidth
	}
	return max(o.Width, 40)
}

// Write prints the report; the empty format is Text.
func Write(w io.Writer, format Format, r Report, o Options) error {
	b := bufio.NewWriter(w)
	var err error
	switch format {
	case Text, "":
		writeText(b, r, o)
	case JSON:
		err = writeJSON(b, r)
	case YAML:
		err = writeYAML(b, r)
	case Markdown:
		writeMarkdown(b, r)
	case SARIF:
		err = writeJSON(b, newSARIF(r))
	case JUnit:
		err = writeJUnit(b, r)
	case GitHub:
		writeGitHub(b, r)
	default:
		err = fmt.Errorf("no output format %q", format)
	}
	if err != nil {
		return err
	}
	return b.Flush()
}

func writeJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	_, err := w.Write(evidence.EscapeJSON(b.Bytes()))
	return err
}

// writeYAML shows unsafe characters as text, for a plain YAML string cannot escape them.
func writeYAML(w io.Writer, r any) error {
	var b bytes.Buffer
	if err := writeJSON(&b, r); err != nil {
		return err
	}
	var tree any
	if err := json.Unmarshal(b.Bytes(), &tree); err != nil {
		return fmt.Errorf("writing YAML: %w", err)
	}
	out, err := yaml.Marshal(visible(tree))
	if err != nil {
		return fmt.Errorf("writing YAML: %w", err)
	}
	_, err = w.Write(out)
	return err
}

func visible(v any) any {
	switch v := v.(type) {
	case string:
		return visibleString(v)
	case []any:
		for i := range v {
			v[i] = visible(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = visible(v[k])
		}
	}
	return v
}

func visibleString(s string) string {
	var b bytes.Buffer
	for _, r := range s {
		if evidence.Unsafe(r) {
			b.WriteString(escapeRune(r))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
