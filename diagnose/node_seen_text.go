package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/evidence"
)

// roleText says what a host other than the registry is to the pull.
func roleText(h *evidence.Host) string {
	via := orElse(h.Via, "the registry")
	switch h.Role {
	case evidence.RoleToken:
		return "it gives the tokens for " + short(via, 40) + "; "
	case evidence.RoleStorage:
		return "it is where " + short(via, 40) + " sends for content; "
	}
	return ""
}

// hopText says what fails at the hop, with the addresses that matter.
func hopText(h *evidence.Host) string {
	text := orElse(h.Text, string(h.Failure))
	switch t := h.TLS; {
	case h.Fails == evidence.HopName:
		text = orElse(resolvers(h), text)
	case h.Fails == evidence.HopProxy:
		text = "the runtime's proxy " + short(orElse(h.Proxy, "is unknown"), 40) + " fails: " + short(text, 60)
	case h.Fails == evidence.HopConnect && len(h.Addresses) > 0:
		text = "at " + h.Addresses[0].Address
		if n := len(h.Addresses); n > 1 {
			text += fmt.Sprintf(" and %d more", n-1)
		}
	case h.Fails == evidence.HopTLS && t != nil && t.Skew != 0:
		text = "its clock is off by " + (time.Duration(clamp(t.Skew)) * time.Second).String()
	case h.Fails == evidence.HopTLS && t != nil && t.MissingCA != "":
		text = "nothing on it vouches for " + short(t.MissingCA, 60)
	case h.Fails == evidence.HopTLS && t != nil:
		text = orElse(leafText(t), text)
	}
	for _, r := range h.Names {
		if h.Fails != evidence.HopName && strings.HasPrefix(r.By, "/") && r.Result == evidence.Answered {
			return clean(short(text, 70)+"; "+short(r.By, 20)+" of the node sends it there", maxAnswer)
		}
	}
	return clean(short(text, 110), maxAnswer)
}

// leafText says of a certificate what does not hold, by itself where that is its time.
func leafText(t *evidence.TLS) string {
	const day = "2006-01-02 15:04 MST"
	if len(t.Chain) == 0 || !strings.Contains(t.Text, "expired or is not yet valid") {
		return t.Text
	}
	if strings.Contains(t.Text, " is before ") {
		return "its certificate begins at " + t.Chain[0].NotBefore.UTC().Format(day)
	}
	return "its certificate ended at " + t.Chain[0].NotAfter.UTC().Format(day)
}

// resolvers says how each of the node's resolvers ended.
func resolvers(h *evidence.Host) string {
	words := map[evidence.ResolveResult]string{evidence.NXDomain: "has no such name", evidence.ServFail: "answers SERVFAIL", evidence.NoAddress: "has no address for it",
		evidence.DNSRefused: "refuses", evidence.DNSTimeout: "does not answer", evidence.Answered: "answers"}
	var out []string
	for _, r := range h.Names {
		text := "resolver " + short(r.By, 50) + " " + words[r.Result]
		if r.By != "node" && !strings.HasPrefix(r.By, "/") && words[r.Result] != "" && !slices.Contains(out, text) && len(out) < 2 {
			out = append(out, text)
		}
	}
	return strings.Join(out, ", ")
}

// clamp keeps seconds within what a Duration holds.
func clamp(seconds int64) int64 {
	const most = int64(1 << 32)
	return max(-most, min(most, seconds))
}

func took(milliseconds int64) string {
	return (time.Duration(clamp(milliseconds/1000)) * time.Second).String()
}
