package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// builtIn is config_path where none is written, since containerd 2.2 (C24 plugins/cri/images/plugin.go:71).
const builtIn = "/etc/containerd/certs.d:/etc/docker/certs.d"

// release is a version of containerd as far as its behaviour differs: 2.4 is {2, 4}.
type release struct{ major, minor int }

// newest is the last one that these rules were held to.
var newest = release{2, 4}

func (v release) known() bool { return v != release{} }

// from reports whether it is that version or a later one.
func (v release) from(major, minor int) bool {
	return v.major > major || v.major == major && v.minor >= minor
}

// tried reports whether it is no newer than these rules: of its successors nothing is called a fault.
func (v release) tried() bool { return !v.from(newest.major, newest.minor+1) }

// parseRelease reads 2.4.2, v1.7.27-k3s1, 2.1.4~ds1; zero where it is none.
func parseRelease(s string) release {
	parts := strings.SplitN(strings.TrimPrefix(s, "v"), ".", 3)
	if len(parts) < 2 {
		return release{}
	}
	major, err := strconv.Atoi(parts[0])
	minor, err2 := strconv.Atoi(parts[1])
	if err != nil || err2 != nil || major < 1 {
		return release{}
	}
	return release{major, minor}
}

// formats is the newest version of config.toml that a release reads.
func (v release) formats() int {
	switch {
	case v.from(2, 3):
		return 4
	case v.from(2, 0):
		return 3
	}
	return 2
}

// settle works out what the files come to for the release that runs.
func (r *Runtime) settle() {
	c, v := r.containerd, r.release
	if !v.known() {
		v = newest
	}
	r.Root, r.State, r.TempDir, r.Snapshotter = "/var/lib/containerd", "/run/containerd", "", "overlayfs"
	socket := "/run/containerd/containerd.sock"
	c.images, r.Version = imagesTable{}, 0
	ps := slices.Clone(c.problems)
	add := func(effect evidence.ConfigEffect, p containerdPart, line int, format string, args ...any) {
		ps = append(ps, evidence.ConfigProblem{File: p.path, Line: line, Effect: effect, Text: fmt.Sprintf(format, args...)})
	}
	for i, p := range c.files {
		if i == 0 {
			r.Version = p.Version
		}
		over(&r.Root, p.Root)
		over(&r.State, p.State)
		over(&r.TempDir, p.TempDir)
		if p.Version < 4 {
			over(&socket, p.GRPC.Address)
		}
		if g := p.Plugins.GRPC; g != nil {
			over(&socket, g.Address)
		}
		if r.release.known() {
			p.check(v, add)
		}
		c.images.merge(p.migrated(v))
	}
	over(&r.Root, c.root)
	over(&r.State, c.state)
	over(&socket, c.address)
	if r.kubeletSocket == "" {
		r.Socket = strings.TrimPrefix(socket, "unix://")
	}
	if s := c.images.Snapshotter; s != nil {
		over(&r.Snapshotter, *s)
	}
	r.DiscardUnpacked = yes(c.images.Discard)
	r.ConfigPath = c.where(v)
	r.Problems = worstFirst(append(ps, c.judge(r.release)...))
}

// over sets what is written; an empty text is not.
func over(to *string, from string) {
	if from != "" {
		*to = from
	}
}

func yes(b *bool) bool { return b != nil && *b }

// where is config_path as it takes effect. The transfer service, which pulls since 2.1, takes a list of folders for the
// name of one (C24 internal/cri/server/images/image_pull.go:332, core/transfer/registry/registry.go:128).
func (c *containerdFiles) where(v release) []string {
	t := c.images.registry()
	path := ""
	if t.ConfigPath != nil {
		path = *t.ConfigPath
	}
	unset := path == "" && (v.from(2, 3) || t.ConfigPath == nil)
	c.defaults = v.from(2, 2) && unset && len(t.Mirrors) == 0
	if c.defaults {
		path = builtIn
	}
	c.local = !v.from(2, 1) || c.images.localPull()
	switch {
	case path == "":
		c.roots = nil
	case c.local:
		c.roots = slices.DeleteFunc(strings.Split(path, ":"), func(s string) bool { return s == "" })
	default:
		c.roots = []string{path}
	}
	return slices.Clone(c.roots)
}

// localPull reports whether a setting keeps pulls from the transfer service (C24 internal/cri/config/config.go:548).
func (t imagesTable) localPull() bool {
	r := t.registry()
	return yes(t.Local) || yes(t.Discard) || yes(t.SyncFS) || t.Unannotated != nil && !*t.Unannotated ||
		t.MaxDownloads != nil && *t.MaxDownloads != 3 || len(r.Mirrors)+len(r.Configs)+len(r.Auths) > 0
}

func (t imagesTable) registry() registryTable {
	if t.Registry == nil {
		return registryTable{}
	}
	return *t.Registry
}

// merge lays a later file's settings over: tables key by key, all else as a whole (C24 cmd/containerd/server/config/config.go:600).
func (t *imagesTable) merge(from imagesTable) {
	lay(&t.Snapshotter, from.Snapshotter)
	lay(&t.Discard, from.Discard)
	lay(&t.Unannotated, from.Unannotated)
	lay(&t.MaxDownloads, from.MaxDownloads)
	lay(&t.SyncFS, from.SyncFS)
	lay(&t.Local, from.Local)
	if from.Registry == nil {
		return
	}
	all := t.registry()
	lay(&all.ConfigPath, from.Registry.ConfigPath)
	all.Mirrors = together(all.Mirrors, from.Registry.Mirrors)
	all.Configs = together(all.Configs, from.Registry.Configs)
	all.Auths = together(all.Auths, from.Registry.Auths)
	all.Headers = together(all.Headers, from.Registry.Headers)
	t.Registry = &all
}

func lay[T any](to **T, from *T) {
	if from != nil {
		*to = from
	}
}

func together[V any](a, b map[string]V) map[string]V {
	out := map[string]V{}
	maps.Copy(out, a)
	maps.Copy(out, b)
	return out
}

// cri is the CRI plugin's table by its name in versions 1 and 2 of the file.
func (p containerdPart) cri() (*criTable, string) {
	if p.Version < 2 && p.Plugins.V1 != nil {
		return p.Plugins.V1, "cri"
	}
	return p.Plugins.V2, "io.containerd.grpc.v1.cri"
}

// migrated is a file's settings as the release's own version of the file would have them.
func (p containerdPart) migrated(v release) imagesTable {
	var t imagesTable
	if p.Plugins.Images != nil && v.from(2, 0) {
		t = *p.Plugins.Images
	}
	cri, _ := p.cri()
	// A file of the release's own version is not migrated: its old table is not read (C24 plugins/cri/images/plugin.go:180).
	if cri == nil || v.from(2, 0) && p.Version >= v.formats() {
		return t
	}
	lay(&t.Registry, cri.Registry)
	lay(&t.MaxDownloads, cri.MaxDownloads)
	lay(&t.SyncFS, cri.SyncFS)
	// Without a table of runtimes the rest is left behind.
	if d := cri.Containerd; d != nil && (d.Runtimes != nil || !v.from(2, 0)) {
		lay(&t.Snapshotter, d.Snapshotter)
		lay(&t.Discard, d.Discard)
		lay(&t.Unannotated, d.Unannotated)
	}
	return t
}
