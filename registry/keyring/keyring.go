// Package keyring finds the credentials that the kubelet would offer for an image, in
// its order, and says of every entry in the pod's pull secrets why it is used or not.
//
// It holds to K36 pkg/credentialprovider (keyring.go, secrets/secrets.go); test/keyring
// compares it with that code. It reads nothing itself, asks no registry, and knows
// nothing of what the node adds: config files and exec credential providers. A
// password leaves it in a Credential only, which does not print itself.
package keyring

import (
	"cmp"
	_ "crypto/sha256" // the parser of references knows a digest by its algorithm's being there
	_ "crypto/sha512"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/distribution/reference"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/internal/dockerconfig"
)

// MaxEntries bounds the entries that a report names.
const MaxEntries = 300

// The types and keys that the kubelet reads (K36 pkg/credentialprovider/secrets/secrets.go).
const (
	typeJSON = "kubernetes.io/dockerconfigjson"
	typeOld  = "kubernetes.io/dockercfg"
	keyJSON  = ".dockerconfigjson"
	keyOld   = ".dockercfg"
)

// Secret is one pull secret, in the order in which the pod names them. Without a
// namespace its name stands alone, such as `file PATH`.
type Secret struct {
	Namespace, Name, Type string
	Data                  map[string][]byte
}

func (s Secret) where() string {
	name := s.Name
	if s.Namespace != "" {
		name = s.Namespace + "/" + s.Name
	}
	return evidence.Clean(name)
}

// Format names the secret and keeps its data out of every text.
func (s Secret) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, "secret "+s.where()) }

// MarshalJSON keeps the data out of every document.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.where()) }

// LogValue keeps the data out of every log.
func (s Secret) LogValue() slog.Value { return slog.StringValue("secret " + s.where()) }

// Credential is one that the kubelet would offer.
type Credential struct {
	Username, Password string
	// Login names it for people.
	Login evidence.Login
}

// String names the credential without its user and password.
func (c Credential) String() string { return c.Login.Key + " in " + c.Login.Secret }

// GoString is String: %#v shows no more.
func (c Credential) GoString() string { return c.String() }

// Format is String under every verb.
func (c Credential) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, c.String()) }

// MarshalJSON gives the login.
func (c Credential) MarshalJSON() ([]byte, error) { return json.Marshal(c.Login) }

// LogValue is String for logs.
func (c Credential) LogValue() slog.Value { return slog.StringValue(c.String()) }

// Lookup gives the credentials in the order in which the kubelet tries them, and the
// report on every entry. Where it is Broken, by a secret or by an image that does not
// parse (BrokenBy is empty then), the kubelet tries nothing and there are none. One
// secret that is named twice is tried twice.
func Lookup(secrets []Secret, image string) ([]Credential, evidence.Keyring) {
	repository, ok := evidence.Repository(image)
	if !ok {
		_, err := reference.ParseNormalizedNamed(image)
		return nil, evidence.Keyring{Broken: evidence.Clean(fmt.Sprintf("couldn't parse image name %q: %v", image, err))}
	}
	r := ring{report: evidence.Keyring{Repository: repository}, target: targetOf(repository)}
	for i, s := range secrets {
		r.add(i, s)
	}
	tried := r.tried()
	r.describe(tried)
	if r.report.Broken != "" {
		return nil, r.report
	}
	out := make([]Credential, 0, len(tried))
	for _, e := range tried {
		out = append(out, Credential{Username: e.cred.Username, Password: e.cred.Password, Login: e.login})
	}
	return out, r.report
}

// ring is what was found in all secrets for one repository.
type ring struct {
	report  evidence.Keyring
	target  target
	entries []*entry
	// lost are entries that the kubelet never sees.
	lost []evidence.KeyringEntry
}

// entry is one that the kubelet puts into its ring.
type entry struct {
	secret int
	// written is the key as the secret has it.
	written string
	key     evidence.RegistryKey
	cred    dockerconfig.Entry
	login   evidence.Login
	hint    string
}

// add reads one secret as secretsToTrackedDockerConfigs does.
func (r *ring) add(i int, s Secret) {
	data, wrapped := s.Data[keyJSON], true
	if s.Type == typeOld {
		data, wrapped = s.Data[keyOld], false
	}
	if s.Type != typeJSON && s.Type != typeOld || len(data) == 0 {
		r.unused(s)
		return
	}
	config, err := dockerconfig.Parse(data, wrapped)
	outline := dockerconfig.Describe(data, wrapped)
	if err != nil {
		if r.report.Broken == "" { // the kubelet stops at the first
			r.report.Broken, r.report.BrokenBy = evidence.Clean(err.Error()), s.where()
		}
		r.broken(s, outline)
		return
	}
	for _, written := range sortedKeys(config) {
		cred := config[written]
		login, hint := loginOf(s, written, cred, outline)
		key, err := evidence.ParseKey(written)
		if err != nil {
			r.lose(evidence.KeyringEntry{Login: login, Why: "it is no URL, and the kubelet leaves it out without a word"}, written)
			continue
		}
		r.entries = append(r.entries, &entry{secret: i, written: written, key: key, cred: cred, login: login, hint: hint})
	}
	r.misplaced(s, outline, wrapped)
}

// tried gives the matching entries in the kubelet's order: by descending key, those of one
// key in the order of the secrets (K36 pkg/credentialprovider/keyring.go:175-183, 295-318). Spellings
// of one key within a secret come in random order there, and in that of their spelling here.
func (r *ring) tried() []*entry {
	var out []*entry
	for _, e := range r.entries {
		if e.key.Matches(r.report.Repository) {
			out = append(out, e)
		}
	}
	if len(out) == 0 {
		for _, e := range r.entries {
			if e.key.FallsBack(r.report.Repository) {
				out = append(out, e)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b *entry) int { return cmp.Compare(b.key.String(), a.key.String()) })
	return out
}
