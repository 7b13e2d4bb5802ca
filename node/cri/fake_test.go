package cri

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	runtime "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/refloat-dev/refloat/node/host"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a runtime that answers as it is told.
type fake struct {
	runtime.UnimplementedRuntimeServiceServer
	runtime.UnimplementedImageServiceServer
	pull   func(ctx context.Context, q *runtime.PullImageRequest) (*runtime.PullImageResponse, error)
	images int
	mu     sync.Mutex
	pulls  []*runtime.PullImageRequest
}

func (f *fake) Version(context.Context, *runtime.VersionRequest) (*runtime.VersionResponse, error) {
	return &runtime.VersionResponse{RuntimeName: "fake", RuntimeVersion: "v1"}, nil
}

func (f *fake) ListImages(context.Context, *runtime.ListImagesRequest) (*runtime.ListImagesResponse, error) {
	r := &runtime.ListImagesResponse{}
	for range f.images {
		r.Images = append(r.Images, &runtime.Image{Id: "sha256:" + strings.Repeat("a", 64), RepoTags: []string{strings.Repeat("t", 900)}})
	}
	return r, nil
}

func (f *fake) PullImage(ctx context.Context, q *runtime.PullImageRequest) (*runtime.PullImageResponse, error) {
	f.mu.Lock()
	f.pulls = append(f.pulls, q)
	f.mu.Unlock()
	return f.pull(ctx, q)
}

// serve runs the fake and gives the node and the socket where it answers.
func (f *fake) serve(t *testing.T) (*host.Host, *grpc.Server) {
	t.Helper()
	h, l := listen(t)
	s := grpc.NewServer(grpc.MaxSendMsgSize(64 << 20))
	runtime.RegisterRuntimeServiceServer(s, f)
	runtime.RegisterImageServiceServer(s, f)
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(l) }()
	t.Cleanup(func() { s.Stop(); <-done })
	return h, s
}

const socket = "/run/fake.sock"

// listen opens the socket of a node below a folder of its own: the path of a socket must be short.
func listen(t *testing.T) (*host.Host, *net.UnixListener) {
	t.Helper()
	root, err := os.MkdirTemp("", "cri")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	if err := os.Mkdir(filepath.Join(root, "run"), 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(root, socket), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return &host.Host{Root: root}, l
}

func dial(t *testing.T, h *host.Host) *Client {
	t.Helper()
	c, err := Dial(t.Context(), h, "unix://"+socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}
