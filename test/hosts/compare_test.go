package hosts

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// cases is how many are made up in a run.
const cases = 3000

func TestGenerated(t *testing.T) {
	t.Parallel()
	pems, err := newPEMs()
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(4, 2026))
	base := t.TempDir()
	n, err := newNode(filepath.Join(base, "node"))
	if err != nil {
		t.Fatal(err)
	}
	outcomes, differences := map[string]int{}, 0
	for i := range cases {
		registry := registries[r.IntN(len(registries))]
		text, where := "", ""
		for range 1 + r.IntN(2) {
			where = folder(r, registry)
			text = hostsToml(r, filepath.Join(n.certs, where))
			if err := pems.bring(r, filepath.Join(base, where), filepath.Join(n.certs, where), text); err != nil {
				t.Fatal(err)
			}
		}
		diff, outcome := n.differ(registry)
		outcomes[outcome]++
		if diff != "" {
			if differences++; differences <= 10 {
				t.Errorf("case %d, %s, folder %s: %s\n%s", i, registry, where, diff, text)
			}
		}
		if err := takeBack(n.certs, base); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d cases, %d differences: %v", cases, differences, outcomes)
	for _, o := range []string{"parsed", "bypassed", "fails"} {
		if outcomes[o] < cases/20 {
			t.Errorf("hardly any file is %s: %v", o, outcomes)
		}
	}
}

// folder is where a registry is looked up, or nearly.
func folder(r *rand.Rand, registry string) string {
	at := strings.LastIndex(registry, ":")
	under := registry
	if at > 0 {
		under = registry[:at] + "_" + registry[at+1:] + "_"
	}
	return []string{registry, registry, under, under, "_default", "other.lab"}[r.IntN(6)]
}

// quirks are files that containerd reads in a way worth holding to.
var quirks = []struct{ name, registry, text string }{
	{"nothing but a comment", "reg.lab", "# nothing\n"},
	{"empty", "reg.lab", ""},
	{"a server alone", "reg.lab", `server = "https://mirror.lab"`},
	{"no server: the registry comes last", "reg.lab", "[host.\"https://mirror.lab\"]\n"},
	{"no server for Docker Hub", "docker.io", "[host.\"https://mirror.lab\"]\n"},
	{"settings of the top level are the server's", "reg.lab", "skip_verify = true\ncapabilities = [\"pull\"]\n[host.\"https://mirror.lab\"]\n"},
	{"and of a server that is named", "reg.lab", "server = \"https://reg.lab\"\nskip_verify = true\ncapabilities = [\"pull\"]\n"},
	{"the order of the file, not of the alphabet", "reg.lab", "[host.\"https://z.lab\"]\n[host.\"https://a.lab\"]\n[host.\"https://m.lab\"]\n"},
	{"a host whose tables are apart is two", "reg.lab", "[host.\"https://a.lab\"]\n[host.\"https://b.lab\"]\n[host.\"https://a.lab\".header]\nX = \"1\"\n"},
	{"an inline table is no host", "reg.lab", "host = { \"https://a.lab\" = { skip_verify = true } }\n"},
	{"nor are dotted keys", "reg.lab", "host.\"https://a.lab\".skip_verify = true\n"},
	{"nor is an array of tables", "reg.lab", "[[host.\"https://a.lab\"]]\n"},
	{"hosts is not host", "reg.lab", "[hosts.\"https://a.lab\"]\n"},
	{"a server below a table is the table's", "reg.lab", "[host.\"https://a.lab\"]\nserver = \"https://b.lab\"\n"},
	{"the same table twice", "reg.lab", "[host.\"https://a.lab\"]\n[host.\"https://a.lab\"]\n"},
	{"a key twice", "reg.lab", "server = \"a\"\nserver = \"b\"\n"},
	{"an unknown capability", "reg.lab", "[host.\"https://a.lab\"]\ncapabilities = [\"pull\", \"fetch\"]\n"},
	{"a host without a scheme", "reg.lab", "[host.\"a.lab\"]\n"},
	{"a host whose name begins with http", "reg.lab", "[host.\"httpd.lab\"]\n"},
	{"a path", "reg.lab", "[host.\"https://a.lab/hub\"]\n[host.\"https://a.lab/v2/hub\"]\n[host.\"https://b.lab/hub\"]\noverride_path = true\n[host.\"https://c.lab\"]\noverride_path = true\n"},
	{"plain HTTP with settings of TLS is TLS first", "reg.lab", "[host.\"http://a.lab\"]\nskip_verify = true\n[host.\"http://a.lab:80\"]\nskip_verify = true\n[host.\"http://b.lab:5000\"]\nca = []\n"},
	{"a byte order mark", "reg.lab", "\ufeffserver = \"https://a.lab\"\n"},
	{"lines ended as on Windows", "reg.lab", "server = \"https://a.lab\"\r\n[host.\"https://b.lab\"]\r\n"},
	{"a NUL", "reg.lab", "server = \"https://a.lab\"\x00\n"},
	{"localhost", "localhost:5000", "[host.\"https://a.lab\"]\n"},
	{"localhost with a capability", "localhost:80", "capabilities = [\"pull\"]\n"},
}

func TestQuirks(t *testing.T) {
	t.Parallel()
	pems, err := newPEMs()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range quirks {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n, err := newNode(filepath.Join(t.TempDir(), "node"))
			if err != nil {
				t.Fatal(err)
			}
			if err := pems.write(filepath.Join(n.certs, tt.registry), &tt.text); err != nil {
				t.Fatal(err)
			}
			if diff, _ := n.differ(tt.registry); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestFolders lays out what is no folder with a hosts.toml.
func TestFolders(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		layout func(certs string) error
	}{
		{"no folder", os.Remove},
		{"certs.d is a file", func(certs string) error { _ = os.Remove(certs); return os.WriteFile(certs, nil, 0o644) }},
		{"the registry's folder is a file", func(certs string) error { return os.WriteFile(filepath.Join(certs, "reg.lab"), nil, 0o644) }},
		{"a link to nothing", func(certs string) error { return os.Symlink("nothing", filepath.Join(certs, "reg.lab")) }},
		{"a link to itself", func(certs string) error { return os.Symlink("reg.lab", filepath.Join(certs, "reg.lab")) }},
		{"an empty folder", func(certs string) error { return os.Mkdir(filepath.Join(certs, "reg.lab"), 0o755) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n, err := newNode(filepath.Join(t.TempDir(), "node"))
			if err != nil {
				t.Fatal(err)
			}
			if err := tt.layout(n.certs); err != nil {
				t.Fatal(err)
			}
			if diff, _ := n.differ("reg.lab"); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzHosts(f *testing.F) {
	pems, err := newPEMs()
	if err != nil {
		f.Fatal(err)
	}
	n, err := newNode(filepath.Join(f.TempDir(), "node"))
	if err != nil {
		f.Fatal(err)
	}
	nothing := ""
	dir := filepath.Join(n.certs, "reg.lab")
	if err := pems.write(dir, &nothing); err != nil {
		f.Fatal(err)
	}
	for _, q := range quirks {
		f.Add(q.text)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 40 {
		f.Add(hostsToml(r, dir))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<16 || strings.Contains(text, "/dev/") || strings.Contains(text, "/proc/") {
			t.Skip("a certificate may not be a device")
		}
		if err := os.WriteFile(filepath.Join(dir, "hosts.toml"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if diff, _ := n.differ("reg.lab"); diff != "" {
			t.Error(diff)
		}
	})
}
