package keyring

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/internal/dockerconfig"
)

// docker config data is found under these keys where a secret has the wrong type or key.
var otherKeys = []string{keyJSON, keyOld, "config.json", "dockerconfigjson", "dockerconfig.json"}

// describe fills the report: what is tried, in that order, and then the rest, near misses first.
func (r *ring) describe(tried []*entry) {
	used := map[*entry]bool{}
	var out []evidence.KeyringEntry
	for i, e := range tried {
		used[e] = true
		if len(out) < MaxEntries {
			out = append(out, evidence.KeyringEntry{Login: e.login, Matches: true, Why: r.whyMatches(e, i, tried), Hint: e.hint})
		}
	}
	rest := r.lost
	for _, e := range r.likely(used) {
		x := evidence.KeyringEntry{Login: e.login}
		if e.key.FallsBack(r.report.Repository) {
			x.Why = "the kubelet falls back to " + e.key.String() + " only where no other entry matches, and one does"
			x.Near, x.Hint = true, "write this credential under docker.io too, or remove the other entry"
		} else {
			r.target.lint(&x, e.written)
		}
		rest = append(rest, x)
	}
	slices.SortStableFunc(rest, func(a, b evidence.KeyringEntry) int { return boolOrder(a.Near, b.Near) })
	out = append(out, rest...)
	r.report.Entries = out[:min(len(out), MaxEntries)]
}

// likely are the entries to look into that are not used: at most maxLint, those first that have the registry's name in them.
func (r *ring) likely(used map[*entry]bool) []*entry {
	const maxLint = 4 * MaxEntries
	var named, others []*entry
	for _, e := range r.entries {
		switch {
		case used[e]:
		case strings.Contains(strings.ToLower(e.written), strings.ToLower(r.target.name)):
			named = append(named, e)
		default:
			others = append(others, e)
		}
	}
	out := append(named, others...)
	return out[:min(len(out), maxLint)]
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// whyMatches says by what an entry matches, and when its turn is where it is not alone.
func (r *ring) whyMatches(e *entry, i int, tried []*entry) string {
	host, path := r.target.host, r.target.path
	own, _ := strings.CutPrefix(e.key.String(), e.key.Host())
	why := "it is the image's registry"
	switch {
	case e.key.FallsBack(r.report.Repository) && host == "docker.io":
		why = "it is Docker Hub"
	case e.key.FallsBack(r.report.Repository):
		why = "the kubelet takes a registry without a dot or a port for Docker Hub"
	case own != "" && own != "/" && strings.HasPrefix(path, own) && !strings.HasSuffix(own, "/") && len(path) > len(own) && path[len(own)] != '/':
		why = "it is the image's registry, and " + show(own) + " begins " + show(path) + ", which need not be a whole path component"
	case own != "" && own != "/":
		why = "it is the image's registry and begins its path"
	case e.key.Host() != host:
		why = "its pattern fits the image's registry"
	}
	if len(tried) == 1 {
		return why
	}
	why += "; the kubelet tries it as number " + strconv.Itoa(i+1) + " of " + strconv.Itoa(len(tried))
	for _, o := range tried {
		if o != e && o.secret == e.secret && o.key.String() == e.key.String() {
			return why + ", in random order with other spellings of the same key"
		}
	}
	return why
}

// unused reports the entries of a secret that the kubelet leaves out for its type or for want of data.
func (r *ring) unused(s Secret) {
	why := fmt.Sprintf("the secret's type is %s: the kubelet reads only %s and %s", show(cmp.Or(s.Type, "Opaque")), typeJSON, typeOld)
	hint := "a type cannot be changed: delete the secret and create it again as " + typeJSON
	if s.Type == typeJSON || s.Type == typeOld {
		want := map[string]string{typeJSON: keyJSON, typeOld: keyOld}[s.Type]
		why = "the secret has nothing under the key " + want + ", where the kubelet reads"
		hint = "put the data under " + want
	}
	for _, key := range otherKeys {
		data := s.Data[key]
		if len(data) == 0 {
			continue
		}
		wrapped := key != keyOld
		config, _ := dockerconfig.Parse(data, wrapped) // the kubelet does not read it, whatever is wrong with it
		outline := dockerconfig.Describe(data, wrapped)
		for _, written := range outline.Keys {
			login, _ := loginOf(s, written, config[written], outline)
			r.lose(evidence.KeyringEntry{Login: login, Why: why, Hint: hint}, written)
		}
		return
	}
}

// broken reports the entries of a secret that fails the whole lookup.
func (r *ring) broken(s Secret, o dockerconfig.Outline) {
	for _, written := range o.Keys {
		login := evidence.Login{Secret: s.where(), Key: cleanKey(written), Problem: evidence.Clean(o.Broken[written])}
		why := "the secret does not parse for another entry's sake, and none of any secret is tried"
		if login.Problem != "" {
			why = "this entry does not parse, and no entry of any secret is tried"
		}
		r.lose(evidence.KeyringEntry{Login: login, Why: why, Hint: "repair or remove the broken entry: write auth as base64 of user:password, or username and password as texts"}, written)
	}
}

// misplaced reports entries that stand where the kubelet does not look.
func (r *ring) misplaced(s Secret, o dockerconfig.Outline, wrapped bool) {
	why, hint := "it does not stand under auths, where the kubelet reads", `put it into {"auths": {…}}`
	if !wrapped {
		why, hint = "it stands under auths in a .dockercfg, where the kubelet takes auths for a registry's name",
			"create the secret again as "+typeJSON+", or leave auths out"
	}
	for _, written := range o.Misplaced {
		r.lose(evidence.KeyringEntry{Login: evidence.Login{Secret: s.where(), Key: cleanKey(written)}, Why: why, Hint: hint}, written)
	}
	for _, written := range o.Helpers {
		r.lose(evidence.KeyringEntry{Login: evidence.Login{Secret: s.where(), Key: cleanKey(written), Problem: "it names a credential helper and no credential"},
			Why: "it stands under credHelpers, which the kubelet ignores", Hint: "put user and password into the secret: " + r.target.login()}, written)
	}
}

// lose keeps an entry that the kubelet does not see. It is a near miss where it would
// match otherwise; where the key itself is the trouble, what to write is the hint.
func (r *ring) lose(x evidence.KeyringEntry, written string) {
	if len(r.lost) >= 4*MaxEntries {
		return
	}
	key, err := evidence.ParseKey(written)
	switch {
	case err != nil:
		r.target.lint(&x, written)
	case key.Matches(r.report.Repository) || key.FallsBack(r.report.Repository):
		x.Near = true
	case x.Problem == "":
		x.Hint = ""
	}
	r.lost = append(r.lost, x)
}

func sortedKeys(c dockerconfig.DockerConfig) []string { return slices.Sorted(maps.Keys(c)) }

// show makes a part of somebody's text fit for a sentence.
func show(text string) string {
	const most = 600 // a whole repository fits
	text = evidence.Clean(text)
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
