package alternative

import (
	"cmp"
	"context"
	"slices"
	"strings"
)

const (
	maxTags   = 100_000 // of a list that are looked at
	manyTags  = 1000    // from here on a list may be cut
	maxTag    = 128     // bytes of a tag (distribution-spec, pulling manifests)
	minShared = 5       // bytes that one tag must share with another to be named for it
)

// kinds of likeness, the best first.
const (
	sameWritten    = iota // v1.25.0 for 1.25
	oneTypo               // a slip of the keyboard
	holds                 // sha-3f2a9c1 for 3f2a9c1
	nearVersion           // another version of the same variant
	nearVariant           // of a variant of the same family: alpine3.20 for alpine3.19
	twoTypos              // two slips
	otherVariant          // the same version in another variant
	highest               // the newest of all
	highestVariant        // the newest of a variant
	unlike
)

// choice is a tag and why it may be the one that was meant.
type choice struct {
	tag, why string
	kind     int
	version  version
	away     away
}

// tags offers those of the repository that are closest to the image's.
func (f *finder) tags(ctx context.Context) {
	if f.full(ctx) {
		return
	}
	list, more := f.list(ctx)
	wanted := cmp.Or(f.image.tag, latest)
	if more { // what the list does not show may be there all the same
		for _, tag := range spellings(wanted) {
			f.offer(ctx, f.image.withTag(tag), "the same version, written in another way")
		}
	}
	for _, c := range near(wanted, list) {
		f.offer(ctx, f.image.withTag(c.tag), c.why)
	}
}

// list is the repository's tags, asked for once unless they are known; more tells that there may be others.
func (f *finder) list(ctx context.Context) (tags []string, more bool) {
	if !f.listed && !f.full(ctx) && (len(f.q.Tags) == 0 || f.q.More) {
		got, err := f.ask.Tags(ctx, f.image.repository())
		if f.q.More = err != nil || len(got) == 0 || len(got) >= manyTags; len(got) > 0 {
			f.q.Tags = got
		}
	}
	f.listed = true
	return f.q.Tags, f.q.More
}

// near ranks tags by how likely they are what was meant; those that are nothing like it are left out.
func near(wanted string, tags []string) []choice {
	w, isVersion := versionOf(wanted)
	var all []choice
	seen := map[string]bool{wanted: true}
	for _, tag := range tags[:min(len(tags), maxTags)] {
		if seen[tag] || !validTag(tag) {
			continue
		}
		c := choice{tag: tag}
		v, ok := versionOf(tag)
		c.version = v
		if ok && isVersion {
			c.away = v.away(w)
		}
		c.kind, c.why = likeness(wanted, tag, w, v, isVersion && ok)
		if c.kind == unlike && wanted == latest && ok && !v.early() {
			if c.kind, c.why = highest, "the highest version"; v.suffix != "" {
				c.kind = highestVariant
			}
		}
		if c.kind != unlike {
			seen[tag] = true
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b choice) int { return a.compare(b, w) })
	return spread(all)
}

// likeness says in which way a tag is like the one that is wanted; versions is set where both are.
func likeness(wanted, tag string, w, v version, versions bool) (int, string) {
	if plain(wanted) == plain(tag) {
		return sameWritten, "the same tag, written in another way"
	}
	if versions {
		return likeVersion(wanted, tag, w, v)
	}
	switch slips := distance(wanted, tag, allowed(wanted)); {
	case slips == 1 && swapped(wanted, tag):
		return oneTypo, "two characters are swapped"
	case slips == 1:
		return oneTypo, "one character differs"
	case len(wanted) >= minShared && strings.Contains(tag, wanted):
		return holds, "it holds the same text"
	case len(tag) >= minShared && strings.Contains(wanted, tag):
		return holds, "it is a part of the same text"
	case slips == 2:
		return twoTypos, "two characters differ"
	}
	return unlike, ""
}

