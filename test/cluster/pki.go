package cluster

import (
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/refloat-dev/refloat/test/cluster/internal/daemon"
	"github.com/refloat-dev/refloat/test/cluster/internal/pki"
)

// identity is a client of the API server with a kubeconfig of its own.
type identity struct{ file, user, group string }

// issue writes every certificate and kubeconfig of the control plane.
func (l *Lab) issue() error {
	dir := l.path("pki")
	ca, err := pki.NewCA("lab " + l.state.Name)
	if err != nil {
		return err
	}
	registryCA, err := pki.NewCA("lab " + l.state.Name + " registries")
	if err != nil {
		return err
	}
	tokens, err := pki.NewCA("service accounts")
	if err != nil {
		return err
	}
	p := l.state.plan()
	api, err := ca.Issue(pki.Request{CommonName: "kube-apiserver", IPs: []net.IP{p.api().AsSlice(), p.kubernetes().AsSlice()},
		Names: []string{"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "api.lab"}})
	if err != nil {
		return err
	}
	client, err := ca.Issue(pki.Request{CommonName: "kube-apiserver-kubelet-client", Organizations: []string{"system:masters"}})
	if err != nil {
		return err
	}
	for name, pair := range map[string]*pki.Pair{"ca": ca, daemon.CA: registryCA, "sa": tokens, "apiserver": api, "kubelet-client": client} {
		if err := pair.Write(dir, name); err != nil {
			return err
		}
	}
	l.ca, l.registryCA = ca, registryCA
	for _, id := range []identity{
		{l.Kubeconfig(), "admin", "system:masters"},
		{l.path("controller-manager.kubeconfig"), "system:kube-controller-manager", ""},
		{l.path("scheduler.kubeconfig"), "system:kube-scheduler", ""},
	} {
		if err := l.writeKubeconfig(id); err != nil {
			return err
		}
	}
	return nil
}

func (l *Lab) writeKubeconfig(id identity) error {
	req := pki.Request{CommonName: id.user}
	if id.group != "" {
		req.Organizations = []string{id.group}
	}
	pair, err := l.ca.Issue(req)
	if err != nil {
		return err
	}
	key, err := pair.KeyPEM()
	if err != nil {
		return err
	}
	b64 := base64.StdEncoding.EncodeToString
	text := kubeconfig(l.server(), "lab-"+l.state.Name, b64(l.ca.CertPEM()), b64(pair.CertPEM()), b64(key))
	if err := os.MkdirAll(filepath.Dir(id.file), 0o700); err != nil {
		return err
	}
	return os.WriteFile(id.file, []byte(text), 0o600)
}

func (l *Lab) server() string { return fmt.Sprintf("https://%s:6443", l.state.plan().api()) }
