package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/refloat-dev/refloat/evidence"
)

// CRI-O's files (containers-registries.conf(5), containers-certs.d(5), crio.conf(5)).
const (
	registriesFile = "/etc/containers/registries.conf"
	registriesDir  = registriesFile + ".d"
	crioSocket     = "/var/run/crio/crio.sock"
)

// crioFiles are the registries of registries.conf, those of a later file in the place of an earlier one's.
type crioFiles struct{ registries []crioRegistry }

type crioRegistry struct {
	Prefix   string       `toml:"prefix"`
	Location string       `toml:"location"`
	Insecure bool         `toml:"insecure"`
	Blocked  bool         `toml:"blocked"`
	Mirrors  []crioMirror `toml:"mirror"`
	file     string
	line     int
}

type crioMirror struct {
	Location string `toml:"location"`
	Insecure bool   `toml:"insecure"`
	From     string `toml:"pull-from-mirror"` // all, digest-only, tag-only
}

func (r *Runtime) readCRIO() {
	c := &crioFiles{}
	r.crio = c
	r.Root, r.State, r.Snapshotter = "/var/lib/containers/storage", "/run/containers/storage", "overlay"
	if r.Socket == "" {
		r.Socket = crioSocket
	}
	dropIns, err := glob(r.host, registriesDir+"/*.conf")
	if err != nil {
		r.unread = append(r.unread, fmt.Sprintf("%s: %v", registriesDir, err))
	}
	for _, file := range append([]string{registriesFile}, dropIns...) {
		b, err := readFile(r.host, file)
		switch {
		case err == nil:
			if file == registriesFile {
				r.File = file
			}
			c.read(r, file, b)
		case !errors.Is(err, fs.ErrNotExist) || !r.host.Sees(file):
			r.unread = append(r.unread, fmt.Sprintf("%s: %v", file, plain(err)))
		}
	}
}

func (c *crioFiles) read(r *Runtime, file string, b []byte) {
	var doc struct {
		Registries []crioRegistry `toml:"registry"`
	}
	if err := toml.Unmarshal(b, &doc); err != nil {
		r.Problems = append(r.Problems, evidence.ConfigProblem{File: file, Line: lineOf(err, b), Effect: evidence.EffectFails,
			Text: "loading registries configuration: " + words(err)})
		return
	}
	for _, reg := range doc.Registries {
		if reg.Prefix == "" {
			reg.Prefix = reg.Location
		}
		reg.file, reg.line = file, linesOf(b).of("registry")
		if len(doc.Registries) > 1 {
			reg.line = 0 // there are several of them
		}
		kept := c.registries[:0:0]
		for _, old := range c.registries {
			if old.Prefix != reg.Prefix {
				kept = append(kept, old)
			}
		}
		c.registries = append(kept, reg)
	}
}

// look takes the longest prefix that has the repository. Where only a part of the registry has a prefix of its own and the
// repository is not given, that is said.
func (c *crioFiles) look(l *look, ref string) {
	var best *crioRegistry
	for i, reg := range c.registries {
		switch {
		case matches(reg.Prefix, ref):
			if best == nil || len(reg.Prefix) > len(best.Prefix) {
				best = &c.registries[i]
			}
		case !strings.Contains(ref, "/") && strings.HasPrefix(reg.Prefix, ref+"/"):
			l.unread = append(l.unread, fmt.Sprintf("%s has settings of its own for %s", reg.file, reg.Prefix))
		}
	}
	if best == nil {
		l.crioHost(l.registry, false, "", everything)
		return
	}
	if best.Blocked {
		l.problem(evidence.EffectFails, best.file, best.line, "registry %s is blocked", best.Prefix)
	}
	l.file = best.file
	for _, m := range best.Mirrors {
		may := []string{"pull", "resolve"}
		switch m.From {
		case "digest-only":
			may = []string{"pull"}
		case "tag-only":
			may = []string{"resolve"}
		}
		l.crioHost(m.Location, m.Insecure, best.file, may)
	}
	at := best.Location
	if at == "" {
		at = l.registry
	}
	l.crioHost(at, best.Insecure, best.file, everything)
}

// crioHost adds a place, and the certificates of its folders.
func (l *look) crioHost(location string, insecure bool, file string, may []string) {
	name, rest, _ := strings.Cut(location, "/")
	if name == "docker.io" {
		name = "registry-1.docker.io"
	}
	h := configured{scheme: "https", host: name, path: path.Join("/v2", rest), capabilities: may, file: file, plain: insecure}
	if insecure {
		h.skipVerify = &insecure
	}
	for _, dir := range []string{"/etc/containers/certs.d", "/etc/docker/certs.d"} {
		if _, err := l.host.Stat(filepath.Join(dir, name)); err == nil {
			found := l.certificates(filepath.Join(dir, name))
			h.cas, h.pairs = found.cas, found.pairs
			break
		}
	}
	l.hosts = append(l.hosts, h)
}

// matches reports whether a prefix has a reference: host, host/path, or *.domain.
func matches(prefix, ref string) bool {
	if domain, ok := strings.CutPrefix(prefix, "*"); ok {
		name, _, _ := strings.Cut(ref, "/")
		return strings.HasPrefix(domain, ".") && strings.HasSuffix(name, domain)
	}
	return prefix != "" && (ref == prefix || strings.HasPrefix(ref, prefix+"/"))
}
