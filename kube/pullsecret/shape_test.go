package pullsecret_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/kube/pullsecret"
)

func secret(kind corev1.SecretType, key, data string) *corev1.Secret {
	return &corev1.Secret{Type: kind, Data: map[string][]byte{key: []byte(data)}}
}

func auth(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

const (
	modern = corev1.SecretTypeDockerConfigJson
	older  = corev1.SecretTypeDockercfg
)

func TestShape(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		secret     *corev1.Secret
		registries []string
		problem    string // a part of it; empty for none
		breaks     bool
	}{
		{"good", secret(modern, ".dockerconfigjson", `{"auths":{"reg.lab":{"auth":"`+auth("u:p")+`"},"https://index.docker.io/v1/":{"username":"u","password":"p"}}}`),
			[]string{"https://index.docker.io/v1/", "reg.lab"}, "", false},
		{"padding left out", secret(modern, ".dockerconfigjson", `{"auths":{"reg.lab":{"auth":"`+strings.TrimRight(auth("user:pw"), "=")+`"}}}`), []string{"reg.lab"}, "", false},
		{"older file", secret(older, ".dockercfg", `{"reg.lab":{"auth":"`+auth("u:p")+`"}}`), []string{"reg.lab"}, "", false},
		{"Opaque", secret(corev1.SecretTypeOpaque, ".dockerconfigjson", `{"auths":{"reg.lab":{"auth":"!"}}}`), []string{"reg.lab"}, "its type is Opaque", false},
		{"no key", secret(modern, "config.json", `{}`), nil, "nothing under the key .dockerconfigjson", false},
		{"empty value", secret(older, ".dockercfg", ``), nil, "nothing under the key .dockercfg", false},
		{"bad base64", secret(modern, ".dockerconfigjson", `{"auths":{"reg.lab":{"auth":"!!!"}}}`), []string{"reg.lab"}, "illegal base64 data at input byte 0", true},
		{"no colon", secret(modern, ".dockerconfigjson", `{"auths":{"reg.lab":{"auth":"`+auth("user")+`"}}}`), []string{"reg.lab"},
			"unable to parse auth field, must be formatted as base64(username:password)", true},
		{"one bad entry among good ones", secret(modern, ".dockerconfigjson", `{"auths":{"a.lab":{"auth":"`+auth("u:p")+`"},"b.lab":{"auth":"!!!"}}}`),
			[]string{"a.lab", "b.lab"}, "illegal base64", true},
		{"auths is a list", secret(modern, ".dockerconfigjson", `{"auths":[]}`), nil,
			"json: cannot unmarshal array into Go struct field DockerConfigJSON.auths of type credentialprovider.DockerConfig", true},
		{"entry is a text", secret(modern, ".dockerconfigjson", `{"auths":{"reg.lab":"x"}}`), []string{"reg.lab"},
			"of type credentialprovider.dockerConfigEntryWithAuth", true},
		{"password is a number", secret(modern, ".dockerconfigjson", `{"auths":{"reg.lab":{"password":12345}}}`), []string{"reg.lab"}, "cannot unmarshal number into Go struct field", true},
		{"not JSON", secret(modern, ".dockerconfigjson", `auths:`), nil, "invalid character", true},
		{"no auths", secret(modern, ".dockerconfigjson", `{"reg.lab":{"auth":"dTpw"}}`), nil, "no registry under auths", false},
		{"a store instead", secret(modern, ".dockerconfigjson", `{"credHelpers":{"reg.lab":"ecr-login"}}`), nil, "ignores credsStore and credHelpers", false},
		{"Docker Desktop's export", secret(modern, ".dockerconfigjson", `{"auths":{"reg.lab":{}},"credsStore":"desktop"}`), []string{"reg.lab"}, `"reg.lab" holds no user and password`, false},
		{"identity token alone", secret(modern, ".dockerconfigjson", `{"auths":{"reg.lab":{"identitytoken":"x"}}}`), []string{"reg.lab"}, "identitytoken", false},
		{"auths in the older file", secret(older, ".dockercfg", `{"auths":{"reg.lab":{"auth":"dTpw"}}}`), []string{"auths"}, "does not belong into a .dockercfg", false},
		{"line break", secret(modern, ".dockerconfigjson", `{"auths":{"reg.lab":{"auth":"`+auth("u:p\n")+`"}}}`), []string{"reg.lab"}, "ends in a line break", false},
		{"a credential in the key", secret(modern, ".dockerconfigjson", `{"auths":{"https://u:hunter2@reg.lab":{"auth":"dTpw"}}}`), []string{"https://REDACTED@reg.lab"}, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := pullsecret.Shape(tt.secret)
			if diff := cmp.Diff(tt.registries, got.Registries); diff != "" {
				t.Errorf("registries (-want +got)\n%s", diff)
			}
			if !strings.Contains(got.Problem, tt.problem) || (tt.problem == "") != (got.Problem == "") || got.Breaks != tt.breaks {
				t.Errorf("problem %q, breaks %v", got.Problem, got.Breaks)
			}
			for key, v := range tt.secret.Data {
				if strings.Trim(string(v), "\x00") != "" {
					t.Errorf("the data under %q is still there", key)
				}
			}
		})
	}
}

