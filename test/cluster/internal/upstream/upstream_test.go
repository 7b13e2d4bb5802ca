package upstream

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

const root = "../.."

// TestVersions holds the stamped versions to the pinned ones.
func TestVersions(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"upstream/kubernetes/go.mod": `k8s\.io/kubernetes ` + kubernetesVersion,
		"upstream/containerd/go.mod": `github\.com/containerd/containerd/v2 ` + containerdVersion,
	} {
		data, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(want + `\b`).Match(data) {
			t.Errorf("%s does not pin %s", file, want)
		}
	}
}

// copyInputs makes a tree with all that the key depends on.
func copyInputs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, u := range units() {
		files := []string{u.dir + "/go.mod", u.dir + "/go.sum"}
		if len(u.sources) > 0 {
			files = []string{u.sources[0] + "/main.go"}
		}
		for _, f := range files {
			path := filepath.Join(dir, f)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(f), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

func TestKey(t *testing.T) {
	t.Parallel()
	dir := copyInputs(t)
	first, err := Key(dir)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := Key(dir); again != first {
		t.Errorf("Key gave %s, then %s", first, again)
	}
	for _, f := range []string{"upstream/runc/go.sum", "upstream/kubernetes/go.mod", "image/pause/main.go"} {
		if err := os.WriteFile(filepath.Join(dir, f), []byte("changed"), 0o644); err != nil {
			t.Fatal(err)
		}
		next, err := Key(dir)
		if err != nil || next == first {
			t.Errorf("Key did not notice %s (err %v)", f, err)
		}
		first = next
	}
	if err := os.Remove(filepath.Join(dir, "upstream/etcd/go.mod")); err != nil {
		t.Fatal(err)
	}
	if _, err := Key(dir); err == nil {
		t.Error("Key worked without a go.mod")
	}
}

func TestLock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := Lock(t.Context(), path)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("no file locks here")
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := Lock(ctx, path); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second Lock: %v", err)
	}
	unlock()
	again, err := Lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	again()
}
