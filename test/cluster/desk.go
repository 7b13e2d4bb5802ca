package cluster

import (
	"context"
	"net"
	"os"
	"os/exec"

	"github.com/refloat-dev/refloat/test/cluster/internal/daemon"
)

// A desk is where a person sits beside the nodes: this machine, with the lab's cluster, its names and its registries' certificate.

// deskEnv is what programs at the desk are told: x509 and client-go read it.
func (l *Lab) deskEnv() map[string]string {
	return map[string]string{"KUBECONFIG": l.Kubeconfig(), "SSL_CERT_FILE": l.path("pki", daemon.CA+".crt")}
}

// SitDown makes this process the desk. It comes before the first TLS connection: the roots are read once.
func (l *Lab) SitDown() error {
	for k, v := range l.deskEnv() {
		if err := os.Setenv(k, v); err != nil {
			return err
		}
	}
	dns := net.JoinHostPort(l.state.plan().dns().String(), "53")
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, dns)
	}}
	return nil
}

// AtDesk is a command at the desk; the caller sets the streams. Its /etc/resolv.conf is its own, in a mount namespace that ends with it.
func (l *Lab) AtDesk(ctx context.Context, args ...string) (*exec.Cmd, error) {
	conf := l.path("resolv.conf")
	if err := writeFile(conf, []byte(resolvConf(l.state.plan().dns().String())), 0o644); err != nil {
		return nil, err
	}
	full := append([]string{"-m", "--propagation", "private", "sh", "-c", `mount --bind "$0" /etc/resolv.conf && exec "$@"`, conf}, args...)
	cmd := exec.CommandContext(ctx, "unshare", full...)
	cmd.Env = os.Environ()
	for k, v := range l.deskEnv() {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	return cmd, nil
}
