package health

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refloat-dev/refloat/node/config"
	"github.com/refloat-dev/refloat/node/health/journal"
	"github.com/refloat-dev/refloat/node/host"
)

// direct is a registry without mirrors.
func direct(registry string) []config.Endpoint {
	if registry == "docker.io" {
		registry = "registry-1.docker.io"
	}
	return []config.Endpoint{{Base: &url.URL{Scheme: "https", Host: registry, Path: "/v2"}}}
}

func TestMarks(t *testing.T) {
	t.Parallel()
	const digest = "b68c48c991ecb2d4e76a36d8a200cb930dc413b613deedb54fb8c1f05f745604"
	tests := []struct {
		name, image, line string
		wants, registry   bool
	}{
		{name: "containerd's pull", image: "open.lab/shop/web:1", line: `level=error msg="PullImage \"open.lab/shop/web:1\" failed"`, wants: true},
		{name: "another tag", image: "open.lab/shop/web:1", line: `msg="PullImage \"open.lab/shop/web:2\" failed"`, wants: true},
		{name: "a longer name", image: "open.lab/shop/web", line: `PullImage \"open.lab/shop/webmail:1\"`},
		{name: "a name below", image: "open.lab/shop/web", line: `PullImage \"open.lab/shop/web/admin:1\"`},
		{name: "a longer registry", image: "open.lab/shop/web", line: `PullImage \"very-open.lab/shop/web:1\"`},
		{name: "at a sentence's end", image: "open.lab/shop/web", line: `cannot pull open.lab/shop/web.`, wants: true},
		{name: "a request", image: "open.lab/shop/web:1", line: `url="https://open.lab/v2/shop/web/manifests/1"`, wants: true, registry: true},
		{name: "another image's request", image: "open.lab/shop/web:1", line: `Get "https://open.lab/v2/shop/mail/manifests/1": EOF`, registry: true},
		{name: "the name", image: "open.lab/shop/web:1", line: `dial tcp: lookup open.lab on 10.0.0.10:53: no such host`, registry: true},
		{name: "another name", image: "open.lab/shop/web:1", line: `dial tcp: lookup open.lab.example.com on 10.0.0.10:53: no such host`},
		{name: "Docker Hub, as the pod has it", image: "nginx", line: `pod_workers.go:1324] "Error syncing pod" err="ErrImagePull: \"nginx\""`, wants: true},
		{name: "Docker Hub, as the kubelet has it", image: "nginx", line: `Failed to pull image "nginx:latest"`, wants: true},
		{name: "Docker Hub, as containerd has it", image: "nginx:1.27", line: `failed to resolve reference \"docker.io/library/nginx:1.27\"`, wants: true},
		{name: "Docker Hub, a request", image: "nginx:1.27", line: `url="https://registry-1.docker.io/v2/library/nginx/manifests/1.27"`, wants: true, registry: true},
		{name: "a pod of that name", image: "nginx:1.27", line: `"SyncLoop ADD" source="api" pods=["shop/nginx-5d9"]`},
		{name: "hosts.toml", image: "open.lab/shop/web:1", line: `level=error msg="failed to decode /etc/containerd/certs.d/open.lab/hosts.toml" error="toml: line 3"`, wants: true},
		{name: "hosts.toml with a port", image: "open.lab:5000/web:1", line: `failed to decode /etc/containerd/certs.d/open.lab_5000_/hosts.toml`, wants: true},
		{name: "hosts.toml for all", image: "open.lab/web:1", line: `failed to decode /etc/containerd/certs.d/_default/hosts.toml`, wants: true},
		{name: "another's hosts.toml", image: "open.lab/web:1", line: `failed to decode /etc/containerd/certs.d/other.lab/hosts.toml`},
		{name: "a digest", image: "open.lab/web@sha256:" + digest, line: "ref=manifest-sha256:" + digest, wants: true},
		{name: "no reference", image: "Open.lab/WEB:1", line: `Failed to apply default image tag "Open.lab/WEB:1"`, wants: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, low := of(tt.image, direct), strings.ToLower(tt.line)
			if got := has(low, m.image); got != tt.wants {
				t.Errorf("about the image: %v, by %q", got, m.image)
			}
			if got := has(low, m.registry); got != tt.registry {
				t.Errorf("about the registry: %v, by %q", got, m.registry)
			}
		})
	}
}

