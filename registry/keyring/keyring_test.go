package keyring_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refloat-dev/refloat/registry/keyring"
)

const (
	modern = "kubernetes.io/dockerconfigjson"
	older  = "kubernetes.io/dockercfg"
)

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// secretOf makes a secret of entries: a key, a user and a password each.
func secretOf(name string, entries ...[3]string) keyring.Secret {
	auths := map[string]any{}
	for _, e := range entries {
		auths[e[0]] = map[string]string{"auth": b64(e[1] + ":" + e[2])}
	}
	data, err := json.Marshal(map[string]any{"auths": auths})
	if err != nil {
		panic(err) // texts always have JSON
	}
	return raw(name, modern, string(data))
}

func raw(name, kind, data string) keyring.Secret {
	key := ".dockerconfigjson"
	if kind == older {
		key = ".dockercfg"
	}
	return keyring.Secret{Namespace: "shop", Name: name, Type: kind, Data: map[string][]byte{key: []byte(data)}}
}

func users(creds []keyring.Credential) []string {
	var out []string
	for _, c := range creds {
		out = append(out, c.Username+":"+c.Password)
	}
	return out
}

func TestLookupOrder(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		secrets []keyring.Secret
		image   string
		want    []string
	}{
		{"none", nil, "nginx", nil},
		{"longest path first", []keyring.Secret{secretOf("a", [3]string{"reg.io", "u1", "p"}, [3]string{"reg.io/a/b", "u2", "p"}), secretOf("b", [3]string{"reg.io/a", "u3", "p"})}, "reg.io/a/b/c:1", []string{"u2:p", "u3:p", "u1:p"}},
		{"one key in the order of the secrets", []keyring.Secret{secretOf("z", [3]string{"https://reg.io/v2/", "u1", "p"}), secretOf("a", [3]string{"reg.io", "u2", "p"})}, "reg.io/a", []string{"u1:p", "u2:p"}},
		{"a secret named twice", []keyring.Secret{secretOf("a", [3]string{"reg.io", "u", "p"}), secretOf("a", [3]string{"reg.io", "u", "p"})}, "reg.io/a", []string{"u:p", "u:p"}},
		{"index.docker.io only where docker.io is not", []keyring.Secret{secretOf("a", [3]string{"https://index.docker.io/v1/", "u1", "p"}), secretOf("b", [3]string{"docker.io", "u2", "p"})}, "nginx", []string{"u2:p"}},
		{"index.docker.io", []keyring.Secret{secretOf("a", [3]string{"https://index.docker.io/v1/", "u1", "p"}), secretOf("b", [3]string{"docker.io/team", "u2", "p"})}, "nginx", []string{"u1:p"}},
		{"an empty entry is tried", []keyring.Secret{raw("a", modern, `{"auths":{"reg.io":{}},"credsStore":"desktop"}`)}, "reg.io/a", []string{":"}},
		{"another type", []keyring.Secret{raw("a", "Opaque", `{"auths":{"reg.io":{"auth":"!"}}}`), secretOf("b", [3]string{"reg.io", "u", "p"})}, "reg.io/a", []string{"u:p"}},
		{"both keys", []keyring.Secret{{Type: older, Data: map[string][]byte{".dockerconfigjson": []byte(`{"auths":{"reg.io":{"auth":"!"}}}`), ".dockercfg": []byte(`{"reg.io":{"auth":"` + b64("u:p") + `"}}`)}}}, "reg.io/a", []string{"u:p"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			creds, report := keyring.Lookup(tt.secrets, tt.image)
			if diff := cmp.Diff(tt.want, users(creds)); diff != "" || report.Broken != "" {
				t.Errorf("broken %q (-want +got)\n%s", report.Broken, diff)
			}
			for i, c := range creds {
				if e := report.Entries[i]; !e.Matches || e.Login != c.Login || e.Why == "" {
					t.Errorf("entry %d is %+v", i, e)
				}
			}
		})
	}
}

