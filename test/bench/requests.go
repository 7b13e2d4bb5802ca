package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// check runs refloat once through a proxy that counts its requests by resource, and compares its answer with what was made.
func (b bench) check(ctx context.Context, limit bound) (map[string]int, error) {
	c := counter{requests: map[string]int{}}
	proxy, err := c.proxy(b.lab.RESTConfig())
	if err != nil {
		return nil, err
	}
	server := httptest.NewServer(proxy)
	defer server.Close()
	config := api.NewConfig()
	config.Clusters["bench"] = &api.Cluster{Server: server.URL}
	config.Contexts["bench"] = &api.Context{Cluster: "bench"}
	config.CurrentContext = "bench"
	path := filepath.Join(b.progs.dir, "proxy.kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		return nil, err
	}
	command := b.command(refloatRun)
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = b.environment(path)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 3) {
		return nil, fmt.Errorf("%s: %w", refloatRun, err)
	}
	return c.requests, compare(out, limit)
}

// compare looks whether refloat saw all pods and found those that fail.
func compare(out []byte, limit bound) error {
	var answer struct {
		Scope    struct{ Pods int }
		Findings []struct {
			Cause string
			Pods  []struct{ Namespace, Name string }
		}
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		return fmt.Errorf("refloat's answer: %w", err)
	}
	found := map[string]bool{}
	causes := map[string]int{}
	for _, f := range answer.Findings {
		causes[f.Cause]++
		for _, p := range f.Pods {
			found[p.Namespace+"/"+p.Name] = true
		}
	}
	if answer.Scope.Pods != limit.pods || len(found) != limit.failing || causes["unknown"] > 0 {
		return fmt.Errorf("refloat looked at %d pods and found %d failing, findings by cause %v; there are %d pods, %d of them failing, none for unknown causes",
			answer.Scope.Pods, len(found), causes, limit.pods, limit.failing)
	}
	return nil
}

// counter counts requests on their way to the API server.
type counter struct {
	mu       sync.Mutex
	requests map[string]int
}

func (c *counter) proxy(config *rest.Config) (http.Handler, error) {
	target, err := url.Parse(config.Host)
	if err != nil {
		return nil, err
	}
	transport, err := rest.TransportFor(config)
	if err != nil {
		return nil, err
	}
	forward := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.requests[resourceOf(r.URL.Path)]++
		c.mu.Unlock()
		forward.ServeHTTP(w, r)
	}), nil
}

// resourceOf is the resource that a path of the API names; a path below /api that names none is discovery.
func resourceOf(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case parts[0] == "api" && len(parts) > 2:
		parts = parts[2:]
	case parts[0] == "apis" && len(parts) > 3:
		parts = parts[3:]
	case parts[0] == "api" || parts[0] == "apis":
		return "discovery"
	default:
		return parts[0]
	}
	if parts[0] == "namespaces" && len(parts) > 2 {
		parts = parts[2:]
	}
	if len(parts) > 2 {
		return parts[0] + "/" + parts[2]
	}
	return parts[0]
}
