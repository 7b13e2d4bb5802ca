package cluster

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	registryv1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/refloat-dev/refloat/internal/registrytest/imagetest"
	"github.com/refloat-dev/refloat/test/cluster/internal/daemon"
)

// Push serves an image under HOST/REPOSITORY:TAG from now on.
func (l *Lab) Push(ctx context.Context, ref string, img registryv1.Image) error {
	raw, err := img.RawManifest()
	if err != nil {
		return fmt.Errorf("reading the manifest of %s: %w", ref, err)
	}
	mt, err := img.MediaType()
	if err != nil {
		return err
	}
	c := daemon.Content{MediaType: string(mt), Manifest: raw}
	config, err := img.RawConfigFile()
	if err != nil {
		return err
	}
	c.Blobs = append(c.Blobs, config)
	layers, err := img.Layers()
	if err != nil {
		return err
	}
	for _, layer := range layers {
		data, err := compressed(layer)
		if err != nil {
			return fmt.Errorf("packing a layer of %s: %w", ref, err)
		}
		c.Blobs = append(c.Blobs, data)
	}
	return l.PushContent(ctx, ref, c)
}

// PushContent serves any manifest and blobs under HOST/REPOSITORY:TAG from now on; c says the rest.
func (l *Lab) PushContent(ctx context.Context, ref string, c daemon.Content) error {
	var rest string
	c.Host, rest, _ = strings.Cut(ref, "/")
	c.Host = strings.TrimSuffix(c.Host, ":443")
	c.Repository, c.Tag, _ = strings.Cut(rest, ":")
	return l.control().Call(ctx, "PUT", "/content", c, nil)
}

func compressed(layer registryv1.Layer) ([]byte, error) {
	rc, err := layer.Compressed()
	if err != nil {
		return nil, err
	}
	defer func() { _ = rc.Close() }()
	return io.ReadAll(rc)
}

// appImage is the lab's program with files of its own in a second layer. Those hold random bytes, so that no node has the
// layer already, whatever was pulled before; own is that layer.
func (l *Lab) appImage(files ...imagetest.File) (img registryv1.Image, own string, err error) {
	app, err := os.ReadFile(filepath.Join(l.Bin(), "app"))
	if err != nil {
		return nil, "", err
	}
	files = append(files, imagetest.Big("etc/build", 64, uint64(time.Now().UnixNano())))
	img, err = imagetest.Image(imagetest.Spec{
		Platform:   registryv1.Platform{OS: "linux", Architecture: runtime.GOARCH},
		Layers:     [][]imagetest.File{{{Path: "app", Data: app}}, files},
		Entrypoint: []string{"/app"},
	})
	if err != nil {
		return nil, "", err
	}
	m, err := img.Manifest()
	if err != nil {
		return nil, "", err
	}
	return img, m.Layers[1].Digest.String(), nil
}
