// Package platform says which entry of an index containerd would pull on a node, by the rules of its platforms package: what a processor
// runs besides its own kind, which Windows runs on which, and what an entry without a platform is worth.
//
// It knows no node but by the platform's name and asks nobody. It refuses to guess: a platform that it cannot read runs nothing.
package platform

import (
	"slices"
	"strconv"
	"strings"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/refloat-dev/refloat/evidence"
)

// Most is how many platforms of an index are named.
const Most = 40

// Node is the platform that a child manifest is looked for, with what its processor runs besides: the best first.
type Node struct {
	os, osVersion string
	runs          []machine
}

// machine is an architecture and its variant, spelled as containerd normalises them.
type machine struct{ arch, variant string }

// Parse reads linux/arm64, linux/arm/v7 or windows/amd64:10.0.20348.1. Nothing matches what it cannot read.
func Parse(s string) Node {
	p := Read(s)
	n := Node{os: normalOS(p.OS), osVersion: p.OSVersion}
	m := machine{p.Architecture, p.Variant}.normal()
	switch {
	case m.arch == "": // nothing to go by
	case n.os == "windows": // there containerd takes nothing but the same (platforms v1.0.0-rc.5 defaults_windows.go)
		n.runs = []machine{m}
	default:
		n.runs = m.runs()
	}
	return n
}

// Rank tells how well an index entry fits, 0 best; ok is false where it does not. The rules are those of containerd's
// platforms.Only (platforms v1.0.0-rc.5 compare.go, platforms.go).
func (n Node) Rank(p v1.Platform) (rank int, ok bool) {
	features := p.OSFeatures
	if n.os == "windows" {
		features = slices.DeleteFunc(slices.Clone(features), func(f string) bool { return f == "win32k" })
	}
	if os := normalOS(p.OS); os != "" && os != n.os || len(features) > 0 {
		return 0, false
	}
	if n.os == "windows" && !windowsRuns(n.osVersion, p.OSVersion) {
		return 0, false
	}
	rank = slices.Index(n.runs, machine{p.Architecture, p.Variant}.normal())
	return rank, rank >= 0
}

// Choose takes the entry that containerd would pull, an entry without a platform where none names a fitting one.
// (containerd v2.4.2 core/images/handlers.go, FilterPlatforms and LimitManifests.)
func (n Node) Choose(entries []v1.Descriptor) (v1.Descriptor, bool) {
	best, bestRank := -1, 0
	for i, d := range entries {
		r := len(n.runs)
		if d.Platform != nil {
			var ok bool
			if r, ok = n.Rank(*d.Platform); !ok {
				continue
			}
		}
		if best < 0 || r < bestRank || r == bestRank && n.newer(d.Platform, entries[best].Platform) {
			best, bestRank = i, r
		}
	}
	if best < 0 {
		return v1.Descriptor{}, false
	}
	return entries[best], true
}

// newer is how a Windows node chooses among what it can run: by the version as a text.
func (n Node) newer(a, b *v1.Platform) bool {
	return n.os == "windows" && a != nil && b != nil && a.OSVersion > b.OSVersion
}

func normalOS(s string) string {
	if s = strings.ToLower(s); s == "macos" {
		return "darwin"
	}
	return s
}

// normal gives every spelling of a machine the same value.
func (m machine) normal() machine {
	arch, variant := strings.ToLower(m.arch), strings.ToLower(m.variant)
	switch arch {
	case "i386":
		return machine{"386", ""}
	case "armhf":
		return machine{"arm", "v7"}
	case "armel":
		return machine{"arm", "v6"}
	case "x86_64", "x86-64", "amd64":
		if variant == "v1" {
			variant = ""
		}
		return machine{"amd64", variant}
	case "aarch64", "arm64":
		return machine{"arm64", normalARM64(variant)}
	case "arm":
		return machine{"arm", normalARM(variant)}
	}
	return machine{arch, variant}
}

func normalARM64(variant string) string {
	switch variant {
	case "8", "v8", "v8.0":
		return ""
	case "9", "9.0", "v9.0":
		return "v9"
	}
	return variant
}

func normalARM(variant string) string {
	switch variant {
	case "", "7":
		return "v7"
	case "5", "6", "8":
		return "v" + variant
	}
	return variant
}

// runs lists what a machine runs besides its own kind, the best first.
func (m machine) runs() []machine {
	switch m.arch {
	case "amd64":
		return append(versions("amd64", m.variant, 1), machine{"386", ""})
	case "arm":
		return versions("arm", m.variant, 5)
	case "arm64":
		return m.runsARM64()
	}
	return []machine{m}
}

// versions counts down from a variant such as v7 to the last one.
func versions(arch, variant string, last int) []machine {
	list := []machine{{arch, variant}}
	n, err := strconv.Atoi(strings.TrimPrefix(variant, "v"))
	if err != nil || n > 100 { // no processor; a long count would only cost time
		return list
	}
	for n--; n >= last; n-- {
		list = append(list, machine{arch, "v" + strconv.Itoa(n)}.normal())
	}
	return list
}

// runsARM64: every v9.n runs v8.(n+5) too, and all of them 32-bit programs. A variant that nobody knows runs nothing.
func (m machine) runsARM64() []machine {
	const last8, last9 = 9, 7
	major, minor := 8, 0
	if m.variant != "" {
		a, b, _ := strings.Cut(strings.TrimPrefix(m.variant, "v"), ".")
		major, _ = strconv.Atoi(a) // what is no number is no variant either, as the next lines find
		minor, _ = strconv.Atoi(b)
		if v := (machine{"arm64", m.variant}); minor < 0 || major != 8 && major != 9 || arm64(major, minor).normal() != v.normal() {
			return nil
		}
	}
	var list []machine
	switch {
	case major == 8 && minor <= last8:
		list = minors(8, minor)
	case major == 9 && minor <= last9:
		list = append(minors(9, minor), minors(8, min(minor+5, last8))...)
	default:
		return nil
	}
	return append(list, versions("arm", "v8", 5)...)
}

func arm64(major, minor int) machine {
	v := "v" + strconv.Itoa(major)
	if minor > 0 {
		v += "." + strconv.Itoa(minor)
	}
	return machine{"arm64", v}
}

func minors(major, minor int) []machine {
	var list []machine
	for ; minor >= 0; minor-- {
		list = append(list, arm64(major, minor).normal())
	}
	return list
}

// Named lists the platforms of an index for a reader. Attestations, which call themselves unknown, are none.
func Named(entries []v1.Descriptor) []string {
	var list []string
	for _, d := range entries {
		if d.Platform == nil || d.Platform.Architecture == "unknown" {
			continue
		}
		if s := Spell(*d.Platform); s != "" && !slices.Contains(list, s) {
			list = append(list, s)
		}
		if len(list) == Most {
			break
		}
	}
	return list
}

// Read reads what Spell wrote.
func Read(s string) v1.Platform {
	s, version, _ := strings.Cut(s, ":")
	parts := append(strings.SplitN(s, "/", 3), "", "")
	return v1.Platform{OS: parts[0], Architecture: parts[1], Variant: parts[2], OSVersion: version}
}

// Spell writes a platform as evidence has it: linux/arm/v7, windows/amd64:10.0.20348.1.
func Spell(p v1.Platform) string {
	if p.OS == "" && p.Architecture == "" {
		return ""
	}
	s := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		s += "/" + p.Variant
	}
	if p.OSVersion != "" {
		s += ":" + p.OSVersion
	}
	if len(s) > 100 { // a name, not a novel
		s = s[:100]
	}
	return evidence.Clean(s)
}