func TestShapeOwner(t *testing.T) {
	t.Parallel()
	yes := true
	at := metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	tests := []struct {
		name string
		meta metav1.ObjectMeta
		want string
	}{
		{"nobody", metav1.ObjectMeta{}, ""},
		{"external secret", metav1.ObjectMeta{OwnerReferences: []metav1.OwnerReference{{Kind: "ExternalSecret", Name: "regcred", Controller: &yes}}}, "ExternalSecret shop/regcred"},
		{"external secret that does not own it", metav1.ObjectMeta{Annotations: map[string]string{"reconcile.external-secrets.io/data-hash": "x"}}, "ExternalSecret"},
		{"reflector", metav1.ObjectMeta{Annotations: map[string]string{"reflector.v1.k8s.emberstack.com/reflects": "infra/regcred"}}, "reflector infra/regcred"},
		{"helm", metav1.ObjectMeta{Annotations: map[string]string{"meta.helm.sh/release-name": "web"}}, "helm release web"},
		{"field manager", metav1.ObjectMeta{ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "external-secrets", Time: &at}}}, "ExternalSecret"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := secret(modern, ".dockerconfigjson", "{}")
			s.ObjectMeta = tt.meta
			s.Namespace = "shop"
			if got := pullsecret.Shape(s); got.Owner != tt.want {
				t.Errorf("owner %q, want %q", got.Owner, tt.want)
			}
		})
	}
	s := secret(modern, ".dockerconfigjson", "{}")
	s.ManagedFields = tests[5].meta.ManagedFields
	if got := pullsecret.Shape(s); !got.Changed.Equal(at.Time) {
		t.Errorf("changed %v", got.Changed)
	}
}

// FuzzSecret holds the parser to two promises: whatever stands in a secret, it
// ends, and no password comes out.
func FuzzSecret(f *testing.F) {
	f.Add([]byte(`{"auths":{"reg.lab":{"auth":"dTpw","password":"x"}}}`), true)
	f.Add([]byte(`{"reg.lab":{"auth":"dTpw"}}`), false)
	f.Add([]byte(`{"auths":[]}`), true)
	f.Fuzz(func(t *testing.T, data []byte, isModern bool) {
		s := secret(older, ".dockercfg", string(data))
		if isModern {
			s = secret(modern, ".dockerconfigjson", string(data))
		}
		got := pullsecret.Shape(s)
		if got.Breaks && got.Problem == "" {
			t.Error("breaks without saying how")
		}
		if len(got.Problem) > evidence.MaxText {
			t.Errorf("a problem of %d bytes", len(got.Problem))
		}
		const password = "S3cr3tS3cr3tS3cr3t"
		s = secret(modern, ".dockerconfigjson", `{"auths":{"a":{"username":"u","password":"`+password+`"},"b":`+string(data)+`}}`)
		got = pullsecret.Shape(s)
		if strings.Contains(got.Problem+strings.Join(got.Registries, " "), password) {
			t.Errorf("the password came out: %q", got.Problem)
		}
	})
}
