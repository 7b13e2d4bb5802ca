package daemon

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/refloat-dev/refloat/internal/registrytest"
)

// Pause is the sandbox image that every node's containerd has pinned and preloaded.
const Pause = "open.lab/pause:3.10"

// bigSize is what open.lab/big:1.0 unpacks to; packed it is small, so that only the node's disk notices.
const bigSize = 192 << 20

// ProgramImage is an image of one static program from bin, with extra zero bytes in a layer of their own.
func ProgramImage(bin, program string, extra int64) (v1.Image, error) {
	data, err := os.ReadFile(filepath.Join(bin, program))
	if err != nil {
		return nil, err
	}
	exe, err := layer(program, 0o755, bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	layers := []v1.Layer{exe}
	if extra > 0 {
		pad, err := layer("padding", 0o644, zeros{}, extra)
		if err != nil {
			return nil, err
		}
		layers = append(layers, pad)
	}
	img, err := mutate.AppendLayers(empty.Image, layers...)
	if err != nil {
		return nil, err
	}
	return mutate.ConfigFile(img, &v1.ConfigFile{
		Architecture: architecture, OS: "linux", Created: v1.Time{Time: time.Unix(0, 0)},
		Config: v1.Config{Entrypoint: []string{"/" + program}},
		RootFS: must(img.ConfigFile()).RootFS,
	})
}

// must is for a config that mutate has just computed.
func must(c *v1.ConfigFile, err error) *v1.ConfigFile {
	if err != nil {
		return &v1.ConfigFile{}
	}
	return c
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// layer packs one file; the opener is called more than once, so the content is packed into memory first.
func layer(name string, mode int64, content io.Reader, size int64) (v1.Layer, error) {
	pr, pw := io.Pipe()
	go func() {
		tw := tar.NewWriter(pw)
		err := tw.WriteHeader(&tar.Header{Name: name, Mode: mode, Size: size, ModTime: time.Unix(0, 0)})
		if err == nil {
			_, err = io.CopyN(tw, content, size)
		}
		if err == nil {
			err = tw.Close()
		}
		_ = pw.CloseWithError(err)
	}()
	packed, err := gzipped(pr)
	if err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(packed)), nil })
}

// fill pushes what every lab serves: pause, app and big on every host, so that a case need only break something.
func fill(g *registrytest.Group, bin string) error {
	pause, err := ProgramImage(bin, "pause", 0)
	if err != nil {
		return err
	}
	app, err := ProgramImage(bin, "app", 0)
	if err != nil {
		return err
	}
	big, err := ProgramImage(bin, "app", bigSize)
	if err != nil {
		return err
	}
	for _, host := range Registries() {
		if host.Bare {
			continue
		}
		r := g.Registry(host.Name)
		for _, p := range []struct {
			repo, tag string
			img       v1.Image
		}{{"pause", "3.10", pause}, {"app", "1.0", app}, {"team/app", "1.0", app}, {"big", "1.0", big}} {
			if _, err := r.Push(p.repo, p.tag, p.img); err != nil {
				return err
			}
		}
	}
	return fillCases(g, app)
}
