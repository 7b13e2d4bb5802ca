package platform

import (
	"strconv"
	"strings"
)

// server2022 is the build since which containers of an older build run on a newer host.
const server2022 = 20348

type windowsVersion struct{ major, minor, build uint64 }

// parseWindows reads 10.0.20348.1; what it cannot read is the zero value.
func parseWindows(s string) windowsVersion {
	parts := strings.SplitN(s, ".", 4)
	if len(parts) < 3 {
		return windowsVersion{}
	}
	var n [3]uint64
	for i, bits := range []int{8, 8, 16} {
		var err error
		if n[i], err = strconv.ParseUint(parts[i], 10, bits); err != nil {
			return windowsVersion{}
		}
	}
	return windowsVersion{n[0], n[1], n[2]}
}

// windowsRuns reports whether a host of one version runs a container of another. Before Server 2022 the builds must be equal;
// since then a host runs what is between the long-term release before its own and itself.
// (containerd platforms v1.0.0-rc.5 platform_windows_compat.go; versions that a node or image does not tell fit everything.)
func windowsRuns(host, container string) bool {
	h := parseWindows(host)
	if h == (windowsVersion{}) || container == "" {
		return true
	}
	c := parseWindows(container)
	if h.major != c.major || h.minor != c.minor {
		return false
	}
	if h.build < server2022 {
		return h.build == c.build
	}
	// Both 2022 and 2025 reach back to 2022; a release after 2025 would move the floor.
	return server2022 <= c.build && c.build <= h.build
}
