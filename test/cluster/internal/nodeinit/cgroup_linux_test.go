package nodeinit

import "testing"

func TestParseHierarchy(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, line string
		want       hierarchy
		ok         bool
	}{
		{name: "version 1", line: "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct", ok: true,
			want: hierarchy{"/sys/fs/cgroup/cpu", "cgroup", "cpu,cpuacct"}},
		{name: "named", line: "40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,release_agent=/x,name=systemd", ok: true,
			want: hierarchy{"/sys/fs/cgroup/systemd", "cgroup", "name=systemd"}},
		{name: "version 2", line: "41 31 0:38 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw,nsdelegate", ok: true,
			want: hierarchy{"/sys/fs/cgroup", "cgroup2", ""}},
		{name: "the folder", line: "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755"},
		{name: "elsewhere", line: "41 31 0:38 / /mnt/x rw - cgroup2 cgroup2 rw"},
		{name: "nonsense", line: "41"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ok := parseHierarchy(tt.line)
			if got != tt.want || ok != tt.ok {
				t.Errorf("parseHierarchy = %+v, %v", got, ok)
			}
		})
	}
}
