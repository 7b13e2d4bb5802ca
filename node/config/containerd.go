package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/host"
)

// The files that containerd is configured by, where nothing names another.
const (
	containerdFile = "/etc/containerd/config.toml"
	k3sDir, rkeDir = "/var/lib/rancher/k3s", "/var/lib/rancher/rke2"
	rancherFile    = "/agent/etc/containerd/config.toml"
)

// At most maxImports files of maxImported bytes in all are read.
const (
	maxImports  = 64
	maxImported = 4 << 20
)

// containerdDocument is the part of a config.toml that bears on pulls. Being typed it takes no more memory than that.
type containerdDocument struct {
	Version  int      `toml:"version"`
	Root     string   `toml:"root"`
	State    string   `toml:"state"`
	TempDir  string   `toml:"temp"`
	Imports  []string `toml:"imports"`
	Disabled []string `toml:"disabled_plugins"`
	GRPC     struct {
		Address string `toml:"address"`
	} `toml:"grpc"`
	Plugins struct {
		V1     *criTable    `toml:"cri"`
		V2     *criTable    `toml:"io.containerd.grpc.v1.cri"`
		Images *imagesTable `toml:"io.containerd.cri.v1.images"`
		GRPC   *struct {
			Address string `toml:"address"`
		} `toml:"io.containerd.server.v1.grpc"`
	} `toml:"plugins"`
}

// criTable is the image part of the CRI plugin's table in versions 1 and 2.
type criTable struct {
	Registry     *registryTable `toml:"registry"`
	MaxDownloads *int           `toml:"max_concurrent_downloads"`
	SyncFS       *bool          `toml:"image_pull_with_sync_fs"`
	Containerd   *struct {
		Snapshotter *string   `toml:"snapshotter"`
		Discard     *bool     `toml:"discard_unpacked_layers"`
		Unannotated *bool     `toml:"disable_snapshot_annotations"`
		Runtimes    *struct{} `toml:"runtimes"`
	} `toml:"containerd"`
}

// imagesTable is the image service's table from version 3 on; what is nil is not written.
type imagesTable struct {
	Registry     *registryTable `toml:"registry"`
	Snapshotter  *string        `toml:"snapshotter"`
	Discard      *bool          `toml:"discard_unpacked_layers"`
	Unannotated  *bool          `toml:"disable_snapshot_annotations"`
	MaxDownloads *int           `toml:"max_concurrent_downloads"`
	SyncFS       *bool          `toml:"image_pull_with_sync_fs"`
	Local        *bool          `toml:"use_local_image_pull"`
}

type registryTable struct {
	ConfigPath *string                `toml:"config_path"`
	Mirrors    map[string]mirrorTable `toml:"mirrors"`
	Configs    map[string]struct{}    `toml:"configs"`
	Auths      map[string]struct{}    `toml:"auths"`
	Headers    map[string][]string    `toml:"headers"`
}

type mirrorTable struct {
	Endpoints []string `toml:"endpoint"`
}

// containerdFiles is a config.toml and what it imports, in containerd's order.
type containerdFiles struct {
	files []containerdPart
	// flags are those of the process that win over the files.
	root, state, address string
	images               imagesTable // all together
	local                bool        // pulls are the CRI plugin's own, not the transfer service's
	roots                []string    // what hosts.toml are looked up below
	defaults             bool        // roots are the built-in ones
	problems             []evidence.ConfigProblem
}

type containerdPart struct {
	path string
	containerdDocument
	at lines
}

func (r *Runtime) readContainerd(k kubelet) {
	c := &containerdFiles{}
	r.containerd = c
	path, given := containerdFile, ""
	if r.Process != nil {
		given = lastOf(r.Process, "config", "c")
		c.root, c.state = r.Process.Flag("root"), r.Process.Flag("state")
		c.address = lastOf(r.Process, "address", "a")
	}
	for _, dir := range []string{k3sDir, rkeDir} {
		// Both have their own, and start it with flags: those are not seen where it does not run.
		if _, err := r.host.Stat(dir + rancherFile); given == "" && r.Process == nil && k.rancher && err == nil {
			given = dir + rancherFile
			c.root, c.state = dir+"/agent/containerd", "/run/k3s/containerd"
			c.address = c.state + "/containerd.sock"
		}
	}
	if given != "" {
		path = given
	}
	if filepath.IsAbs(path) {
		c.load(r, path, given != "")
	} else {
		r.unread = append(r.unread, path+": containerd was started with a relative path")
	}
	r.settle()
}

