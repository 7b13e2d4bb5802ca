package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/host"
)

// look is one look at the configuration for one registry: where to pull from, and what was met on the way.
type look struct {
	host     *host.Host
	registry string
	// file is the hosts.toml in effect.
	file     string
	hosts    []configured
	problems []evidence.ConfigProblem
	unread   []string
}

func (l *look) problem(effect evidence.ConfigEffect, file string, line int, format string, args ...any) {
	l.problems = append(l.problems, evidence.ConfigProblem{File: file, Line: line, Effect: effect, Text: fmt.Sprintf(format, args...)})
}

// fails reports an error of a path that containerd would meet too, or, where it may be only this look's, what was not read.
func (l *look) fails(path string, err error) {
	if !certain(l.host, path, err) {
		l.unread = append(l.unread, fmt.Sprintf("%s: %v", path, plain(err)))
		return
	}
	l.problem(evidence.EffectFails, path, 0, "%v", err)
}

// certain reports whether the runtime meets an error of a file that this look met: it runs as root, and sees folders that
// may not be seen from here.
func certain(h *host.Host, path string, err error) bool {
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, host.ErrTooLarge), errors.Is(err, errBounds):
		return false
	case errors.Is(err, fs.ErrNotExist):
		return h.Sees(path)
	}
	var p *fs.PathError
	return errors.As(err, &p) // such as: not a directory, input/output error
}

// plain is an error's last part, for where the path has been said.
func plain(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// fromDirs looks a registry up in folders, as ConfigureHosts does (C24 core/remotes/docker/config/hosts.go:80).
func (l *look) fromDirs(roots []string) {
	dir := l.find(roots)
	if dir != "" {
		l.load(dir)
	}
	if l.hosts == nil {
		l.hosts = make([]configured, 1)
	}
	if last := &l.hosts[len(l.hosts)-1]; last.host == "" {
		last.byDefault(l.registry)
	}
	l.verify()
}

// find is the registry's folder, of the first root that has one: its own or _default.
func (l *look) find(roots []string) string {
	for _, root := range roots {
		for _, name := range folders(l.registry) {
			dir := filepath.Join(root, name)
			if dir != root && !strings.HasPrefix(dir, strings.TrimSuffix(root, "/")+"/") {
				continue // no host has such a name
			}
			if _, err := l.host.Stat(dir); err == nil {
				return dir
			} else if !errors.Is(err, fs.ErrNotExist) {
				l.fails(dir, err)
				return ""
			} else if !l.host.Sees(dir) {
				l.unread = append(l.unread, dir+": not seen from here")
				return ""
			}
		}
	}
	return ""
}

// folders are the names that a registry's folder may have, in containerd's order (config_unix.go:25).
func folders(registry string) []string {
	names := []string{registry, "_default"}
	if i := strings.LastIndex(registry, ":"); i > 0 {
		names = append([]string{registry[:i] + "_" + registry[i+1:] + "_"}, names...)
	}
	return names
}

// load reads a registry's folder: its hosts.toml, or certificates as Docker lays them out.
func (l *look) load(dir string) {
	path := filepath.Join(dir, hostsFile)
	b, err := readFile(l.host, path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && l.host.Sees(path):
	case err != nil:
		l.fails(path, err)
		return
	case len(b) > 0:
		hosts, doc, err := parseHosts(dir, b)
		if err == nil {
			for i := range hosts {
				hosts[i].file = path
			}
			l.file, l.hosts = path, hosts
			l.problems = append(l.problems, lookAlikes(path, b, doc, tableOrder(b))...)
			return
		}
		l.problem(evidence.EffectBypassed, path, lineOf(err, b), "failed to decode %s: %v", path, err)
	}
	l.hosts = []configured{l.certificates(dir)}
}

// lineOf is where an error of a file is; 0 where that is not known.
func lineOf(err error, b []byte) int {
	var decode *toml.DecodeError
	var f *fault
	switch {
	case errors.As(err, &decode):
		row, _ := decode.Position()
		return row
	case errors.As(err, &f):
		return linesOf(b).of(f.key...)
	}
	return 0
}

// certificates reads a folder without a hosts.toml of use: *.crt are CAs, *.cert with *.key are the node's own (hosts.go:605).
func (l *look) certificates(dir string) configured {
	h := configured{}
	entries, err := l.host.ReadDir(dir)
	if err != nil {
		l.fails(dir, err)
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case e.IsDir():
		case strings.HasSuffix(e.Name(), ".crt"):
			h.cas = append(h.cas, path)
		case strings.HasSuffix(e.Name(), ".cert"):
			key := strings.TrimSuffix(path, ".cert") + ".key"
			if _, err := l.host.Stat(key); err != nil {
				if !errors.Is(err, fs.ErrNotExist) {
					l.fails(key, err)
				}
				key = ""
			}
			h.pairs = append(h.pairs, [2]string{path, key})
		}
	}
	return h
}

