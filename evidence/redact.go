package evidence

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// MaxText bounds every text that enters a case, in bytes.
const MaxText = 8 << 10

const (
	headText = 6 << 10
	// cutRoom is kept free for the note that says how much was cut.
	cutRoom = 64
	// redactMargin is how far before the tail redaction starts, so that no half of a credential survives a cut.
	redactMargin = 4 << 10
	redacted     = "REDACTED"
	// longRun is where a run of base64 characters is long enough for a key.
	longRun = 40
)

// Clean makes a text that somebody else wrote fit for a case: valid UTF-8, at
// most MaxText bytes (head and tail stay, the cut is named), and without
// credentials. Digests, references and ordinary URLs stay as they are. It takes
// time linear in the text, and is not meant to make control characters safe for
// a terminal: that is the report's work.
func Clean(text string) string {
	if len(text) <= MaxText {
		return shorten(redact(strings.ToValidUTF8(text, "\uFFFD")), 0)
	}
	// A text far too long is cut before the patterns run; the margins are cut again after.
	const window = MaxText + redactMargin
	if len(text) <= 2*window {
		return shorten(redact(strings.ToValidUTF8(text, "\uFFFD")), 0)
	}
	head, tail := text[:window], text[len(text)-window:]
	head = strings.ToValidUTF8(head, "\uFFFD")
	tail = strings.ToValidUTF8(tail, "\uFFFD")
	// The tail starts at a blank: a token that the window halves would pass the patterns.
	if i := strings.IndexAny(tail, " \t\n"); i >= 0 {
		tail = tail[i:]
	} else {
		tail = ""
	}
	lost := len(text) - len(head) - len(tail)
	return shorten(redact(head)+" "+redact(tail), max(lost, 1))
}

// shorten keeps head and tail of a text that is too long or has already lost some bytes.
func shorten(s string, lost int) string {
	if lost == 0 && len(s) <= MaxText {
		return s
	}
	if len(s) <= headText {
		return fmt.Sprintf("%s … [%d bytes cut]", s, lost)
	}
	head := s[:runeStart(s, headText)]
	tail := s[runeStart(s, max(len(s)-(MaxText-headText-cutRoom), len(head))):]
	return fmt.Sprintf("%s … [%d bytes cut] … %s", head, lost+len(s)-len(head)-len(tail), tail)
}

// runeStart moves i forward to where a rune starts.
func runeStart(s string, i int) int {
	for i < len(s) && !utf8.RuneStart(s[i]) {
		i++
	}
	return i
}

var (
	privateKey = regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|\z)`)
	// The userinfo of a URL; `docker://name@sha256:…` is a digest and stays.
	userinfo = regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://)[^\s/"'<>?#]*@(sha\d+:)?`)
	header   = regexp.MustCompile(`(?i)\b((?:proxy-)?authorization["']?\s*[:=]\s*["'\[]*(?:bearer|basic|negotiate|digest|token)\s+)[^\s"',;\]]+`)
	scheme   = regexp.MustCompile(`(?i)\b(bearer|basic)(\s+)([a-zA-Z0-9._~+/=-]{6,})`)
	jsonPair = regexp.MustCompile(`(?i)(\\?["'](?:auth|[a-z0-9_-]*(?:token|password|passwd|secret|api_?key))\\?["']\s*:\s*\\?["'])[^"'\\]*`)
	option   = regexp.MustCompile(`(?i)(--(?:password|token|creds|docker-password)[ =])\S+`)
	jwt      = regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,4}`)
	prefixed = regexp.MustCompile(`\b(?:gh[pousr]_|github_pat_|glpat-|dckr_[po]at_|AIza|AKIA|ASIA|xox[abprs]-|npm_|hvs\.)[A-Za-z0-9_-]{10,}`)
)

// redact takes out what is or may be a credential. Most texts hold none: a pattern runs only where its mark is in the text.
func redact(s string) string {
	if strings.Contains(s, "PRIVATE KEY-----") {
		s = privateKey.ReplaceAllString(s, redacted)
	}
	if strings.Contains(s, "://") && strings.Contains(s, "@") {
		s = userinfo.ReplaceAllStringFunc(s, hideUser)
	}
	if strings.Contains(s, "@") {
		s = bareUser.ReplaceAllStringFunc(s, hideBareUser)
	}
	if containsFold(s, "authorization:") || containsFold(s, `authorization"`) || containsFold(s, "authorization=") {
		s = header.ReplaceAllString(s, "${1}"+redacted)
	}
	if containsFold(s, "bearer") || containsFold(s, "basic") {
		s = scheme.ReplaceAllStringFunc(s, hideScheme)
	}
	if strings.Contains(s, "=") {
		s = hideParams(s)
	}
	if strings.Contains(s, "{") || strings.Contains(s, `":`) {
		s = jsonPair.ReplaceAllString(s, "${1}"+redacted)
	}
	if strings.Contains(s, "--") {
		s = option.ReplaceAllString(s, "${1}"+redacted)
	}
	if strings.Contains(s, "eyJ") {
		s = jwt.ReplaceAllString(s, redacted)
	}
	if prefixMark(s) {
		s = prefixed.ReplaceAllString(s, redacted)
	}
	return hideRuns(s)
}

func hideUser(m string) string {
	if !strings.HasSuffix(m, "@") {
		return m
	}
	return m[:strings.Index(m, "://")+3] + redacted + "@"
}

func hideScheme(m string) string {
	p := scheme.FindStringSubmatch(m)
	if isWord(p[3]) {
		return m
	}
	return p[1] + p[2] + redacted
}

// isWord tells English and challenge parameters (`basic authentication`, `Bearer realm=`) from a token.
func isWord(s string) bool {
	for _, p := range []string{"realm=", "service=", "scope=", "error=", "charset="} {
		if strings.HasPrefix(strings.ToLower(s), p) {
			return true
		}
	}
	rest := strings.TrimRight(s[1:], ".-")
	return strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz-_") == ""
}
