package keyring_test

import (
	"strings"
	"testing"

	"github.com/refloat-dev/refloat/registry/keyring"
)

// TestNearMisses holds every near miss to a reason and to what to write instead, and that to working.
func TestNearMisses(t *testing.T) {
	t.Parallel()
	const ecr = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
	tests := []struct {
		key, image string
		why, hint  string // parts
	}{
		{"https://index.docker.io/v1", "nginx", "only with a slash behind it", "write https://index.docker.io/v1/"},
		{"registry-1.docker.io", "nginx", "does not take registry-1.docker.io for Docker Hub", "https://index.docker.io/v1/"},
		{"https://hub.docker.com/", "nginx", "does not take hub.docker.com", "https://index.docker.io/v1/"},
		{"registry.hub.docker.com", "team/app", "does not take registry.hub.docker.com", "https://index.docker.io/v1/"},
		{"*.docker.io", "nginx", "does not take *.docker.io", "https://index.docker.io/v1/"},
		{"index.docker.io/library", "nginx", "only as a whole", "docker.io/library"},
		{"docker.io/team", "nginx", "its path /team does not begin /library/nginx", "docker.io/library"},
		{"team", "team/app", "names no registry", "docker.io/team"},
		{"https://reg.io/v2", "reg.io/a/b", "only with a slash behind it", "write reg.io"},
		{"reg.io:443", "reg.io/a/b", "port is not the image's", "write reg.io"},
		{"reg.io", "reg.io:5000/a", "port is not the image's", "write reg.io:5000"},
		{"reg.io:5001/team", "reg.io:5000/team/a", "port is not the image's", "write reg.io:5000/team"},
		{"reg.io/a/b:v1", "reg.io/a/b:v1", "ends in a tag", "write reg.io/a/b"},
		{"reg.io/a/b/", "reg.io/a/b", "ends in a slash", "write reg.io/a/b"},
		{"REG.IO", "reg.io/a", "upper case", "write reg.io"},
		{"Reg.io/Team", "reg.io/team/a", "upper case", "write reg.io/team"},
		{"oci://reg.io", "reg.io/a", "scheme", "write reg.io"},
		{"HTTPS://reg.io", "reg.io/a", "scheme", "write reg.io"},
		{"OCI://REG.IO:443/v2", "reg.io/a", "scheme", "write reg.io"},
		{"reg.io/*", "reg.io/a/b", "* stands in its path", "write reg.io"},
		{"reg.io/a/*", "reg.io/a/b", "* stands in its path", "write reg.io/a"},
		{"*", "reg.io/a", "one label", "write reg.io"},
		{" reg.io", "reg.io/a", "blank", "write reg.io"},
		{"reg.io ", "reg.io/a", "blank", "write reg.io"},
		{"reg.io\n", "reg.io/a", "line break", "write reg.io"},
		{"reg.io.", "reg.io/a", "ends in a dot", "write reg.io"},
		{"*.reg.io", "a.b.reg.io/x", "one label", "write a.b.reg.io"},
		{"*.*.reg.io", "a.reg.io/x", "one label", "write a.reg.io"},
		{"reg.io", "a.reg.io/x", "whole name", "write a.reg.io"},
		{"reg.io/team-b", "reg.io/team-a/app", "its path /team-b does not begin /team-a/app", "write reg.io/team-a, if"},
		{"123456789012.dkr.ecr.us-east-1.amazonaws.com", ecr + "/web", "it is for ECR in us-east-1, and the image is in eu-west-1", "write " + ecr},
		{"210987654321.dkr.ecr.eu-west-1.amazonaws.com", ecr + "/web", "account 210987654321", "write " + ecr},
		{"gcr.io", "europe-docker.pkg.dev/p/r/app", "registries of their own", "write europe-docker.pkg.dev"},
		{"https://eu.gcr.io", "gcr.io/p/app", "registries of their own", "write gcr.io"},
		{"gitlab.com", "registry.gitlab.com/t/app", "the image is in registry.gitlab.com", "write registry.gitlab.com"},
		{"docker.pkg.github.com", "ghcr.io/t/app", "the image is in ghcr.io", "write ghcr.io"},
	}
	for _, tt := range tests {
		t.Run(tt.key+" for "+tt.image, func(t *testing.T) {
			t.Parallel()
			creds, report := keyring.Lookup([]keyring.Secret{secretOf("a", [3]string{tt.key, "u", "p"})}, tt.image)
			if len(creds) != 0 || len(report.Entries) != 1 {
				t.Fatalf("%d credentials, %d entries", len(creds), len(report.Entries))
			}
			e := report.Entries[0]
			if !e.Near || e.Matches || !strings.Contains(e.Why, tt.why) || !strings.Contains(e.Hint, tt.hint) {
				t.Errorf("%+v", e)
			}
			fixed, _, _ := strings.Cut(strings.TrimPrefix(e.Hint, "write "), ",")
			if creds, _ := keyring.Lookup([]keyring.Secret{secretOf("a", [3]string{fixed, "u", "p"})}, tt.image); len(creds) != 1 {
				t.Errorf("%s does not work either", fixed)
			}
		})
	}
	for _, key := range []string{"other.io", "quay.io", "shop.azurecr.io", "https://index.docker.io/v1/", "*.other.io", "reg.com", "localhost:5000"} {
		_, report := keyring.Lookup([]keyring.Secret{secretOf("a", [3]string{key, "u", "p"})}, "reg.io/team/app")
		if e := report.Entries[0]; e.Near || e.Why != "it is another registry's" || e.Hint != "" {
			t.Errorf("%+v", e)
		}
	}
}

