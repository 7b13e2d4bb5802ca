package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// SourceEnv names the folder test/cluster for a caller that runs outside the module.
const SourceEnv = "REFLOAT_LAB_SOURCE"

const module = "github.com/refloat-dev/refloat"

// sourceRoot finds test/cluster, whose nested modules are built from.
func sourceRoot(ctx context.Context) (string, error) {
	if dir := os.Getenv(SourceEnv); dir != "" {
		return dir, nil
	}
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Path}} {{.Dir}}").Output()
	if err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return "", unsupported("there is no go command", "install Go and put it in PATH, or replay a saved case")
		}
		return "", fmt.Errorf("finding the lab's source: %w", err)
	}
	for line := range strings.Lines(string(bytes.TrimSpace(out))) {
		if path, dir, ok := strings.Cut(strings.TrimSpace(line), " "); ok && path == module {
			return filepath.Join(dir, "test", "cluster"), nil
		}
	}
	return "", &UserError{What: "the lab's source is not here", Do: "run it inside the repository, or set " + SourceEnv}
}
