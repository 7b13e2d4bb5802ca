package path

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/wire/challenge"
	"github.com/refloat-dev/refloat/registry/wire/refusal"
)

const (
	// answerTime is how long an answer's header is waited for.
	answerTime  = 4 * time.Second
	maxHeader   = 64 << 10
	maxError    = 64 << 10
	maxManifest = 4 << 20
)

// accept is what containerd asks a manifest as.
var accept = strings.Join([]string{
	"application/vnd.docker.distribution.manifest.v2+json", "application/vnd.docker.distribution.manifest.list.v2+json",
	v1.MediaTypeImageManifest, v1.MediaTypeImageIndex, "*/*",
}, ", ")

// stage is how far a request has come.
type stage int32

const (
	connecting stage = iota
	handshaking
	asked
)

// reply is what came of one request.
type reply struct {
	step     evidence.Step
	header   http.Header
	body     []byte
	location *url.URL
	err      error
	// long is set where there were more bytes than were asked for.
	long  bool
	stage stage
}

// send makes one request, follows nothing, and reads at most max bytes of what is served.
func (v *visit) send(ctx context.Context, tr *http.Transport, method string, u *url.URL, max int64) reply {
	ctx, cancel := context.WithTimeout(ctx, dialTime+handshakeTime+answerTime)
	defer cancel()
	r := reply{step: evidence.Step{Name: stepOf(u.Path), Method: method, URL: shownURL(u)}}
	defer func() { v.hide.Step(&r.step) }()
	var at atomic.Int32
	start := time.Now()
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		TLSHandshakeStart: func() { at.Store(int32(handshaking)) },
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			if err == nil {
				at.Store(int32(asked))
			}
		},
		WroteRequest: func(httptrace.WroteRequestInfo) { at.Store(int32(asked)) },
	}), method, u.String(), nil)
	if err != nil {
		r.err = errors.New("the request cannot be written")
		r.step.Failure, r.step.Text = evidence.FailedUnsafe, r.err.Error()
		return r
	}
	for name, values := range v.header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	req.Header.Set("Accept", accept)
	req.Header.Set("Accept-Encoding", "identity")
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "refloat")
	}
	resp, err := tr.RoundTrip(req)
	if err == nil {
		err = v.take(&r, resp, max)
		_ = resp.Body.Close()
	}
	r.stage = stage(at.Load())
	r.step.Took = evidence.Timing{Total: millis(time.Since(start))}
	if err != nil {
		r.err = err
		r.step.Failure, r.step.Text = v.explain(&r)
	}
	return r
}

// explain puts a time that ran out into words: which it was, and what the runtime would have done.
func (v *visit) explain(r *reply) (evidence.Failure, string) {
	var (
		netErr net.Error
		proxy  *proxyError
	)
	err := r.err
	if errors.As(err, &proxy) {
		return evidence.FailedProxy, proxy.text
	}
	f, text := explain(err)
	if errors.As(err, &netErr) && netErr.Timeout() {
		f = evidence.FailedTimeout
	}
	if f != evidence.FailedTimeout {
		return f, text
	}
	switch r.stage {
	case handshaking:
		text = fmt.Sprintf("net/http: TLS handshake timeout: none within %s; containerd waits %s", handshakeTime, runtimeHandshake)
	case asked:
		if r.header != nil {
			return evidence.FailedTimeout, "the answer began and did not end: " + text
		}
		text = fmt.Sprintf("did not answer within %s; containerd waits %s for each request", answerTime, runtimeAnswer)
	case connecting:
		if v.h.Proxy != "" {
			return evidence.FailedProxy, "the proxy did not connect within " + (dialTime + answerTime).String()
		}
	}
	return evidence.FailedTimeout, text
}

// take keeps what an answer tells, and its body where it is below 300.
func (v *visit) take(r *reply, resp *http.Response, max int64) error {
	s, head := &r.step, v.hide.Header(resp.Header)
	r.header = resp.Header
	s.Status, s.Size = resp.StatusCode, maxOf(resp.ContentLength)
	s.MediaType, _, _ = strings.Cut(head.Get("Content-Type"), ";")
	s.MediaType = strings.ToLower(strings.TrimSpace(s.MediaType))
	if d := head.Get("Docker-Content-Digest"); digest.Digest(d).Validate() == nil {
		s.Digest = d
	}
	if c, ok := challenge.Pick(head.Values("Www-Authenticate")); ok {
		s.Challenge = c.Name()
		if realm, err := url.Parse(c.Params["realm"]); err == nil && realm.Host != "" {
			s.Realm = shownURL(realm)
		}
	}
	if to, err := resp.Location(); err == nil && to.Hostname() != "" {
		r.location, s.Redirects = to, []string{to.Host}
	}
	switch {
	case resp.StatusCode >= 300:
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxError)) // the status counts without it
		said := refusal.Parse([]byte(v.hide.Take(string(body))))
		s.Codes, s.Text = said.Codes, said.Text
		return nil
	case resp.Request.Method == http.MethodHead:
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, max+1))
	if err == nil && int64(len(body)) > max {
		r.long, err = true, fmt.Errorf("the answer is longer than %d bytes", max)
	}
	r.body = body
	return err
}

func maxOf(n int64) int64 { return max(n, 0) }

func stepOf(path string) evidence.StepName {
	switch {
	case strings.Contains(path, "/manifests/"):
		return evidence.StepManifest
	case strings.Contains(path, "/blobs/"):
		return evidence.StepLayer
	}
	return evidence.StepPing
}
