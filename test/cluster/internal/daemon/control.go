package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/refloat-dev/refloat/internal/registrytest"
)

// Port is the mode that a host's port 443 is in.
type Port struct {
	Host string `json:"host"`
	Mode Mode   `json:"mode"`
}

// control is the daemon's socket: PUT /dns takes a Rule, PUT /ports a Port; GET lists them; PUT /content pushes a Content; below /registry/ is
// registrytest.Admin, which sets faults.
func (d *daemon) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /dns", func(w http.ResponseWriter, _ *http.Request) { reply(w, d.dns.list()) })
	mux.HandleFunc("PUT /dns", change(d.dns.set))
	mux.HandleFunc("GET /ports", func(w http.ResponseWriter, _ *http.Request) {
		out := []Port{}
		for host, p := range d.ports {
			out = append(out, Port{host, p.current()})
		}
		reply(w, out)
	})
	mux.HandleFunc("PUT /ports", change(func(p Port) error {
		port, ok := d.ports[p.Host]
		if !ok {
			return fmt.Errorf("no registry %q", p.Host)
		}
		return port.set(p.Mode)
	}))
	mux.HandleFunc("PUT /users", change(d.setUser))
	mux.HandleFunc("PUT /content", push(d.group))
	mux.Handle("/registry/", http.StripPrefix("/registry", registrytest.Admin(&d.group.Faults, &d.group.Log)))
	return mux
}

// User is an account on one registry; the registry's own user type says what it may do.
type User struct {
	Host string            `json:"host"`
	User registrytest.User `json:"user"`
}

func (d *daemon) setUser(u User) error {
	r := d.group.Registry(u.Host)
	if r == nil {
		return fmt.Errorf("no registry %q", u.Host)
	}
	r.SetUser(u.User)
	return nil
}

func change[T any](set func(T) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var v T
		dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
		dec.DisallowUnknownFields()
		err := dec.Decode(&v)
		if err == nil {
			err = set(v)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	}
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// Client talks to a daemon over its socket.
type Client struct{ Socket string }

// Call sends in as JSON where it is not nil and reads the answer into out where that is not nil.
func (c Client) Call(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://lab"+path, body)
	if err != nil {
		return err
	}
	tr := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", c.Socket)
	}}
	resp, err := (&http.Client{Transport: tr}).Do(req)
	if err != nil {
		return fmt.Errorf("asking the lab's daemon: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("lab's daemon, %s %s: %s", method, path, bytes.TrimSpace(data))
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(data, out)
}
