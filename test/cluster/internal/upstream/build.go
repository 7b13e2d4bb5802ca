package upstream

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Build makes sure that every program stands in the returned folder. Two callers at once build once: the second waits.
// Progress is written a line at a time; nothing is written when all is built already.
func Build(ctx context.Context, root string, progress io.Writer) (string, error) {
	cache, err := Cache()
	if err != nil {
		return "", err
	}
	key, err := Key(root)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, key)
	done := filepath.Join(dir, ".complete")
	if _, err := os.Stat(done); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	unlock, err := Lock(ctx, filepath.Join(cache, "lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(done); err == nil {
		return dir, nil
	}
	if err := packages(ctx, progress); err != nil {
		return "", err
	}
	for i, u := range units() {
		label := fmt.Sprintf("lab: building %s (%d of %d)", u.name, i+1, len(units()))
		if err := shown(progress, label, func() error { return u.build(ctx, root, dir) }); err != nil {
			return "", fmt.Errorf("building %s: %w", u.name, err)
		}
	}
	return dir, os.WriteFile(done, nil, 0o644)
}

func (u unit) build(ctx context.Context, root, dir string) error {
	out := filepath.Join(dir, u.out)
	if u.out == "" {
		out += string(filepath.Separator)
	}
	args := append([]string{"build", "-o", out}, u.args...)
	return goTool(ctx, filepath.Join(root, u.dir), u.env, append(args, u.packages...)...)
}

// Lab builds the lab's own program, which serves as daemon and as the nodes' init, and returns its path. It is not part of
// Build: it changes with every edit, and the Go build cache knows that better than a key does.
func Lab(ctx context.Context, root string) (string, error) {
	cache, err := Cache()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	// Built aside and renamed: a live lab may be running the old one.
	tmp, err := os.MkdirTemp(cache, "lab-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	if err := goTool(ctx, root, []string{"CGO_ENABLED=0"}, "build", "-o", filepath.Join(tmp, "lab"), "./cmd/lab"); err != nil {
		return "", fmt.Errorf("building the lab's own program: %w", err)
	}
	path := filepath.Join(cache, "lab")
	return path, os.Rename(filepath.Join(tmp, "lab"), path)
}

func goTool(ctx context.Context, dir string, env []string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	// A caller's GOFLAGS such as -race or -mod=vendor is meant for its own module, not for these.
	cmd.Env = append(append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GOOS=", "GOARCH="), env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("go %s in %s: %w\n%s", args[0], dir, err, tail(out.Bytes(), 2000))
	}
	return nil
}

// shown runs f and says what runs, every fifteen seconds how long already, and how long it took.
func shown(w io.Writer, label string, f func() error) error {
	if w == nil {
		w = io.Discard
	}
	start := time.Now()
	fmt.Fprintln(w, label)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(15 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				fmt.Fprintf(w, "%s … %s\n", label, time.Since(start).Round(time.Second))
			}
		}
	}()
	err := f()
	close(stop)
	<-stopped
	if err == nil {
		fmt.Fprintf(w, "%s: %s\n", label, time.Since(start).Round(100*time.Millisecond))
	}
	return err
}

func tail(b []byte, n int) []byte {
	if len(b) > n {
		b = b[len(b)-n:]
	}
	return bytes.TrimSpace(b)
}
