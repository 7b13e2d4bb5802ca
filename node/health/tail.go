package health

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// maxTail is how much of a log is read, from its end, in bytes; chunk is how much of it at a time.
const (
	maxTail = 4 << 20
	chunk   = 64 << 10
	// maxLine is the longest line that is looked at; a longer one is cut.
	maxLine = 16 << 10
)

// tail hands over a file's lines, the newest first, until take says false or maxTail bytes are read.
func tail(f *os.File, take func(line []byte) bool) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return lines(f, info.Size(), take)
}

// open opens a regular file at a path, and names it in errors as the node does.
func open(name, at string) (*os.File, error) {
	// It may be somebody's pipe by now: opening that must not wait, and reading it would take its content away.
	f, err := os.OpenFile(at, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	var p *fs.PathError
	if errors.As(err, &p) {
		return nil, &fs.PathError{Op: p.Op, Path: name, Err: p.Err}
	}
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		_ = f.Close()
		return nil, fmt.Errorf("%s: not a regular file", name)
	}
	return f, nil
}

// lines goes through size bytes of r from their end.
func lines(r io.ReaderAt, size int64, take func(line []byte) bool) error {
	stop := max(size-maxTail, 0)
	var rest []byte // the head of what was read, which a line further up may belong to
	for at := size; at > stop; {
		n := min(chunk, at-stop)
		at -= n
		block := make([]byte, n, n+int64(len(rest)))
		if got, err := r.ReadAt(block, at); int64(got) < n && err != nil {
			return err // the log was cut meanwhile
		}
		block = append(block, rest...)
		for {
			i := bytes.LastIndexByte(block, '\n')
			if i < 0 {
				break
			}
			if line := block[i+1:]; len(line) > 0 && !take(line[:min(len(line), maxLine)]) {
				return nil
			}
			block = block[:i]
		}
		rest = block[:min(len(block), maxLine)]
	}
	if stop == 0 && len(rest) > 0 {
		take(rest)
	}
	return nil
}
