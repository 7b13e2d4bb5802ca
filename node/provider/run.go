package provider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/refloat-dev/refloat/evidence"
)

const (
	// maxAnswer and maxWords bound what is kept of stdout and stderr; the rest is read and dropped.
	maxAnswer = 1 << 20
	maxWords  = 16 << 10
	// lastWords is how long what was written is still read for, once everything that wrote it has been killed.
	lastWords = 200 * time.Millisecond
)

// command is one run of a program of the node.
type command struct {
	path      string
	args, env []string
	stdin     []byte // fits into a pipe: it is written before anybody reads
	wait      time.Duration
}

// outcome is how it went. A gap says that it could not be run as the kubelet would.
type outcome struct {
	result evidence.ProviderResult
	text   string
	stdout []byte
	took   time.Duration
	gap    string
}

// executable looks at a program without running it: the result is empty where it may be run.
func (k *kubelet) executable(path string) (result evidence.ProviderResult, text, gap string) {
	info, err := k.files.Stat(path)
	switch {
	case k.isAbsent(path, err):
		return evidence.ProviderMissing, "there is no such file", ""
	case err != nil:
		return "", "", "its program cannot be looked at: " + err.Error()
	case !info.Mode().IsRegular():
		return evidence.ProviderForbidden, "it is no file that can be executed", ""
	case info.Mode()&0o111 == 0:
		return evidence.ProviderForbidden, fmt.Sprintf("permission denied: its mode is %s, which lets nobody execute it", info.Mode().Perm()), ""
	}
	var on unix.Statfs_t
	if at, err := k.files.Path(path); err == nil && unix.Statfs(at, &on) == nil && on.Flags&unix.ST_NOEXEC != 0 {
		return evidence.ProviderForbidden, "permission denied: its filesystem is mounted noexec", ""
	}
	return "", "", ""
}

// run runs a program in a process group of its own, which is killed as a whole in the end, and in the root that the kubelet
// has. It inherits nothing but three pipes.
func (k *kubelet) run(ctx context.Context, c command) outcome {
	// The kernel kills the program with the thread that started it, so that it does not outlive this one.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	sealed.Do(seal)
	began := time.Now()
	cmd := &exec.Cmd{Path: c.path, Args: append([]string{c.path}, c.args...), Env: c.env, Dir: "/",
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}}
	if root := k.files.Root; root != "" && filepath.Clean(root) != "/" {
		cmd.SysProcAttr.Chroot = root
	}
	if info, err := k.files.Stat(k.dir); err == nil && info.IsDir() {
		cmd.Dir = k.dir
	}
	if cmd.Env == nil {
		cmd.Env = []string{} // nil is this program's own
	}
	p, err := openPipes(cmd, c.stdin)
	if err != nil {
		return outcome{gap: err.Error()}
	}
	if err := cmd.Start(); err != nil {
		p.drop()
		return k.unstarted(c.path, err)
	}
	o := p.await(ctx, cmd.Process.Pid, c.wait)
	_ = cmd.Wait() // it has ended, one way or the other: its state tells
	o.took = time.Since(began)
	if o.result == "" && o.gap == "" {
		o.ended(cmd.ProcessState)
	}
	return o
}

// What Go opens is closed in a program that it starts; what this process was started with would stay open there.
var (
	sealed sync.Once
	seal   = func() { _ = unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC) } // since Linux 5.11
)

// unstarted reads why a program did not start. What it needs may be out of sight rather than not there.
func (k *kubelet) unstarted(path string, err error) outcome {
	var own *fs.PathError
	if errors.As(err, &own) {
		err = own.Err
	}
	switch {
	case errors.Is(err, syscall.EPERM):
		return outcome{gap: "it could not be run in the node's root: " + err.Error() + " (that takes CAP_SYS_CHROOT)"}
	case errors.Is(err, syscall.EACCES):
		if k.files.Root != "" {
			return outcome{gap: "it may not be run from here: " + err.Error()}
		}
		return outcome{result: evidence.ProviderForbidden, text: err.Error()}
	case errors.Is(err, syscall.ENOENT) && !k.files.Sees("/"):
		return outcome{gap: "what it is run by is not seen from here: its interpreter or its libraries"}
	case errors.Is(err, syscall.ENOENT):
		return outcome{result: evidence.ProviderFailed, text: err.Error() + ": the program is there, and its interpreter or loader is not"}
	}
	return outcome{result: evidence.ProviderFailed, text: err.Error()}
}

