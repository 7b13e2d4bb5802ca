// Package roots gathers the certificates that a node's runtime trusts: the
// system's, from where a Go program on that distribution takes them (Go 1.26
// crypto/x509/root_linux.go, root_unix.go), and those that the runtime's own
// configuration adds for a host.
//
// It takes no certificate from anywhere else, this program's own among them,
// and refuses to say whether one should be trusted.
package roots

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/host"
)

// The first of files that can be read counts, and all of folders.
var (
	files = []string{
		"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/pki/tls/cacert.pem",
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem",
	}
	folders = []string{"/etc/ssl/certs", "/etc/pki/tls/certs"}
)

const maxEntries = 2000 // of a folder

// Store is what is trusted, and where it comes from.
type Store struct {
	Pool *x509.CertPool
	// Files are those that gave certificates, a folder standing for what is in it.
	Files []string
}

// System reads the system's store as a process with that environment would.
func System(h *host.Host, env map[string]string) (*Store, []evidence.Gap) {
	s := &Store{Pool: x509.NewCertPool()}
	var failed error
	names := files
	if f := env["SSL_CERT_FILE"]; f != "" {
		names = []string{f}
	}
	for _, name := range names {
		data, err := h.ReadFile(name)
		if err == nil {
			s.add(name, data)
			break
		}
		if !os.IsNotExist(err) {
			failed = cmp.Or(failed, err)
		}
	}
	dirs := folders
	if d := env["SSL_CERT_DIR"]; d != "" {
		dirs = strings.Split(d, ":")
	}
	for _, dir := range dirs {
		s.folder(h, dir)
	}
	if len(s.Files) > 0 {
		return s, nil
	}
	why := "none of the files is there that hold it on a Linux distribution"
	if failed != nil {
		why = failed.Error()
	}
	return s, []evidence.Gap{{Vantage: evidence.Node, What: "the certificates that the node trusts", Why: why,
		How: "let the agent see /etc/ssl and /etc/pki, and what they link to"}}
}

func (s *Store) add(name string, data []byte) {
	if s.Pool.AppendCertsFromPEM(data) && !slices.Contains(s.Files, name) {
		s.Files = append(s.Files, name)
	}
}

func (s *Store) folder(h *host.Host, dir string) {
	entries, err := h.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries[:min(len(entries), maxEntries)] {
		if besides(h, dir, e) {
			continue
		}
		if data, err := h.ReadFile(path.Join(dir, e.Name())); err == nil {
			before := len(s.Files)
			s.add(dir, data)
			if len(s.Files) > before && slices.ContainsFunc(s.Files[:before], func(f string) bool { return path.Dir(f) == dir }) {
				s.Files = s.Files[:before] // the bundle in it is named already
			}
		}
	}
}

// besides reports a link to a neighbour in the same folder, of which there is one per certificate.
func besides(h *host.Host, dir string, e fs.DirEntry) bool {
	if e.Type()&fs.ModeSymlink == 0 {
		return false
	}
	at, err := h.Path(dir)
	if err != nil {
		return false
	}
	to, err := os.Readlink(filepath.Join(at, e.Name()))
	return err == nil && !strings.Contains(to, "/")
}

// With is the store and the certificates of more files. The error is containerd's own for one that it cannot read, at which
// it gives up the whole pull (C24 core/remotes/docker/config/hosts.go, updateTLSConfigFromHost).
func (s *Store) With(h *host.Host, more []string) (*Store, error) {
	if len(more) == 0 {
		return s, nil
	}
	all := &Store{Pool: s.Pool.Clone(), Files: slices.Clone(s.Files)}
	for _, name := range more {
		data, err := open(h, name)
		if err != nil {
			return all, fmt.Errorf("unable to read CA cert %q: %w", name, err)
		}
		if !all.Pool.AppendCertsFromPEM(data) {
			return all, fmt.Errorf("unable to load CA cert %q", name)
		}
		all.Files = append(all.Files, name)
	}
	return all, nil
}

// open reads a file, with the runtime's words where it is not there: it does not look before it opens.
func open(h *host.Host, name string) ([]byte, error) {
	data, err := h.ReadFile(name)
	var p *fs.PathError
	if errors.As(err, &p) {
		return nil, &fs.PathError{Op: "open", Path: p.Path, Err: p.Err}
	}
	return data, err
}

// Pairs are client certificates with their keys, which stay in memory.
func Pairs(h *host.Host, pairs [][2]string) ([]tls.Certificate, error) {
	var all []tls.Certificate
	for _, p := range pairs {
		cert, err := open(h, p[0])
		if err != nil {
			return all, fmt.Errorf("unable to read CERT file %q: %w", p[0], err)
		}
		key, err := open(h, cmp.Or(p[1], p[0]))
		if err != nil {
			return all, fmt.Errorf("unable to read CERT file %q: %w", cmp.Or(p[1], p[0]), err)
		}
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			return all, fmt.Errorf("failed to load X509 key pair: %w", err)
		}
		all = append(all, pair)
	}
	return all, nil
}