// lastOf is the value of a flag that has two names.
func lastOf(p *host.Process, names ...string) string {
	for _, name := range names {
		if v := p.Flag(name); v != "" {
			return v
		}
	}
	return ""
}

// load reads a file and what it imports, breadth first (C24 cmd/containerd/server/config/config.go:458).
func (c *containerdFiles) load(r *Runtime, path string, given bool) {
	size, pending, from := 0, []string{path}, map[string]containerdPart{}
	for loaded := map[string]bool{}; len(pending) > 0; pending = pending[1:] {
		next := pending[0]
		if loaded[next] {
			continue
		}
		loaded[next] = true
		if len(loaded) > maxImports || size > maxImported {
			r.unread = append(r.unread, next+": it and more would be imported than is read here")
			return
		}
		b, err := readFile(r.host, next)
		if err != nil {
			c.missing(r, next, err, from[next], given || next != path)
			continue
		}
		size += len(b)
		part := containerdPart{path: next, at: linesOf(b)}
		if next == path {
			r.File = path
		}
		if err := toml.Unmarshal(b, &part.containerdDocument); err != nil {
			c.problem(evidence.EffectStops, next, lineOf(err, b), "failed to unmarshal TOML: %s", words(err))
			return
		}
		c.files = append(c.files, part)
		for _, p := range part.Imports {
			p = filepath.Clean(p)
			if !filepath.IsAbs(p) {
				p = filepath.Join(filepath.Dir(next), p)
			}
			found := []string{p}
			if strings.Contains(p, "*") {
				if found, err = glob(r.host, p); err != nil {
					c.problem(evidence.EffectStops, next, part.at.of("imports"), "imports: %v", err)
				}
			}
			for _, f := range found {
				if _, seen := from[f]; !seen {
					from[f] = part
				}
			}
			pending = append(pending, found...)
		}
	}
}

// missing is a file that could not be read; without one at its usual place containerd runs on its defaults.
func (c *containerdFiles) missing(r *Runtime, path string, err error, from containerdPart, needed bool) {
	switch {
	case !certain(r.host, path, err):
		r.unread = append(r.unread, fmt.Sprintf("%s: %v", path, plain(err)))
	case from.path != "":
		c.problem(evidence.EffectStops, from.path, from.at.of("imports"), "it imports a file that cannot be read: %v", err)
	case needed || !errors.Is(err, fs.ErrNotExist):
		c.problem(evidence.EffectStops, path, 0, "%v", err)
	}
}

func (c *containerdFiles) problem(effect evidence.ConfigEffect, file string, line int, format string, args ...any) {
	c.problems = append(c.problems, evidence.ConfigProblem{File: file, Line: line, Effect: effect, Text: fmt.Sprintf(format, args...)})
}

// words are a parser's own, without the names of this package's types.
func words(err error) string {
	text, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "toml: "), " into struct field ")
	return text
}

// glob is filepath.Glob below the node's root: at most maxImports names, sorted folder by folder.
func glob(h *host.Host, pattern string) ([]string, error) {
	if _, err := filepath.Match(pattern, ""); err != nil {
		return nil, fmt.Errorf("%s: %w", pattern, err)
	}
	found := []string{"/"}
	for part := range strings.SplitSeq(strings.Trim(pattern, "/"), "/") {
		var next []string
		for _, dir := range found {
			if !strings.ContainsAny(part, `*?[\`) {
				next = append(next, filepath.Join(dir, part))
				continue
			}
			entries, _ := h.ReadDir(dir) // as in filepath.Glob: what cannot be listed matches nothing
			for _, e := range entries {
				if ok, _ := filepath.Match(part, e.Name()); ok {
					next = append(next, filepath.Join(dir, e.Name()))
				}
			}
		}
		found = next[:min(len(next), maxImports+1)]
	}
	return slices.DeleteFunc(found, func(p string) bool {
		_, err := h.Stat(p)
		return err != nil
	}), nil
}
