package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	contentapi "github.com/containerd/containerd/api/services/content/v1"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/config"
	"github.com/refloat-dev/refloat/node/host"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	web   = "reg.lab/shop/web:1"
	other = "reg.lab/shop/other:1"
)

// said is a damage in one line.
func said(c *evidence.Content) []string {
	var all []string
	for _, d := range c.Damages {
		all = append(all, fmt.Sprintf("%s %s %v %v", d.Kind, d.Role, d.Images, d.Namespaces))
	}
	return all
}

func TestDamages(t *testing.T) {
	t.Parallel()
	both := "[" + other + " " + web + "]"
	for _, tt := range []struct {
		name   string
		harm   func(f *fake, m made) error
		verify bool
		want   []string
		gap    string
	}{
		{name: "nothing", harm: func(*fake, made) error { return nil }, verify: true},
		{name: "flipped, and written to since", want: []string{"digest layer " + both + " [k8s.io]"}, harm: func(f *fake, m made) error {
			late := time.Now().Add(time.Hour)
			return errors.Join(os.WriteFile(f.file(m.layer.Digest), []byte("leyer"), 0o644), os.Chtimes(f.file(m.layer.Digest), late, late))
		}},
		{name: "flipped by the disk, not verified", harm: func(f *fake, m made) error { return os.WriteFile(f.file(m.layer.Digest), []byte("leyer"), 0o644) }},
		{name: "flipped by the disk", verify: true, want: []string{"digest layer " + both + " [k8s.io]"},
			harm: func(f *fake, m made) error { return os.WriteFile(f.file(m.layer.Digest), []byte("leyer"), 0o644) }},
		{name: "cut", want: []string{"size layer " + both + " [k8s.io]"}, harm: func(f *fake, m made) error { return os.Truncate(f.file(m.layer.Digest), 2) }},
		{name: "empty", want: []string{"size layer " + both + " [k8s.io]"}, harm: func(f *fake, m made) error { return os.Truncate(f.file(m.layer.Digest), 0) }},
		{name: "layer gone", want: []string{"missing layer " + both + " [k8s.io]"}, harm: func(f *fake, m made) error { return os.Remove(f.file(m.layer.Digest)) }},
		{name: "config gone", want: []string{"missing config [" + web + "] [k8s.io]"}, harm: func(f *fake, m made) error { return os.Remove(f.file(m.config.Digest)) }},
		{name: "manifest garbled", want: []string{"digest manifest [" + web + "] [k8s.io]"}, harm: func(f *fake, m made) error {
			return os.WriteFile(f.file(m.manifest.Digest), []byte(strings.Repeat("x", int(m.manifest.Size))), 0o644)
		}},
		{name: "a link in its place", want: []string{"unread layer " + both + " [k8s.io]"}, harm: func(f *fake, m made) error {
			return errors.Join(os.Remove(f.file(m.layer.Digest)), os.Symlink("/etc/passwd", f.file(m.layer.Digest)))
		}},
		{name: "a pipe in its place", want: []string{"unread config [" + web + "] [k8s.io]"}, verify: true, harm: func(f *fake, m made) error {
			return errors.Join(os.Remove(f.file(m.config.Digest)), syscall.Mkfifo(f.file(m.config.Digest), 0o644))
		}},
		{name: "recorded in two namespaces", want: []string{"size layer " + both + " [k8s.io moby]"}, harm: func(f *fake, m made) error {
			f.blobs["moby"][m.layer.Digest] = f.blobs["k8s.io"][m.layer.Digest]
			return os.Truncate(f.file(m.layer.Digest), 2)
		}},
		{name: "neither file nor record nor snapshot", want: []string{"missing layer " + both + " []"}, harm: func(f *fake, m made) error {
			delete(f.blobs["k8s.io"], m.layer.Digest)
			delete(f.snapshots["k8s.io"], m.chain)
			return os.Remove(f.file(m.layer.Digest))
		}},
		{name: "dropped once unpacked", harm: func(f *fake, m made) error {
			delete(f.blobs["k8s.io"], m.layer.Digest)
			return os.Remove(f.file(m.layer.Digest))
		}},
		{name: "unpacked to something else", want: []string{"snapshot config [" + web + "] [k8s.io]"}, harm: func(f *fake, m made) error {
			f.blobs["k8s.io"][m.config.Digest].Labels["containerd.io/gc.ref.snapshot.overlayfs"] = m.layer.Digest
			return nil
		}},
		{name: "a complete download of wrong bytes", want: []string{"poisoned download " + both + " [k8s.io]"}, harm: func(f *fake, m made) error {
			f.ingest("aa", m.layer.Digest, []byte("leyer"), 5, time.Minute)
			return nil
		}},
		{name: "a download that is too long", want: []string{"poisoned download " + both + " [k8s.io]"}, harm: func(f *fake, m made) error {
			f.ingest("aa", m.layer.Digest, []byte("layer and more"), 5, time.Minute)
			return nil
		}},
		{name: "downloads that are fine", harm: func(f *fake, m made) error {
			f.ingest("aa", m.layer.Digest, []byte("ley"), 5, time.Minute)
			f.ingest("bb", m.layer.Digest, []byte("layer"), 5, time.Minute)
			f.ingest("cc", m.layer.Digest, []byte("leyer"), 5, 0)
			return nil
		}},
		{name: "no database of the snapshotter", gap: "which folder is whose snapshot", harm: func(f *fake, _ made) error {
			return os.Remove(f.path(snapshotFolder+"overlayfs", "metadata.db"))
		}},
		{name: "its database garbled", gap: "which folder is whose snapshot", harm: func(f *fake, _ made) error {
			return os.WriteFile(f.path(snapshotFolder+"overlayfs", "metadata.db"), []byte("no"), 0o644)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			m := f.image("k8s.io", web, "layer")
			f.image("k8s.io", other, "layer")
			f.unpack(m.chain)
			f.serve()
			f.must(tt.harm(f, m))
			c, gaps := f.open().Look(t.Context(), web, Options{Verify: tt.verify})
			if diff := cmp.Diff(tt.want, said(c)); diff != "" {
				t.Error(diff)
			}
			if len(gaps) != 0 != (tt.gap != "") || tt.gap != "" && gaps[0].What != tt.gap {
				t.Errorf("gaps: %+v", gaps)
			}
			if tt.verify && !c.Complete {
				t.Error("not complete")
			}
			everything, _ := f.open().Look(t.Context(), "", Options{Verify: true})
			if len(everything.Damages) < len(tt.want) {
				t.Errorf("looking at everything finds %v", said(everything))
			}
		})
	}
}

