package exchange

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// readBody reads the body of an answer below 300, whole or not at all, and holds it against its digest.
func readBody(step *evidence.Step, c Call, resp *http.Response, enc string) ([]byte, error) {
	if c.Method == http.MethodHead {
		return nil, nil
	}
	if enc != "" {
		return nil, &failure{evidence.FailedBody, "the answer is encoded as " + enc + ", which was not asked for"}
	}
	if resp.ContentLength > c.MaxBody {
		return nil, tooLong(c.MaxBody)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, c.MaxBody+1))
	if err == nil {
		// A server that sees the connection close at the deadline may end its body in time to be read as if that were all.
		err = resp.Request.Context().Err()
	}
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if int64(len(body)) > c.MaxBody {
		return nil, tooLong(c.MaxBody)
	}
	step.Size = int64(len(body))
	if c.Step == evidence.StepToken || c.Step == evidence.StepPing || c.Step == evidence.StepTags {
		return body, nil
	}
	return body, verify(step, c, body)
}

// verify compares the body with the digest that was asked for, or with the one that the registry names: containerd fetches by that one next. A
// signed schema 1 manifest has the digest of what was signed, so it is left alone.
func verify(step *evidence.Step, c Call, body []byte) error {
	if strings.Contains(step.MediaType, "docker.distribution.manifest.v1") {
		return nil
	}
	want := c.URL.Path[strings.LastIndexByte(c.URL.Path, '/')+1:]
	how := "asked for was"
	if sum(want, body) == "" {
		want, how = step.Digest, "the registry names it"
	}
	if want == "" {
		step.Digest = sum("sha256:", body)
		return nil
	}
	got := sum(want, body)
	if got == "" { // an algorithm that nobody uses
		return nil
	}
	step.Digest = got
	if !strings.EqualFold(got, want) {
		return &failure{evidence.FailedDigest, fmt.Sprintf("unexpected digest %s, %s %s", got, how, want)}
	}
	return nil
}

// sum is the body's digest by the algorithm of another digest; empty where it is no digest.
func sum(like string, body []byte) string {
	algorithm, _, ok := strings.Cut(like, ":")
	if !ok {
		return ""
	}
	switch algorithm {
	case "sha256":
		s := sha256.Sum256(body)
		return "sha256:" + hex.EncodeToString(s[:])
	case "sha512":
		s := sha512.Sum512(body)
		return "sha512:" + hex.EncodeToString(s[:])
	}
	return ""
}