// byDefault makes it the registry itself, as a reference without any configuration has it (hosts.go:104).
func (h *configured) byDefault(registry string) {
	h.host, h.scheme, h.path, h.capabilities = registry, "https", "/v2", everything
	switch {
	case registry == "docker.io":
		h.host = "registry-1.docker.io"
	case local(registry):
		_, port, _ := net.SplitHostPort(registry)
		if port != "" && port != "443" {
			h.scheme = "http"
		}
		if port != "80" {
			skip := true
			h.skipVerify = &skip
		}
	}
}

// local reports whether a registry is this machine, which containerd asks in plain HTTP where it does not speak TLS.
func local(registry string) bool {
	name := registry
	if h, _, err := net.SplitHostPort(registry); err == nil {
		name = h
	}
	return name == "localhost" || net.ParseIP(name).IsLoopback()
}

// explicitTLS reports whether the host has TLS settings of its own.
func (h *configured) explicitTLS() bool {
	return h.cas != nil || h.pairs != nil || h.skipVerify != nil
}

// verify reads the files that the hosts name: one that cannot be used fails every pull (hosts.go:240).
func (l *look) verify() {
	for _, h := range l.hosts {
		for _, ca := range h.cas {
			data, err := readFile(l.host, ca)
			if err != nil {
				l.unusable(h, "ca", ca, err, fmt.Errorf("unable to read CA cert %q: %w", ca, err))
			} else if !x509.NewCertPool().AppendCertsFromPEM(data) {
				l.unusable(h, "ca", ca, nil, fmt.Errorf("unable to load CA cert %q", ca))
			}
		}
		for _, pair := range h.pairs {
			l.verifyPair(h, pair)
		}
	}
}

func (l *look) verifyPair(h configured, pair [2]string) {
	cert, err := readFile(l.host, pair[0])
	if err != nil {
		l.unusable(h, "client", pair[0], err, fmt.Errorf("unable to read CERT file %q: %w", pair[0], err))
		return
	}
	key := cert
	if pair[1] != "" {
		if key, err = readFile(l.host, pair[1]); err != nil {
			l.unusable(h, "client", pair[1], err, fmt.Errorf("unable to read CERT file %q: %w", pair[1], err))
			return
		}
	}
	if _, err := tls.X509KeyPair(cert, key); err != nil {
		l.unusable(h, "client", pair[0], nil, fmt.Errorf("failed to load X509 key pair: %w", err))
	}
}

// unusable reports a file that a host names: cause is the error of reading it, nil where it was read.
func (l *look) unusable(h configured, key, path string, cause, text error) {
	if cause != nil && !certain(l.host, path, cause) {
		l.unread = append(l.unread, fmt.Sprintf("%s: %v", path, plain(cause)))
		return
	}
	file, line := h.file, 0
	if file == "" {
		file = path
	} else if b, err := readFile(l.host, file); err == nil {
		line = linesOf(b).of(append(append([]string{}, h.key...), key)...)
	}
	l.problem(evidence.EffectFails, file, line, "%s", text)
}
