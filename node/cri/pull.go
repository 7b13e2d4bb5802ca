package cri

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	runtime "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/keyring"
)

const (
	// pullTimeout bounds a pull whose context does not: the runtime's own may wait for ever.
	pullTimeout = 15 * time.Minute
	// settle is how long the runtime needs to drop a download that failed its check. A pull before that takes
	// up the same wrong bytes and fails with the same words, whatever the registry has now.
	settle = time.Second
)

// Pull has the runtime pull an image, with one credential or with none. It is an error where the runtime did not come to an
// answer: the pull was given up, or the runtime went away. A pull that failed is no error.
func (c *Client) Pull(ctx context.Context, image string, cred *keyring.Credential) (*evidence.NodePull, error) {
	ctx, cancel := context.WithTimeout(ctx, pullTimeout)
	defer cancel()
	p := &evidence.NodePull{Image: evidence.CleanReference(image)}
	q := &runtime.PullImageRequest{Image: &runtime.ImageSpec{Image: image, UserSpecifiedImage: image}}
	if cred != nil {
		p.Login = &cred.Login
		q.Auth = &runtime.AuthConfig{Username: cred.Username, Password: cred.Password}
	}
	start := time.Now()
	ref, answered, err := c.try(ctx, q)
	if damaged(err) {
		p.First = hide(err, cred)
		select {
		case <-time.After(settle):
			ref, answered, err = c.try(ctx, q)
		case <-ctx.Done():
		}
	}
	p.Took = time.Since(start).Milliseconds()
	switch {
	case err == nil:
		p.OK, p.Ref = true, evidence.Clean(ref)
	case ctx.Err() != nil:
		return nil, fmt.Errorf("pulling %s was given up after %s: %w", p.Image, time.Since(start).Round(time.Second), ctx.Err())
	case !answered:
		return nil, fmt.Errorf("pulling %s: %w", p.Image, errors.New(hide(err, cred)))
	default:
		p.Text = hide(err, cred)
	}
	return p, nil
}

// try asks once. Unanswered is an error of the connection, or of a runtime without an image service.
func (c *Client) try(ctx context.Context, q *runtime.PullImageRequest) (ref string, answered bool, err error) {
	var head, tail metadata.MD // a code alone does not tell: a registry's 503 is Unavailable too
	r, err := c.images.PullImage(ctx, q, grpc.Header(&head), grpc.Trailer(&tail))
	return r.GetImageRef(), len(head)+len(tail) > 0 && status.Code(err) != codes.Unimplemented, err
}

// damaged tells bytes that came and were not what was asked for.
func damaged(err error) bool {
	m := status.Convert(err).Message() // empty of nil
	return strings.Contains(m, "unexpected commit digest") || strings.Contains(m, "unexpected commit size")
}

// hide makes the runtime's words fit for evidence: a registry may echo what it was sent.
func hide(err error, cred *keyring.Credential) string {
	text := status.Convert(err).Message()
	if cred != nil && cred.Password != "" {
		both := cred.Username + ":" + cred.Password
		for _, secret := range []string{base64.StdEncoding.EncodeToString([]byte(both)), cred.Password} {
			text = strings.ReplaceAll(text, secret, "REDACTED")
		}
	}
	return evidence.Clean(text)
}
