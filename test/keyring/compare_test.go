package keyring

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/credentialprovider"
	"k8s.io/kubernetes/pkg/credentialprovider/secrets"
	"k8s.io/kubernetes/pkg/util/parsers"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/registry/keyring"
)

func TestMain(m *testing.M) {
	klog.SetSlogLogger(slog.New(slog.DiscardHandler)) // the kubelet logs every entry that it ignores
	os.Exit(m.Run())
}

// offer is a credential and what decides its place.
type offer struct {
	secret         string
	user, password string
}

// theirs asks as the image manager does (pkg/kubelet/images/image_manager.go:284-315), on
// a node that has no credentials of its own.
func theirs(in []corev1.Secret, image string) ([]offer, error) {
	repository, _, _, err := parsers.ParseImageName(image)
	if err != nil {
		return nil, err
	}
	ring, err := secrets.MakeDockerKeyring(in, credentialprovider.UnionDockerKeyring{&credentialprovider.BasicDockerKeyring{}})
	if err != nil {
		return nil, err
	}
	found, _ := ring.Lookup(repository)
	var out []offer
	for _, c := range found {
		o := offer{user: c.Username, password: c.Password}
		if c.Source != nil && c.Source.Secret != nil {
			o.secret = c.Source.Secret.Namespace + "/" + c.Source.Secret.Name
		}
		out = append(out, o)
	}
	return out, nil
}

func ours(in []corev1.Secret, image string) ([]keyring.Credential, evidence.Keyring) {
	var converted []keyring.Secret
	for _, s := range in {
		converted = append(converted, keyring.Secret{Namespace: s.Namespace, Name: s.Name, Type: string(s.Type), Data: s.Data})
	}
	return keyring.Lookup(converted, image)
}

// differ compares the two on one case, and says how they differ.
func differ(in []corev1.Secret, image string) (diff string, offers int, broken bool) {
	want, err := theirs(in, image)
	got, report := ours(in, image)
	if err != nil {
		if report.Broken != evidence.Clean(err.Error()) || len(got) > 0 {
			return fmt.Sprintf("broken %q with %d credentials; the kubelet says %v", report.Broken, len(got), err), 0, true
		}
		return "", 0, true
	}
	if report.Broken != "" {
		return fmt.Sprintf("broken %q; the kubelet finds %d", report.Broken, len(want)), 0, false
	}
	if len(got) != len(want) {
		return fmt.Sprintf("%d credentials, the kubelet finds %d: %v", len(got), len(want), want), 0, false
	}
	have := make([]offer, 0, len(got))
	for _, c := range got {
		have = append(have, offer{secret: c.Login.Secret, user: c.Username, password: c.Password})
	}
	if !slices.Equal(have, want) {
		for _, run := range random(in, have) {
			sortOffers(have[run[0]:run[1]])
			sortOffers(want[run[0]:run[1]])
		}
	}
	if !slices.Equal(have, want) {
		return fmt.Sprintf("in this order %v, the kubelet's is %v", have, want), 0, false
	}
	if diff := consistent(got, report); diff != "" {
		return diff, 0, false
	}
	return "", len(got), false
}

// random gives the stretches whose order is random in the kubelet: spellings of one key in one secret, which it
// takes from a map. A credential that stands under several keys of its secret counts for each of them.
func random(in []corev1.Secret, got []offer) [][2]int {
	stored := map[offer][]string{}
	for _, s := range in {
		for written, e := range entriesOf(s) {
			if k, err := evidence.ParseKey(written); err == nil {
				o := offer{s.Namespace + "/" + s.Name, e.Username, e.Password}
				stored[o] = append(stored[o], k.String())
			}
		}
	}
	var out [][2]int
	for i := 0; i < len(got); {
		j := i + 1
		for j < len(got) && got[j].secret == got[i].secret &&
			slices.ContainsFunc(stored[got[j]], func(k string) bool { return slices.Contains(stored[got[j-1]], k) }) {
			j++
		}
		out = append(out, [2]int{i, j})
		i = j
	}
	return out
}

// entriesOf reads a secret that is known to parse.
func entriesOf(s corev1.Secret) credentialprovider.DockerConfig {
	var file credentialprovider.DockerConfigJSON
	switch string(s.Type) {
	case jsonType:
		_ = json.Unmarshal(s.Data[corev1.DockerConfigJsonKey], &file) // nothing to read is nothing found
	case oldType:
		_ = json.Unmarshal(s.Data[corev1.DockerConfigKey], &file.Auths) // as above
	}
	return file.Auths
}

