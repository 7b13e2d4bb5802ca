package hosts

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	random "math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// registries are references' hosts of every shape.
var registries = []string{
	"docker.io", "reg.lab", "reg.lab:5000", "reg.lab:443", "localhost", "localhost:5000", "localhost:443", "localhost:80",
	"127.0.0.1:5000", "127.0.0.1", "[::1]:5000", "10.0.0.1", "a_b.lab", "registry-1.docker.io", "REG.lab",
}

// urls are a host's key, or the server.
var urls = []string{
	"https://mirror.lab", "http://mirror.lab", "http://mirror.lab:80", "http://mirror.lab:5000", "mirror.lab", "mirror.lab:5000", "https://mirror.lab/v2", "https://mirror.lab/v2/",
	"https://mirror.lab/v2/hub", "https://mirror.lab/hub", "https://mirror.lab//hub/../x/v2", "https://mirror.lab/", "httpbin.lab", "httpbin.lab/x", "https://", "http:", "HTTPS://mirror.lab", "ftp://mirror.lab",
	"https://u:p@mirror.lab", "https://mirror.lab?x=y", "https://mirror.lab#f", "https://[::1]:5000", "https://[::1", "https://mirror.lab:port", "https://mirror lab", "https://reg.lab", "https://registry-1.docker.io",
	"http://localhost:5000", "http://127.0.0.1", "%zz", "", " ", "https://mirror.lab/%2Fx", "//mirror.lab", "https://mirror.lab/v2/v2", "https:mirror.lab",
}

// settings are lines of a host, good and bad.
var settings = []string{
	`capabilities = ["pull", "resolve"]`, `capabilities = ["pull"]`, `capabilities = ["PULL", "Resolve", "pull"]`, `capabilities = []`, `capabilities = ["push", "referrers"]`, `capabilities = ["fly"]`, `capabilities = "pull"`, `capabilities = [""]`,
	`skip_verify = true`, `skip_verify = false`, `skip_verify = "true"`, `override_path = true`, `override_path = false`, `override_path = 1`,
	`ca = "ca.pem"`, `ca = "ABS/ca.pem"`, `ca = ["ca.pem", "two.pem"]`, `ca = "missing.pem"`, `ca = "junk.pem"`, `ca = []`, `ca = ""`, `ca = 3`, `ca = ["ca.pem", 3]`, `ca = "../certs.d/x"`, `ca = { a = 1 }`, `ca = "empty.pem"`,
	`client = "both.pem"`, `client = ["both.pem"]`, `client = [["cert.pem", "key.pem"]]`, `client = [["cert.pem", "key.pem"], "both.pem"]`, `client = ["cert.pem", "key.pem"]`, `client = [["cert.pem"]]`, `client = [["cert.pem", ""]]`, `client = []`, `client = [[]]`, `client = 3`, `client = [3]`, `client = [["cert.pem", 3]]`, `client = "missing.pem"`, `client = [["cert.pem", "missing.pem"]]`, `client = "ca.pem"`,
	`dial_timeout = "200ms"`, `dial_timeout = "0s"`, `dial_timeout = "30s"`, `dial_timeout = "-3s"`, `dial_timeout = "10us"`, `dial_timeout = "fast"`, `dial_timeout = ""`, `dial_timeout = 5`, `dial_timeout = "5"`,
	`header = { X-One = "a", x-two = ["b", "c"] }`, `header = { X = [] }`, `header = {}`, `header = { X = 3 }`, `header = { X = [3] }`, `header = "x"`, `header.X = "dotted"`,
	`unknown = 1`, `insecure_skip_verify = true`, `Skip_Verify = true`, `CA = "ca.pem"`, `# a comment`, ``, `server = "https://late.lab"`, `host = 3`,
	`oops`, `= 3`, `ca = "unended`, "ca = \"\\q\"", `capabilities = ["pull"`, "\xff = 1", `a.b.c = 1`, `"quoted" = 1`, `capabilities = ["pull"] trailing`,
}

// pick is one of a list.
func pick(r *random.Rand, list []string) string { return list[r.IntN(len(list))] }

