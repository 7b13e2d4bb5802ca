package nodeinit

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// inside is the second argument of the second stage.
const inside = "inside"

// Main is the node's first process. It returns only when something is wrong; args is the node's folder on the host.
//
// It runs in two stages: a control group namespace belongs to a thread, so after entering one the program runs itself
// again, which leaves that thread alone and makes it the process.
func Main(args []string) error {
	if os.Getpid() != 1 {
		return errors.New("node-init is the first process of a lab node, not a command: use lab up")
	}
	data, err := os.ReadFile(filepath.Join(args[0], File))
	if err != nil {
		return err
	}
	var cfg Config
	if err := json.Unmarshal(data, &cfg); err != nil {
		return fmt.Errorf("reading %s: %w", File, err)
	}
	hs, err := hierarchies("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	if len(args) < 2 || args[1] != inside {
		return first(args[0], cfg, hs)
	}
	return second(args[0], cfg, hs)
}

func first(dir string, cfg Config, hs []hierarchy) error {
	runtime.LockOSThread()
	if err := enterCgroup(cfg.Cgroup, hs); err != nil {
		return err
	}
	if err := unix.Unshare(unix.CLONE_NEWCGROUP); err != nil {
		return fmt.Errorf("making a control group namespace: %w", err)
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	return syscall.Exec(exe, []string{exe, "node-init", dir, inside}, os.Environ())
}

func second(dir string, cfg Config, hs []hierarchy) error {
	if err := setUp(dir, cfg, hs); err != nil {
		return err
	}
	for _, kv := range cfg.Env {
		if k, v, ok := cutEnv(kv); ok {
			_ = os.Setenv(k, v)
		}
	}
	s := newSupervisor(cfg.Services)
	go s.reap()
	l, err := net.Listen("unix", filepath.Join(State, Socket))
	if err != nil {
		return err
	}
	return http.Serve(l, s.handler())
}

func cutEnv(kv string) (k, v string, ok bool) {
	for i := range kv {
		if kv[i] == '=' {
			return kv[:i], kv[i+1:], true
		}
	}
	return "", "", false
}
