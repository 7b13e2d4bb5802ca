// Package upstream builds the lab's programs from their pinned Go modules into a cache outside the tree, keyed by what
// goes into them. It refuses to download binaries: what runs in the lab is in go.sum.
package upstream

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// kubernetesVersion and containerdVersion are stamped into the binaries; a test holds them to the go.mod files.
const (
	kubernetesVersion = "v1.36.3"
	containerdVersion = "v2.4.2"
)

// unit is one `go build`.
type unit struct {
	name     string   // what the progress shows
	dir      string   // below test/cluster
	env      []string // beside the caller's
	args     []string // behind `go build -o OUT`
	out      string   // a file's name; empty: the directory itself
	packages []string
	// sources are folders below test/cluster whose content is part of the key, beside dir's go.mod and go.sum.
	sources []string
}

func units() []unit {
	static := []string{"CGO_ENABLED=0"}
	flags := func(ldflags string) []string {
		return []string{"-trimpath", "-buildvcs=false", "-ldflags", ldflags}
	}
	own := func(name, src string) unit {
		return unit{name: name, dir: ".", env: static, args: flags("-s -w"), out: name, packages: []string{"./" + src}, sources: []string{src}}
	}
	version := "-X k8s.io/component-base/version."
	return []unit{
		{name: "kubernetes " + kubernetesVersion, dir: "upstream/kubernetes", env: static, packages: []string{"tool"},
			args: flags("-s -w " + version + "gitVersion=" + kubernetesVersion + " " + version + "gitMajor=1 " + version + "gitMinor=36")},
		{name: "etcd", dir: "upstream/etcd", env: static, args: flags("-s -w"), out: "etcd", packages: []string{"go.etcd.io/etcd/server/v3"}},
		{name: "containerd " + containerdVersion, dir: "upstream/containerd", env: static, packages: []string{"tool"},
			args: flags("-s -w -X github.com/containerd/containerd/v2/version.Version=" + containerdVersion)},
		{name: "cni", dir: "upstream/cni", env: static, args: flags("-s -w"), packages: []string{"tool"}},
		{name: "runc", dir: "upstream/runc", env: []string{"CGO_ENABLED=1"}, packages: []string{"tool"},
			args: append([]string{"-trimpath", "-buildvcs=false", "-tags", "seccomp"}, "-ldflags", "-s -w")},
		own("pause", "image/pause"),
		own("app", "image/app"),
		own("lab-credential-provider", "image/provider"),
	}
}

// Key is the name of the cache folder for the tree at root (test/cluster).
func Key(root string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, u := range units() {
		fmt.Fprintln(h, u.name, u.env, u.args, u.out, u.packages)
		files := []string{filepath.Join(u.dir, "go.mod"), filepath.Join(u.dir, "go.sum")}
		if len(u.sources) > 0 {
			files = nil
		}
		for _, src := range u.sources {
			err := filepath.WalkDir(filepath.Join(root, src), func(path string, d fs.DirEntry, err error) error {
				if err == nil && d.Type().IsRegular() {
					rel, _ := filepath.Rel(root, path)
					files = append(files, rel)
				}
				return err
			})
			if err != nil {
				return "", err
			}
		}
		for _, f := range files {
			data, err := os.ReadFile(filepath.Join(root, f))
			if err != nil {
				return "", fmt.Errorf("keying the lab's programs: %w", err)
			}
			fmt.Fprintf(h, "%s %d\n", f, len(data))
			h.Write(data)
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

// Cache is the folder that holds every build of the lab's programs.
func Cache() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding a cache folder for the lab's programs: %w", err)
	}
	return filepath.Join(dir, "refloat-lab"), nil
}
