package causes_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/refloat-dev/refloat/docs/causes"
)

// declared reads the codes from their declarations, so that a new one without a page fails here.
func declared(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", "diagnose", "cause.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Code" {
			code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			codes = append(codes, code)
		}
		return true
	})
	sort.Strings(codes)
	return codes
}

func TestEveryCauseHasOnePage(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff(declared(t), causes.Codes()); diff != "" {
		t.Errorf("codes in diagnose (-) and pages here (+) differ:\n%s", diff)
	}
}

var (
	headings = []string{"## What it means", "## How it looks", "## How refloat knows", "## Fix", "## Prevent", "## Sources"}
	secret   = regexp.MustCompile(`--docker-password|--password[= ]|-H "Authorization`)
	linked   = regexp.MustCompile("`((?:auth|name|image|network|registry|node|policy)\\.[a-z-]+)`")
)

func TestPages(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, code := range causes.Codes() {
		known[code] = true
	}
	for _, code := range causes.Codes() {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			page, ok := causes.Page(code)
			if !ok || !strings.HasPrefix(page, "# "+code+": ") {
				t.Fatalf("the page does not begin with its code: %.60q", page)
			}
			var got []string
			fenced := false
			for _, line := range strings.Split(page, "\n") {
				if strings.HasPrefix(line, "```") {
					fenced = !fenced
				}
				if strings.HasPrefix(line, "## ") {
					got = append(got, line)
				}
				if utf8.RuneCountInString(line) > 80 && !fenced && !strings.HasPrefix(line, "|") && !strings.Contains(line, "https://") {
					t.Errorf("longer than 80: %s", line)
				}
			}
			if diff := cmp.Diff(headings, got); diff != "" {
				t.Errorf("headings (-want +got):\n%s", diff)
			}
			if n := strings.Count(page, "\n"); n < 25 || n > 70 {
				t.Errorf("%d lines", n)
			}
			if m := secret.FindString(page); m != "" {
				t.Errorf("a secret in an argument: %s", m)
			}
			for _, m := range linked.FindAllStringSubmatch(page, -1) {
				if !known[m[1]] {
					t.Errorf("names the cause %s, which has no page", m[1])
				}
			}
		})
	}
}

func TestNoPage(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"", "made.up", "../causes", "auth.forbidden.md", `a\b`, "causes.go"} {
		if _, ok := causes.Page(code); ok {
			t.Errorf("a page for %q", code)
		}
	}
}
