package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	contentapi "github.com/containerd/containerd/api/services/content/v1"
	imagesapi "github.com/containerd/containerd/api/services/images/v1"
	introspectionapi "github.com/containerd/containerd/api/services/introspection/v1"
	namespacesapi "github.com/containerd/containerd/api/services/namespaces/v1"
	snapshotsapi "github.com/containerd/containerd/api/services/snapshots/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/refloat-dev/refloat/evidence"
)

const (
	callTimeout   = 10 * time.Second
	wakeTimeout   = 300 * time.Millisecond
	streamTimeout = 2 * time.Minute
	maxMessage    = 32 << 20
	maxNamespaces = 64 // more than these are not looked at; a bit of a word each
)

// records are those of containerd, by its own API.
type records struct {
	conn       *grpc.ClientConn
	namespaces []string
}

// record is what a namespace's records say of one blob.
type record struct {
	size       int64
	namespaces []string
	labels     map[string]string // of every namespace, one over the other
	created    time.Time         // the first of them
}

// image is one name and what it is of.
type image struct {
	namespace, name string
	target          descriptor
}

// ask connects, and lists the namespaces. named is what the node calls the socket: what errors call it too.
func ask(ctx context.Context, socket, named string) (*records, error) {
	conn, err := grpc.NewClient("passthrough:containerd",
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithAuthority("localhost"),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
			if op := (*net.OpError)(nil); errors.As(err, &op) {
				return nil, fmt.Errorf("dial unix %s: %w", named, op.Err)
			}
			return conn, err
		}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)),
		grpc.WithDisableServiceConfig(), grpc.WithDisableHealthCheck())
	if err != nil {
		return nil, err
	}
	r := &records{conn: conn}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	list, err := namespacesapi.NewNamespacesClient(conn).List(ctx, &namespacesapi.ListNamespacesRequest{})
	if err != nil {
		return nil, errors.Join(plain(err), conn.Close())
	}
	for _, n := range list.GetNamespaces() {
		if len(r.namespaces) < maxNamespaces {
			r.namespaces = append(r.namespaces, n.GetName())
		}
	}
	return r, nil
}

// wake has a connection that was lost tried again at once: the runtime may be back, and the next try is up to two minutes away.
func (r *records) wake(ctx context.Context) {
	if r.conn.GetState() != connectivity.TransientFailure {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, wakeTimeout)
	defer cancel()
	r.conn.ResetConnectBackoff()
	r.conn.WaitForStateChange(ctx, connectivity.TransientFailure)
}

// within is ctx for one namespace.
func within(ctx context.Context, namespace string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "containerd-namespace", namespace)
}

// plain is a call's error in the runtime's words alone, bounded and redacted.
func plain(err error) error {
	s := status.Convert(err)
	if s.Code() == codes.DeadlineExceeded {
		return errors.New("no answer in time")
	}
	return errors.New(evidence.Clean(s.Message()))
}

// images are those of every namespace.
func (r *records) images(ctx context.Context) ([]image, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var all []image
	for _, ns := range r.namespaces {
		list, err := imagesapi.NewImagesClient(r.conn).List(within(ctx, ns), &imagesapi.ListImagesRequest{})
		if err != nil {
			return all, fmt.Errorf("listing the images of namespace %s: %w", ns, plain(err))
		}
		for _, i := range list.GetImages() {
			t := i.GetTarget()
			all = append(all, image{ns, i.GetName(), descriptor{MediaType: t.GetMediaType(), Digest: t.GetDigest(), Size: t.GetSize()}})
		}
	}
	return all, nil
}

// blob is what the namespaces have about a digest; one without namespaces where none does.
func (r *records) blob(ctx context.Context, digest string) (record, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	got := record{labels: map[string]string{}}
	for _, ns := range r.namespaces {
		answer, err := contentapi.NewContentClient(r.conn).Info(within(ctx, ns), &contentapi.InfoRequest{Digest: digest})
		if status.Code(err) == codes.NotFound {
			continue
		}
		if err != nil {
			return got, fmt.Errorf("asking for the record of %s: %w", digest, plain(err))
		}
		got.size = answer.GetInfo().GetSize()
		got.namespaces = append(got.namespaces, ns)
		if at := answer.GetInfo().GetCreatedAt().AsTime(); got.created.IsZero() || at.Before(got.created) {
			got.created = at
		}
		for k, v := range answer.GetInfo().GetLabels() {
			got.labels[k] = v
		}
	}
	return got, nil
}

// blobs calls f with the records of every namespace, as they come in pages.
func (r *records) blobs(ctx context.Context, filter string, f func(namespace int, info *contentapi.Info)) error {
	ctx, cancel := context.WithTimeout(ctx, streamTimeout)
	defer cancel()
	var filters []string
	if filter != "" {
		filters = []string{filter}
	}
	for i, ns := range r.namespaces {
		stream, err := contentapi.NewContentClient(r.conn).List(within(ctx, ns), &contentapi.ListContentRequest{Filters: filters})
		for err == nil {
			var page *contentapi.ListContentResponse
			if page, err = stream.Recv(); err == nil {
				for _, info := range page.GetInfo() {
					f(i, info)
				}
			}
		}
		if !errors.Is(err, io.EOF) {
			return fmt.Errorf("listing the content of namespace %s: %w", ns, plain(err))
		}
	}
	return nil
}

// snapshot says whether a namespace has a snapshot of that name.
func (r *records) snapshot(ctx context.Context, namespace, snapshotter, key string) (bool, error) {
	ctx, cancel := context.WithTimeout(within(ctx, namespace), callTimeout)
	defer cancel()
	_, err := snapshotsapi.NewSnapshotsClient(r.conn).Stat(ctx, &snapshotsapi.StatSnapshotRequest{Snapshotter: snapshotter, Key: key})
	switch status.Code(err) {
	case codes.OK:
		return true, nil
	case codes.NotFound:
		return false, nil
	}
	return false, fmt.Errorf("asking for the snapshot %s: %w", key, plain(err))
}

// root is the folder that a plugin says is its own; empty where it says none.
func (r *records) root(ctx context.Context, kind, id string) string {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := introspectionapi.NewIntrospectionClient(r.conn).Plugins(ctx,
		&introspectionapi.PluginsRequest{Filters: []string{fmt.Sprintf("type==%s,id==%s", kind, id)}})
	if err != nil {
		return "" // old ones do not tell; the usual place is taken then
	}
	for _, p := range answer.GetPlugins() {
		if p.GetType() == kind && p.GetID() == id {
			return p.GetExports()["root"]
		}
	}
	return ""
}

// download is what a namespace is fetching.
type download struct {
	namespace string
	*contentapi.Status
}

func (r *records) downloads(ctx context.Context) ([]download, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var all []download
	for _, ns := range r.namespaces {
		list, err := contentapi.NewContentClient(r.conn).ListStatuses(within(ctx, ns), &contentapi.ListStatusesRequest{})
		if err != nil {
			return all, fmt.Errorf("listing the downloads of namespace %s: %w", ns, plain(err))
		}
		for _, status := range list.GetStatuses() {
			all = append(all, download{ns, status})
		}
	}
	return all, nil
}
