package cli_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/refloat-dev/refloat/cli"
	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/internal/registrytest/imagetest"
	"github.com/refloat-dev/refloat/internal/registrytest/nettest"
)

// TestCheckMany: 200 images of one registry, each named by two workloads, are each asked for once.
func TestCheckMany(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("XDG_CACHE_HOME", dir)
	t.Setenv("KUBECONFIG", "")
	r := registrytest.New("127.0.0.1", registrytest.Open)
	const images = 200
	for i := range images {
		img, err := imagetest.Image(imagetest.Spec{
			Platform: v1.Platform{OS: "linux", Architecture: "amd64"}, Label: fmt.Sprint(i),
			Layers: [][]imagetest.File{{imagetest.Big("base", 512, 1)}, {imagetest.Big("app", 512, uint64(i+2))}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Push(fmt.Sprintf("team/app%d", i), "1", img); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := nettest.Serve(l, r, nil)
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	var in strings.Builder
	for n := range 2 {
		for i := range images {
			fmt.Fprintf(&in, "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p%d-%d}\nspec: {containers: [{name: c, image: '%s/team/app%d:1'}]}\n", n, i, l.Addr(), i)
		}
	}
	var out, errs bytes.Buffer
	began := time.Now()
	code := cli.Run(t.Context(), []string{"check", "--local", "-f", "-"}, cli.Streams{In: strings.NewReader(in.String()), Out: &out, Err: &errs})
	if line, _, _ := strings.Cut(out.String(), "\n"); code != 0 || line != "200 images would pull on linux/amd64" || errs.Len() > 0 {
		t.Fatalf("exit %d: %s\n%s", code, line, errs.String())
	}
	manifests := map[string]int{}
	asked := r.Log.Entries()
	for _, e := range asked {
		if strings.Contains(e.Path, "/manifests/") {
			manifests[e.Repository+" by "+e.Method]++
		}
	}
	if len(manifests) < images {
		t.Errorf("%d manifests were asked for", len(manifests))
	}
	for what, n := range manifests {
		if n > 1 {
			t.Errorf("%d requests for the manifest of %s", n, what)
		}
	}
	t.Logf("%d requests for %d images in %s", len(asked), images, time.Since(began).Round(time.Millisecond))
}

// TestDockerConfigWithoutEnd: a device or a pipe has no size, and is read no further than a docker config can be long.
func TestDockerConfigWithoutEnd(t *testing.T) {
	if _, err := os.Stat("/dev/zero"); err != nil {
		t.Skip("no /dev/zero here")
	}
	t.Setenv("KUBECONFIG", "")
	var out, errs bytes.Buffer
	code := cli.Run(t.Context(), []string{"check", "--local", "--docker-config", "/dev/zero", "reg.invalid/a:1"}, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	if code != 2 || !strings.Contains(errs.String(), "longer than") {
		t.Errorf("exit %d: %s", code, errs.String())
	}
}
