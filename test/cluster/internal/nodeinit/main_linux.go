package nodeinit

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
)

// Main is the node's first process. It returns only when something is wrong; dir is the node's folder on the host.
func Main(dir string) error {
	if os.Getpid() != 1 {
		return errors.New("node-init is the first process of a lab node, not a command: use lab up")
	}
	data, err := os.ReadFile(filepath.Join(dir, File))
	if err != nil {
		return err
	}
	var cfg Config
	if err := json.Unmarshal(data, &cfg); err != nil {
		return fmt.Errorf("reading %s: %w", File, err)
	}
	if err := setUp(dir, cfg); err != nil {
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