// ended reads an exit.
func (o *outcome) ended(s *os.ProcessState) {
	if s.Success() {
		o.result = evidence.ProviderAnswered
		if len(o.stdout) > maxAnswer {
			o.result, o.text = evidence.ProviderMalformed, "it printed more than a mebibyte"
		}
		return
	}
	o.result = evidence.ProviderFailed
	o.text = strings.Trim(s.String()+": "+o.text, ": \n")
}

// pipes are the three ends that stay here, and those that go to the program.
type pipes struct {
	out, err *os.File
	theirs   []*os.File
}

func openPipes(cmd *exec.Cmd, stdin []byte) (*pipes, error) {
	p := &pipes{}
	var files [6]*os.File
	for i := 0; i < len(files); i += 2 {
		r, w, err := os.Pipe()
		if err != nil {
			for _, f := range files[:i] {
				f.Close()
			}
			return nil, fmt.Errorf("opening a pipe: %w", err)
		}
		files[i], files[i+1] = r, w
	}
	_, err := files[1].Write(stdin)
	files[1].Close()
	p.out, p.err = files[2], files[4]
	p.theirs = []*os.File{files[0], files[3], files[5]}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = files[0], files[3], files[5]
	if err != nil {
		p.drop()
		return nil, fmt.Errorf("writing the request: %w", err)
	}
	return p, nil
}

func (p *pipes) drop() {
	for _, f := range append(p.theirs, p.out, p.err) {
		f.Close()
	}
}

// await reads until the program and everything that holds its output has ended, as the kubelet does, or the time is over. The
// whole group is dead afterwards, and the program not yet reaped before it is: its number cannot be another's.
func (p *pipes) await(ctx context.Context, pid int, wait time.Duration) outcome {
	ctx, cancel := context.WithTimeoutCause(ctx, wait, errSlow)
	defer cancel()
	for _, f := range p.theirs {
		f.Close()
	}
	var stdout, stderr []byte
	var reading sync.WaitGroup
	reading.Go(func() { stdout = readUpTo(p.out, maxAnswer+1) })
	reading.Go(func() { stderr = readUpTo(p.err, maxWords) })
	exited, done := make(chan struct{}), make(chan struct{})
	go func() {
		for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
		}
		close(exited)
		reading.Wait()
		close(done)
	}()
	var o outcome
	select {
	case <-done:
	case <-ctx.Done():
		o = late(ctx, exited, wait)
	}
	_ = syscall.Kill(-pid, syscall.SIGKILL) // nothing is left of it where all have ended
	until := time.Now().Add(lastWords)
	_ = errors.Join(p.out.SetReadDeadline(until), p.err.SetReadDeadline(until)) // pipes take deadlines
	<-done
	p.out.Close()
	p.err.Close()
	o.stdout = stdout
	o.text = strings.Trim(o.text+": "+string(stderr), ": \n")
	return o
}

var errSlow = errors.New("it took too long")

// late tells a provider that is slow from a look that was ended.
func late(ctx context.Context, exited <-chan struct{}, wait time.Duration) outcome {
	if !errors.Is(context.Cause(ctx), errSlow) {
		return outcome{gap: "the look was ended while it ran"}
	}
	select {
	case <-exited:
		return outcome{result: evidence.ProviderTimeout,
			text: "it ended and left a process behind that keeps its output open, and the kubelet waits for that without an end"}
	default:
		return outcome{result: evidence.ProviderTimeout, text: fmt.Sprintf("it did not answer within %s; the kubelet waits a minute", wait)}
	}
}

// readUpTo reads all there is and keeps the beginning of it.
func readUpTo(f *os.File, most int64) []byte {
	kept, err := io.ReadAll(io.LimitReader(f, most))
	if err == nil {
		_, _ = io.Copy(io.Discard, f) // a program must not wait for a reader
	}
	return kept
}
