package rules

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/refloat-dev/refloat"

// allowed says which folders of this module a folder may import, tests left out.
// A folder that is not listed falls under its longest listed parent; "*" is everything.
var allowed = map[string][]string{
	"evidence":              {},
	"diagnose":              {"evidence"},
	"plan":                  {"evidence", "diagnose"},
	"observe":               {"evidence"},
	"report":                {"evidence", "diagnose", "plan"},
	"kube":                  {"evidence", "plan", "kube", "api", "internal/dockerconfig"},
	"registry":              {"evidence", "plan", "registry", "internal/dockerconfig"},
	"node":                  {"evidence", "plan", "registry", "node", "internal/dockerconfig"},
	"api":                   {"evidence"},
	"agent":                 {"*"},
	"deploy":                {},
	"internal/dockerconfig": {},
	"docs":                  {},
	"cli":                   {"*"},
	"cmd":                   {"cli", "agent"},
	"internal/registrytest": {"internal/registrytest"},
	"internal/score":        {"diagnose"},
	"internal/rules":        {},
	"test/cluster":          {"internal/registrytest", "test/cluster"},
	"test":                  {"*"},
}

// standardOnly are folders that import nothing but the standard library and what allowed says.
var standardOnly = []string{"evidence", "diagnose", "plan", "observe", "docs"}

func TestImportDirection(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, file := range goFiles(t, "../..") {
		dir := filepath.ToSlash(filepath.Dir(file))
		rule, parent := ruleFor(dir)
		if rule == nil {
			t.Errorf("%s: its folder is not in the list of DESIGN.md; add it to allowed with what it may import", file)
			continue
		}
		for _, path := range importsOf(t, filepath.Join("../..", file)) {
			seen++
			own, inModule := strings.CutPrefix(path, module+"/")
			switch {
			case inModule && !mayImport(rule, own):
				t.Errorf("%s imports %s, which %s may not", file, own, parent)
			case !inModule && slices.Contains(standardOnly, parent) && strings.Contains(path, "."):
				t.Errorf("%s imports %s: %s takes the standard library only", file, path, parent)
			}
		}
	}
	if seen < 50 {
		t.Fatalf("only %d imports seen: the walk is broken", seen)
	}
}

func ruleFor(dir string) ([]string, string) {
	for d := dir; d != "."; d = filepath.ToSlash(filepath.Dir(d)) {
		if rule, ok := allowed[d]; ok {
			return rule, d
		}
	}
	return nil, ""
}

func mayImport(rule []string, own string) bool {
	return slices.ContainsFunc(rule, func(r string) bool {
		return r == "*" || own == r || strings.HasPrefix(own, r+"/")
	})
}

// goFiles lists the non-test Go files of the main module, relative to root.
func goFiles(t *testing.T, root string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || nestedModule(path)) {
			return fs.SkipDir
		}
		if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			rel, err := filepath.Rel(root, path)
			files = append(files, rel)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func nestedModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

func importsOf(t *testing.T, file string) []string {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parser.ParseFile(token.NewFileSet(), file, src, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, spec := range f.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}
