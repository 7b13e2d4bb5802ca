package dockerconfig_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refloat-dev/refloat/internal/dockerconfig"
)

func auth(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, data string
		older      bool
		want       map[string][2]string // key → user and password
		err        string
	}{
		{name: "auth", data: `{"auths":{"reg.lab":{"auth":"` + auth("u:p:q") + `"}}}`, want: map[string][2]string{"reg.lab": {"u", "p:q"}}},
		{name: "auth wins", data: `{"auths":{"reg.lab":{"auth":"` + auth("u:p") + `","username":"x","password":"y"}}}`, want: map[string][2]string{"reg.lab": {"u", "p"}}},
		{name: "user and password", data: `{"auths":{"reg.lab":{"username":"x","password":"y"}}}`, want: map[string][2]string{"reg.lab": {"x", "y"}}},
		{name: "padding left out", data: `{"auths":{"reg.lab":{"auth":"` + strings.TrimRight(auth("user:pw"), "=") + `"}}}`, want: map[string][2]string{"reg.lab": {"user", "pw"}}},
		{name: "line break in base64", data: `{"auths":{"reg.lab":{"auth":"` + auth("u:p") + `\n"}}}`, want: map[string][2]string{"reg.lab": {"u", "p"}}},
		{name: "line break in the password", data: `{"auths":{"reg.lab":{"auth":"` + auth("u:p\n") + `"}}}`, want: map[string][2]string{"reg.lab": {"u", "p\n"}}},
		{name: "fields in upper case", data: `{"AUTHS":{"reg.lab":{"USERNAME":"x"}}}`, want: map[string][2]string{"reg.lab": {"x", ""}}},
		{name: "null", data: `{"auths":{"reg.lab":null}}`, want: map[string][2]string{"reg.lab": {}}},
		{name: "older", data: `{"reg.lab":{"auth":"` + auth("u:p") + `"}}`, older: true, want: map[string][2]string{"reg.lab": {"u", "p"}}},
		{name: "older with a wrapper", data: `{"auths":{"reg.lab":{}}}`, older: true, want: map[string][2]string{"auths": {}}},
		{name: "no wrapper", data: `{"reg.lab":{"auth":"!"}}`, want: map[string][2]string{}},
		{name: "bad base64", data: `{"auths":{"reg.lab":{"auth":"!!!"}}}`, err: "illegal base64 data at input byte 0"},
		{name: "no colon", data: `{"auths":{"reg.lab":{"auth":"` + auth("user") + `"}}}`, err: "unable to parse auth field, must be formatted as base64(username:password)"},
		{name: "auths is a list", data: `{"auths":[]}`, err: "json: cannot unmarshal array into Go struct field DockerConfigJSON.auths of type credentialprovider.DockerConfig"},
		{name: "all is a list", data: `[]`, older: true, err: "json: cannot unmarshal array into Go value of type credentialprovider.DockerConfig"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := dockerconfig.Parse([]byte(tt.data), !tt.older)
			if tt.err != "" {
				if err == nil || err.Error() != tt.err {
					t.Errorf("error %v, want %s", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			have := map[string][2]string{}
			for key, e := range got {
				have[key] = [2]string{e.Username, e.Password}
			}
			if diff := cmp.Diff(tt.want, have); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	const data = `{"auths":{"b.lab":{"auth":"!"},"a.lab":{"identitytoken":"x"},"c.lab":{"auth":"dTpw"}},"d.lab":{"auth":"dTpw"},
		"credHelpers":{"e.lab":"ecr-login"},"credsStore":"desktop","HttpHeaders":{"User-Agent":"x"}}`
	want := dockerconfig.Outline{
		Keys: []string{"a.lab", "b.lab", "c.lab"}, Broken: map[string]string{"b.lab": "illegal base64 data at input byte 0"},
		Ignored: map[string]string{"a.lab": "identitytoken"}, Misplaced: []string{"d.lab"}, Helpers: []string{"e.lab"}, Store: true,
	}
	if diff := cmp.Diff(want, dockerconfig.Describe([]byte(data), true)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	older := dockerconfig.Describe([]byte(`{"auths":{"a.lab":{"auth":"dTpw"}}}`), false)
	if diff := cmp.Diff([]string{"a.lab"}, older.Misplaced); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestEntryDoesNotPrint(t *testing.T) {
	t.Parallel()
	e := dockerconfig.Entry{Username: "hunter1", Password: "hunter2"}
	asJSON, err := json.Marshal(map[string]any{"a": e, "b": &e})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(asJSON), fmt.Sprintf("%v %+v %#v %s %q %x", e, e, e, e, &e, []dockerconfig.Entry{e})} {
		if strings.Contains(text, "hunter") || strings.Contains(text, "68756e746572") {
			t.Errorf("it prints %s", text)
		}
	}
}

// FuzzParse holds the parser to this: it ends, what it gives agrees with the outline, and
// its error comes out exactly where the outline finds a broken entry or the data are no config.
func FuzzParse(f *testing.F) {
	for _, data := range []string{
		`{"auths":{"reg.lab":{"auth":"dTpw","password":"x"}}}`, `{"reg.lab":{"auth":"dTpw"}}`, `{"auths":[]}`, `{"auths":{"a":{"auth":"!"}}}`,
		`{"auths":{"a":null},"credsStore":"desktop"}`, `{"auths":{"a":{"auth":"dTpw\n="}},"Auths":{"a":{}}}`, `null`,
	} {
		f.Add([]byte(data), true)
		f.Add([]byte(data), false)
	}
	f.Fuzz(func(t *testing.T, data []byte, wrapped bool) {
		got, err := dockerconfig.Parse(data, wrapped)
		o := dockerconfig.Describe(data, wrapped)
		if err != nil {
			if err.Error() == "" || got != nil {
				t.Errorf("error %q with %d entries", err, len(got))
			}
			return
		}
		if len(o.Broken) > 0 {
			t.Errorf("parsed, and yet broken: %v", o.Broken)
		}
		if len(got) != len(o.Keys) {
			t.Errorf("%d entries, %d keys", len(got), len(o.Keys))
		}
	})
}
