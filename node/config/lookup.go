package config

import (
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// look fills in where containerd pulls a registry's images from.
func (c *containerdFiles) look(l *look, r *Runtime) {
	if len(c.roots) == 0 && c.local {
		c.endpoints(l)
	} else {
		l.fromDirs(c.roots)
	}
	for i := range l.hosts {
		l.hosts[i].send(c.images.registry().Headers)
	}
	c.passedOver(l, r.release)
	l.nearMisses(c.roots)
}

// send adds the headers that go to every registry.
func (h *configured) send(headers map[string][]string) {
	if len(headers) == 0 {
		return
	}
	all := http.Header{}
	maps.Copy(all, headers)
	maps.Copy(all, h.header)
	h.header = all
}

// endpoints are those of the deprecated mirrors, and the registry itself (C24 internal/cri/server/images/image_pull.go:624).
func (c *containerdFiles) endpoints(l *look) {
	mirrors := c.images.registry().Mirrors
	m, ok := mirrors[l.registry]
	if !ok {
		m = mirrors["*"]
	}
	self := l.registry
	if self == "docker.io" {
		self = "registry-1.docker.io"
	}
	named := false
	for _, e := range append(slices.Clone(m.Endpoints), self) {
		if !strings.Contains(e, "://") {
			e = defaultScheme(e) + "://" + e
		}
		u, err := url.Parse(e)
		if err != nil {
			l.problem(evidence.EffectFails, "", 0, "an endpoint of the mirrors of %s is no URL", l.registry)
			continue
		}
		if u.Path == "" {
			u.Path = "/v2"
		}
		named = named || u.Host == l.registry && len(l.hosts) < len(m.Endpoints)
		l.hosts = append(l.hosts, configured{scheme: u.Scheme, host: u.Host, path: u.Path, capabilities: []string{"pull", "resolve", "referrers"}})
	}
	if named && len(l.hosts) > len(m.Endpoints) {
		l.hosts = l.hosts[:len(m.Endpoints)] // whoever names the registry itself leaves no other end of the list
	}
}

func defaultScheme(endpoint string) string {
	name, _, _ := strings.Cut(endpoint, "/")
	if local(name) {
		return "http"
	}
	return "https"
}

// passedOver finds a hosts.toml for the registry that stands where hosts.toml are usual, and is not read.
func (c *containerdFiles) passedOver(l *look, v release) {
	usual := strings.Split(builtIn, ":")
	why := "config_path is not set"
	list := len(c.roots) == 1 && strings.Contains(c.roots[0], ":")
	switch {
	case list:
		usual = strings.Split(c.roots[0], ":")
		why = "config_path lists several folders, which containerd's transfer service takes for the name of one"
		if c.defaults {
			why = "config_path is not set; its default lists two folders, which containerd's transfer service takes for the name of one"
		}
	case len(c.roots) > 0:
		return
	}
	for _, root := range usual {
		for _, name := range folders(l.registry) {
			path := filepath.Join(root, name, hostsFile)
			if _, err := l.host.Stat(path); err != nil {
				continue
			}
			if list && !listTakenForOne(v) || !v.known() {
				l.unread = append(l.unread, path+": whether this release of containerd reads it is not known")
			} else {
				l.problem(evidence.EffectBypassed, path, 0, "%s, so it is not read", why)
			}
			return
		}
	}
}

// maxNear bounds how many folders are looked at for the likes of a registry.
const maxNear = 2000

// nearMisses finds folders that look as if they were for the registry, which has none of its own.
func (l *look) nearMisses(roots []string) {
	for _, root := range roots {
		entries, err := l.host.ReadDir(root)
		if err != nil {
			continue
		}
		names := make([]string, 0, len(entries))
		for _, e := range entries[:min(len(entries), maxNear)] {
			names = append(names, e.Name())
		}
		for _, own := range folders(l.registry) {
			if own != "_default" && slices.Contains(names, own) {
				return
			}
		}
		for _, name := range names {
			if name != "_default" && meant(l.registry, name) {
				l.problem(evidence.EffectUnused, filepath.Join(root, name), 0,
					"this folder is for images whose name begins with %s/; those of %s are looked up in %s", name, l.registry, folders(l.registry)[0])
			}
		}
	}
}

// hub are names that people take for docker.io's.
var hub = []string{"registry-1.docker.io", "index.docker.io", "registry.docker.io", "hub.docker.com", "registry.hub.docker.com", "registry-1.docker.io_443_", "docker.io_443_"}

// meant reports whether a folder's name is a registry's but for its case, its port, or what the registry's address is.
func meant(registry, folder string) bool {
	if registry == "docker.io" {
		return slices.Contains(hub, folder) || strings.EqualFold(folder, registry)
	}
	name, port, _ := strings.Cut(registry, ":")
	is, its, _ := strings.Cut(folder, ":")
	if at := strings.LastIndex(strings.TrimSuffix(folder, "_"), "_"); at > 0 && strings.HasSuffix(folder, "_") {
		is, its = folder[:at], folder[at+1:len(folder)-1]
	}
	return strings.EqualFold(is, name) && (its == port || its == "" || port == "" && its == "443")
}
