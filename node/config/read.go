package config

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/refloat-dev/refloat/node/host"
)

// maxFile bounds one file of a configuration, in bytes: real ones have some thousand, bundles of CAs some hundred thousand.
const maxFile = 1 << 20

// errBounds is in the error of what is larger than this package reads; the runtime may well read it.
var errBounds = errors.New("larger than is read here")

// readFile reads a file as the runtime would: its errors are those that the runtime meets.
func readFile(h *host.Host, path string) ([]byte, error) {
	b, err := h.ReadFile(path)
	var p *fs.PathError
	switch {
	case err == nil && len(b) > maxFile:
		return nil, fmt.Errorf("%s: %w (%d MiB)", path, errBounds, maxFile>>20)
	case errors.As(err, &p) && p.Op == "stat": // which is how ReadFile begins
		return nil, &fs.PathError{Op: "open", Path: path, Err: p.Err}
	case err != nil:
		if info, statErr := h.Stat(path); statErr == nil && info.IsDir() {
			return nil, &fs.PathError{Op: "read", Path: path, Err: syscall.EISDIR}
		}
	}
	return b, err
}
