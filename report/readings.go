package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
)

// Line is one line of input to `explain -` and what it says.
type Line struct {
	// ID is the input's own id, as JSON; empty where it had none.
	ID      json.RawMessage
	Reading diagnose.Reading
}

// line is a Line's form in JSON; scores are taken over it, so its fields do not change.
type line struct {
	ID         json.RawMessage      `json:"id"`
	Cause      diagnose.Code        `json:"cause"`
	Confidence diagnose.Confidence  `json:"confidence"`
	Candidates []diagnose.Candidate `json:"candidates"`
	Image      string               `json:"image"`
	Registry   string               `json:"registry"`
	Runtime    string               `json:"runtime"`
}

// WriteReadings prints what single messages say, each as soon as it comes: as Text blocks, or as JSONL,
// one document a line.
func WriteReadings(w io.Writer, format Format, lines iter.Seq[Line], o Options) error {
	switch format {
	case JSONL:
		for l := range lines {
			if err := writeLine(w, l); err != nil {
				return err
			}
		}
		return nil
	case Text, "":
		return writeBlocks(w, lines, o)
	}
	return fmt.Errorf("no output format %q for messages", format)
}

func newLine(l Line) line {
	out := line{l.ID, l.Reading.Cause, l.Reading.Confidence, l.Reading.Candidates, l.Reading.Image, l.Reading.Registry, l.Reading.Runtime}
	if out.Candidates == nil {
		out.Candidates = []diagnose.Candidate{}
	}
	return out
}

func writeLine(w io.Writer, l Line) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(newLine(l)); err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	_, err := w.Write(evidence.EscapeJSON(b.Bytes()))
	return err
}

func writeBlocks(w io.Writer, lines iter.Seq[Line], o Options) error {
	n := 0
	for l := range lines {
		b := bufio.NewWriter(w)
		p := &printer{w: b, columns: o.width(), colour: o.Colour}
		if n > 0 {
			p.blank()
		}
		n++
		p.reading(n, l)
		if err := b.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func (p *printer) reading(n int, l Line) {
	mark := fmt.Sprintf("%d. ", n)
	if id := string(l.ID); id != "" && id != "null" {
		var s string
		if json.Unmarshal(l.ID, &s) == nil {
			id = s
		}
		mark = clean(id) + ": "
	}
	r := l.Reading
	p.prose(red, "", "", mark+Title(r.Cause))
	p.prose(dim, "  ", "", fmt.Sprintf("%s, %s", clean(string(r.Cause)),
		confidence(Finding{Cause: r.Cause, Confidence: r.Confidence, Candidates: r.Candidates})))
	for _, field := range [][2]string{
		{"Image", r.Image}, {"Registry", r.Registry}, {"Asked", r.Host}, {"Runtime", r.Runtime}, {"Said", r.Detail},
	} {
		p.field(field[0], clean(field[1]))
	}
}