func sortOffers(o []offer) {
	slices.SortFunc(o, func(a, b offer) int {
		switch x, y := fmt.Sprint(a), fmt.Sprint(b); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
}

// consistent holds the report to the credentials: the entries that match are they, in their order, and come first.
func consistent(got []keyring.Credential, report evidence.Keyring) string {
	n := 0
	for i, e := range report.Entries {
		if e.Why == "" {
			return fmt.Sprintf("entry %q says nothing", e.Key)
		}
		if !e.Matches {
			continue
		}
		if i != n || n >= len(got) || e.Login != got[n].Login {
			return fmt.Sprintf("entry %d, %q, matches and is not credential %d", i, e.Key, n)
		}
		n++
	}
	if n != min(len(got), keyring.MaxEntries) {
		return fmt.Sprintf("%d entries match, of %d credentials", n, len(got))
	}
	return ""
}

// cases is how many are compared.
const cases = 120_000

func TestSameAsTheKubelet(t *testing.T) {
	t.Parallel()
	const shards = 4
	for shard := range shards {
		t.Run(fmt.Sprint(shard), func(t *testing.T) {
			t.Parallel()
			g := generator{rand.New(rand.NewPCG(36, uint64(shard)))}
			offered, broken, several, failed := 0, 0, 0, 0
			for range cases / shards {
				in, image := g.secrets(), g.image()
				diff, offers, isBroken := differ(in, image)
				if diff != "" {
					failed++
					t.Errorf("image %q\n%s\n%s", image, show(in), diff)
					if failed == 5 {
						t.FailNow()
					}
				}
				offered += min(offers, 1)
				several += min(offers/2, 1)
				if isBroken {
					broken++
				}
			}
			t.Logf("%d cases: %d with credentials, %d with several, %d broken", cases/shards, offered, several, broken)
			if offered*3 < cases/shards || several*10 < cases/shards || broken*20 < cases/shards {
				t.Error("the generator's cases are all of one kind")
			}
		})
	}
}

// TestReadable holds the entries to what their order says.
func TestReadable(t *testing.T) {
	t.Parallel()
	for i, e := range entries {
		_, err := theirs([]corev1.Secret{secret("a", jsonType, config(entry("reg.io", e)))}, "reg.io/app")
		if (err == nil) != (i < readable) {
			t.Errorf("entry %d, %s: %v", i, e, err)
		}
	}
}

// TestEveryPair compares every key of the quirks with every image, alone and beside another entry.
func TestEveryPair(t *testing.T) {
	t.Parallel()
	n := 0
	for _, key := range keys {
		for _, image := range images {
			for _, in := range [][]corev1.Secret{
				{secret("a", jsonType, config(entry(key, good("u1", "p1"))))},
				{secret("a", jsonType, config(entry(key, good("u1", "p1")), entry("docker.io", good("u2", "p2")))), secret("b", oldType, older(entry("index.docker.io", good("u3", "p3"))))},
			} {
				n++
				if diff, _, _ := differ(in, image); diff != "" {
					t.Fatalf("key %q, image %q: %s", key, image, diff)
				}
			}
		}
	}
	t.Logf("%d keys, %d images: %d cases", len(keys), len(images), n)
}

// TestSameRepository compares the reading of references that needs the standard library only.
func TestSameRepository(t *testing.T) {
	t.Parallel()
	g := generator{rand.New(rand.NewPCG(36, 99))}
	for i := range 50_000 {
		image := g.image()
		if i < len(images) {
			image = images[i]
		}
		want, _, _, err := parsers.ParseImageName(image)
		if got, ok := evidence.Repository(image); ok != (err == nil) || got != want {
			t.Fatalf("Repository(%q) = %q, %v, the kubelet's %q, %v", image, got, ok, want, err)
		}
	}
}

// FuzzLookup compares the two on arbitrary data of three secrets and an arbitrary image.
func FuzzLookup(f *testing.F) {
	for i, key := range keys {
		image := images[i%len(images)]
		f.Add(config(entry(key, good("u", "p"))), older(entry(keys[(i*7+1)%len(keys)], good("v", "q"))), image)
	}
	for i, e := range entries {
		f.Add(config(entry("reg.io", e)), older(entry("reg.io/team", e)), images[i%len(images)])
	}
	for _, d := range data {
		f.Add([]byte(d), []byte(d), "reg.io/team/app:1")
	}
	f.Fuzz(func(t *testing.T, a, b []byte, image string) {
		in := []corev1.Secret{secret("a", jsonType, a), secret("b", oldType, b), secret("c", "Opaque", a)}
		if diff, _, _ := differ(in, image); diff != "" {
			t.Errorf("image %q\n%s\n%s", image, show(in), diff)
		}
		// However odd the rest is, no password gets into the report.
		const password = "S3cr3tS3cr3tS3cr3t"
		in = append(in, secret("d", jsonType, config(entry(image, good("u", password)), entry("reg.io", `{"username":"v","password":"`+password+`"}`))))
		creds, report := ours(in, image)
		text, err := json.Marshal([]any{report, creds})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), password[:12]) || strings.Contains(string(text), base64.StdEncoding.EncodeToString([]byte("u:" + password))[:16]) {
			t.Errorf("the password came out: %s", text)
		}
	})
}
