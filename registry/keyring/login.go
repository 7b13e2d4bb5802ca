package keyring

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"unicode"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/internal/dockerconfig"
)

// loginOf names a credential without giving it away. The hint is empty where nothing about it needs one.
func loginOf(s Secret, written string, e dockerconfig.Entry, o dockerconfig.Outline) (login evidence.Login, hint string) {
	login = evidence.Login{Secret: s.where(), Key: cleanKey(written), User: userName(e)}
	host := partsOf(written).name
	k := kindOf(host, e.Username, e.Password)
	login.Kind, login.Expires = k.name, k.expires
	if e == (dockerconfig.Entry{}) {
		login.Problem, hint = emptiness(written, o)
		return login, hint
	}
	login.Problem, hint = problem(e)
	return login, cmp.Or(hint, k.hint)
}

// emptiness says what an entry without user and password has instead.
func emptiness(written string, o dockerconfig.Outline) (problem, hint string) {
	hint = "log in without a credential store, and make the secret of user and password"
	switch {
	case written == "auths":
		return "auths does not belong into a .dockercfg: the kubelet takes it for a registry's name", "create the secret again as " + typeJSON
	case o.Ignored[written] != "":
		return "it holds no user and password: the kubelet ignores " + o.Ignored[written], hint
	case o.Store:
		return "it holds no user and password: the kubelet ignores credsStore", hint
	case len(o.Helpers) > 0:
		return "it holds no user and password: the kubelet ignores credHelpers", hint
	}
	return "it holds no user and password", hint
}

// problem is what keeps a credential from working whatever the registry thinks of it.
func problem(e dockerconfig.Entry) (text, hint string) {
	user, password := e.Username, e.Password
	trimmed := strings.TrimSpace(password)
	switch {
	case password == "":
		return "the password is empty", "make the secret again with the password"
	case strings.HasSuffix(password, "\n"):
		return "the password ends in a line break", "encode it without one: printf %s rather than echo"
	case trimmed != password:
		return "the password begins or ends in a blank", "make the secret again without it"
	case strings.TrimSpace(user) != user:
		return "the user begins or ends in a blank or line break", "make the secret again without it"
	case len(password) > 2 && strings.ContainsRune(`"'`, rune(password[0])) && password[len(password)-1] == password[0]:
		return "the password is in quotes", "make the secret again without them"
	case isPlaceholder(password):
		return "the password is a placeholder", "put the password in its place"
	case wrapsUser(user, password):
		return "the password is itself the base64 of user:password", "put that text under auth, or the password alone under password"
	case user == "_json_key" && !json.Valid([]byte(password)):
		return "the password of _json_key is not JSON", "make the secret again with the whole key file as the password"
	case user == "_json_key_base64" && !json.Valid(decoded(password)):
		return "the password of _json_key_base64 is not the base64 of JSON", "make the secret again with the base64 of the whole key file"
	}
	return "", ""
}

// isPlaceholder tells what a template or a manual has in the place of a password.
func isPlaceholder(p string) bool {
	for _, mark := range [][2]string{{"<", ">"}, {"${", "}"}, {"{{", "}}"}, {"$(", ")"}} {
		if len(p) < 64 && strings.HasPrefix(p, mark[0]) && strings.HasSuffix(p, mark[1]) {
			return true
		}
	}
	switch strings.ToLower(p) {
	case "changeme", "redacted", "your-password", "yourpassword", "your_password", "***", "****", "null", "undefined":
		return true
	}
	return false
}

// wrapsUser tells a password that is what belongs under auth.
func wrapsUser(user, password string) bool {
	return user != "" && strings.HasPrefix(string(decoded(password)), user+":")
}

// decoded is the text's base64, of either alphabet, with or without padding; nil where it is none or far too long.
func decoded(text string) []byte {
	if len(text) > maxSecret {
		return nil
	}
	text = strings.TrimRight(text, "=")
	text = strings.NewReplacer("-", "+", "_", "/").Replace(text)
	raw, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return raw
}

// userName shows a user, unless it is a token that stands where the user should.
func userName(e dockerconfig.Entry) string {
	const most, hidden = 128, "REDACTED"
	user := e.Username
	switch {
	case user == "":
		return ""
	case looksLikeToken(user), user == e.Password && !isCommon(user), strings.Contains(user, ":"):
		return hidden
	}
	if e.Password != "" && len(e.Password) >= 8 && strings.Contains(user, e.Password) {
		return hidden
	}
	user = evidence.Clean(user)
	if len(user) > most {
		return strings.ToValidUTF8(user[:most], "") + "…"
	}
	return user
}

// isCommon tells users that are the same as their password by custom, and no secret.
func isCommon(user string) bool {
	return len(user) <= 8 && strings.Trim(user, "abcdefghijklmnopqrstuvwxyz") == ""
}

// looksLikeToken errs on the side of hiding.
func looksLikeToken(user string) bool {
	for _, p := range tokenPrefixes {
		if strings.HasPrefix(user, p.text) && len(user) > len(p.text)+6 {
			return true
		}
	}
	if isJWT(user) || strings.HasPrefix(user, "-----BEGIN") || strings.HasPrefix(user, "{") {
		return true
	}
	if _, err := hex.DecodeString(user); err == nil && len(user) >= 24 {
		return true
	}
	// Names have separators; a long run of all kinds of letters has none.
	var upper, lower, digit int
	for _, r := range user {
		switch {
		case r == '@' || r == '.' || r == '$' || r == ' ':
			return false
		case unicode.IsUpper(r):
			upper++
		case unicode.IsLower(r):
			lower++
		case unicode.IsDigit(r):
			digit++
		}
	}
	return len(user) >= 20 && upper > 1 && lower > 1 && digit > 1
}

// cleanKey shows a registry's key as it is written, without a credential that somebody put before the host.
func cleanKey(written string) string {
	const most = 512
	scheme, rest := "", written
	if i := strings.Index(written, "://"); i >= 0 {
		scheme, rest = written[:i+3], written[i+3:]
	}
	host, path, slash := strings.Cut(rest, "/")
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = "REDACTED" + host[i:]
	}
	if slash {
		host += "/" + path
	}
	out := evidence.CleanReference(scheme + host)
	if len(out) > most {
		return strings.ToValidUTF8(out[:most], "") + "…"
	}
	return out
}
