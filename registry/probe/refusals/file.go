// Package refusals remembers in a file which credentials registries refused, so that the next run does not try them again at once:
// a registry that counts failed logins may lock an account out.
//
// The file holds hashes with a salt of its own and times, never a user, a password or a registry's name. Whatever is wrong with it,
// it only counts as empty: it refuses to be a reason for a run to fail.
package refusals

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

const (
	life       = 10 * time.Minute
	maxEntries = 256
	maxFile    = 64 << 10
	saltSize   = 16
)

// File is the memory. The zero value is in the user's cache directory; many goroutines and processes may use one.
type File struct {
	// Path is the file; empty is refloat/refusals.json under [os.UserCacheDir]. Where there is no such directory, or it cannot be
	// written to, the memory lasts as long as the File.
	Path string
	// Now is the clock; nil is time.Now.
	Now func() time.Time

	mu  sync.Mutex
	own content // what this process learnt, in case the file does not keep it
}

// content is the file's form.
type content struct {
	Salt    []byte           `json:"salt"`
	Refused map[string]int64 `json:"refused"` // hash → Unix time
}

// Refused tells when a key was remembered, within the last ten minutes.
func (f *File) Refused(key string) (time.Time, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	var newest int64
	for _, c := range []content{f.own, f.read(now)} {
		newest = max(newest, c.fresh(now)[c.hash(key)])
	}
	return time.Unix(newest, 0), newest != 0
}

// Remember keeps a key with the time of now.
func (f *File) Remember(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	f.own = f.own.with(key, now)
	path, err := f.path()
	if err != nil || os.MkdirAll(filepath.Dir(path), 0o700) != nil {
		return // f.own has it
	}
	unlock := lock(path + ".lock")
	defer unlock()
	_ = write(path, f.read(now).with(key, now)) // as above
}

func (f *File) now() time.Time {
	if f.Now != nil {
		return f.Now()
	}
	return time.Now()
}

func (f *File) path() (string, error) {
	if f.Path != "" {
		return f.Path, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "refloat", "refusals.json"), nil
}

// read returns what the file holds and is worth keeping; nothing where it is missing, damaged or no file.
func (f *File) read(now time.Time) content {
	path, err := f.path()
	if err != nil {
		return content{}
	}
	// A pipe or device in its place would be waited for.
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return content{}
	}
	file, err := os.Open(path)
	if err != nil {
		return content{}
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return content{}
	}
	return parse(data, now)
}

// parse reads the file's form. Somebody else may have written it.
func parse(data []byte, now time.Time) content {
	var c content
	if len(data) > maxFile || json.Unmarshal(data, &c) != nil || len(c.Salt) != saltSize {
		return content{}
	}
	c.Refused = c.fresh(now)
	return c
}

// fresh are the entries that still count: none from the future, which a set clock leaves behind, and the newest where they are too many.
func (c content) fresh(now time.Time) map[string]int64 {
	keep := map[string]int64{}
	for hash, at := range c.Refused {
		if raw, err := hex.DecodeString(hash); err != nil || len(raw) != sha256.Size {
			continue
		}
		if at > now.Add(-life).Unix() && at <= now.Unix() {
			keep[hash] = at
		}
	}
	return newest(keep, maxEntries)
}

// newest drops the oldest entries beyond n.
func newest(all map[string]int64, n int) map[string]int64 {
	if len(all) <= n {
		return all
	}
	byAge := slices.SortedFunc(maps.Keys(all), func(a, b string) int { return cmp.Compare(all[b], all[a]) })
	for _, hash := range byAge[n:] {
		delete(all, hash)
	}
	return all
}

// with adds a key. The first one makes the salt.
func (c content) with(key string, now time.Time) content {
	if len(c.Salt) != saltSize {
		c = content{Salt: make([]byte, saltSize)}
		rand.Read(c.Salt) // never fails, by its documentation
	}
	c.Refused = newest(c.fresh(now), maxEntries-1)
	c.Refused[c.hash(key)] = now.Unix()
	return c
}

func (c content) hash(key string) string {
	h := sha256.New()
	h.Write(c.Salt)
	h.Write([]byte(key))
	return hex.EncodeToString(h.Sum(nil))
}

// write replaces the file at once, so that no reader sees half of it.
func write(path string, c content) (err error) {
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".refusals-*") // 0600, by its documentation
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
