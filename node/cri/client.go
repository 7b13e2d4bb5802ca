// Package cri asks a node's container runtime over CRI, the interface that the
// kubelet speaks to it.
//
// Every call has a deadline and takes answers of the size that the kubelet
// takes. All of them only read, with one exception: Pull. Nothing here runs,
// stops or removes a container or an image, and a credential is kept for the
// one call that it is given to. Who may open the socket is root of the node,
// whatever this package leaves alone.
package cri

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	runtime "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/refloat-dev/refloat/node/host"
)

const (
	// connectTimeout bounds the connection and the first frames over it, callTimeout each question that is no pull.
	connectTimeout = 5 * time.Second
	callTimeout    = 15 * time.Second
	// maxMessage is the kubelet's own bound: a longer list breaks the node itself (cri-client pkg/utils.go:27).
	maxMessage = 16 << 20
	// buffer is what a connection reads and writes at a time. A look asks a few questions and hangs up.
	buffer = 8 << 10
)

// ErrSilent says that something holds the socket open and does not answer, ErrHangsUp that it ends every connection.
var (
	ErrSilent  = errors.New("takes connections and does not answer")
	ErrHangsUp = errors.New("closes its connections")
)

// Client is a connection to a runtime. It may be used by many at once, and is closed by whoever dialled.
type Client struct {
	conn    *grpc.ClientConn
	runtime runtime.RuntimeServiceClient
	images  runtime.ImageServiceClient
}

// Dial connects to the node's socket, given as a path or a unix:// address, and sees to it that something speaks there. An
// error tells why not: fs.ErrNotExist, syscall.ECONNREFUSED, fs.ErrPermission, ErrSilent or ErrHangsUp.
func Dial(ctx context.Context, h *host.Host, socket string) (*Client, error) {
	return dialWithin(ctx, h, socket, connectTimeout)
}

func dialWithin(ctx context.Context, h *host.Host, socket string, limit time.Duration) (*Client, error) {
	socket = strings.TrimPrefix(socket, "unix://")
	at, err := h.Path(socket)
	if err != nil {
		return nil, fmt.Errorf("connecting to the runtime: %w", err)
	}
	var last atomic.Pointer[error]
	conn, err := grpc.NewClient("passthrough:runtime",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithAuthority("localhost"),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			c, err := (&net.Dialer{}).DialContext(ctx, "unix", at)
			if err != nil {
				last.Store(&err)
			}
			return c, err
		}),
		grpc.WithConnectParams(grpc.ConnectParams{MinConnectTimeout: 2 * connectTimeout}), // ready's is the shorter one
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)),
		grpc.WithReadBufferSize(buffer), grpc.WithWriteBufferSize(buffer),
		grpc.WithDisableServiceConfig(), grpc.WithDisableHealthCheck(),
	)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", socket, err)
	}
	if err := ready(ctx, conn, limit); err != nil {
		_ = conn.Close()
		if e := last.Load(); e != nil {
			err = reason(*e)
		}
		return nil, fmt.Errorf("%s: %w", socket, err)
	}
	return &Client{conn: conn, runtime: runtime.NewRuntimeServiceClient(conn), images: runtime.NewImageServiceClient(conn)}, nil
}

// ready waits until the other side has spoken.
func ready(ctx context.Context, conn *grpc.ClientConn, limit time.Duration) error {
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	conn.Connect()
	for {
		switch s := conn.GetState(); s {
		case connectivity.Ready:
			return nil
		case connectivity.TransientFailure, connectivity.Shutdown:
			return ErrHangsUp // unless the dialler knows better
		default:
			if conn.WaitForStateChange(bounded, s) {
				continue
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			return ErrSilent
		}
	}
}

// Close ends the connection.
func (c *Client) Close() error { return c.conn.Close() }

// Conn is the connection, for what the runtime serves beside CRI. Calls over it need deadlines of their own.
func (c *Client) Conn() grpc.ClientConnInterface { return c.conn }

// Version is the runtime's name and version.
func (c *Client) Version(ctx context.Context) (*runtime.VersionResponse, error) {
	return call(ctx, "Version", c.runtime.Version, &runtime.VersionRequest{})
}

// Status is the runtime's conditions; verbose adds its configuration, as JSON, which may hold passwords and must not be kept.
func (c *Client) Status(ctx context.Context, verbose bool) (*runtime.StatusResponse, error) {
	return call(ctx, "Status", c.runtime.Status, &runtime.StatusRequest{Verbose: verbose})
}

// Images are all that the runtime knows, those whose content is not complete left out.
func (c *Client) Images(ctx context.Context) ([]*runtime.Image, error) {
	r, err := call(ctx, "ListImages", c.images.ListImages, &runtime.ListImagesRequest{})
	return r.GetImages(), err
}

// ImageStatus is one image; nil where the runtime does not have it.
func (c *Client) ImageStatus(ctx context.Context, image string) (*runtime.Image, error) {
	r, err := call(ctx, "ImageStatus", c.images.ImageStatus,
		&runtime.ImageStatusRequest{Image: &runtime.ImageSpec{Image: image}})
	return r.GetImage(), err
}

// ImageFsInfo are the filesystems of images and of containers' own layers, as the kubelet is told of them.
func (c *Client) ImageFsInfo(ctx context.Context) (images, containers []*runtime.FilesystemUsage, err error) {
	r, err := call(ctx, "ImageFsInfo", c.images.ImageFsInfo, &runtime.ImageFsInfoRequest{})
	return r.GetImageFilesystems(), r.GetContainerFilesystems(), err
}

// Containers are all, those that have ended too: the kubelet keeps an image for each of them.
func (c *Client) Containers(ctx context.Context) ([]*runtime.Container, error) {
	r, err := call(ctx, "ListContainers", c.runtime.ListContainers, &runtime.ListContainersRequest{})
	return r.GetContainers(), err
}

func call[Q, R any](ctx context.Context, name string, f func(context.Context, Q, ...grpc.CallOption) (R, error), q Q) (R, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	r, err := f(ctx, q)
	if err != nil {
		return r, fmt.Errorf("CRI %s: %w", name, err)
	}
	return r, nil
}