// hostsToml makes up a file; most lines are good, so that not every file fails at its first.
func hostsToml(r *random.Rand, certs string) string {
	var b strings.Builder
	lines := func(n int) {
		seen := map[string]bool{}
		for range r.IntN(n) {
			line := pick(r, settings[:len(settings)-9])
			if r.IntN(25) == 0 {
				line = pick(r, settings)
			}
			if key, _, _ := strings.Cut(line, " "); seen[key] && r.IntN(20) > 0 {
				continue // the same key twice is an error, and one is enough
			} else {
				seen[key] = true
			}
			b.WriteString(strings.ReplaceAll(line, "ABS", certs) + "\n")
		}
	}
	if r.IntN(4) > 0 {
		fmt.Fprintf(&b, "server = %q\n", pick(r, urls))
	}
	lines(3)
	for range r.IntN(4) {
		url := pick(r, urls)
		switch r.IntN(14) {
		case 0:
			fmt.Fprintf(&b, "[[host.%q]]\n", url)
		case 1:
			fmt.Fprintf(&b, "[host]\n%q.skip_verify = true\n", url)
		case 2:
			fmt.Fprintf(&b, "[host.'%s']\n", url)
		case 3:
			fmt.Fprintf(&b, "[ host . %q . header ]\nX-Sub = \"s\"\n", url)
			continue
		case 4:
			fmt.Fprintf(&b, "[hosts.%q]\n", url)
		default:
			fmt.Fprintf(&b, "[host.%q]\n", url)
		}
		lines(4)
		if r.IntN(6) == 0 {
			fmt.Fprintf(&b, "[host.%q.header]\nAuthorization = \"Basic c2VjcmV0\"\n", url)
		}
	}
	text := b.String()
	if r.IntN(15) == 0 && text != "" { // something is lost on the way
		at := r.IntN(len(text))
		text = text[:at] + text[min(len(text), at+1+r.IntN(9)):]
	}
	return text
}

// pems are the certificates that files name.
type pems struct{ ca, two, cert, key []byte }

func newPEMs() (p pems, err error) {
	make := func(serial int64) (cert, key []byte, err error) {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, nil, err
		}
		t := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "hosts"}, NotAfter: time.Now().Add(time.Hour), IsCA: true}
		der, err := x509.CreateCertificate(rand.Reader, t, t, k.Public(), k)
		if err != nil {
			return nil, nil, err
		}
		keyDER, err := x509.MarshalPKCS8PrivateKey(k)
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), err
	}
	var err2, err3 error
	p.ca, _, err = make(1)
	p.two, _, err2 = make(2)
	p.cert, p.key, err3 = make(3)
	return p, errors.Join(err, err2, err3)
}

// write lays a folder of certs.d out, with whatever hosts.toml may name.
func (p pems) write(dir string, toml *string) error {
	files := map[string][]byte{"ca.pem": p.ca, "two.pem": p.two, "cert.pem": p.cert, "key.pem": p.key, "both.pem": append(append([]byte{}, p.cert...), p.key...),
		"junk.pem": []byte("no certificate\n"), "empty.pem": nil}
	if toml != nil {
		files["hosts.toml"] = []byte(*toml)
	}
	err := os.MkdirAll(dir, 0o755)
	for name, data := range files {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), data, 0o644))
	}
	return err
}

// bring puts a folder, which is kept for the next time, into certs.d.
func (p pems) bring(r *random.Rand, kept, dir, text string) error {
	if _, err := os.Stat(dir); err != nil { // not brought a moment ago
		if _, err := os.Stat(kept); err != nil {
			if err := p.write(kept, nil); err != nil {
				return err
			}
		}
		if err := os.Rename(kept, dir); err != nil {
			return err
		}
	}
	none := r.IntN(8) == 0
	if !none {
		if err := os.WriteFile(filepath.Join(dir, "hosts.toml"), []byte(text), 0o644); err != nil {
			return err
		}
	}
	if none || r.IntN(3) == 0 {
		return p.certificates(r, dir)
	}
	return nil
}

// takeBack empties certs.d, and the folders of what only one case has.
func takeBack(certs, base string) error {
	entries, err := os.ReadDir(certs)
	for _, e := range entries {
		dir := filepath.Join(certs, e.Name())
		for _, name := range append([]string{"hosts.toml", "folder.crt"}, dockerNames...) {
			_ = os.Remove(filepath.Join(dir, name))
		}
		err = errors.Join(err, os.Rename(dir, filepath.Join(base, e.Name())))
	}
	return err
}

// dockerNames are certificates as Docker names them.
var dockerNames = []string{"a.crt", "b.crt", "bad.crt", "c.cert", "c.key", "d.cert", "note.txt"}

// certificates adds some of those.
func (p pems) certificates(r *random.Rand, dir string) error {
	var err error
	data := [][]byte{p.ca, p.two, []byte("x"), p.cert, p.key, append(append([]byte{}, p.cert...), p.key...), nil}
	for i, name := range dockerNames {
		if r.IntN(3) == 0 && (name != "bad.crt" || r.IntN(4) == 0) {
			err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), data[i], 0o644))
		}
	}
	if r.IntN(5) == 0 {
		err = errors.Join(err, os.MkdirAll(filepath.Join(dir, "folder.crt"), 0o755))
	}
	return err
}
