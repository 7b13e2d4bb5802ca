package proc

import (
	"os/exec"
	"runtime"
	"testing"
)

func TestParseStat(t *testing.T) {
	t.Parallel()
	line := func(name, state, threads string) string {
		return "12 (" + name + ") " + state + " 1 12 12 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 " + threads + " 0 777 0 0"
	}
	tests := []struct {
		name, in  string
		dead, bad bool
	}{
		{name: "plain", in: line("etcd", "S", "9")},
		{name: "name with a parenthesis", in: line("a) Z (b", "R", "1")},
		{name: "zombie", in: line("etcd", "Z", "1"), dead: true},
		{name: "zombie that is being replaced", in: line("etcd", "Z", "2")},
		{name: "short", in: "12 (etcd) S 1", bad: true},
		{name: "empty", bad: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			start, dead, err := parseStat(tt.in)
			if (err != nil) != tt.bad || dead != tt.dead || (!tt.bad && start != 777) {
				t.Errorf("parseStat = %d, %v, %v", start, dead, err)
			}
		})
	}
}

func TestKillOnlyOwn(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	dir := t.TempDir()
	rec, err := Start(dir, "sleeper", exec.Command("sleep", "60"))
	if err != nil {
		t.Fatal(err)
	}
	stranger := rec
	stranger.Start++
	if err := stranger.Kill(t.Context()); err != nil || !rec.Alive() {
		t.Fatalf("a record with another start time ended the process (err %v)", err)
	}
	found, ok := Find(dir, "sleeper")
	if !ok || found != rec {
		t.Fatalf("Find = %+v, %v; want %+v", found, ok, rec)
	}
	if err := found.Kill(t.Context()); err != nil || rec.Alive() {
		t.Fatalf("Kill: alive %v, err %v", rec.Alive(), err)
	}
}
