// Package nodeinit is the first process of a lab node. It runs in the node's own pid, mount, network and hostname
// namespaces, gives the node its own /etc, /run, /tmp, /var/lib and /var/log, keeps its services (containerd, kubelet)
// running, and reaps orphans. Ending it ends the node: the kernel then kills every process, drops every mount and frees
// every loop device, so nothing can be left behind. It refuses to touch anything outside the node.
package nodeinit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Paths inside a node. Everything else stands where a real node has it.
const (
	Bin     = "/run/lab/bin"  // the lab's programs
	State   = "/run/lab/node" // the node's folder in the lab's state directory
	Socket  = "init.sock"     // in State
	File    = "node.json"     // in State: the Config
	Rootfs  = "rootfs"        // in State: copied over / before anything starts
	ImageFS = "image.ext4"    // in State: mounted at /var/lib/containerd
	NodeFS  = "node.ext4"     // in State: holds /var/lib/kubelet and /var/log
)

// Config is what a node is told at its start.
type Config struct {
	Hostname string    `json:"hostname"`
	Bin      string    `json:"bin"`    // the host's folder of programs
	Cgroup   string    `json:"cgroup"` // the node's group in every hierarchy; the root of what it sees
	Env      []string  `json:"env"`
	Services []Service `json:"services"`
}

// Service is a program kept running: when it ends unasked it is started again after a second.
type Service struct {
	Name string   `json:"name"`
	Args []string `json:"args"`
}

// Status is what a service does now.
type Status struct {
	Name     string `json:"name"`
	PID      int    `json:"pid"` // in the node's pid namespace; 0: not running
	Wanted   bool   `json:"wanted"`
	Restarts int    `json:"restarts"`
}

// Client talks to a node's init over its socket, from the host.
type Client struct{ Socket string }

// Do asks for one of start, stop, kill, pause or resume on a service. It returns when that is done.
func (c Client) Do(ctx context.Context, service, verb string) error {
	_, err := c.call(ctx, http.MethodPost, "/services/"+service+"/"+verb)
	return err
}

// Services reports on every service.
func (c Client) Services(ctx context.Context) ([]Status, error) {
	data, err := c.call(ctx, http.MethodGet, "/services")
	if err != nil {
		return nil, err
	}
	var out []Status
	return out, json.Unmarshal(data, &out)
}

func (c Client) call(ctx context.Context, method, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", c.Socket)
	}
	tr := &http.Transport{DialContext: dial, DisableKeepAlives: true}
	req, err := http.NewRequestWithContext(ctx, method, "http://node"+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := (&http.Client{Transport: tr}).Do(req)
	if err != nil {
		return nil, fmt.Errorf("asking the node's init: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("node's init: %s", bytes.TrimSpace(data))
	}
	return data, err
}
