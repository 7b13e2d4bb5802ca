package proc

import (
	"os/exec"
	"runtime"
	"testing"
)

func TestParseStat(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		start    uint64
		state    byte
		bad      bool
	}{
		{name: "plain", in: "12 (etcd) S 1 12 12 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 9 0 777 0 0", start: 777, state: 'S'},
		{name: "name with a parenthesis", in: "12 (a) b (c) Z 1 12 12 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 9 0 778 0", start: 778, state: 'Z'},
		{name: "short", in: "12 (etcd) S 1", bad: true},
		{name: "empty", bad: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			start, state, err := parseStat(tt.in)
			if (err != nil) != tt.bad || start != tt.start || (!tt.bad && state != tt.state) {
				t.Errorf("parseStat = %d, %c, %v", start, state, err)
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
