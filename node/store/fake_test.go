package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	contentapi "github.com/containerd/containerd/api/services/content/v1"
	imagesapi "github.com/containerd/containerd/api/services/images/v1"
	introspectionapi "github.com/containerd/containerd/api/services/introspection/v1"
	namespacesapi "github.com/containerd/containerd/api/services/namespaces/v1"
	snapshotsapi "github.com/containerd/containerd/api/services/snapshots/v1"
	"github.com/containerd/containerd/api/types"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/refloat-dev/refloat/node/config"
	"github.com/refloat-dev/refloat/node/host"
)

const root = "/var/lib/containerd"

// fake is containerd: its API, and the folders of a node.
type fake struct {
	contentapi.UnimplementedContentServer

	t    testing.TB
	node string // its root
	mu   sync.Mutex
	// by namespace
	blobs     map[string]map[string]*contentapi.Info
	images    map[string]map[string]descriptor
	snapshots map[string]map[string]bool
	// snapshotter is the runtime's; empty is overlayfs.
	snapshotter string
	statuses    map[string][]*contentapi.Status
}

func newFake(t testing.TB) *fake { return newFakeIn(t, "") }

func newFakeIn(t testing.TB, parent string) *fake {
	t.Helper()
	dir, err := os.MkdirTemp(parent, "store") // a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	f := &fake{t: t, node: dir, blobs: map[string]map[string]*contentapi.Info{"k8s.io": {}, "moby": {}}, images: map[string]map[string]descriptor{"k8s.io": {}, "moby": {}},
		snapshots: map[string]map[string]bool{"k8s.io": {}, "moby": {}}, statuses: map[string][]*contentapi.Status{}}
	for _, d := range []string{"blobs/sha256", "ingest"} {
		f.must(os.MkdirAll(f.path(contentFolder, d), 0o755))
	}
	f.must(os.MkdirAll(f.path(snapshotFolder+"overlayfs", "snapshots"), 0o755))
	return f
}

func (f *fake) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fake) path(parts ...string) string {
	return filepath.Join(append([]string{f.node, root}, parts...)...)
}

func (f *fake) file(digest string) string {
	return f.path(contentFolder, "blobs/sha256", strings.TrimPrefix(digest, "sha256:"))
}

// serve starts the API until stop, and open opens the store with it or, where it was not started, without.
func (f *fake) serve() (stop func()) {
	f.t.Helper()
	l, err := net.Listen("unix", filepath.Join(f.node, "sock"))
	f.must(err)
	s := grpc.NewServer()
	contentapi.RegisterContentServer(s, f)
	imagesapi.RegisterImagesServer(s, imagesOf{fake: f})
	introspectionapi.RegisterIntrospectionServer(s, introspectionapi.UnimplementedIntrospectionServer{})
	namespacesapi.RegisterNamespacesServer(s, namespacesOf{})
	snapshotsapi.RegisterSnapshotsServer(s, snapshotsOf{fake: f})
	go func() { _ = s.Serve(l) }()
	f.t.Cleanup(s.Stop)
	return s.Stop
}

func (f *fake) open() *Store {
	f.t.Helper()
	s, err := Open(context.Background(), &host.Host{Root: f.node}, &config.Runtime{Kind: config.Containerd, Root: root, Socket: "/sock", Snapshotter: cmp.Or(f.snapshotter, "overlayfs")})
	f.must(err)
	f.t.Cleanup(func() { _ = s.Close() })
	return s
}

// put stores a blob with its record.
func (f *fake) put(ns string, data []byte, labels map[string]string) descriptor {
	f.t.Helper()
	d := descriptor{Digest: fmt.Sprintf("sha256:%x", sha256.Sum256(data)), Size: int64(len(data))}
	if _, err := os.Stat(f.file(d.Digest)); err != nil {
		f.must(os.WriteFile(f.file(d.Digest), data, 0o644))
	}
	f.blobs[ns][d.Digest] = &contentapi.Info{Digest: d.Digest, Size: d.Size, Labels: labels, CreatedAt: timestamppb.Now()}
	return d
}

// made is one image and its parts.
type made struct {
	manifest, config, layer descriptor
	chain                   string
}

