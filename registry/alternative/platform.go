package alternative

import (
	"context"
	"slices"
	"strings"
)

// machine is how images and tags name an architecture.
type machine struct {
	platform string   // as in linux/arm/v7, without the system
	account  string   // Docker Hub's account with the official images for it alone
	words    []string // in tags and names, the most usual first
}

var machines = []machine{
	{"amd64", "amd64", []string{"amd64", "x86_64", "x86-64", "x64"}},
	{"arm64", "arm64v8", []string{"arm64", "aarch64", "arm64v8", "arm64-v8"}},
	{"arm/v7", "arm32v7", []string{"armv7", "arm32v7", "armhf", "arm-v7", "arm"}},
	{"arm/v6", "arm32v6", []string{"armv6", "arm32v6", "armel", "arm-v6"}},
	{"386", "i386", []string{"386", "i386"}},
	{"ppc64le", "ppc64le", []string{"ppc64le"}},
	{"s390x", "s390x", []string{"s390x"}},
	{"riscv64", "riscv64", []string{"riscv64"}},
}

// machineOf is the platform's; nil where its architecture goes by no other name.
func machineOf(platform string) *machine {
	platform, _, _ = strings.Cut(platform, ":")
	_, arch, _ := strings.Cut(platform, "/")
	switch arch {
	case "arm64/v8":
		arch = "arm64"
	case "arm":
		arch = "arm/v7"
	}
	i := slices.IndexFunc(machines, func(m machine) bool { return m.platform == arch })
	if i < 0 {
		return nil
	}
	return &machines[i]
}

// platforms looks for the same image under names that say for which machine it is made, and for one that is made for several.
func (f *finder) platforms(ctx context.Context) {
	r := f.image
	if strings.HasPrefix(f.q.Platform, "windows/") {
		f.windows(ctx)
	}
	m := machineOf(f.q.Platform)
	if m == nil {
		return
	}
	tag := r.withTag(r.tag).orLatest()
	if other, ok := withoutMachine(tag); ok {
		if other == "" {
			other = latest
		}
		f.offer(ctx, r.withTag(other), "without a machine in its tag: made for several")
		tag = other
	}
	for _, t := range f.forMachine(ctx, tag, m) {
		f.offer(ctx, r.withTag(t), "its tag says that it is made for "+m.platform)
	}
	f.machineNames(ctx, m)
}

func (r ref) orLatest() string {
	if r.tag == "" {
		return latest
	}
	return r.tag
}

// forMachine are the tags with the machine's name; of a list that is whole, those that it shows, else the two most usual.
func (f *finder) forMachine(ctx context.Context, tag string, m *machine) []string {
	var out []string
	for _, word := range m.words {
		out = append(out, tag+"-"+word, word+"-"+tag, tag+"_"+word, tag+"-linux-"+word, "linux-"+word+"-"+tag)
	}
	if tag == latest {
		out = append(m.words[:len(m.words):len(m.words)], out...)
	}
	usual := slices.Clone(out[:2])
	tags, more := f.list(ctx)
	listed := map[string]bool{}
	for _, t := range tags[:min(len(tags), maxTags)] {
		listed[t] = true
	}
	if shown := slices.DeleteFunc(out, func(t string) bool { return !listed[t] }); len(shown) > 0 || !more {
		return shown
	}
	return usual
}

// machineNames looks for the machine in the repository's own name, and among Docker Hub's accounts for one machine.
func (f *finder) machineNames(ctx context.Context, m *machine) {
	r := f.image
	account, name, _ := strings.Cut(r.path, "/")
	if r.host == hub && !strings.Contains(name, "/") {
		one := slices.ContainsFunc(machines, func(m machine) bool { return m.account == account })
		if one {
			f.offer(ctx, r.at(hub, library+name), "the official image for all machines")
		}
		if one || account == strings.TrimSuffix(library, "/") {
			f.offer(ctx, r.at(hub, m.account+"/"+name), "the official image for "+m.platform+" alone")
		}
		return
	}
	if bare, ok := withoutMachine(r.last()); ok && bare != "" {
		dir := strings.TrimSuffix(r.path, r.last())
		f.offer(ctx, r.at(r.host, dir+bare), "without a machine in its name: made for several")
		f.offer(ctx, r.at(r.host, dir+bare+"-"+m.words[0]), "its name says that it is made for "+m.platform)
	}
}

// withoutMachine takes a machine's name off a tag or name; false where there is none.
func withoutMachine(s string) (string, bool) {
	best := ""
	lower := strings.ToLower(s)
	for _, m := range machines {
		for _, word := range m.words {
			for _, part := range []string{"-linux-" + word, "_linux_" + word, "-" + word, "_" + word, "linux-" + word + "-", word + "-", word + "_"} {
				end := part[0] == '-' || part[0] == '_'
				if len(part) > len(best) && (end && strings.HasSuffix(lower, part) || !end && strings.HasPrefix(lower, part)) {
					best = part
				}
			}
			if lower == word {
				return "", true
			}
		}
	}
	switch {
	case best == "":
		return s, false
	case best[0] == '-' || best[0] == '_':
		return s[:len(s)-len(best)], true
	}
	return s[len(best):], true
}

// windowsTags are the words for a Windows build in tags, by the third number of the node's version.
var windowsTags = map[string][]string{
	"14393": {"ltsc2016", "1607"}, "17763": {"ltsc2019", "1809"}, "20348": {"ltsc2022"}, "26100": {"ltsc2025"},
}

// windows looks for the tag of the node's own build: a container runs on its own build alone.
func (f *finder) windows(ctx context.Context) {
	_, version, _ := strings.Cut(f.q.Platform, ":")
	numbers := strings.Split(version, ".")
	if len(numbers) < 3 {
		return
	}
	for _, words := range [][]string{{"ltsc2016", "1607"}, {"ltsc2019", "1809"}, {"ltsc2022"}, {"ltsc2025"}} {
		for _, word := range words {
			for _, own := range windowsTags[numbers[2]] {
				if strings.Contains(f.image.tag, word) && own != word {
					f.offer(ctx, f.image.withTag(strings.Replace(f.image.tag, word, own, 1)), "its tag names this node's build of Windows")
				}
			}
		}
	}
}
