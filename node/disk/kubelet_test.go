package disk

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refloat-dev/refloat/node/config"
)

func TestThresholds(t *testing.T) {
	t.Parallel()
	const config1 = "kind: KubeletConfiguration\nimageGCHighThresholdPercent: 70\nimageGCLowThresholdPercent: 60\n"
	for _, tt := range []struct {
		name  string
		files map[string]string
		flags []string
		want  string // high, low and signals
		gap   string
	}{
		{"defaults", map[string]string{"k.yaml": "kind: KubeletConfiguration\n"}, []string{"--config=/k.yaml"},
			"85 80 nodefs.available<10% nodefs.inodesFree<5% imagefs.available<15% imagefs.inodesFree<5%", ""},
		{"own", map[string]string{"k.yaml": config1}, []string{"--config=/k.yaml"},
			"70 60 nodefs.available<10% nodefs.inodesFree<5% imagefs.available<15% imagefs.inodesFree<5%", ""},
		{"one signal drops the others", map[string]string{"k.yaml": config1 + "evictionHard: {imagefs.available: 1Gi, memory.available: 5%, nodefs.available: 0%}\n"}, []string{"--config=/k.yaml"},
			"70 60 imagefs.available<1Gi", ""},
		{"merged", map[string]string{"k.yaml": "mergeDefaultEvictionSettings: true\nevictionHard: {imagefs.available: 1Gi}\n"}, []string{"--config=/k.yaml"},
			"85 80 nodefs.available<10% nodefs.inodesFree<5% imagefs.available<1Gi imagefs.inodesFree<5%", ""},
		{"drop-ins", map[string]string{"k.yaml": config1, "conf/10.conf": `{"imageGCHighThresholdPercent":90}`, "conf/20/a.conf": "evictionHard: {imagefs.available: 3%}", "conf/30.yaml": "]"},
			[]string{"--config=/k.yaml", "--config-dir=/conf"}, "90 60 nodefs.available<10% nodefs.inodesFree<5% imagefs.available<3% imagefs.inodesFree<5%", ""},
		{"flags", map[string]string{"k.yaml": config1}, []string{"--config=/k.yaml", "--image-gc-high-threshold=99", "--eviction-hard=imagefs.available<2Gi,memory.available<5%"},
			"99 60 imagefs.available<2Gi", ""},
		{"no file", nil, []string{"--config=/k.yaml"}, "0 0", "stat /k.yaml: no such file or directory"},
		{"broken", map[string]string{"k.yaml": "evictionHard: [a]"}, []string{"--config=/k.yaml"}, "0 0", "/k.yaml: json: cannot unmarshal array"},
		{"large", map[string]string{"k.yaml": strings.Repeat("#", maxConfig+1)}, []string{"--config=/k.yaml"}, "0 0", "/k.yaml: larger than it may be"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := node(t, tt.files, tt.flags...)
			k := readKubelet(newView(h, &config.Runtime{}))
			got := strings.TrimSpace(fmt.Sprint(k.gcHigh, k.gcLow, " ", strings.Join(k.evicts, " ")))
			if diff := cmp.Diff(strings.Fields(tt.want), strings.Fields(got)); diff != "" {
				t.Error(diff)
			}
			if tt.gap == "" && len(k.gaps) != 0 || tt.gap != "" && (len(k.gaps) != 1 || !strings.Contains(k.gaps[0].Why, tt.gap)) {
				t.Errorf("%+v", k.gaps)
			}
		})
	}
}

func TestMounts(t *testing.T) {
	t.Parallel()
	const text = `85 84 254:0 / / rw,relatime shared:53 - ext4 /dev/vda rw,discard
90 85 7:1 / /var/lib/my\040data rw,relatime shared:2 master:1 - xfs /dev/loop1 rw
91 85 7:4 / /var/lib/containerd rw,relatime - ext4 /dev/loop4 rw
92 91 7:4 /ingest /var/lib/containerd/ingest ro,relatime - ext4 /dev/loop4 rw
93 85 7:5 / /var/lib/containerd rw - btrfs /dev/loop5 ro,subvol=/
94 85 0:1 / /host rw - ext4 /dev/vda ro
95 85 0:1 / /host/var/lib/containerd ro - zfs pool rw
nothing
`
	for path, want := range map[string]string{
		"/":                          "/ ext4 false",
		"/var/lib/my data/x":         "/var/lib/my data xfs false",
		"/var/lib/containerd":        "/var/lib/containerd btrfs true",
		"/var/lib/containerd2":       "/ ext4 false",
		"/var/lib/containerd/ingest": "/var/lib/containerd/ingest ext4 true",
	} {
		if m := mountOf(parseMounts(text, ""), path); fmt.Sprintf("%s %s %v", m.point, m.kind, m.readOnly) != want {
			t.Errorf("%s: %+v", path, m)
		}
	}
	// What is mounted read-only here alone is not so on the node.
	if m := mountOf(parseMounts(text, "/host"), "/var/lib/containerd"); m == nil || m.kind != "zfs" || m.readOnly {
		t.Errorf("%+v", m)
	}
	if m := mountOf(parseMounts(text, "/host"), "/etc"); m == nil || m.point != "/" || !m.readOnly {
		t.Errorf("%+v", m)
	}
}

func FuzzMounts(f *testing.F) {
	f.Add("91 85 7:4 / /var\\040x rw,relatime - ext4 /dev/loop4 rw\n", "", "/var/x")
	f.Add("1 2 3 4 \\1 \\400 - a b c", "/host", "/")
	f.Fuzz(func(t *testing.T, text, root, path string) {
		for _, m := range parseMounts(text, root) {
			if !strings.HasPrefix(m.point, "/") {
				t.Errorf("%+v", m)
			}
		}
		_ = mountOf(parseMounts(text, root), path)
	})
}
