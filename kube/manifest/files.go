package manifest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

const (
	maxFiles  = 20000
	maxStream = 64 << 20 // bytes of one file
	maxTotal  = 256 << 20
)

var extensions = []string{".yaml", ".yml", ".json"}

// Files reads files, the *.yaml, *.yml and *.json of directories and of what is
// below them, and standard input where a name is `-`. Errors that a person can act
// on are *Error; a name that does not exist is fs.ErrNotExist.
func Files(stdin io.Reader, names []string) (*Set, error) {
	r := reader{set: &Set{}}
	for _, name := range names {
		if err := r.name(stdin, name); err != nil {
			return nil, err
		}
	}
	return r.set, nil
}

type reader struct {
	set          *Set
	files, bytes int
	images       int
}

func (r *reader) name(stdin io.Reader, name string) error {
	if name == "-" {
		return r.read(stdin, name)
	}
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return fmt.Errorf("reading manifests: %w", err)
	case info.IsDir():
		return r.walk(name)
	}
	return r.open(name)
}

// walk reads a directory. Hidden ones hold nothing that is deployed; a symbolic link to a directory may lead
// out of the tree or round in it, and is left out as kubectl leaves it out.
func (r *reader) walk(root string) error {
	before := r.files
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir():
			return nil
		case d.Name() == "Chart.yaml":
			dir := filepath.Dir(path)
			return &Error{File: dir, What: "it is a Helm chart: its manifests are templates",
				Do: "render it first: helm template " + evidence.Quote(dir) + " | kubectl refloat check -f -"}
		case !slices.Contains(extensions, strings.ToLower(filepath.Ext(path))):
			return nil
		}
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
			return nil //nolint:nilerr // a dangling link or a socket is no manifest
		}
		return r.open(path)
	})
	if err == nil && r.files == before {
		return &Error{File: root, What: "no *.yaml, *.yml or *.json is in this directory", Do: "name the files with -f, or pipe them: … | kubectl refloat check -f -"}
	}
	return err
}

func (r *reader) open(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("reading manifests: %w", err)
	}
	defer f.Close()
	return r.read(f, path)
}

func (r *reader) read(from io.Reader, name string) error {
	if r.files++; r.files > maxFiles {
		return &Error{File: name, What: fmt.Sprintf("there are more than %d files", maxFiles), Do: "check them in parts"}
	}
	data, err := io.ReadAll(io.LimitReader(from, maxStream+1))
	var path *fs.PathError
	switch {
	case errors.As(err, &path):
		return fmt.Errorf("reading manifests: %w", err)
	case err != nil:
		return &Error{File: name, What: "it cannot be read: " + err.Error(), Do: leave, Err: err}
	case len(data) > maxStream:
		return &Error{File: name, What: fmt.Sprintf("it is longer than %d MiB", maxStream>>20), Do: "check it in parts"}
	}
	if r.bytes += len(data); r.bytes > maxTotal {
		return &Error{File: name, What: fmt.Sprintf("together the files are longer than %d MiB", maxTotal>>20), Do: "check them in parts"}
	}
	s := stream{reader: r, file: filepath.ToSlash(name), data: data}
	return s.read()
}