// TestLostEntries holds entries that the kubelet never sees to a reason.
func TestLostEntries(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		secret    keyring.Secret
		why, hint string
	}{
		{"Opaque", raw("a", "Opaque", `{"auths":{"reg.io":{"auth":"`+b64("u:p")+`"}}}`), "the secret's type is Opaque", "create it again as kubernetes.io/dockerconfigjson"},
		{"no type, another key", keyring.Secret{Name: "a", Data: map[string][]byte{"config.json": []byte(`{"auths":{"reg.io":{}}}`)}}, "reads only", "create it again"},
		{"nothing where it reads", keyring.Secret{Name: "a", Type: modern, Data: map[string][]byte{"config.json": []byte(`{"auths":{"reg.io":{}}}`)}}, "nothing under the key .dockerconfigjson", "put the data under .dockerconfigjson"},
		{"auths in the older file", raw("a", older, `{"auths":{"reg.io":{"auth":"`+b64("u:p")+`"}}}`), "under auths in a .dockercfg", "leave auths out"},
		{"no auths", raw("a", modern, `{"reg.io":{"auth":"`+b64("u:p")+`"}}`), "does not stand under auths", "auths"},
		{"helper", raw("a", modern, `{"credHelpers":{"reg.io":"ecr-login"}}`), "under credHelpers", "user and password"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			creds, report := keyring.Lookup([]keyring.Secret{tt.secret}, "reg.io/team/app")
			if len(creds) != 0 || len(report.Entries) == 0 {
				t.Fatalf("%d credentials, %+v", len(creds), report)
			}
			if e := report.Entries[0]; !e.Near || !strings.Contains(e.Why, tt.why) || !strings.Contains(e.Hint, tt.hint) {
				t.Errorf("%+v", e)
			}
		})
	}
}

// TestHidden: docker.io hides index.docker.io.
func TestHidden(t *testing.T) {
	t.Parallel()
	_, report := keyring.Lookup([]keyring.Secret{secretOf("a", [3]string{"https://index.docker.io/v1/", "u", "p"}, [3]string{"docker.io", "v", "q"})}, "nginx")
	if len(report.Entries) != 2 || report.Entries[0].Key != "docker.io" {
		t.Fatalf("%+v", report)
	}
	if e := report.Entries[1]; !e.Near || e.Matches || !strings.Contains(e.Why, "only where no other entry matches") || e.Hint == "" {
		t.Errorf("%+v", e)
	}
}

func TestWhyItMatches(t *testing.T) {
	t.Parallel()
	for _, tt := range [][3]string{
		{"reg.io", "reg.io/a", "it is the image's registry"}, {"https://index.docker.io/v1/", "nginx", "it is Docker Hub"}, {"index.docker.io", "localhost/a", "for Docker Hub"},
		{"*.io", "reg.io/a", "its pattern fits"}, {"reg.io/team", "reg.io/team/a", "begins its path"}, {"reg.io/team", "reg.io/teams/a", "need not be a whole path component"},
	} {
		_, report := keyring.Lookup([]keyring.Secret{secretOf("a", [3]string{tt[0], "u", "p"})}, tt[1])
		if e := report.Entries[0]; !e.Matches || !strings.Contains(e.Why, tt[2]) {
			t.Errorf("%v: %+v", tt, e)
		}
	}
	_, report := keyring.Lookup([]keyring.Secret{secretOf("a", [3]string{"reg.io", "u", "p"}, [3]string{"https://reg.io/v2/", "v", "q"}, [3]string{"reg.io/a", "w", "r"})}, "reg.io/a")
	if w := report.Entries[0].Why; !strings.HasSuffix(w, "number 1 of 3") {
		t.Error(w)
	}
	if w := report.Entries[2].Why; !strings.Contains(w, "number 3 of 3, in random order") {
		t.Error(w)
	}
}
