package platform

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// entries makes an index of platforms; "-" is an entry without one.
func entries(platforms ...string) []v1.Descriptor {
	var list []v1.Descriptor
	for _, s := range platforms {
		d := v1.Descriptor{Digest: digest.FromString(s)}
		if s != "-" {
			p := Read(s)
			d.Platform = &p
		}
		list = append(list, d)
	}
	return list
}

// The expectations are containerd's: what its platforms.Only and LimitManifests give for the same index.
func TestChoose(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, node string
		index      []string
		want       string // empty: none
	}{
		{"the same", "linux/amd64", []string{"linux/arm64", "linux/amd64"}, "linux/amd64"},
		{"386 on amd64", "linux/amd64", []string{"linux/386", "linux/arm64"}, "linux/386"},
		{"amd64 before 386", "linux/amd64", []string{"linux/386", "linux/amd64"}, "linux/amd64"},
		{"amd64/v2 is too much for amd64", "linux/amd64", []string{"linux/amd64/v2"}, ""},
		{"amd64/v1 is amd64", "linux/amd64", []string{"linux/amd64/v1"}, "linux/amd64/v1"},
		{"the most that amd64/v3 runs", "linux/amd64/v3", []string{"linux/amd64", "linux/amd64/v2", "linux/amd64/v4"}, "linux/amd64/v2"},
		{"arm64 is arm64/v8", "linux/arm64", []string{"linux/arm64/v8"}, "linux/arm64/v8"},
		{"arm64/v8 is arm64", "linux/arm64/v8", []string{"linux/arm64"}, "linux/arm64"},
		{"arm64 runs arm", "linux/arm64", []string{"linux/arm/v6", "linux/arm/v7"}, "linux/arm/v7"},
		{"arm64 runs no amd64", "linux/arm64", []string{"linux/amd64"}, ""},
		{"arm64/v8.2 is too much for arm64", "linux/arm64", []string{"linux/arm64/v8.2"}, ""},
		{"arm64/v9 runs arm64/v8.5", "linux/arm64/v9", []string{"linux/arm64/v8.6", "linux/arm64/v8.5", "linux/arm64"}, "linux/arm64/v8.5"},
		{"arm64 of a kind nobody knows", "linux/arm64/v77", []string{"linux/arm64", "linux/arm/v7"}, ""},
		{"arm is arm/v7", "linux/arm", []string{"linux/arm/v5", "linux/arm/v6"}, "linux/arm/v6"},
		{"arm/v6 runs no v7", "linux/arm/v6", []string{"linux/arm/v7", "linux/arm/v5"}, "linux/arm/v5"},
		{"arm of no variant is v7", "linux/arm/v6", []string{"linux/arm"}, ""},
		{"names of old", "linux/x86_64", []string{"linux/aarch64", "linux/amd64"}, "linux/amd64"},
		{"upper case", "linux/amd64", []string{"Linux/AMD64"}, "Linux/AMD64"},
		{"no platform is better than none", "linux/amd64", []string{"-", "linux/arm64"}, "-"},
		{"a platform is better than no platform", "linux/amd64", []string{"-", "linux/386"}, "linux/386"},
		{"attestations", "linux/amd64", []string{"unknown/unknown"}, ""},
		{"the first of equals", "linux/amd64", []string{"linux/arm64", "linux/amd64/v1", "linux/amd64"}, "linux/amd64/v1"},
		{"riscv64", "linux/riscv64", []string{"linux/riscv64"}, "linux/riscv64"},
		{"another system", "linux/amd64", []string{"windows/amd64:10.0.20348.1"}, ""},
		{"Windows of the same build", "windows/amd64:10.0.17763.1", []string{"windows/amd64:10.0.20348.1", "windows/amd64:10.0.17763.999"}, "windows/amd64:10.0.17763.999"},
		{"Windows 2019 runs nothing else", "windows/amd64:10.0.17763.1", []string{"windows/amd64:10.0.17134.1"}, ""},
		{"Windows 2025 runs 2022", "windows/amd64:10.0.26100.1", []string{"windows/amd64:10.0.17763.1", "windows/amd64:10.0.20348.1"}, "windows/amd64:10.0.20348.1"},
		{"Windows takes the newest that it runs", "windows/amd64:10.0.26100.1", []string{"windows/amd64:10.0.20348.1", "windows/amd64:10.0.26100.1"}, "windows/amd64:10.0.26100.1"},
		{"Windows 2022 runs no 2025", "windows/amd64:10.0.20348.1", []string{"windows/amd64:10.0.26100.1"}, ""},
		{"Windows of no version", "windows/amd64", []string{"windows/amd64:10.0.17763.1"}, "windows/amd64:10.0.17763.1"},
		{"Windows image of no version", "windows/amd64:10.0.20348.1", []string{"windows/amd64"}, "windows/amd64"},
		{"Windows runs no 386", "windows/amd64:10.0.20348.1", []string{"windows/386:10.0.20348.1"}, ""},
		{"Windows of an odd version", "windows/amd64:10.0.20348.1", []string{"windows/amd64:ten"}, ""},
		{"nothing to go by", "linux", []string{"linux/amd64"}, ""},
		{"empty", "", []string{"linux/amd64"}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, ok := Parse(tc.node).Choose(entries(tc.index...))
			if !ok && tc.want == "" {
				return
			}
			if got.Digest != digest.FromString(tc.want) {
				t.Errorf("chose %v %v", ok, got.Platform)
			}
		})
	}
}

func TestFeatures(t *testing.T) {
	t.Parallel()
	with := func(os string, features ...string) v1.Platform {
		return v1.Platform{OS: os, Architecture: "amd64", OSFeatures: features}
	}
	for _, tc := range []struct {
		name string
		node string
		p    v1.Platform
		want bool
	}{
		{"win32k", "windows/amd64", with("windows", "win32k"), true},
		{"another of Windows", "windows/amd64", with("windows", "win32k", "other"), false},
		{"of Linux", "linux/amd64", with("linux", "win32k"), false},
	} {
		if _, ok := Parse(tc.node).Rank(tc.p); ok != tc.want {
			t.Errorf("%s: %v", tc.name, ok)
		}
	}
}

func TestNamed(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range 60 {
		many = append(many, "linux/a"+string(rune('a'+i%26))+string(rune('a'+i/26)))
	}
	if got := Named(entries(many...)); len(got) != Most {
		t.Errorf("%d platforms Named", len(got))
	}
	got := Named(entries("linux/amd64", "-", "unknown/unknown", "linux/amd64", "windows/amd64:10.0.20348.1"))
	if diff := cmp.Diff([]string{"linux/amd64", "windows/amd64:10.0.20348.1"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestRunsOnlyItsOwn(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"linux/arm/v99999999999", "linux/amd64/v2147483647", "linux/arm64/v8.-1", "linux/arm64/v8.01", "linux/arm64/8.1"} {
		if n := Parse(s); len(n.runs) > 100 || slices.Contains(n.runs, machine{"arm64", "v8.1"}) {
			t.Errorf("%s runs %d kinds", s, len(n.runs))
		}
	}
}
