package node

import (
	"strings"
	"testing"
	"time"

	"github.com/refloat-dev/refloat/evidence"
)

// A sentence says no more than its fact does.
func TestSay(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	cache := evidence.ConfiguredHost{URL: "https://cache.lab/v2", Role: evidence.RoleMirror}
	hosts := []evidence.ConfiguredHost{cache, cache}
	own := evidence.ConfiguredHost{URL: "https://reg.lab/v2", Role: evidence.RoleRegistry}
	for _, tt := range []struct{ name, said, want, not string }{
		{name: "a mirror that is listed twice", said: sayConfig(&evidence.RegistryConfig{Runtime: "containerd", Registry: "reg.lab", HostsFile: "/h", Hosts: hosts}),
			want: "it asks https://cache.lab/v2 alone (/h)"},
		{name: "a mirror before the registry", said: sayConfig(&evidence.RegistryConfig{Runtime: "cri-o", File: "/f", Registry: "reg.lab", Hosts: append(hosts, own)}),
			want: "it asks https://cache.lab/v2 first (/f)"},
		{name: "a file that CRI-O ignores", said: sayConfig(&evidence.RegistryConfig{Runtime: "cri-o", Problems: []evidence.ConfigProblem{{File: "/f", Text: "x", Effect: evidence.EffectBypassed}}}),
			want: "cri-o at most logs", not: "containerd"},
		{name: "an address that is refused here", said: sayHost("node-1", &evidence.Host{Name: "meta.lab", Role: evidence.RoleToken, Fails: evidence.HopConnect, Failure: evidence.FailedUnsafe, Text: "it is link-local"}),
			want: "was not asked by this program: it is link-local", not: "cannot connect"},
		{name: "a process that is not seen", said: sayRuntime(&evidence.Runtime{Name: "containerd", Answers: evidence.No, Socket: "/s", Text: "refused"}), want: "does not answer at /s", not: "runs"},
		{name: "a download of unknown length", said: sayDownloads(&evidence.Downloads{Active: []evidence.Download{{Ref: "layer", Offset: 5, Still: true, StillFor: 60}}}, now), want: "layer stands still at byte 5 for 1m0s"},
		{name: "downloads that were seen once", said: sayDownloads(&evidence.Downloads{Active: []evidence.Download{{Started: now.Add(-time.Second)}, {Started: now.Add(-time.Minute)}}}, now),
			want: "the oldest since 1m0s", not: "moving"},
		{name: "sizes of a hostile image", said: sayDisk(&evidence.Disk{Areas: []evidence.DiskArea{{Path: "/", Short: "bytes"}}, Need: &evidence.DiskNeed{Compressed: 1 << 62, Unpacked: 1 << 62, Present: -1 << 62}}), want: "GiB at once"},
	} {
		if !strings.Contains(tt.said, tt.want) || tt.not != "" && strings.Contains(tt.said, tt.not) {
			t.Errorf("%s: %s", tt.name, tt.said)
		}
	}
}
