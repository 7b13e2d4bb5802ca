package main

import (
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"kubectl-refloat": main})
}

// TestScripts runs the stories in testdata against the real main. Those that need a cluster are in test/lab.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    exits,
			"toobig":   tooBig,
			"registry": registry,
			"expand":   expand,
			"cluster":  cluster,
		},
	})
}

// exits CODE ARG… runs the plugin and expects that exit code; stdin, stdout and stderr work as for exec.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: exits CODE [ARG…]")
	}
	code := "0"
	if err := ts.Exec("kubectl-refloat", args[1:]...); err != nil {
		var ok bool
		if code, ok = strings.CutPrefix(err.Error(), "exit status "); !ok {
			ts.Fatalf("%v", err)
		}
	}
	if code != args[0] {
		ts.Fatalf("kubectl-refloat %s exits with %s, not %s", strings.Join(args[1:], " "), code, args[0])
	}
}

// tooBig FILE writes a message of ten megabytes with a cause at its head and its end.
func tooBig(ts *testscript.TestScript, _ bool, args []string) {
	const cause = `Failed to pull image "reg.example.com/a:1": failed to pull and unpack image "reg.example.com/a:1": ` +
		`failed to resolve image: failed to do request: Head "https://reg.example.com/v2/a/manifests/1": ` +
		`dial tcp: lookup reg.example.com on 10.0.0.10:53: no such host`
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(cause+strings.Repeat("\x00\xff\x1b[31m", 10<<20/7)+cause+"\n"), 0o600))
}
