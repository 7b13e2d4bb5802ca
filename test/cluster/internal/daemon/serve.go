package daemon

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/refloat-dev/refloat/internal/registrytest"
	"github.com/refloat-dev/refloat/test/cluster/internal/pki"
)

type daemon struct {
	dns   *resolver
	group *registrytest.Group
	ports map[string]*port
}

// Main serves until ctx ends. dir is the lab's state directory.
func Main(ctx context.Context, dir string, log *slog.Logger) error {
	cfg, err := load(dir)
	if err != nil {
		return err
	}
	d := &daemon{dns: &resolver{cfg: cfg}, group: &registrytest.Group{Storage: Storage}, ports: map[string]*port{}}
	stop, err := d.dns.listen()
	if err != nil {
		return fmt.Errorf("serving DNS: %w", err)
	}
	defer stop()
	if err := d.registries(dir, cfg); err != nil {
		return err
	}
	forward, err := net.Listen("tcp", cfg.ForwardFrom.String())
	if err != nil {
		return fmt.Errorf("serving the API service address: %w", err)
	}
	go pass(forward, cfg.ForwardTo)
	control, err := net.Listen("unix", filepath.Join(dir, Socket))
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: d.control(), ReadHeaderTimeout: time.Minute}
	go func() {
		<-ctx.Done()
		_ = srv.Close()
		_ = forward.Close()
	}()
	log.Info("serving", "dns", cfg.DNS, "registries", len(d.ports))
	if err := srv.Serve(control); ctx.Err() == nil {
		return err
	}
	return nil
}

func (d *daemon) registries(dir string, cfg Config) error {
	trusted, err := pki.Read(filepath.Join(dir, "pki"), CA)
	if err != nil {
		return err
	}
	stranger, err := pki.NewCA("nobody's CA")
	if err != nil {
		return err
	}
	ca := authorities{trusted, stranger}
	modes := map[string]Mode{Storage: ModeTLS}
	for _, r := range Registries() {
		d.group.Add(r.Name, r.Style)
		modes[r.Name] = r.Mode
	}
	if err := fill(d.group, cfg.Bin); err != nil {
		return fmt.Errorf("filling the registries: %w", err)
	}
	for host, mode := range modes {
		p, err := newPort(host, netip.AddrPortFrom(cfg.Hosts[host], 443), ca, d.group)
		if err != nil {
			return err
		}
		if err := p.set(mode); err != nil {
			return fmt.Errorf("serving %s: %w", host, err)
		}
		d.ports[host] = p
	}
	return nil
}

// pass copies bytes both ways between what l accepts and to.
func pass(l net.Listener, to netip.AddrPort) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = c.Close() }()
			up, err := net.DialTimeout("tcp", to.String(), 10*time.Second)
			if err != nil {
				return
			}
			defer func() { _ = up.Close() }()
			go func() { _, _ = io.Copy(up, c); _ = up.Close() }()
			_, _ = io.Copy(c, up)
		}()
	}
}
