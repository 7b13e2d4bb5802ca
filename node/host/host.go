// Package host is the node itself as a program on it sees it: its files below
// a root, and the processes of its runtime and its kubelet.
//
// In a pod the node's folders are mounted below a root of their own, and only
// those that are needed; started by hand on a node the root is /. Links are
// followed as they are on the node and never lead out of the root. Everything
// read is bounded. Nothing is written, and no process is touched.
package host

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	securejoin "github.com/cyphar/filepath-securejoin"
)

// MaxFile bounds what ReadFile takes, in bytes.
const MaxFile = 4 << 20

// Host is one node. The zero value is the machine that this runs on.
type Host struct {
	// Root is where the node's / is; empty is /.
	Root string
	// Proc is where the node's processes are; empty is /proc.
	Proc string
}

// Path is where a path of the node can be opened from here, every link in it resolved as on the node.
func (h *Host) Path(path string) (string, error) {
	if !filepath.IsAbs(path) {
		return "", fmt.Errorf("%s: not an absolute path", path)
	}
	if h.root() == "/" {
		return filepath.Clean(path), nil
	}
	return securejoin.SecureJoin(h.root(), path)
}

// ErrTooLarge is in the error of a file that is larger than it may be.
var ErrTooLarge = errors.New("larger than it may be")

// ReadFile reads a regular file of the node, of MaxFile bytes at most.
func (h *Host) ReadFile(path string) ([]byte, error) {
	at, err := h.Path(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(at) // before it is opened: a pipe would wait for a writer
	if err != nil {
		return nil, onNode(path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", path)
	}
	f, err := os.Open(at)
	if err != nil {
		return nil, onNode(path, err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	switch {
	case err != nil:
		return nil, onNode(path, err)
	case len(data) > MaxFile:
		return nil, fmt.Errorf("%s: %w (%d MiB)", path, ErrTooLarge, MaxFile>>20)
	}
	return data, nil
}

// ReadDir lists a folder of the node.
func (h *Host) ReadDir(path string) ([]fs.DirEntry, error) {
	at, err := h.Path(path)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(at)
	return entries, onNode(path, err)
}

// Stat looks at a path of the node.
func (h *Host) Stat(path string) (fs.FileInfo, error) {
	at, err := h.Path(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(at)
	return info, onNode(path, err)
}

func (h *Host) root() string {
	if h.Root == "" {
		return "/"
	}
	return filepath.Clean(h.Root)
}

func (h *Host) proc() string {
	if h.Proc == "" {
		return "/proc"
	}
	return h.Proc
}

// onNode names the node's path in an error, and not where it is mounted.
func onNode(path string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return &fs.PathError{Op: p.Op, Path: path, Err: p.Err}
	}
	return err
}
