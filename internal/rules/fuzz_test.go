package rules

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestEveryFuzzerRuns holds the Makefile's list to the fuzz functions that exist, and its seconds to three minutes.
func TestEveryFuzzerRuns(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	listed, seconds := map[string]bool{}, 0
	for _, m := range regexp.MustCompile(`([\w/]+):(Fuzz\w+):(\d+)`).FindAllStringSubmatch(string(makefile), -1) {
		n, err := strconv.Atoi(m[3])
		if err != nil {
			t.Fatal(err)
		}
		listed[m[1]+":"+m[2]] = true
		seconds += n
	}
	if seconds > 180 {
		t.Errorf("fuzzing takes %d s, more than three minutes", seconds)
	}
	for _, f := range fuzzers(t) {
		if !listed[f] {
			t.Errorf("%s is not in the Makefile's FUZZ list", f)
		}
		delete(listed, f)
	}
	for f := range listed {
		t.Errorf("the Makefile's FUZZ list names %s, which does not exist", f)
	}
}

func fuzzers(t *testing.T) []string {
	t.Helper()
	var found []string
	decl := regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)
	var tests []string
	for _, depth := range []string{"*", "*/*", "*/*/*", "*/*/*/*"} {
		files, err := filepath.Glob("../../" + depth + "/*_test.go")
		if err != nil {
			t.Fatal(err)
		}
		tests = append(tests, files...)
	}
	for _, file := range tests {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range decl.FindAllStringSubmatch(string(src), -1) {
			dir := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(file)), "../../")
			found = append(found, dir+":"+m[1])
		}
	}
	return found
}
