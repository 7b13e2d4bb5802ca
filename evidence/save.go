package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// MaxFile bounds a saved Collection, in bytes.
const MaxFile = 256 << 20

// Save writes a Collection as JSON. The same Collection gives the same bytes.
func Save(w io.Writer, c *Collection) error {
	out := *c
	out.APIVersion, out.Kind = APIVersion, CollectionKind
	if out.Cases == nil {
		out.Cases = []*Case{}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(&out); err != nil {
		return fmt.Errorf("saving %d cases: %w", len(c.Cases), err)
	}
	// The file may be printed: texts in it come from whoever may write to the cluster.
	if _, err := w.Write(EscapeJSON(b.Bytes())); err != nil {
		return fmt.Errorf("saving %d cases: %w", len(c.Cases), err)
	}
	return nil
}

// Load reads what Save wrote. It takes nothing else: another version or kind, an
// unknown field, an empty case or bytes after the end are errors that say where.
func Load(r io.Reader) (*Collection, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading a case file: %w", err)
	}
	if len(data) > MaxFile {
		return nil, fmt.Errorf("the case file is larger than %d MiB", MaxFile>>20)
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, errors.New("the case file is empty")
	}
	if err := checkHeader(data); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	c := new(Collection)
	if err := dec.Decode(c); err != nil {
		return nil, explainJSON(err, dec.InputOffset())
	}
	if rest := bytes.TrimSpace(data[dec.InputOffset():]); len(rest) > 0 {
		return nil, fmt.Errorf("the case file goes on after its end, at byte %d", dec.InputOffset())
	}
	return c, checkCases(c)
}

// checkHeader looks at version and kind first: their error is clearer than that of a field they bring along.
func checkHeader(data []byte) error {
	var head struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&head); err != nil {
		return explainJSON(err, dec.InputOffset())
	}
	if head.Kind != CollectionKind {
		return fmt.Errorf("the file's kind is %q, not %q: it is no saved case file", Clean(head.Kind), CollectionKind)
	}
	if head.APIVersion != APIVersion {
		return fmt.Errorf("the case file's apiVersion is %q; this version reads %q", Clean(head.APIVersion), APIVersion)
	}
	return nil
}

// checkCases refuses the nulls that JSON allows and that no stage expects.
func checkCases(c *Collection) error {
	for _, all := range []struct {
		name  string
		cases []*Case
	}{{"case", c.Cases}, {"suspect", c.Suspects}} {
		for i, one := range all.cases {
			if one == nil {
				return fmt.Errorf("%s %d of the case file is null", all.name, i+1)
			}
			for j, f := range one.Facts {
				if f == nil {
					return fmt.Errorf("fact %d of %s %d of the case file is null", j+1, all.name, i+1)
				}
			}
		}
	}
	return nil
}

// explainJSON says in plain words what is wrong with a case file, and at which byte.
func explainJSON(err error, at int64) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("the case file is not JSON: at byte %d: %w", syntax.Offset, err)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errors.New("the case file ends in the middle: it was cut off")
	case errors.As(err, &kind):
		return fmt.Errorf("the case file has a %s where %q wants a %s, at byte %d", kind.Value, kind.Field, kind.Type, kind.Offset)
	}
	return fmt.Errorf("the case file cannot be read: near byte %d: %w", at, err)
}
