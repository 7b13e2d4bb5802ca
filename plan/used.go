package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// used is a credential that the kubelet tries for the finding's image, and what came of it where the registry was asked.
type used struct {
	evidence.Login
	refused bool
	why     string
}

// rings keeps what the pods' pull secrets hold for the image, and what a registry said to it.
func (s *subject) rings(f *evidence.Fact) {
	if k := f.Keyring; k != nil {
		for _, e := range k.Entries {
			if e.Near && e.Hint != "" && !slices.Contains(s.near, e) {
				s.near = append(s.near, e)
			}
			if e.Matches {
				s.use(used{Login: e.Login})
			}
		}
		if k.Broken != "" && k.BrokenBy != "" && s.broken == "" {
			s.broken, s.brokenBy = k.Broken, k.BrokenBy
		}
	}
	if f.Probe == nil {
		return
	}
	for _, a := range f.Probe.Attempts {
		if a.Login == nil || a.Compared || a.Served {
			continue
		}
		u := used{Login: *a.Login, refused: true, why: a.Skipped}
		if u.why == "" {
			if len(a.Steps) == 0 {
				continue
			}
			last := a.Steps[len(a.Steps)-1]
			if last.Status != 401 && last.Status != 403 {
				continue
			}
			u.why = fmt.Sprintf("%d at the %s", last.Status, last.Name)
		}
		s.use(u)
	}
}

// use keeps one of each; that a credential was refused counts more than that it matches.
func (s *subject) use(u used) {
	i := slices.IndexFunc(s.logins, func(x used) bool { return x.Secret == u.Secret && x.Key == u.Key && x.User == u.User })
	switch {
	case i < 0:
		s.logins = append(s.logins, u)
	case u.refused && !s.logins[i].refused:
		s.logins[i] = u
	}
}

// refusedLogins are those that the registry was seen to refuse; where it was not asked, those that the kubelet tries.
func (s subject) refusedLogins() []used {
	refused := slices.DeleteFunc(slices.Clone(s.logins), func(u used) bool { return !u.refused })
	if len(refused) > 0 {
		return refused
	}
	return s.logins
}

// loginNote names secret, key and user of those in one secret, NAMESPACE/NAME; of all with an empty one.
func (s subject) loginNote(secret string) string {
	var parts []string
	for _, u := range s.refusedLogins() {
		if secret == "" || u.Secret == secret {
			parts = append(parts, u.String())
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " " + strings.Join(parts[:min(len(parts), maxOwners)], " ")
}

func (u used) String() string {
	who := "a login without a user"
	if u.User != "" {
		who = "user " + u.User
	}
	lead := "Tried by the kubelet: "
	if u.refused {
		lead = "Refused: "
	}
	where := u.Secret // a file given by hand says so itself
	if !strings.HasPrefix(where, "file ") {
		where = "secret " + where
	}
	about := []string{"key " + u.Key + " of " + where}
	if u.Kind != "" {
		about = append(about, "it is of the kind "+u.Kind)
	}
	if !u.Expires.IsZero() {
		about = append(about, "its own words say that it ends at "+u.Expires.UTC().Format("2006-01-02 15:04 UTC"))
	}
	for _, s := range []string{u.Problem, u.why} {
		if s != "" {
			about = append(about, s)
		}
	}
	return lead + who + " (" + strings.Join(about, "; ") + ")."
}

// nearNote says of a secret's entries that were plainly meant for this image what to write instead.
func (s subject) nearNote(secret string) string {
	var b strings.Builder
	for _, e := range s.near {
		if secret == "" || e.Secret == secret {
			fmt.Fprintf(&b, " The key %s is not used: %s; %s.", e.Key, e.Why, strings.TrimSuffix(e.Hint, "."))
		}
	}
	return b.String()
}

func (s subject) blames(x *evidence.Secret) bool {
	name := x.Namespace + "/" + x.Name
	return s.brokenBy == name || slices.ContainsFunc(s.near, func(e evidence.KeyringEntry) bool { return e.Secret == name })
}
