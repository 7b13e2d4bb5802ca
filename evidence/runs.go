package evidence

import "strings"

// These parts of redact are loops, not patterns: every text goes through them.

// secretKeys are parameters whose whole name says that the value is secret; only in a query, where names are short.
var secretKeys = map[string]bool{
	"sig": true, "jwt": true, "auth": true, "key": true, "code": true, "policy": true,
	"awsaccesskeyid": true, "key-pair-id": true, "googleaccessid": true,
}

// secretWords end the name of a parameter that is secret anywhere.
var secretWords = []string{"token", "signature", "password", "passwd", "secret", "credential", "apikey", "api_key", "api-key"}

// hideParams replaces the value in name=value where the name is a secret's.
func hideParams(s string) string {
	var out strings.Builder
	kept, from := 0, 0
	for {
		i := strings.IndexByte(s[from:], '=')
		if i < 0 {
			break
		}
		eq := from + i
		from = eq + 1
		name := eq
		for name > kept && isName(s[name-1]) {
			name--
		}
		if name == eq || !isSecretName(s[name:eq], name > 0 && strings.IndexByte("?&;", s[name-1]) >= 0) {
			continue
		}
		end := valueEnd(s, eq+1)
		if end == eq+1 {
			continue
		}
		out.WriteString(s[kept : eq+1])
		out.WriteString(redacted)
		kept, from = end, end
	}
	if kept == 0 {
		return s
	}
	out.WriteString(s[kept:])
	return out.String()
}

func isSecretName(name string, inQuery bool) bool {
	name = strings.ToLower(name)
	if inQuery && secretKeys[name] {
		return true
	}
	for _, w := range secretWords {
		if strings.HasSuffix(name, w) {
			return true
		}
	}
	return false
}

// valueEnd is where a parameter's value ends: punctuation that follows it belongs to the sentence.
func valueEnd(s string, i int) int {
	quoted := i < len(s) && (s[i] == '"' || s[i] == '\'')
	end := i
	if quoted {
		end++
	}
	for end < len(s) && strings.IndexByte(" \t\r\n&\"'<>;", s[end]) < 0 {
		end++
	}
	for !quoted && end > i && strings.IndexByte(":,.)", s[end-1]) >= 0 {
		end--
	}
	return end
}

func isName(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

// hideRuns replaces runs that look like base64 keys. It is a loop because it must see every text.
func hideRuns(s string) string {
	var out strings.Builder
	kept, start := 0, 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && isBase64(s[i]) {
			continue
		}
		if i-start >= longRun && isDense(s[start:i]) {
			out.WriteString(s[kept:start])
			out.WriteString(redacted)
			kept = i
		}
		start = i + 1
	}
	if kept == 0 {
		return s
	}
	out.WriteString(s[kept:])
	return out.String()
}

func isBase64(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '+' || c == '/' || c == '_' || c == '-' || c == '='
}

// containsFold tells whether s holds a lower-case ASCII word in any case.
func containsFold(s, word string) bool {
	for i := 0; i+len(word) <= len(s); i++ {
		if s[i]|0x20 == word[0] && strings.EqualFold(s[i:i+len(word)], word) {
			return true
		}
	}
	return false
}

func prefixMark(s string) bool {
	for _, p := range []string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "dckr_", "AIza", "AKIA", "ASIA", "xox", "npm_", "hvs."} {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

// isDense tells a base64 key from a path or a digest: those are lower case, or upper case in few places.
func isDense(s string) bool {
	var upper, lower, digit int
	for _, r := range s {
		switch {
		case r >= 'A' && r <= 'Z':
			upper++
		case r >= 'a' && r <= 'z':
			lower++
		case r >= '0' && r <= '9':
			digit++
		}
	}
	return lower > 0 && upper*100 >= len(s)*15 && digit*100 >= len(s)*4
}
