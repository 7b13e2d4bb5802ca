// Command image packs the agent into an image without Docker: a static binary
// and nothing else, as an OCI layout in one tar file. Equal source gives equal
// bytes.
//
//	go run ./deploy/image -o bin/refloat-agent.tar
//	ctr -n k8s.io images import bin/refloat-agent.tar
//
// It refuses to push: that is for a tool that knows registries, such as
// `crane push`.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
)

func main() {
	var p packing
	var archs string
	flag.StringVar(&p.out, "o", "bin/refloat-agent.tar", "the file to write")
	flag.StringVar(&p.ref, "image", "ghcr.io/refloat-dev/refloat-agent:dev", "the name that a runtime gives it on import")
	flag.StringVar(&p.source, "source", "./cmd/refloat-agent", "the package to build")
	flag.StringVar(&archs, "arch", runtime.GOARCH, "the architectures, with commas between them")
	flag.Parse()
	p.archs = strings.Split(archs, ",")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := p.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "image: "+err.Error())
		os.Exit(1)
	}
}

type packing struct {
	out, ref, source string
	archs            []string
}

func (p packing) run(ctx context.Context) error {
	tmp, err := os.MkdirTemp("", "refloat-image-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	programs := map[string]string{}
	for _, arch := range p.archs {
		programs[arch] = filepath.Join(tmp, arch)
		if err := p.build(ctx, arch, programs[arch]); err != nil {
			return err
		}
	}
	index, err := imageOf(p.ref, p.archs, programs)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(p.out), 0o755); err != nil {
		return err
	}
	return write(index, filepath.Join(tmp, "layout"), p.out)
}

// build leaves grpc's tracing pages out, and html/template with them: a sixth of the program.
func (p packing) build(ctx context.Context, arch, out string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-tags=grpcnotrace", "-o", out, p.source)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("building for %s: %w", arch, err)
	}
	return nil
}
