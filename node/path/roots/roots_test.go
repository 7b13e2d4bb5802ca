package roots_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refloat-dev/refloat/internal/registrytest/nettest"
	"github.com/refloat-dev/refloat/node/host"
	"github.com/refloat-dev/refloat/node/path/roots"
)

func pem(t *testing.T, name string) string {
	t.Helper()
	ca, err := nettest.NewCA(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(ca.PEM())
}

func TestSystem(t *testing.T) {
	t.Parallel()
	const debian, fedora = "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"
	for _, tc := range []struct {
		name  string
		files []string
		env   map[string]string
		want  []string
		certs int
	}{
		{name: "Debian", files: []string{debian}, want: []string{debian}, certs: 1},
		{name: "Fedora", files: []string{fedora}, want: []string{fedora}, certs: 1},
		{name: "the first of two, and the other as one of a folder", files: []string{debian, fedora}, want: []string{debian, "/etc/pki/tls/certs"}, certs: 2},
		{name: "Alpine", files: []string{"/etc/ssl/cert.pem"}, want: []string{"/etc/ssl/cert.pem"}, certs: 1},
		{name: "beside the bundle", files: []string{debian, "/etc/ssl/certs/own.pem"}, want: []string{debian}, certs: 2},
		{name: "a folder alone", files: []string{"/etc/ssl/certs/own.pem"}, want: []string{"/etc/ssl/certs"}, certs: 1},
		{name: "set by the environment", files: []string{debian, "/opt/ca.pem", "/opt/d/x.pem"},
			env: map[string]string{"SSL_CERT_FILE": "/opt/ca.pem", "SSL_CERT_DIR": "/opt/none:/opt/d"}, want: []string{"/opt/ca.pem", "/opt/d"}, certs: 2},
		{name: "nothing"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, f := range tc.files {
				write(t, dir, f, pem(t, f))
			}
			s, gaps := roots.System(&host.Host{Root: dir}, tc.env)
			if diff := cmp.Diff(tc.want, s.Files); diff != "" {
				t.Error(diff)
			}
			//nolint:staticcheck // SA1019: these pools are not the system's, and have no other count
			if got := len(s.Pool.Subjects()); got != tc.certs {
				t.Errorf("%d certificates, want %d", got, tc.certs)
			}
			if (len(gaps) == 0) != (tc.certs > 0) {
				t.Errorf("%v", gaps)
			}
		})
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	at := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestWith(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := &host.Host{Root: dir}
	write(t, dir, "/etc/ssl/cert.pem", pem(t, "system"))
	write(t, dir, "/etc/certs/own.pem", pem(t, "own"))
	write(t, dir, "/etc/certs/none.pem", "none")
	s, _ := roots.System(h, nil)
	more, err := s.With(h, []string{"/etc/certs/own.pem"})
	if diff := cmp.Diff([]string{"/etc/ssl/cert.pem", "/etc/certs/own.pem"}, more.Files); diff != "" || err != nil || len(s.Files) != 1 {
		t.Error(diff, err)
	}
	for file, want := range map[string]string{"/etc/certs/none.pem": "unable to load CA cert", "/etc/certs/gone.pem": "unable to read CA cert"} {
		if _, err := s.With(h, []string{file}); err == nil || !strings.Contains(err.Error(), want) {
			t.Error(err)
		}
	}
	for _, pair := range [][2]string{{"/etc/certs/gone.pem"}, {"/etc/certs/own.pem", "/etc/certs/gone.pem"}, {"/etc/certs/own.pem"}} {
		if _, err := roots.Pairs(h, [][2]string{pair}); err == nil {
			t.Errorf("%v is a pair", pair)
		}
	}
}
