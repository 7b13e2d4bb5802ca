package refusals

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func newFile(t *testing.T) *File {
	t.Helper()
	return &File{Path: filepath.Join(t.TempDir(), "refloat", "refusals.json")}
}

func TestRemember(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	f := newFile(t)
	f.Now = func() time.Time { return now }
	if _, ok := f.Refused("a"); ok {
		t.Error("an empty memory remembers")
	}
	f.Remember("a")
	now = now.Add(3 * time.Minute)
	other := &File{Path: f.Path, Now: f.Now} // another process
	other.Remember("b")
	for _, m := range []*File{f, other} {
		if at, ok := m.Refused("a"); !ok || now.Sub(at) != 3*time.Minute {
			t.Errorf("a: %v %v", at, ok)
		}
		if at, ok := m.Refused("b"); !ok || !at.Equal(now) {
			t.Errorf("b: %v %v", at, ok)
		}
		if _, ok := m.Refused("c"); ok {
			t.Error("c is remembered")
		}
	}
	now = now.Add(7*time.Minute + time.Second)
	if _, ok := f.Refused("a"); ok {
		t.Error("a is not forgotten")
	}
	if _, ok := f.Refused("b"); !ok {
		t.Error("b is forgotten")
	}
	f.Remember("c")
	var c content
	data, err := os.ReadFile(f.Path)
	if err != nil || json.Unmarshal(data, &c) != nil || len(c.Refused) != 2 {
		t.Errorf("the file holds %s", data)
	}
}

func TestFileTellsNothing(t *testing.T) {
	t.Parallel()
	f := newFile(t)
	f.Remember("reg.lab alice secret")
	data, err := os.ReadFile(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"reg.lab", "alice", "secret"} {
		if strings.Contains(string(data), word) {
			t.Errorf("the file holds %q", word)
		}
	}
	for path, want := range map[string]os.FileMode{f.Path: 0o600, filepath.Dir(f.Path): 0o700} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v", path, info.Mode(), err)
		}
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(f.Path), "*"))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
	// Another file has another salt.
	g := newFile(t)
	g.Remember("reg.lab alice secret")
	other, err := os.ReadFile(g.Path)
	if err != nil || g.read(time.Now()).hash("x") == f.read(time.Now()).hash("x") {
		t.Errorf("the same hash in two files: %s, %v", other, err)
	}
}

// What is not the file's form counts as empty, and is replaced.
func TestDamaged(t *testing.T) {
	t.Parallel()
	hash := strings.Repeat("ab", 32)
	soon := time.Now().Add(time.Hour).Unix()
	for name, data := range map[string]string{
		"empty": "", "cut": `{"salt":"AAAA`, "other": "[1,2]", "null": "null", "binary": "\x00\xff", "deep": strings.Repeat("[", 60_000),
		"huge":          `{"salt":"` + strings.Repeat("A", 1<<20) + `"}`,
		"short salt":    `{"salt":"AAAA","refused":{}}`,
		"no map":        `{"salt":"AAAAAAAAAAAAAAAAAAAAAA==","refused":[]}`,
		"from tomorrow": fmt.Sprintf(`{"salt":"AAAAAAAAAAAAAAAAAAAAAA==","refused":{"%s":%d}}`, hash, soon),
		"no hash":       fmt.Sprintf(`{"salt":"AAAAAAAAAAAAAAAAAAAAAA==","refused":{"x":%d}}`, time.Now().Unix()),
		"overflow":      fmt.Sprintf(`{"salt":"AAAAAAAAAAAAAAAAAAAAAA==","refused":{"%s":99999999999999999999}}`, hash),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFile(t)
			if err := os.MkdirAll(filepath.Dir(f.Path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(f.Path, []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, ok := f.Refused("a"); ok {
				t.Error("remembered")
			}
			f.Remember("a")
			if _, ok := (&File{Path: f.Path}).Refused("a"); !ok {
				t.Error("not written anew")
			}
		})
	}
}

func TestNowhereToWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"below a file": filepath.Join(file, "x", "y.json"), "a directory": dir} {
		f := &File{Path: path}
		f.Remember("a")
		if _, ok := f.Refused("a"); !ok {
			t.Errorf("%s: not even this process remembers", name)
		}
	}
}

func TestBounded(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	f := newFile(t)
	f.Now = func() time.Time { return now }
	for i := range maxEntries + 50 {
		now = now.Add(time.Second)
		f.Remember(fmt.Sprint(i))
	}
	if n := len(f.read(now).Refused); n != maxEntries {
		t.Errorf("%d entries", n)
	}
	if len(f.own.Refused) != maxEntries {
		t.Errorf("%d entries in memory", len(f.own.Refused))
	}
	if _, ok := f.Refused(fmt.Sprint(maxEntries + 49)); !ok {
		t.Error("the newest is lost")
	}
	if _, ok := f.Refused("0"); ok {
		t.Error("the oldest is kept")
	}
}

func TestManyWriters(t *testing.T) {
	t.Parallel()
	f := newFile(t)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() { (&File{Path: f.Path}).Remember(fmt.Sprint(i)) })
	}
	wg.Wait()
	kept := 0
	for i := range 20 {
		if _, ok := f.Refused(fmt.Sprint(i)); ok {
			kept++
		}
	}
	if kept == 0 { // whoever waits too long for the lock may lose an entry, and never the file
		t.Error("the file is lost")
	}
	t.Logf("%d of 20 kept", kept)
}

// A lock that a dead process left is taken away.
func TestDeadLock(t *testing.T) {
	t.Parallel()
	f := newFile(t)
	f.Remember("a")
	if err := os.WriteFile(f.Path+".lock", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Minute)
	if err := os.Chtimes(f.Path+".lock", old, old); err != nil {
		t.Fatal(err)
	}
	f.Remember("b")
	if _, err := os.Stat(f.Path + ".lock"); err == nil {
		t.Error("the lock is still there")
	}
}

func FuzzFile(f *testing.F) {
	now := time.Unix(1_800_000_000, 0)
	good, err := json.Marshal(content{}.with("a", now))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"salt":"AAAAAAAAAAAAAAAAAAAAAA==","refused":{"` + strings.Repeat("ab", 32) + `":1799999999}}`))
	f.Add([]byte(`{"salt":null,"refused":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := parse(data, now)
		if len(c.Refused) > maxEntries {
			t.Fatalf("%d entries", len(c.Refused))
		}
		for hash, at := range c.Refused {
			if len(hash) != 64 || at > now.Unix() || at <= now.Add(-life).Unix() {
				t.Fatalf("kept %q at %d", hash, at)
			}
		}
		d := c.with("b", now)
		if d.Refused[d.hash("b")] != now.Unix() {
			t.Fatal("does not remember")
		}
	})
}
