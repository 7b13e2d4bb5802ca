package hash

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// open opens a file for unbuffered reads where that can be.
func open(path string) (f *os.File, direct bool, err error) {
	const flags = unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NOFOLLOW | unix.O_NONBLOCK
	// O_NOATIME is for the owner, O_DIRECT for filesystems that have it.
	for _, more := range []int{unix.O_NOATIME | unix.O_DIRECT, unix.O_DIRECT, unix.O_NOATIME, 0} {
		var fd int
		if fd, err = unix.Open(path, flags|more, 0); err == nil {
			return os.NewFile(uintptr(fd), path), more&unix.O_DIRECT != 0, nil
		}
		if !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.EINVAL) {
			break
		}
	}
	return nil, false, err
}

// buffered makes reads go through the page cache from now on.
func buffered(f *os.File) error {
	_, err := unix.FcntlInt(f.Fd(), unix.F_SETFL, 0)
	return err
}

// number is what a file is known by on its node.
func number(info fs.FileInfo) (device, inode uint64) {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Dev), st.Ino //nolint:unconvert // Dev is an int32 on some architectures
	}
	return 0, 0
}

// pages reads a file through the page cache and drops what was not there before.
type pages struct {
	file *os.File
	// mapped is the file, never touched: it is what mincore wants an address of. nil where it cannot be mapped; then all is dropped.
	mapped []byte
}

func watch(f *os.File, size int64) *pages {
	p := &pages{file: f}
	if size > 0 && int64(int(size)) == size {
		p.mapped, _ = unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
	}
	// The kernel's own read-ahead would bring in what mincore has not been asked about yet.
	_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_RANDOM)
	return p
}

func (p *pages) close() {
	if p != nil && p.mapped != nil {
		_ = unix.Munmap(p.mapped)
	}
}

func (p *pages) readAt(buf []byte, at int64) (int, error) {
	was := p.resident(at, len(buf))
	n, err := p.file.ReadAt(buf, at)
	size := os.Getpagesize()
	for i := 0; i*size < n; i++ {
		first := i
		for i*size < n && (i >= len(was) || was[i]&1 == 0) {
			i++
		}
		if i > first {
			_ = unix.Fadvise(int(p.file.Fd()), at+int64(first*size), int64((i-first)*size), unix.FADV_DONTNEED)
		}
	}
	return n, err
}

// resident says of each page whether it is in the cache; nothing where the kernel does not tell.
func (p *pages) resident(at int64, length int) []byte {
	if at >= int64(len(p.mapped)) {
		return nil
	}
	length = min(length, len(p.mapped)-int(at))
	was := make([]byte, (length+os.Getpagesize()-1)/os.Getpagesize())
	//nolint:gosec // mincore takes addresses of a mapping that lives until close, and of a slice of one byte a page
	_, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&p.mapped[at])), uintptr(length), uintptr(unsafe.Pointer(&was[0])))
	if errno != 0 {
		return nil
	}
	return was
}