// image stores an image of one layer, unpacked. Layers of the same text are shared.
func (f *fake) image(ns, name, layer string) made {
	f.t.Helper()
	diffID := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte("unpacked "+layer)))
	m := made{layer: f.put(ns, []byte(layer), map[string]string{"containerd.io/uncompressed": diffID}), chain: diffID}
	config := fmt.Sprintf(`{"os":"linux","created":%q,"rootfs":{"type":"layers","diff_ids":[%q]}}`, name, diffID)
	m.config = f.put(ns, []byte(config), map[string]string{"containerd.io/gc.ref.snapshot.overlayfs": diffID})
	data, err := json.Marshal(map[string]any{"schemaVersion": 2, "config": m.config, "layers": []descriptor{m.layer}})
	f.must(err)
	m.manifest = f.put(ns, data, map[string]string{childLabel + ".config": m.config.Digest, childLabel + ".l.0": m.layer.Digest,
		sourceLabel + "reg.lab": "shop/other,shop/web"})
	f.images[ns][name] = m.manifest
	f.images[ns][m.config.Digest] = m.manifest
	f.snapshots[ns][diffID] = true
	return m
}

type (
	imagesOf struct {
		imagesapi.UnimplementedImagesServer
		fake *fake
	}
	namespacesOf struct {
		namespacesapi.UnimplementedNamespacesServer
	}
	snapshotsOf struct {
		snapshotsapi.UnimplementedSnapshotsServer
		fake *fake
	}
)

func namespaceOf(ctx context.Context) string {
	md, _ := metadata.FromIncomingContext(ctx)
	return strings.Join(md.Get("containerd-namespace"), " ")
}

func (f namespacesOf) List(context.Context, *namespacesapi.ListNamespacesRequest) (*namespacesapi.ListNamespacesResponse, error) {
	return &namespacesapi.ListNamespacesResponse{Namespaces: []*namespacesapi.Namespace{{Name: "k8s.io"}, {Name: "moby"}}}, nil
}

func (f imagesOf) List(ctx context.Context, _ *imagesapi.ListImagesRequest) (*imagesapi.ListImagesResponse, error) {
	r := &imagesapi.ListImagesResponse{}
	for name, d := range f.fake.images[namespaceOf(ctx)] {
		r.Images = append(r.Images, &imagesapi.Image{Name: name, Target: &types.Descriptor{MediaType: d.MediaType, Digest: d.Digest, Size: d.Size}})
	}
	slices.SortFunc(r.Images, func(a, b *imagesapi.Image) int { return cmp.Compare(a.Name, b.Name) })
	return r, nil
}

func (f snapshotsOf) Stat(ctx context.Context, q *snapshotsapi.StatSnapshotRequest) (*snapshotsapi.StatSnapshotResponse, error) {
	if !f.fake.snapshots[namespaceOf(ctx)][q.GetKey()] || q.GetSnapshotter() != cmp.Or(f.fake.snapshotter, "overlayfs") {
		return nil, status.Error(codes.NotFound, "snapshot does not exist")
	}
	return &snapshotsapi.StatSnapshotResponse{Info: &snapshotsapi.Info{Name: q.GetKey()}}, nil
}

func (f *fake) Info(ctx context.Context, q *contentapi.InfoRequest) (*contentapi.InfoResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := f.blobs[namespaceOf(ctx)][q.GetDigest()]; i != nil {
		return &contentapi.InfoResponse{Info: i}, nil
	}
	return nil, status.Error(codes.NotFound, "content not found")
}

// List sends pages of a hundred as containerd does. Its filters are coarse: what has no such label key is left out.
func (f *fake) List(q *contentapi.ListContentRequest, s contentapi.Content_ListServer) error {
	key := ""
	if len(q.GetFilters()) > 0 {
		_, key, _ = strings.Cut(q.GetFilters()[0], `"`)
		key, _, _ = strings.Cut(key, `"`)
	}
	var page []*contentapi.Info
	for _, i := range f.blobs[namespaceOf(s.Context())] {
		if _, ok := i.GetLabels()[key]; !ok && key != "" {
			continue
		}
		if page = append(page, i); len(page) == 100 {
			if err := s.Send(&contentapi.ListContentResponse{Info: page}); err != nil {
				return err
			}
			page = nil
		}
	}
	return s.Send(&contentapi.ListContentResponse{Info: page})
}

func (f *fake) ListStatuses(ctx context.Context, _ *contentapi.ListStatusesRequest) (*contentapi.ListStatusesResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return &contentapi.ListStatusesResponse{Statuses: f.statuses[namespaceOf(ctx)]}, nil
}

// ingest lays out a partial download.
func (f *fake) ingest(name, digest string, data []byte, total int, age time.Duration) {
	f.t.Helper()
	dir := f.path(contentFolder, "ingest", name)
	at := time.Now().Add(-age)
	f.must(errors.Join(os.Mkdir(dir, 0o755), os.WriteFile(filepath.Join(dir, "ref"), []byte("k8s.io/7/layer-"+digest), 0o600),
		os.WriteFile(filepath.Join(dir, "total"), fmt.Append(nil, total), 0o600), os.WriteFile(filepath.Join(dir, "data"), data, 0o600),
		os.Chtimes(filepath.Join(dir, "data"), at, at)))
}
