package evidence

import (
	"regexp"
	"strings"
)

// MaxReference bounds an image reference that enters a case, in bytes. A valid one is shorter.
const MaxReference = 1 << 10

var (
	// bareUser is userinfo of a reference that has no scheme, inside a message: `"bob:secret@reg/app"`;
	// a user or token alone only right after a quote, where messages put references.
	bareUser = regexp.MustCompile(`((?:^|[\s"'=(\[,])[^\s"'/@:]+:(?:[^\s"'@/]|/[^\s"'/@])[^\s"'@]*|"[^\s"'/@:\\]+)@([A-Za-z0-9.-]+(?::[0-9]+)?/)`)
	digest   = regexp.MustCompile(`@sha\d+:[^@/]*$`)
)

// CleanReference makes an image reference that somebody wrote into a pod fit for
// a case: as Clean does, and shorter. Nothing checks a reference before the kubelet
// does, and people put credentials before the registry as they do in a URL.
func CleanReference(ref string) string {
	scheme, rest := "", ref
	if i := strings.Index(ref, "://"); i >= 0 {
		scheme, rest = ref[:i+3], ref[i+3:]
	}
	end := len(rest)
	if loc := digest.FindStringIndex(rest); loc != nil {
		end = loc[0]
	}
	// Without a host's path behind it or a colon before it, `app@latest` is only a mistake.
	if i := strings.LastIndexByte(rest[:end], '@'); i >= 0 && (strings.Contains(rest[i:end], "/") || strings.Contains(rest[:i], ":")) {
		rest = redacted + rest[i:]
	}
	out := Clean(scheme + rest)
	if len(out) > MaxReference {
		const mark = " … [cut]"
		out = strings.ToValidUTF8(out[:MaxReference-len(mark)], "") + mark
	}
	return out
}

// hideBareUser leaves `app:1@sha256:123/…` alone: what looks like a host there is a digest.
func hideBareUser(m string) string {
	p := bareUser.FindStringSubmatch(m)
	if strings.HasPrefix(p[2], "sha256:") || strings.HasPrefix(p[2], "sha512:") {
		return m
	}
	mark := ""
	if strings.ContainsRune(" \t\n\r\f\"'=([,", rune(p[1][0])) {
		mark = p[1][:1]
	}
	return mark + redacted + "@" + p[2]
}
