package distribution

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/internal/registrytest/imagetest"
	"github.com/sirupsen/logrus"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	logrus.SetOutput(io.Discard) // the real registry tells of every request
	// The real registry's shutdown forgets the one goroutine of its notifications.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/docker/go-events.(*Broadcaster).run"))
}

const (
	host, service  = "reg.lab", "reg.lab"
	user, password = "ada", "right"
	privateRepo    = "team/private"
)

var (
	publicRepos = []string{"team/app", "team/tags", "team/docker"}
	tags        = []string{"a", "b", "c", "d", "e"}
)

// shops are three registries with the same goods.
type shops struct{ open, tokens, passwords http.Handler }

// fakeShops are those of this project.
func fakeShops(t *testing.T) shops {
	t.Helper()
	fill := func(style registrytest.Style) http.Handler {
		r := registrytest.New(host, style)
		r.Service, r.Private = service, []string{privateRepo}
		r.SetUser(registrytest.User{Name: user, Password: password, Pull: []string{"*"}})
		g := goods(t)
		for _, tag := range tags {
			push(t, r, "team/tags", tag, g.docker)
		}
		push(t, r, "team/docker", "v1", g.docker)
		for _, repo := range []string{"team/app", privateRepo} {
			if _, err := r.PushIndex(repo, "v1", g.index); err != nil {
				t.Fatal(err)
			}
		}
		return r
	}
	return shops{open: fill(registrytest.Open), tokens: fill(registrytest.BearerHub), passwords: fill(registrytest.BasicNexus)}
}

func push(t *testing.T, r *registrytest.Registry, repo, tag string, img v1.Image) {
	t.Helper()
	if _, err := r.Push(repo, tag, img); err != nil {
		t.Fatal(err)
	}
}

// stock pushes the goods to an open registry over the network.
func stock(t *testing.T, h http.Handler) {
	t.Helper()
	g, tr := goods(t), client(t, h)
	write := func(repo, tag string, push func(name.Reference, ...remote.Option) error) {
		ref, err := name.ParseReference(host+"/"+repo+":"+tag, name.Insecure)
		if err != nil {
			t.Fatal(err)
		}
		if err := push(ref, remote.WithTransport(tr), remote.WithContext(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	docker := func(ref name.Reference, o ...remote.Option) error { return remote.Write(ref, g.docker, o...) }
	for _, tag := range tags {
		write("team/tags", tag, docker)
	}
	write("team/docker", "v1", docker)
	for _, repo := range []string{"team/app", privateRepo} {
		write(repo, "v1", func(ref name.Reference, o ...remote.Option) error { return remote.WriteIndex(ref, g.index, o...) })
	}
}

// wares are an OCI index for two platforms and an image of Docker's format.
type wares struct {
	index  v1.ImageIndex
	child  v1.Image
	docker v1.Image
}

func goods(t *testing.T) wares {
	t.Helper()
	var images []v1.Image
	for _, arch := range []string{"amd64", "arm64"} {
		img, err := imagetest.Image(imagetest.Spec{
			Platform: v1.Platform{OS: "linux", Architecture: arch}, Layers: [][]imagetest.File{{imagetest.Big("big", 5000, 1)}},
		})
		if err != nil {
			t.Fatal(err)
		}
		images = append(images, img)
	}
	idx, err := imagetest.Index(images...)
	if err != nil {
		t.Fatal(err)
	}
	idx = mutate.IndexMediaType(idx, types.OCIImageIndex) // says so in its own words too
	docker := mutate.ConfigMediaType(mutate.MediaType(images[0], types.DockerManifestSchema2), types.DockerConfigJSON)
	return wares{index: idx, child: images[0], docker: docker}
}

// client returns a transport for which every host is the server of h.
func client(t *testing.T, h http.Handler) *http.Transport {
	t.Helper()
	s := httptest.NewServer(h)
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", s.Listener.Addr().String())
	}}
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		s.Close()
	})
	return tr
}
