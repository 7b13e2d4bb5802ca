package alternative

import (
	"cmp"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// version is a tag that says which version it is: 1.25, v1.25.3-alpine3.20.
type version struct {
	core   *semver.Version
	parts  int    // as many as are written
	suffix string // after the first dash or underscore: a variant, or a step before the release
}

// versionOf reads a tag as a version; false where it is none. A lone number is one where it is short or a date: it may
// as well be a commit or a build.
func versionOf(tag string) (version, bool) {
	var v version
	core := tag
	if i := strings.IndexAny(tag, "-_"); i >= 0 {
		core, v.suffix = tag[:i], tag[i+1:]
	}
	digits := strings.TrimPrefix(strings.ToLower(core), "v")
	if digits == "" || len(digits) > 30 || strings.Trim(digits, "0123456789.") != "" {
		return v, false
	}
	if v.parts = strings.Count(digits, ".") + 1; v.parts > 3 {
		return v, false
	}
	if v.parts == 1 && len(digits) > 4 && (len(digits) != 8 || digits[:2] != "20") {
		return v, false
	}
	var err error
	v.core, err = semver.NewVersion(digits)
	return v, err == nil
}

// family is a suffix without the numbers in it: alpine for alpine3.20, rc for rc.1.
func (v version) family() string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '.' {
			return -1
		}
		return r
	}, strings.ToLower(v.suffix)), "-_")
}

// early tells a version that is not out yet.
func (v version) early() bool {
	for _, word := range strings.FieldsFunc(v.family(), func(r rune) bool { return r == '-' || r == '_' }) {
		switch word {
		case "alpha", "beta", "rc", "pre", "preview", "dev", "snapshot", "nightly", "canary", "test", "ea":
			return true
		}
	}
	return false
}

// away is how far a version is from the one that is wanted.
type away struct {
	level int    // 0 the same, 1 the same minor, 2 the same major, 3 neither
	delta uint64 // in the first number that differs
	older bool
}

func (v version) away(wanted version) away {
	a, b := wanted.core, v.core
	for _, x := range []struct {
		level        int
		wanted, have uint64
	}{{3, a.Major(), b.Major()}, {2, a.Minor(), b.Minor()}, {1, a.Patch(), b.Patch()}} {
		if x.wanted != x.have {
			return away{level: x.level, delta: max(x.have, x.wanted) - min(x.have, x.wanted), older: x.have < x.wanted}
		}
	}
	return away{}
}

// nearer orders by what is closer; of the same distance the newer, and of another minor or major its newest.
func (a away) nearer(b away, v, w version) int {
	return cmp.Or(
		cmp.Compare(a.level, b.level),
		cmp.Compare(a.delta, b.delta),
		compareBool(a.older, b.older),
		w.core.Compare(v.core),
	)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