func likeVersion(wanted, tag string, w, v version) (int, string) {
	far := v.away(w)
	variant := strings.EqualFold(v.suffix, w.suffix)
	switch {
	case far.level == 0 && variant:
		return sameWritten, "the same version, written in another way"
	case swapped(wanted, tag):
		return oneTypo, "two characters are swapped"
	case far.level == 0 && distance(v.suffix, w.suffix, 1) == 1 && !sameButNumbers(v, w):
		return oneTypo, "one character differs"
	case variant && far.older:
		return nearVersion, "the nearest older version of its kind"
	case variant:
		return nearVersion, "the nearest newer version of its kind"
	case sameButNumbers(v, w):
		return nearVariant, "near in version, of the same kind of variant"
	case far.level == 0:
		return otherVariant, "the same version in another variant"
	}
	return unlike, ""
}

func sameButNumbers(v, w version) bool { return v.suffix != "" && v.family() == w.family() }

// allowed is how many slips a text of this length can have and still be told.
func allowed(s string) int {
	switch {
	case len(s) < 3:
		return 0
	case len(s) < 6:
		return 1
	}
	return 2
}

// swapped tells two texts that differ in nothing but two neighbours.
func swapped(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) - 1 {
		if a[i] != b[i] {
			return a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
		}
	}
	return false
}

var separators = strings.NewReplacer("_", "-", ".", "-")

// plain is a tag without what people write differently: case and separators.
func plain(tag string) string {
	return separators.Replace(strings.ToLower(tag))
}

func (a choice) compare(b choice, wanted version) int {
	byVersion := compareBool(a.version.core == nil, b.version.core == nil)
	if byVersion == 0 && a.version.core != nil {
		byVersion = a.away.nearer(b.away, a.version, b.version)
	}
	return cmp.Or(
		cmp.Compare(a.kind, b.kind),
		byVersion,
		compareBool(a.version.parts != wanted.parts, b.version.parts != wanted.parts),
		cmp.Compare(len(a.tag), len(b.tag)),
		cmp.Compare(a.tag, b.tag),
	)
}

// spread keeps one tag of each minor or major that is not the wanted one, and two of each kind of nearness: five patches of
// one version tell no more than two.
func spread(all []choice) []choice {
	type group struct {
		kind, level  int
		major, minor uint64
	}
	var out []choice
	count := map[group]int{}
	for _, c := range all {
		near := group{kind: c.kind, level: c.away.level}
		line := near
		if c.version.core != nil && c.away.level >= 2 {
			line.major = c.version.core.Major() + 1
			if c.away.level == 2 {
				line.minor = c.version.core.Minor() + 1
			}
		}
		if count[near] >= 2 || line != near && count[line] >= 1 {
			continue
		}
		if count[near]++; line != near {
			count[line]++
		}
		if out = append(out, c); len(out) == 2*maxAsked {
			break
		}
	}
	return out
}

// spellings are other ways to write a version: with or without v, and with or without a last zero.
func spellings(tag string) []string {
	v, ok := versionOf(tag)
	if !ok {
		return nil
	}
	core, suffix := tag, ""
	if v.suffix != "" {
		i := len(tag) - len(v.suffix) - 1
		core, suffix = tag[:i], tag[i:]
	}
	bare := strings.TrimLeft(core, "vV")
	other := "v" + bare
	if bare != core {
		other = bare
	}
	out := []string{other + suffix}
	if short, ok := strings.CutSuffix(core, ".0"); ok {
		out = append(out, short+suffix)
	} else if v.parts < 3 {
		out = append(out, core+".0"+suffix)
	}
	return out
}

// validTag is distribution-spec's rule for a tag.
func validTag(tag string) bool {
	if tag == "" || len(tag) > maxTag || tag[0] == '.' || tag[0] == '-' {
		return false
	}
	for i := range len(tag) {
		c := tag[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '.' && c != '-' {
			return false
		}
	}
	return true
}
