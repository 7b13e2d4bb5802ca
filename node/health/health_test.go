package health

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	introspection "github.com/containerd/containerd/api/services/introspection/v1"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"
	runtime "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/config"
	"github.com/refloat-dev/refloat/node/cri"
	"github.com/refloat-dev/refloat/node/host"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a containerd.
type fake struct {
	runtime.UnimplementedRuntimeServiceServer
	runtime.UnimplementedImageServiceServer
	introspection.UnimplementedIntrospectionServer
	conditions []*runtime.RuntimeCondition
	image      error
	plugins    []*introspection.Plugin
}

func (f *fake) Version(context.Context, *runtime.VersionRequest) (*runtime.VersionResponse, error) {
	return &runtime.VersionResponse{RuntimeName: "containerd", RuntimeVersion: "v2.4.2"}, nil
}

func (f *fake) Status(context.Context, *runtime.StatusRequest) (*runtime.StatusResponse, error) {
	return &runtime.StatusResponse{Status: &runtime.RuntimeStatus{Conditions: f.conditions}}, nil
}

func (f *fake) ImageStatus(context.Context, *runtime.ImageStatusRequest) (*runtime.ImageStatusResponse, error) {
	return &runtime.ImageStatusResponse{}, f.image
}

func (f *fake) Plugins(context.Context, *introspection.PluginsRequest) (*introspection.PluginsResponse, error) {
	return &introspection.PluginsResponse{Plugins: f.plugins}, nil
}

const socket = "/run/containerd/containerd.sock"

// node lays out a node with its runtime's process, or without one.
func node(t *testing.T, runs bool) (*host.Host, *config.Runtime) {
	t.Helper()
	root, err := os.MkdirTemp("", "health") // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	h := &host.Host{Root: root, Proc: filepath.Join(root, "proc")}
	write(t, h, "/proc/1/comm", "systemd\n")
	write(t, h, "/proc/stat", "btime 1000\n")
	if runs {
		write(t, h, "/proc/17/cmdline", "/usr/bin/containerd\x00")
		write(t, h, "/proc/17/stat", "17 (containerd) T 1 17 17 0 -1 4194560 1 0 0 0 7 1 0 0 20 0 9 0 500 1 2\n")
		write(t, h, "/proc/17/cgroup", "0::/system.slice/containerd.service\n")
	}
	return h, &config.Runtime{Kind: config.Containerd, Socket: socket, Snapshotter: "overlayfs", Root: "/var/lib/containerd"}
}

func write(t *testing.T, h *host.Host, path, text string) {
	t.Helper()
	at := filepath.Join(h.Root, path)
	if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// serve answers at the node's socket.
func serve(t *testing.T, h *host.Host, register func(*grpc.Server)) {
	t.Helper()
	write(t, h, filepath.Dir(socket)+"/x", "")
	l, err := net.Listen("unix", filepath.Join(h.Root, socket))
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	register(s)
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(l) }()
	t.Cleanup(func() { s.Stop(); <-done })
}

func (f *fake) all(s *grpc.Server) {
	runtime.RegisterRuntimeServiceServer(s, f)
	runtime.RegisterImageServiceServer(s, f)
	introspection.RegisterIntrospectionServer(s, f)
}

func failed(kind, id, text string) *introspection.Plugin {
	return &introspection.Plugin{Type: kind, ID: id, InitErr: &status.Status{Code: 2, Message: text}}
}

