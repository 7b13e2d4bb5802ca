package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"

	"github.com/refloat-dev/refloat/evidence"
)

const dockerFile = "/etc/docker/daemon.json"

// dockerFiles is a daemon.json as far as it bears on pulls; flags add to its lists.
type dockerFiles struct {
	Mirrors  []string `json:"registry-mirrors"`
	Insecure []string `json:"insecure-registries"`
	Root     string   `json:"data-root"`
	Exec     string   `json:"exec-root"`
	Storage  string   `json:"storage-driver"`
}

func (r *Runtime) readDocker() {
	d := &dockerFiles{}
	r.docker = d
	file, given := dockerFile, false
	if r.Process != nil {
		if f := r.Process.Flag("config-file"); f != "" {
			file, given = f, true
		}
	}
	b, err := readFile(r.host, file)
	switch {
	case err == nil:
		r.File = file
		if err := json.Unmarshal(b, d); err != nil {
			r.Problems = append(r.Problems, evidence.ConfigProblem{File: file, Effect: evidence.EffectStops,
				Text: fmt.Sprintf("unable to configure the Docker daemon with file %s: %v", file, err)})
		}
	case !certain(r.host, file, err):
		r.unread = append(r.unread, fmt.Sprintf("%s: %v", file, plain(err)))
	case given || !errors.Is(err, fs.ErrNotExist):
		r.Problems = append(r.Problems, evidence.ConfigProblem{File: file, Effect: evidence.EffectStops, Text: err.Error()})
	}
	if r.Process != nil {
		for _, add := range []struct {
			to   *[]string
			flag string
		}{{&d.Mirrors, "registry-mirror"}, {&d.Insecure, "insecure-registry"}} {
			if v := r.Process.Flag(add.flag); v != "" {
				*add.to = append(*add.to, v)
			}
		}
		over(&d.Root, r.Process.Flag("data-root"))
	}
	r.Root, r.State, r.Snapshotter = "/var/lib/docker", "/var/run/docker", d.Storage
	over(&r.Root, d.Root)
	over(&r.State, d.Exec)
	if r.Socket == "" {
		r.Socket = "/run/cri-dockerd.sock"
	}
}

// look fills in dockerd's places: mirrors are for Docker Hub alone.
func (d *dockerFiles) look(l *look) {
	if l.registry == "docker.io" {
		for _, m := range d.Mirrors {
			if u, err := url.Parse(m); err == nil && u.Host != "" {
				l.dockerHost(u.Scheme, u.Host, d)
			}
		}
		l.dockerHost("https", "registry-1.docker.io", d)
		return
	}
	l.dockerHost("https", l.registry, d)
}

func (l *look) dockerHost(scheme, name string, d *dockerFiles) {
	h := configured{scheme: scheme, host: name, path: "/v2", capabilities: []string{"pull", "resolve"}}
	if d.insecure(name) {
		skip := true
		h.skipVerify, h.plain = &skip, true
	}
	dir := filepath.Join("/etc/docker/certs.d", name)
	if _, err := l.host.Stat(dir); err == nil {
		found := l.certificates(dir)
		h.cas, h.pairs = found.cas, found.pairs
	}
	l.hosts = append(l.hosts, h)
}

// insecure reports whether a host is listed, by its name or by a range that its address is in; loopback always is.
func (d *dockerFiles) insecure(name string) bool {
	if local(name) || slices.Contains(d.Insecure, name) {
		return true
	}
	host := name
	if h, _, err := net.SplitHostPort(name); err == nil {
		host = h
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && slices.ContainsFunc(d.Insecure, func(s string) bool {
		p, err := netip.ParsePrefix(s)
		return err == nil && p.Contains(addr)
	})
}
