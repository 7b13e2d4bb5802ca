package config

import (
	"errors"
	"fmt"

	"github.com/refloat-dev/refloat/node/host"
)

// maxFile bounds one file of a configuration, in bytes: real ones have some thousand, bundles of CAs some hundred thousand.
const maxFile = 1 << 20

// errBounds is in the error of what is larger than this package reads; the runtime may well read it.
var errBounds = errors.New("larger than is read here")

func readFile(h *host.Host, path string) ([]byte, error) {
	b, err := h.ReadFile(path)
	if err == nil && len(b) > maxFile {
		return nil, fmt.Errorf("%s: %w (%d MiB)", path, errBounds, maxFile>>20)
	}
	return b, err
}