func TestLookupBroken(t *testing.T) {
	t.Parallel()
	good := secretOf("good", [3]string{"reg.io", "u", "p"})
	tests := []struct {
		name    string
		secrets []keyring.Secret
		image   string
		broken  string
		by      string
	}{
		{"bad base64 for another registry", []keyring.Secret{good, raw("bad", modern, `{"auths":{"other.io":{"auth":"!!!"}}}`)}, "reg.io/a", "illegal base64 data at input byte 0", "shop/bad"},
		{"the first one counts", []keyring.Secret{raw("bad", older, `[]`), raw("worse", modern, `{"auths":{"a":{"auth":"dXNlcg=="}}}`)}, "reg.io/a", "json: cannot unmarshal array into Go value of type credentialprovider.DockerConfig", "shop/bad"},
		{"no colon", []keyring.Secret{raw("bad", modern, `{"auths":{"a":{"auth":"dXNlcg=="}}}`)}, "nginx", "unable to parse auth field, must be formatted as base64(username:password)", "shop/bad"},
		{"image", []keyring.Secret{good}, "reg.io/App", `couldn't parse image name "reg.io/App": invalid reference format: repository name (App) must be lowercase`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			creds, report := keyring.Lookup(tt.secrets, tt.image)
			if len(creds) != 0 || report.Broken != tt.broken || report.BrokenBy != tt.by {
				t.Errorf("%d credentials, broken %q by %q", len(creds), report.Broken, report.BrokenBy)
			}
		})
	}
	_, report := keyring.Lookup(tests[0].secrets, "reg.io/a")
	var problems []string
	for _, e := range report.Entries {
		problems = append(problems, e.Key+" "+e.Problem)
	}
	if diff := cmp.Diff([]string{"reg.io ", "other.io illegal base64 data at input byte 0"}, problems); diff != "" {
		t.Error(diff)
	}
}

func TestNothingPrints(t *testing.T) {
	t.Parallel()
	s := secretOf("a", [3]string{"reg.io", "user", "hunter2hunter2"})
	creds, report := keyring.Lookup([]keyring.Secret{s}, "reg.io/a")
	type holder struct {
		S keyring.Secret
		C []keyring.Credential
		P *keyring.Credential
	}
	h := holder{s, creds, &creds[0]}
	var text bytes.Buffer
	fmt.Fprintf(&text, "%v %+v %#v %s %q %x %d %v", h, h, h, h, h, h, h, &h)
	fmt.Fprint(&text, creds[0].String(), creds[0].GoString(), report)
	slog.New(slog.NewTextHandler(&text, nil)).Info("x", "secret", s, "credential", creds[0], "all", h)
	slog.New(slog.NewJSONHandler(&text, nil)).Info("x", "secret", s, "credential", creds[0], "all", h)
	if err := json.NewEncoder(&text).Encode(h); err != nil {
		t.Fatal(err)
	}
	for _, mark := range []string{"hunter2", b64("hunter2")[:9], b64("user:hunter2")[:12], "68756e746572", "104 117 110 116"} {
		if strings.Contains(text.String(), mark) {
			t.Errorf("%s is in %s", mark, text.String())
		}
	}
	if !strings.Contains(text.String(), "reg.io in shop/a") {
		t.Errorf("no name in %s", text.String())
	}
}

func TestBounded(t *testing.T) {
	t.Parallel()
	var entries [][3]string
	for i := range 4000 {
		entries = append(entries, [3]string{fmt.Sprintf("reg.io/team-%d", i), "u", "p"}, [3]string{fmt.Sprintf("r%d.io", i), "u", "p"})
	}
	entries = append(entries, [3]string{strings.Repeat("x", 100_000), strings.Repeat("u", 100_000), strings.Repeat("p", 100_000)}, [3]string{"reg.io", "me", "p"})
	creds, report := keyring.Lookup([]keyring.Secret{secretOf("a", entries...)}, "reg.io/app")
	if len(creds) != 1 || creds[0].Username != "me" || len(report.Entries) != keyring.MaxEntries {
		t.Errorf("%d credentials, %d entries", len(creds), len(report.Entries))
	}
	out, err := json.Marshal(report)
	if err != nil || len(out) > 200_000 {
		t.Errorf("%d bytes, %v", len(out), err)
	}
	if !report.Entries[0].Matches || !report.Entries[1].Near {
		t.Error("what matters does not come first")
	}
}
