package hash

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"unsafe"
)

// blockSize is what an unbuffered read is aligned to: no disk has larger blocks.
const blockSize = 4096

// File is a regular file that is open for reading past the page cache, where its filesystem can do that, and else through it.
type File struct {
	// Size is the file's when it was opened.
	Size int64
	Info fs.FileInfo

	id     identity
	file   *os.File
	direct bool
	pages  *pages
}

// ErrIrregular is in the error of what is no regular file: a folder, a link, a pipe, a device.
var ErrIrregular = errors.New("not a regular file")

// Open opens a regular file. It follows no link at the path's end and waits for nobody.
func Open(path string) (*File, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s", ErrIrregular, info.Mode().Type())
	}
	f := &File{}
	if f.file, f.direct, err = open(path); err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	if err := f.identify(path); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (f *File) identify(path string) (err error) {
	if f.Info, err = f.file.Stat(); err != nil {
		return err
	}
	if !f.Info.Mode().IsRegular() { // it was put there since
		return fmt.Errorf("%w: %s", ErrIrregular, f.Info.Mode().Type())
	}
	f.Size = f.Info.Size()
	f.id = identity{name: filepath.Base(path), size: f.Size, modified: f.Info.ModTime().UnixNano()}
	f.id.device, f.id.number = number(f.Info)
	return nil
}

// Close closes it.
func (f *File) Close() error {
	f.pages.close()
	return f.file.Close()
}

// ReadAll reads a small file whole, of limit bytes at most.
func (f *File) ReadAll(limit int64) ([]byte, error) {
	if f.Size > limit {
		return nil, fmt.Errorf("%d bytes are more than it may have", f.Size)
	}
	var data []byte
	for buf := aligned(int(min(Chunk, (f.Size+blockSize)/blockSize*blockSize))); int64(len(data)) < f.Size; {
		n, err := f.readAt(buf, int64(len(data)))
		data = append(data, buf[:n]...)
		if errors.Is(err, io.EOF) || err == nil && n == 0 {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	return data[:min(int64(len(data)), f.Size)], nil
}

// readAt reads an aligned chunk at an aligned offset.
func (f *File) readAt(buf []byte, at int64) (int, error) {
	if f.direct {
		n, err := f.file.ReadAt(buf, at)
		if !errors.Is(err, syscall.EINVAL) {
			return n, err
		}
		f.direct = false // it opens so, and cannot read so
		if err := buffered(f.file); err != nil {
			return 0, err
		}
	}
	if f.pages == nil {
		f.pages = watch(f.file, f.Size)
	}
	return f.pages.readAt(buf, at)
}

// aligned makes a buffer for unbuffered reads.
func aligned(size int) []byte {
	b := make([]byte, size+blockSize)
	skip := blockSize - int(uintptr(unsafe.Pointer(&b[0]))%blockSize) //nolint:gosec // the address's remainder is all that is wanted
	return b[skip : skip+size : skip+size]
}
