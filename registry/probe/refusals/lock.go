package refusals

import (
	"errors"
	"io/fs"
	"os"
	"time"
)

const (
	lockWait = 250 * time.Millisecond
	lockStep = 5 * time.Millisecond
	lockLife = 5 * time.Second // a lock older than that is of a process that died
)

// lock keeps other processes from writing what they read before. It does not wait for long, since to lose an entry is no harm that a
// stuck run would be worth. The lock is a file, which every system has.
func lock(path string) (unlock func()) {
	for waited := time.Duration(0); waited <= lockWait; waited += lockStep {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err == nil {
			f.Close()
			return func() { os.Remove(path) }
		}
		if !errors.Is(err, fs.ErrExist) {
			break
		}
		if info, err := os.Lstat(path); err == nil && time.Since(info.ModTime()) > lockLife {
			os.Remove(path)
		}
		time.Sleep(lockStep)
	}
	return func() {}
}
