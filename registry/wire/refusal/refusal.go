// Package refusal reads what the body of an error says: the error list of the distribution specification, what token servers, proxies and
// portals write in its place, pages and object stores' XML.
//
// It takes any bytes and returns plain text on one line, without control characters. It refuses to say what an error means, and
// it does not redact: its caller knows the secrets.
package refusal

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind is what a body is.
type Kind string

// The kinds.
const (
	Empty  Kind = ""
	JSON   Kind = "json"
	HTML   Kind = "html"
	XML    Kind = "xml"
	Text   Kind = "text"
	Binary Kind = "binary"
)

// Refusal is a body that was read.
type Refusal struct {
	Kind Kind
	// Codes are the errors' codes in upper case, each once, at most eight.
	Codes []string
	// Text is what it tells a person. It is no longer than the body, and may be as long.
	Text string
}

const (
	maxCodes  = 8
	maxErrors = 16
)

// Parse reads the body of an error.
func Parse(body []byte) Refusal {
	body = bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\ufeff")))
	switch {
	case len(body) == 0:
		return Refusal{}
	case isBinary(body):
		return Refusal{Kind: Binary}
	case body[0] == '{' || body[0] == '[' || body[0] == '"':
		var v any
		if json.Unmarshal(body, &v) == nil {
			return fromJSON(v)
		}
	case body[0] == '<':
		if r, ok := fromXML(body); ok {
			return r
		}
		if isHTML(body) {
			return Refusal{Kind: HTML, Text: Line(visible(string(body)))}
		}
	}
	return Refusal{Kind: Text, Text: Line(string(body))}
}

// isBinary tells bytes that no person reads: a compressed body, an image.
func isBinary(b []byte) bool {
	head := b[:min(len(b), 512)]
	if bytes.IndexByte(head, 0) >= 0 {
		return true
	}
	bad := 0
	for s := head; len(s) > 0; {
		r, n := utf8.DecodeRune(s)
		if r == utf8.RuneError && n == 1 {
			bad++
		}
		s = s[n:]
	}
	return bad > len(head)/8
}

func fromJSON(v any) Refusal {
	r := Refusal{Kind: JSON}
	var texts []string
	for _, e := range errorsOf(v) {
		if text := r.read(e); text != "" {
			texts = append(texts, text)
		}
	}
	r.Text = Line(strings.Join(texts, "; "))
	return r
}

// errorsOf finds the list of errors, or the one.
func errorsOf(v any) []any {
	switch v := v.(type) {
	case []any:
		return v[:min(len(v), maxErrors)]
	case map[string]any:
		switch list := v["errors"].(type) {
		case []any:
			if len(list) > 0 {
				return list[:min(len(list), maxErrors)]
			}
		case map[string]any, string:
			return []any{list}
		}
		return []any{v}
	}
	return []any{v}
}

// read takes one error's code and returns its text.
func (r *Refusal) read(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		if inner, ok := v["error"].(map[string]any); ok {
			v = inner
		}
		code, _ := v["code"].(string)
		r.add(code)
		if text := textOf(v); text != "" {
			return text
		}
		return code
	}
	return ""
}

// textOf joins the parts that hold words: message of the distribution specification, details of Docker Hub's token server, error and
// error_description of OAuth 2.0 (RFC 6749, section 5.2), title and detail of RFC 9457, and what others use.
func textOf(v map[string]any) string {
	var parts []string
	for _, key := range []string{"title", "error", "message", "msg", "error_description", "detail", "details", "err", "reason"} {
		text, _ := v[key].(string)
		if text == "" || len(parts) > 0 && (key == "reason" || strings.EqualFold(parts[len(parts)-1], text)) {
			continue
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ": ")
}

var codeForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,63}$`)

func (r *Refusal) add(code string) {
	code = strings.ToUpper(code)
	if !codeForm.MatchString(code) || len(r.Codes) == maxCodes {
		return
	}
	for _, c := range r.Codes {
		if c == code {
			return
		}
	}
	r.Codes = append(r.Codes, code)
}

// fromXML reads the error of an object store: S3, GCS and Azure write alike.
func fromXML(body []byte) (Refusal, bool) {
	var e struct {
		XMLName xml.Name `xml:"Error"`
		Code    string   `xml:"Code"`
		Message string   `xml:"Message"`
	}
	if xml.Unmarshal(body, &e) != nil || e.Code == "" && e.Message == "" {
		return Refusal{}, false
	}
	r := Refusal{Kind: XML, Text: Line(strings.TrimPrefix(e.Code+": "+e.Message, ": "))}
	r.add(e.Code)
	return r, true
}

// Line puts a text on one line: every run of blanks, controls and marks that change the direction of writing becomes one blank.
func Line(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range s {
		if r == utf8.RuneError || unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
			gap = b.Len() > 0
			continue
		}
		if gap {
			b.WriteByte(' ')
			gap = false
		}
		b.WriteRune(r)
	}
	return b.String()
}
