package exchange

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/wire/challenge"
	"github.com/refloat-dev/refloat/registry/wire/hide"
	"github.com/refloat-dev/refloat/registry/wire/refusal"
)

const maxErrorBody = 64 << 10

// record keeps what an answer tells, and returns the body of one below 300.
func (d *Desk) record(step *evidence.Step, c Call, resp *http.Response) ([]byte, error) {
	// Secrets go first: a value that is cut or parsed may leave half of one.
	head := d.Hide.Header(resp.Header)
	step.Status = resp.StatusCode
	step.MediaType, _, _ = strings.Cut(head.Get("Content-Type"), ";")
	step.MediaType = strings.ToLower(strings.TrimSpace(step.MediaType))
	step.Size = max(resp.ContentLength, 0)
	if d := head.Get("Docker-Content-Digest"); digestForm.MatchString(d) {
		step.Digest = d
	}
	step.RetryAfter = retryAfter(head.Get("Retry-After"), d.Now())
	step.Limit = limitOf(head)
	described := recordChallenge(step, head)
	if resp.StatusCode < 300 {
		return readBody(step, c, resp, encoding(head))
	}
	d.recordRefusal(step, resp, encoding(head))
	step.Text = cmp.Or(step.Text, described)
	if d.Named && resp.StatusCode/100 == 4 && len(step.Redirects) > 0 && Origin(resp.Request.URL) != Origin(c.URL) {
		step.Text = strings.TrimSuffix("answered by "+resp.Request.URL.Host+", to which no credential goes; "+step.Text, "; ")
	}
	return nil, nil
}

// recordChallenge returns the description that a challenge may carry (RFC 6750, section 3).
func recordChallenge(step *evidence.Step, head http.Header) string {
	if step.Status != http.StatusUnauthorized && step.Status != http.StatusForbidden {
		return ""
	}
	ch, _ := challenge.Pick(head.Values("Www-Authenticate"))
	step.Challenge = strings.TrimSpace(ch.Name() + " " + hide.Shorten(ch.Params["error"], 64))
	if realm, err := url.Parse(ch.Params["realm"]); err == nil && ch.Scheme == "bearer" && realm.Host != "" {
		step.Realm = Shown(realm)
	}
	return ch.Params["error_description"]
}

// recordRefusal reads the body of an error as far as it comes: the status counts without it.
func (d *Desk) recordRefusal(step *evidence.Step, resp *http.Response, enc string) {
	if enc != "" {
		step.Text = "the error is encoded as " + enc + ", which was not asked for, and is not read"
		return
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	if err != nil || len(body) == maxErrorBody {
		// Half a secret at the cut would not be recognised.
		body = body[:max(0, len(body)-d.Hide.Longest())]
	}
	r := refusal.Parse([]byte(d.Hide.Take(string(body))))
	step.Codes, step.Text = r.Codes, r.Text
	switch r.Kind {
	case refusal.HTML:
		step.Text = strings.TrimSpace("HTML page: " + r.Text)
	case refusal.Binary:
		step.Text = "the error is no text"
	}
}

// encoding is what the body is packed in although nothing but identity was asked for.
func encoding(head http.Header) string {
	enc := strings.ToLower(strings.TrimSpace(head.Get("Content-Encoding")))
	if enc == "identity" {
		return ""
	}
	return hide.Shorten(enc, 32)
}

// retryAfter reads seconds or a date (RFC 9110, section 10.2.3).
func retryAfter(v string, now time.Time) time.Time {
	if v == "" {
		return time.Time{}
	}
	if n, err := strconv.ParseFloat(v, 64); err == nil {
		const month = 31 * 24 * 3600
		if n >= 0 && n <= month {
			return now.Add(time.Duration(n * float64(time.Second))).UTC()
		}
		return time.Time{}
	}
	t, err := http.ParseTime(v)
	if err != nil || t.Sub(now) > 365*24*time.Hour || now.Sub(t) > 365*24*time.Hour {
		return time.Time{}
	}
	return t.UTC()
}

// limitOf reads the headers of Docker Hub, which others have too, some with a prefix.
func limitOf(h http.Header) *evidence.RateLimit {
	first := func(names ...string) string {
		for _, n := range names {
			if v := h.Get(n); v != "" {
				return v
			}
		}
		return ""
	}
	l := evidence.RateLimit{
		Limit:     first("RateLimit-Limit", "X-RateLimit-Limit", "X-Rate-Limit-Limit"),
		Remaining: first("RateLimit-Remaining", "X-RateLimit-Remaining", "X-Rate-Limit-Remaining"),
		Source:    first("Docker-RateLimit-Source"),
	}
	if l == (evidence.RateLimit{}) {
		return nil
	}
	return &l
}

var digestForm = regexp.MustCompile(`^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-fA-F]{32,128}$`)

// tooLong is the failure of a body over its bound.
func tooLong(max int64) error {
	return &failure{evidence.FailedBody, fmt.Sprintf("the answer is longer than %d bytes", max)}
}