func TestPresent(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	m := f.image("k8s.io", web, "layer")
	f.unpack(m.chain)
	f.serve()
	s := f.open()
	for _, tt := range []struct {
		name, image, digest string
		want                evidence.Tri
		blobs               int
	}{
		{"by name", web, "", evidence.Yes, 3},
		{"by digest", "reg.lab/shop/web@" + m.manifest.Digest, "", "", 3},
		{"by tag and digest", "reg.lab/shop/web:9@" + m.manifest.Digest, "", "", 3},
		{"a tag that failed, of the same repository", "reg.lab/shop/web:9", "", "", 3},
		{"a tag that failed, whose digest is known", "reg.lab/shop/new:9", m.manifest.Digest, "", 3},
		{"nothing of it", "reg.lab/shop/we:1", "", evidence.No, 0},
		{"another registry", "docker.io/shop/web:1", "", evidence.No, 0},
	} {
		c, gaps := s.Look(t.Context(), tt.image, Options{Digest: tt.digest})
		if c.Present != tt.want || c.Blobs != tt.blobs || c.Have != tt.blobs || len(gaps) > 0 {
			t.Errorf("%s: %+v, %+v", tt.name, c, gaps)
		}
	}
	if _, gaps := s.Look(t.Context(), "UPPER/$(x):1", Options{}); len(gaps) != 1 {
		t.Errorf("a name that is none: %+v", gaps)
	}
	got, err := s.Present(t.Context(), []string{m.layer.Digest, "sha256:" + strings.Repeat("0", 64), "sha256:../../etc/passwd", ""})
	if diff := cmp.Diff(map[string]int64{m.layer.Digest: 5}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestIndexTakesThePlatform(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	m := f.image("k8s.io", web, "layer")
	f.unpack(m.chain)
	gone := "sha256:" + strings.Repeat("0", 64)
	index := fmt.Sprintf(`{"manifests":[{"digest":%q,"size":9,"platform":{"os":"linux","architecture":"s390x"}},
		{"digest":%q,"size":%d,"platform":{"os":"linux","architecture":"arm64","variant":"v8"}}]}`, gone, m.manifest.Digest, m.manifest.Size)
	f.images["k8s.io"][web] = f.put("k8s.io", []byte(index), nil)
	f.serve()
	c, gaps := f.open().Look(t.Context(), web, Options{Platform: "linux/arm64"})
	if c.Present != evidence.Yes || c.Blobs != 4 || len(gaps) > 0 {
		t.Errorf("%+v, %+v", c, gaps)
	}
	c, gaps = f.open().Look(t.Context(), web, Options{Platform: "linux/ppc64le"})
	if c.Blobs != 1 || len(gaps) != 1 || !strings.Contains(gaps[0].Why, "nothing for linux/ppc64le") {
		t.Errorf("%+v, %+v", c, gaps)
	}
}

func TestEverything(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	m := f.image("k8s.io", web, "layer")
	f.unpack(m.chain)
	loose := f.put("moby", []byte("of no image"), nil)
	f.must(os.Truncate(f.file(loose.Digest), 3))
	for i, age := range []time.Duration{time.Hour, 0} { // one that was lost, one that is being stored
		path := f.file(fmt.Sprintf("sha256:%064d", i))
		at := time.Now().Add(-age)
		f.must(errors.Join(os.WriteFile(path, []byte("orphan"), 0o644), os.Chtimes(path, at, at)))
	}
	for _, name := range []string{"README", strings.Repeat("Z", 64), strings.Repeat("a", 63), strings.Repeat("a", 66)} {
		f.must(os.WriteFile(f.path(contentFolder, "blobs/sha256", name), nil, 0o644))
	}
	f.serve()
	c, gaps := f.open().Look(t.Context(), "", Options{Verify: true})
	if len(gaps) > 0 || c.Blobs != 4 || c.Have != 3 || c.Orphans != 1 || c.OrphanBytes != 6 || !c.Complete {
		t.Errorf("%+v, %+v", c, gaps)
	}
	if diff := cmp.Diff([]string{"size blob [] [moby]"}, said(c)); diff != "" {
		t.Error(diff)
	}
}

// TestWithoutTheRuntime is what files alone show.
func TestWithoutTheRuntime(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	m := f.image("k8s.io", web, "layer")
	f.must(os.WriteFile(f.file(m.layer.Digest), []byte("leyer"), 0o644))
	s := f.open()
	c, gaps := s.Look(t.Context(), "reg.lab/shop/web@"+m.manifest.Digest, Options{Verify: true})
	if diff := cmp.Diff([]string{"digest layer [] []"}, said(c)); diff != "" || c.Blobs != 3 || len(gaps) != 1 {
		t.Error(diff, c, gaps)
	}
	c, gaps = s.Look(t.Context(), "", Options{Verify: true})
	if diff := cmp.Diff([]string{"digest blob [] []"}, said(c)); diff != "" || c.Blobs != 3 || len(gaps) != 1 {
		t.Error(diff, c, gaps)
	}
	c, gaps = s.Look(t.Context(), web, Options{})
	if len(said(c)) > 0 || c.Present != evidence.Unknown || len(gaps) != 2 {
		t.Error(c, gaps)
	}
	if d, gaps := s.Downloads(t.Context(), web, time.Millisecond); len(d.Active) > 0 || len(gaps) != 1 {
		t.Error(d, gaps)
	}
}

// A runtime that was away, or was started anew, is asked again; its socket is called by the node's own name.
func TestCurrent(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	started := time.Now().Add(-time.Hour)
	rt := config.Runtime{Kind: config.Containerd, Root: root, Socket: "/sock", Snapshotter: "overlayfs"}
	away := f.open()
	_, gaps := away.Downloads(t.Context(), web, time.Millisecond)
	if len(gaps) != 1 || strings.Contains(gaps[0].Why, f.node) || !strings.Contains(gaps[0].Why, "dial unix /sock") {
		t.Errorf("%+v", gaps)
	}
	f.serve()
	s := f.open()
	s.started = started
	later, stepped, other := rt, rt, rt
	rt.Process = &host.Process{Started: started}
	stepped.Process = &host.Process{Started: started.Add(time.Second)}
	later.Process = &host.Process{Started: started.Add(time.Minute)}
	other.Snapshotter = "native"
	if away.Current(&rt) || !s.Current(&rt) || !s.Current(&stepped) || s.Current(&later) || s.Current(&other) {
		t.Error("a store is taken for what it is not")
	}
}

// What is not looked at is said once.
func TestOtherSnapshotter(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.snapshotter = "zfs"
	f.image("k8s.io", web, "layer")
	f.image("k8s.io", web+"2", "another layer")
	f.serve()
	c, gaps := f.open().Look(t.Context(), "", Options{})
	if len(c.Damages) > 0 || len(gaps) != 1 || !strings.Contains(gaps[0].What, "zfs") {
		t.Error(c, gaps)
	}
}

func TestOtherRuntimes(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{config.CRIO, config.Docker, ""} {
		s, err := Open(t.Context(), &host.Host{Root: t.TempDir()}, &config.Runtime{Kind: kind})
		if err != nil {
			t.Fatal(err)
		}
		if _, gaps := s.Look(t.Context(), web, Options{}); len(gaps) != 1 || kind != "" && gaps[0].How == "" {
			t.Errorf("%s: %+v", kind, gaps)
		}
		if _, gaps := s.Downloads(t.Context(), web, 0); len(gaps) != 1 {
			t.Errorf("%s: %+v", kind, gaps)
		}
		if _, err := s.Present(t.Context(), nil); err == nil {
			t.Errorf("%s: no error", kind)
		}
	}
}

func TestCutOff(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	m := f.image("k8s.io", web, strings.Repeat("layer", 1<<20))
	f.unpack(m.chain)
	f.serve()
	s := f.open()
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	c, gaps := s.Look(ctx, web, Options{Verify: true, Rate: 1 << 18}) // its first mebibyte is free
	if c.Complete || c.Hashed == 0 || len(gaps) == 0 || len(c.Damages) > 0 {
		t.Errorf("cut off: %+v, %+v", c, gaps)
	}
	c, gaps = s.Look(t.Context(), web, Options{Verify: true})
	if !c.Complete || c.Hashed != c.Bytes || len(gaps) > 0 {
		t.Errorf("gone on with: %+v, %+v", c, gaps)
	}
}

func TestDownloads(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	m := f.image("k8s.io", web, "layer")
	at := func(age time.Duration) *timestamppb.Timestamp { return timestamppb.New(time.Now().Add(-age)) }
	lost := "sha256:" + strings.Repeat("7", 64)
	f.statuses["k8s.io"] = []*contentapi.Status{
		{Ref: "layer-" + lost, Offset: 1, Total: 9, StartedAt: at(time.Hour), UpdatedAt: at(time.Minute)},
		{Ref: "layer-" + m.layer.Digest, Offset: 3, Total: 5, StartedAt: at(time.Minute), UpdatedAt: at(30 * time.Second)},
		{Ref: "moving", Offset: 3, Total: 5, StartedAt: at(time.Minute), UpdatedAt: at(0)},
		{Ref: "whole", Offset: 5, Total: 5, StartedAt: at(time.Minute), UpdatedAt: at(time.Minute)},
		{Ref: "left over", Offset: 3, Total: 5, StartedAt: at(48 * time.Hour), UpdatedAt: at(47 * time.Hour)},
	}
	f.statuses["moby"] = []*contentapi.Status{{Ref: "moving", Offset: 1, Total: 5, StartedAt: at(time.Minute), UpdatedAt: at(time.Minute)}}
	f.serve()
	s := f.open()
	s.started = time.Now().Add(-24 * time.Hour)
	go func() {
		time.Sleep(100 * time.Millisecond)
		f.mu.Lock()
		defer f.mu.Unlock()
		f.statuses["moby"] = []*contentapi.Status{{Ref: "moving", Offset: 2, Total: 5, StartedAt: at(time.Minute), UpdatedAt: at(time.Minute)}}
	}()
	d, gaps := s.Downloads(t.Context(), "reg.lab/shop/web:9", 300*time.Millisecond)
	var got []string
	for _, a := range d.Active {
		got = append(got, fmt.Sprintf("%.12s image=%s host=%s still=%v", a.Ref, a.Image, a.Host, a.Still))
	}
	want := []string{
		"layer-sha256 image=reg.lab/shop/web:9 host=reg.lab still=true",
		"layer-sha256 image= host= still=true",
		"moving image= host= still=false", "moving image= host= still=false", "whole image= host= still=false",
	}
	slices.Sort(got[2:])
	if diff := cmp.Diff(want, got); diff != "" || len(gaps) > 0 {
		t.Error(diff, gaps)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, gaps := s.Downloads(ctx, web, time.Hour); len(gaps) != 1 {
		t.Error(gaps)
	}
	// Where none may stand still nothing is watched: what moved a moment ago, what is whole, what is over.
	f.mu.Lock()
	f.statuses["k8s.io"], f.statuses["moby"] = f.statuses["k8s.io"][2:], nil
	f.statuses["k8s.io"][0].UpdatedAt = at(time.Second)
	f.mu.Unlock()
	if d, gaps := s.Downloads(t.Context(), web, time.Hour); len(d.Active) != 2 || len(gaps) > 0 {
		t.Error(d, gaps)
	}
}

// TestRuntimeBack: a runtime that was away is asked again as soon as it answers.
func TestRuntimeBack(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.image("k8s.io", web, "layer")
	stop := f.serve()
	s := f.open()
	stop()
	for range 2 {
		if _, gaps := s.Downloads(t.Context(), web, 0); len(gaps) != 1 {
			t.Errorf("while it is away: %+v", gaps)
		}
	}
	f.serve()
	if _, gaps := s.Downloads(t.Context(), web, 0); len(gaps) > 0 {
		t.Errorf("when it is back: %+v", gaps)
	}
}

// TestManyBlobs bounds what a store of 100,000 files takes.
func TestManyBlobs(t *testing.T) {
	t.Parallel()
	parent := ""
	if _, err := os.Stat("/dev/shm"); err == nil {
		parent = "/dev/shm" // in memory they are made in a tenth of the time
	}
	f := newFakeIn(t, parent)
	const many = 100_000
	for i := range many {
		d := fmt.Sprintf("sha256:%064x", i)
		file, err := os.Create(f.file(d))
		f.must(err)
		f.must(file.Close())
		f.blobs["k8s.io"][d] = &contentapi.Info{Digest: d}
	}
	f.must(os.Remove(f.file(fmt.Sprintf("sha256:%064x", 77))))
	f.serve()
	s := f.open()
	c, gaps := s.Look(t.Context(), "", Options{})
	if c.Blobs != many || c.Have != many-1 || len(c.Damages) != 1 || len(gaps) > 0 {
		t.Errorf("%+v, %+v", c, gaps)
	}
	t.Logf("%d blobs in %d ms", many, c.Took)
}

// unpack gives a snapshot its folder, with one file.
func (f *fake) unpack(chain string) {
	f.t.Helper()
	fs := f.path(snapshotFolder+"overlayfs", "snapshots", "7", "fs")
	f.must(errors.Join(os.MkdirAll(fs, 0o755), os.WriteFile(filepath.Join(fs, "app"), nil, 0o755),
		os.WriteFile(f.path(snapshotFolder+"overlayfs", "metadata.db"), database("k8s.io/3/"+chain, 7, 2), 0o600)))
}
