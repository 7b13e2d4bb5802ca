package nodeinit

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// restartDelay is what systemd units of containerd and the kubelet wait, rounded down for a lab.
const restartDelay = time.Second

type running struct {
	Service
	pid      int
	wanted   bool
	restarts int
	ended    chan struct{} // closed when pid has been reaped
}

// supervisor starts and reaps. All waiting goes through reap, since the first process must also collect orphans, and two
// waiters would steal each other's children.
type supervisor struct {
	mu       sync.Mutex
	services map[string]*running
	order    []string
}

func newSupervisor(services []Service) *supervisor {
	s := &supervisor{services: map[string]*running{}}
	for _, svc := range services {
		s.services[svc.Name] = &running{Service: svc}
		s.order = append(s.order, svc.Name)
	}
	return s
}

func (s *supervisor) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /services", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(s.status())
	})
	mux.HandleFunc("POST /services/{name}/{verb}", func(w http.ResponseWriter, r *http.Request) {
		if err := s.do(r.PathValue("name"), r.PathValue("verb")); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	})
	return mux
}

func (s *supervisor) status() []Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Status
	for _, name := range s.order {
		r := s.services[name]
		out = append(out, Status{Name: name, PID: r.pid, Wanted: r.wanted, Restarts: r.restarts})
	}
	return out
}

func (s *supervisor) do(name, verb string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.services[name]
	if !ok {
		return fmt.Errorf("no service %q", name)
	}
	switch verb {
	case "start":
		r.wanted = true
		return s.start(r)
	case "stop":
		return s.stop(r, syscall.SIGTERM)
	case "kill":
		return s.stop(r, syscall.SIGKILL)
	case "pause":
		return signalTo(r, syscall.SIGSTOP)
	case "resume":
		return signalTo(r, syscall.SIGCONT)
	}
	return fmt.Errorf("cannot %q a service", verb)
}

func signalTo(r *running, sig syscall.Signal) error {
	if r.pid == 0 {
		return fmt.Errorf("%s is not running", r.Name)
	}
	return syscall.Kill(r.pid, sig)
}

// start is called with the lock held; a service that runs already is left alone.
func (s *supervisor) start(r *running) error {
	if r.pid != 0 {
		return nil
	}
	path := filepath.Join(State, "log", r.Name+".log")
	log, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer func() { _ = null.Close() }()
	pid, err := syscall.ForkExec(r.Args[0], r.Args, &syscall.ProcAttr{
		Dir: "/", Env: append(os.Environ(), defaults(r.Name)...), Files: []uintptr{null.Fd(), log.Fd(), log.Fd()},
		Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return fmt.Errorf("starting %s: %w", r.Name, err)
	}
	r.pid, r.ended = pid, make(chan struct{})
	return nil
}

// defaults are the KEY=VALUE lines of /etc/default/NAME, where Debian's units take a service's environment from.
func defaults(name string) []string {
	data, err := os.ReadFile(filepath.Join("/etc/default", name))
	if err != nil {
		return nil
	}
	return strings.Fields(string(data))
}

// stop is called with the lock held and gives it up while it waits.
func (s *supervisor) stop(r *running, sig syscall.Signal) error {
	r.wanted = false
	if r.pid == 0 {
		return nil
	}
	pid, ended := r.pid, r.ended
	if err := syscall.Kill(pid, sig); err != nil {
		return fmt.Errorf("stopping %s: %w", r.Name, err)
	}
	s.mu.Unlock()
	defer s.mu.Lock()
	select {
	case <-ended:
		return nil
	case <-time.After(10 * time.Second):
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
	<-ended
	return nil
}

func (s *supervisor) reap() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, unix.SIGCHLD)
	for range c {
		for {
			var ws syscall.WaitStatus
			pid, err := syscall.Wait4(-1, &ws, syscall.WNOHANG, nil)
			if pid <= 0 || err != nil {
				break
			}
			s.ended(pid)
		}
	}
}

func (s *supervisor) ended(pid int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.services {
		if r.pid != pid {
			continue
		}
		r.pid = 0
		close(r.ended)
		if r.wanted {
			time.AfterFunc(restartDelay, func() { s.restart(r) })
		}
	}
}

func (s *supervisor) restart(r *running) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.wanted && r.pid == 0 {
		r.restarts++
		_ = s.start(r)
	}
}