func TestLook(t *testing.T) {
	t.Parallel()
	since := time.Unix(1005, 0).UTC()
	well := evidence.Runtime{Name: "containerd", Version: "v2.4.2", Socket: socket, Process: evidence.Yes, Since: since,
		Answers: evidence.Yes, Images: evidence.Yes}
	dead := evidence.Runtime{Name: "containerd", Socket: socket, Answers: evidence.No}
	tests := []struct {
		name  string
		stops bool // no process
		prep  func(t *testing.T, h *host.Host)
		want  func(r *evidence.Runtime)
		from  evidence.Runtime
		gaps  []string // what they are about
	}{
		{name: "well", from: well, prep: func(t *testing.T, h *host.Host) {
			serve(t, h, (&fake{plugins: []*introspection.Plugin{
				failed("io.containerd.snapshotter.v1", "devmapper", "devmapper not configured: skip plugin"), {Type: "io.containerd.grpc.v1", ID: "images"}},
				conditions: []*runtime.RuntimeCondition{{Type: "RuntimeReady", Status: true},
					{Type: "ContainerdHasNoDeprecationWarnings", Reason: "ContainerdHasDeprecationWarnings"}}}).all)
		}},
		{
			name: "no network, no snapshotter", from: well,
			prep: func(t *testing.T, h *host.Host) {
				serve(t, h, (&fake{plugins: []*introspection.Plugin{
					failed("io.containerd.nri.v1", "nri", "no"), failed("io.containerd.snapshotter.v1", "overlayfs", "overlay is not supported: skip plugin")},
					conditions: []*runtime.RuntimeCondition{{Type: "NetworkReady", Reason: "NetworkPluginNotReady", Message: "cni plugin not initialized"}}}).all)
			},
			want: func(r *evidence.Runtime) {
				r.Conditions = []string{"NetworkReady: NetworkPluginNotReady: cni plugin not initialized"}
				r.Plugins = []string{"io.containerd.snapshotter.v1.overlayfs: overlay is not supported: skip plugin", "io.containerd.nri.v1.nri: no"}
			},
		},
		{
			name: "no image service", from: well,
			prep: func(t *testing.T, h *host.Host) {
				serve(t, h, (&fake{image: grpcstatus.Error(codes.Unknown, "image store is broken for token=abcdefghijkl")}).all)
			},
			want: func(r *evidence.Runtime) {
				r.Images, r.Text = evidence.No, "its image service fails: image store is broken for token=REDACTED"
			},
		},
		{
			name: "no CRI plugin", from: well,
			prep: func(t *testing.T, h *host.Host) {
				f := &fake{plugins: []*introspection.Plugin{failed("io.containerd.grpc.v1", "cri", "load: invalid plugin config: `mirrors` cannot be set when `config_path` is provided")}}
				serve(t, h, func(s *grpc.Server) { introspection.RegisterIntrospectionServer(s, f) })
			},
			want: func(r *evidence.Runtime) {
				r.Version, r.Answers, r.Images = "", evidence.No, ""
				r.Text = "it answers and does not serve CRI: its CRI plugin is disabled or did not load"
				r.Plugins = []string{"io.containerd.grpc.v1.cri: load: invalid plugin config: `mirrors` cannot be set when `config_path` is provided"}
			},
			gaps: []string{"the log of containerd"},
		},
		{
			name: "killed", from: dead, stops: true,
			prep: func(t *testing.T, h *host.Host) {
				serve(t, h, func(*grpc.Server) {})
				write(t, h, socket+"x", "")
				if err := os.Rename(filepath.Join(h.Root, socket+"x"), filepath.Join(h.Root, socket)); err != nil {
					t.Fatal(err)
				}
			},
			want: func(r *evidence.Runtime) {
				r.Process, r.Text = evidence.No, "nothing listens at "+socket
			},
			gaps: []string{"the log of containerd"},
		},
		{
			name: "stopped", from: dead, stops: true,
			prep: func(t *testing.T, h *host.Host) {
				write(t, h, "/var/log/containerd.log", "time=\"x\" level=info msg=starting\ncontainerd: failed to load TOML: /etc/containerd/config.toml\n")
			},
			want: func(r *evidence.Runtime) {
				r.Process, r.Text = evidence.No, "there is no socket at "+socket
				r.Logs = []evidence.LogLine{{From: "/var/log/containerd.log", Text: "containerd: failed to load TOML: /etc/containerd/config.toml"}}
			},
		},
		{
			name: "another containerd runs", from: dead, stops: true,
			prep: func(t *testing.T, h *host.Host) { write(t, h, "/proc/9/cmdline", "/usr/bin/dockerd\x00") },
			want: func(r *evidence.Runtime) {
				r.Process, r.Text = evidence.No, "there is no socket at "+socket
			},
			gaps: []string{"the log of containerd"},
		},
		{
			name: "only our own processes are seen", from: dead, stops: true,
			prep: func(t *testing.T, h *host.Host) {
				write(t, h, "/proc/1/comm", "pause\n")
				write(t, h, "/run/containerd/x", "")
			},
			want: func(r *evidence.Runtime) { r.Text = "there is no socket at " + socket },
			gaps: []string{"the runtime's process", "the log of containerd"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h, rt := node(t, !tt.stops)
			if tt.prep != nil {
				tt.prep(t, h)
			}
			if tt.want != nil {
				tt.want(&tt.from)
			}
			got, gaps := Look(t.Context(), h, rt, "")
			if diff := cmp.Diff(&tt.from, got); diff != "" {
				t.Error(diff)
			}
			var about []string
			for _, g := range gaps {
				about = append(about, g.What)
			}
			if diff := cmp.Diff(tt.gaps, about); diff != "" {
				t.Error(diff, gaps)
			}
		})
	}
}

func TestSilent(t *testing.T) {
	t.Parallel()
	h, rt := node(t, true)
	l := &look{host: h, rt: rt, found: &evidence.Runtime{}}
	l.process()
	l.unreachable(t.Context(), fmt.Errorf("%s: %w", socket, cri.ErrSilent))
	if want := silent + "; its process is stopped by a signal"; l.found.Answers != evidence.No || l.found.Text != want {
		t.Errorf("%q: %q", l.found.Answers, l.found.Text)
	}
}

func TestGivenUp(t *testing.T) {
	t.Parallel()
	h, rt := node(t, true)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	serve(t, h, (&fake{}).all)
	got, gaps := Look(ctx, h, rt, "")
	if got.Answers != evidence.Unknown || got.Text != "" || len(gaps) != 1 || !strings.Contains(gaps[0].Why, "ended") {
		t.Errorf("a look that was given up: %+v, %v", got, gaps)
	}
}

func TestForbidden(t *testing.T) {
	t.Parallel()
	h, rt := node(t, true)
	l := &look{host: h, rt: rt, found: &evidence.Runtime{}}
	l.unreachable(t.Context(), fmt.Errorf("%s: %w", socket, fs.ErrPermission))
	if l.found.Answers != evidence.Unknown || len(l.gaps) != 1 {
		t.Errorf("a socket that may not be opened: %+v, %v", l.found, l.gaps)
	}
}
