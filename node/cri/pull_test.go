package cri

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	runtime "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/keyring"
)

var bob = &keyring.Credential{Username: "bob", Password: "hunter2", Login: evidence.Login{Key: "reg.lab", Secret: "shop/regcred"}}

func TestPull(t *testing.T) {
	t.Parallel()
	echo := base64.StdEncoding.EncodeToString([]byte("bob:hunter2"))
	mismatch := status.Error(codes.FailedPrecondition, "failed commit on ref \"layer\": unexpected commit digest sha256:1, expected sha256:2")
	tests := []struct {
		name  string
		cred  *keyring.Credential
		tries []error // of each pull in turn; nil is a success
		want  evidence.NodePull
	}{
		{name: "good", tries: []error{nil}, want: evidence.NodePull{OK: true, Ref: "sha256:abc"}},
		{name: "with a login", cred: bob, tries: []error{nil}, want: evidence.NodePull{OK: true, Ref: "sha256:abc", Login: &bob.Login}},
		{name: "refused", tries: []error{status.Error(codes.NotFound, "failed to resolve: not found")},
			want: evidence.NodePull{Text: "failed to resolve: not found"}},
		{name: "the registry is unavailable", tries: []error{status.Error(codes.Unavailable, "503 Service Unavailable")},
			want: evidence.NodePull{Text: "503 Service Unavailable"}},
		{name: "a deadline of the runtime's own", tries: []error{status.Error(codes.DeadlineExceeded, "no progress")},
			want: evidence.NodePull{Text: "no progress"}},
		{name: "echoed", cred: bob, tries: []error{fmt.Errorf("denied: %s hunter2 for bob", echo)},
			want: evidence.NodePull{Login: &bob.Login, Text: "denied: REDACTED REDACTED for bob"}},
		{name: "wrong bytes, once", tries: []error{mismatch, nil},
			want: evidence.NodePull{OK: true, Ref: "sha256:abc", First: status.Convert(mismatch).Message()}},
		{name: "wrong bytes, again", tries: []error{mismatch, mismatch},
			want: evidence.NodePull{Text: status.Convert(mismatch).Message(), First: status.Convert(mismatch).Message()}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := &fake{}
			f.pull = func(context.Context, *runtime.PullImageRequest) (*runtime.PullImageResponse, error) {
				if err := tt.tries[len(f.pulls)-1]; err != nil {
					return nil, err
				}
				return &runtime.PullImageResponse{ImageRef: "sha256:abc"}, nil
			}
			h, _ := f.serve(t)
			got, err := dial(t, h).Pull(t.Context(), "reg.lab/app:1", tt.cred)
			if err != nil {
				t.Fatal(err)
			}
			if (got.Took >= settle.Milliseconds()) != (len(tt.tries) > 1) {
				t.Errorf("took %d ms for %d tries", got.Took, len(tt.tries))
			}
			tt.want.Image, got.Took = "reg.lab/app:1", 0
			if fmt.Sprintf("%+v", *got) != fmt.Sprintf("%+v", tt.want) {
				t.Errorf("got  %+v\nwant %+v", *got, tt.want)
			}
			for _, q := range f.pulls {
				if auth := q.GetAuth(); (auth != nil) != (tt.cred != nil) || auth.GetServerAddress() != "" {
					t.Errorf("the runtime was given %v", auth)
				}
			}
		})
	}
}

func TestPullWithoutAnswer(t *testing.T) {
	t.Parallel()
	t.Run("given up", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		told := make(chan struct{})
		f := &fake{pull: func(ctx context.Context, _ *runtime.PullImageRequest) (*runtime.PullImageResponse, error) {
			cancel()
			<-ctx.Done() // the runtime is told
			close(told)
			return nil, ctx.Err()
		}}
		h, _ := f.serve(t)
		p, err := dial(t, h).Pull(ctx, "reg.lab/app:1", bob)
		if p != nil || !errors.Is(err, context.Canceled) {
			t.Errorf("%+v, %v", p, err)
		}
		<-told
	})
	t.Run("the runtime ends", func(t *testing.T) {
		t.Parallel()
		f := &fake{}
		h, server := f.serve(t)
		f.pull = func(ctx context.Context, _ *runtime.PullImageRequest) (*runtime.PullImageResponse, error) {
			go server.Stop()
			<-ctx.Done()
			return nil, ctx.Err()
		}
		p, err := dial(t, h).Pull(t.Context(), "bob:hunter2@reg.lab/app:1", bob)
		if p != nil || err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%+v, %v", p, err)
		}
	})
	t.Run("no image service", func(t *testing.T) {
		t.Parallel()
		f := &fake{pull: func(context.Context, *runtime.PullImageRequest) (*runtime.PullImageResponse, error) {
			return nil, status.Error(codes.Unimplemented, "unknown service runtime.v1.ImageService")
		}}
		h, _ := f.serve(t)
		if p, err := dial(t, h).Pull(t.Context(), "reg.lab/app:1", nil); p != nil || err == nil {
			t.Errorf("%+v, %v", p, err)
		}
	})
}
