// Package hide keeps a session's own secrets out of what is kept of it. A registry may send back what it was sent; it is found in every form
// that servers put it into by themselves: as it is, in another case, escaped for URLs, HTML or JSON, as base64.
//
// It refuses to find what somebody took pains to disguise: whoever can do that has the secret already.
package hide

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/wire/refusal"
)

const (
	hiddenWord = "REDACTED"
	// minSecret is the length from which a secret is taken out wherever it is; a shorter one only where it stands alone, or there would be no
	// text left.
	minSecret = 4
	maxText   = 2 << 10
	maxField  = 256
	maxURL    = 1 << 10
)

// Secrets are what a session has sent or was given. The zero value has none.
type Secrets struct {
	words []string // in ASCII lower case, the longest first
	short []string
}

// Login adds a password, alone and as Basic authentication writes it.
func (h *Secrets) Login(username, password string) {
	if password == "" {
		return
	}
	h.Add(password)
	h.Add(base64.RawStdEncoding.EncodeToString([]byte(username + ":" + password)))
	h.Add(base64.RawStdEncoding.EncodeToString([]byte(password)))
}

// Add adds a secret.
func (h *Secrets) Add(secret string) {
	quoted, _ := json.Marshal(secret) // a string always marshals
	for _, w := range []string{
		secret, strings.TrimSpace(secret), refusal.Line(secret), html.EscapeString(secret),
		url.QueryEscape(secret), url.PathEscape(secret), strings.ToValidUTF8(secret, "\uFFFD"),
		strings.Trim(string(quoted), `"`), strings.Trim(strconv.Quote(secret), `"`),
	} {
		w = lower(w)
		switch {
		case w == "" || slices.Contains(h.words, w) || slices.Contains(h.short, w):
		case len(w) < minSecret:
			h.short = append(h.short, w)
		default:
			h.words = append(h.words, w)
		}
	}
	slices.SortStableFunc(h.words, func(a, b string) int { return len(b) - len(a) })
}

// Clone is a copy that is added to on its own.
func (h *Secrets) Clone() Secrets {
	return Secrets{words: slices.Clone(h.words), short: slices.Clone(h.short)}
}

// Longest is the length of the longest secret.
func (h *Secrets) Longest() int {
	if len(h.words) == 0 {
		return 0
	}
	return len(h.words[0])
}

// Header is a copy without the secrets.
func (h *Secrets) Header(in http.Header) http.Header {
	out := in.Clone()
	for _, values := range out {
		for i, v := range values {
			values[i] = h.Take(v)
		}
	}
	return out
}

// Take takes the secrets out of a text.
func (h *Secrets) Take(text string) string {
	if len(h.words)+len(h.short) == 0 {
		return text
	}
	for _, w := range h.words {
		text = replace(text, w, false)
	}
	for _, w := range h.short {
		text = replace(text, w, true)
	}
	return text
}

// replace is blind to the case of ASCII letters.
func replace(text, word string, alone bool) string {
	if len(word) > len(text) {
		return text
	}
	low := lower(text)
	var b strings.Builder
	kept, from := 0, 0
	for {
		i := strings.Index(low[from:], word)
		if i < 0 {
			break
		}
		i += from
		end := i + len(word)
		from = end
		if alone && (letterBefore(text, i) || letterAfter(text, end)) {
			continue
		}
		b.WriteString(text[kept:i])
		b.WriteString(hiddenWord)
		kept = end
	}
	if kept == 0 {
		return text
	}
	b.WriteString(text[kept:])
	return b.String()
}

func letterBefore(s string, i int) bool {
	r, _ := utf8.DecodeLastRuneInString(s[:i])
	return i > 0 && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

func letterAfter(s string, i int) bool {
	r, _ := utf8.DecodeRuneInString(s[i:])
	return i < len(s) && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// lower keeps every byte where it is.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// Clean makes a text fit for a step: without secrets, redacted, on one line, bounded.
func (h *Secrets) Clean(text string) string { return h.bounded(text, maxText) }

func (h *Secrets) bounded(text string, n int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	return Shorten(evidence.Clean(refusal.Line(h.Take(text))), n)
}

// Step makes everything fit that a server had a hand in.
func (h *Secrets) Step(s *evidence.Step) {
	s.Text = h.Clean(s.Text)
	s.URL, s.Realm = h.bounded(s.URL, maxURL), h.bounded(s.Realm, maxURL)
	s.MediaType, s.Challenge = h.bounded(s.MediaType, maxField), h.bounded(s.Challenge, maxField)
	for i, c := range s.Codes {
		s.Codes[i] = strings.ToUpper(h.bounded(c, maxField))
	}
	for i, r := range s.Redirects {
		s.Redirects[i] = h.bounded(r, maxField)
	}
	if s.Limit != nil {
		s.Limit.Limit, s.Limit.Remaining, s.Limit.Source =
			h.bounded(s.Limit.Limit, maxField), h.bounded(s.Limit.Remaining, maxField), h.bounded(s.Limit.Source, maxField)
	}
}

// Shorten cuts at a rune.
func Shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