func TestWhen(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("node", 3600)
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	tests := []struct{ name, line, want string }{
		{"containerd", `time="2026-01-02T11:35:50.47960052Z" level=info msg="x"`, "2026-01-02T11:35:50.47960052Z"},
		{"CRI-O", `time="2026-01-02 12:35:50.479600520+01:00" level=info msg="x"`, "2026-01-02T11:35:50.47960052Z"},
		{"containerd's JSON", `{"level":"info","msg":"x","time":"2026-01-02T12:35:50.4+01:00"}`, "2026-01-02T11:35:50.4Z"},
		{"the kubelet", `E0102 12:26:26.734116      41 event.go:359] "x"`, "2026-01-02T11:26:26.734116Z"},
		{"the kubelet, last year", `I1231 23:26:26.734116      41 event.go:359] "x"`, "2025-12-31T22:26:26.734116Z"},
		{"the kubelet's JSON", `{"ts":1767353750400.5,"caller":"x.go:1","msg":"x"}`, "2026-01-02T11:35:50.4005Z"},
		{"a leap day", `I0229 23:26:26.734116      41 event.go:359] "x"`, "2025-03-01T22:26:26.734116Z"},
		{"no date", `I1331 23:26:26.734116      41 event.go:359] "x"`, "0001-01-01T00:00:00Z"},
		{"nothing", `panic: oops`, "0001-01-01T00:00:00Z"},
		{"broken JSON", `{"ts":1e400`, "0001-01-01T00:00:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := when(tt.line, now, zone).Format(time.RFC3339Nano); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	var all []string
	var file bytes.Buffer
	for i := range 5000 {
		line := fmt.Sprintf("%d %s", i, strings.Repeat("x", i%90))
		all = append(all, line)
		file.WriteString(line + "\n")
	}
	var got []string
	if err := lines(bytes.NewReader(file.Bytes()), int64(file.Len()), func(line []byte) bool {
		got = append([]string{string(line)}, got...)
		return true
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(all, got); diff != "" {
		t.Error(diff)
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	read := int64(0)
	r := counting{func(p []byte, _ int64) (int, error) {
		read += int64(len(p))
		for i := range p {
			p[i] = 'x'
		}
		return len(p), nil
	}}
	if err := lines(r, 1<<40, func(line []byte) bool { t.Errorf("half a line of %d bytes", len(line)); return true }); err != nil || read != maxTail {
		t.Errorf("%d bytes, %v", read, err)
	}
	h, _ := node(t, false)
	if err := os.MkdirAll(filepath.Join(h.Root, "log"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := open("/log", filepath.Join(h.Root, "log")); err == nil {
		t.Error("a folder was read as a log")
	}
	if _, err := open("/none", filepath.Join(h.Root, "none")); !errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), h.Root) {
		t.Errorf("an error must name the node's path alone: %v", err)
	}
}

type counting struct {
	read func(p []byte, at int64) (int, error)
}

func (c counting) ReadAt(p []byte, at int64) (int, error) { return c.read(p, at) }

func FuzzLines(f *testing.F) {
	f.Add([]byte("a\nb\n\nc"), "reg.lab/a")
	f.Fuzz(func(t *testing.T, data []byte, image string) {
		var n int
		if err := lines(bytes.NewReader(data), int64(len(data)), func(line []byte) bool {
			n += len(line)
			when(string(line), time.Unix(0, 0), time.UTC)
			has(strings.ToLower(string(line)), of(image, direct).image)
			return true
		}); err != nil || n > len(data) {
			t.Errorf("%d of %d bytes, %v", n, len(data), err)
		}
	})
}

func TestLogs(t *testing.T) {
	t.Parallel()
	h, _ := node(t, true)
	now := time.Now().UTC()
	stamp := func(ago time.Duration) string { return now.Add(-ago).Format(time.RFC3339Nano) }
	var log strings.Builder
	fmt.Fprintf(&log, "time=%q level=error msg=\"PullImage open.lab/shop/web:1 failed: yesterday's\"\n", stamp(30*time.Hour))
	for i := range 50 { // the same, again and again
		fmt.Fprintf(&log, "time=%q level=error msg=\"PullImage \\\"open.lab/shop/web:1\\\" failed, attempt %d\"\n", stamp(time.Hour-time.Duration(i)*time.Second), i)
	}
	fmt.Fprintf(&log, "time=%q level=info msg=\"trying https://open.lab/v2/shop/web/manifests/1?token=abcdefghijk\"\n", stamp(time.Minute))
	fmt.Fprintf(&log, "time=%q level=info msg=\"lookup open.lab: no such host\"\n", stamp(2*time.Minute))
	fmt.Fprintf(&log, "time=%q level=info msg=\"PullImage \\\"open.lab/other:1\\\"\"\n", stamp(time.Second))
	write(t, h, "/var/lib/containerd/containerd.log", log.String())
	write(t, h, "/var/log/kubelet.log", now.Add(-30*time.Second).Format("E0102 15:04:05.000000")+"  41 pod_workers.go:1324] \"Error syncing pod\" err=\"open.lab/shop/web:1: not found\"\n")
	rt, _ := config.Read(h)
	got, gaps := Look(t.Context(), h, rt, "open.lab/shop/web:1")
	var said []string
	for _, line := range got.Logs {
		_, text, _ := strings.Cut(line.Text, "level=")
		said = append(said, fmt.Sprintf("%s %s %s", now.Sub(line.Time).Round(time.Second), line.From, text))
	}
	if diff := cmp.Diff([]string{
		"30s /var/log/kubelet.log ",
		`1m0s /var/lib/containerd/containerd.log info msg="trying https://open.lab/v2/shop/web/manifests/1?token=REDACTED"`,
		`2m0s /var/lib/containerd/containerd.log info msg="lookup open.lab: no such host"`,
		`59m11s /var/lib/containerd/containerd.log error msg="PullImage \"open.lab/shop/web:1\" failed, attempt 49"`,
	}, said); diff != "" {
		t.Error(diff)
	}
	for _, g := range gaps {
		if strings.Contains(g.What, "log") {
			t.Errorf("a gap of a log that is there: %+v", g)
		}
	}
}

func TestJournal(t *testing.T) {
	t.Parallel()
	h, rt := node(t, true)
	l := &look{host: h, rt: rt, seen: []*host.Host{h}}
	last := time.UnixMilli(1795380597000).UTC() // the sample's last message of containerd
	c := func() *collector {
		return &collector{marks: marks{image: []string{"pullimage"}}, now: last.Add(time.Minute)}
	}
	if err := l.journal([]string{"containerd.service"}, c()); !errors.Is(err, errNoJournal) {
		t.Errorf("no journal: %v", err)
	}
	sample, err := os.ReadFile("journal/testdata/compact.journal.gz")
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(sample))
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	write(t, h, "/var/log/journal/0123/system.journal", string(data))
	write(t, h, "/var/log/journal/0123/user-1000.journal", "none of the system's")
	some := c()
	if err := l.journal([]string{"containerd.service"}, some); err != nil {
		t.Fatal(err)
	}
	// All are alike but for numbers, or for a long end.
	if len(some.of) != 2 || some.of[0].From != "containerd.service" || !some.of[0].Time.Equal(last) || !strings.HasSuffix(some.of[0].Text, `"PullImage 597"`) {
		t.Errorf("%+v", some.of)
	}
	// What is not mounted is read as a process sees it.
	elsewhere := &look{host: h, rt: rt, seen: []*host.Host{{Root: t.TempDir()}, h}}
	if err := elsewhere.journal([]string{"containerd.service"}, c()); err != nil || len(elsewhere.journals()) != 1 {
		t.Errorf("a journal that is not mounted: %v", err)
	}
	if err := l.journal([]string{"crio.service"}, c()); err == nil {
		t.Error("a journal without the unit is a gap")
	}
	write(t, h, "/var/log/journal/0123/system@1.journal", "broken")
	if err := l.journal([]string{"containerd.service"}, c()); !errors.Is(err, journal.ErrFormat) {
		t.Errorf("a broken journal: %v", err)
	}
}
