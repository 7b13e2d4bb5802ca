package provider

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refloat-dev/refloat/evidence"
)

const yamlConfig = `apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
- name: ecr
  apiVersion: credentialprovider.kubelet.k8s.io/v1
  matchImages: ["*.dkr.ecr.*.amazonaws.com"]
  defaultCacheDuration: "12h"
  env: [{name: TOKEN, value: hunter2hunter2}]
`

func TestParse(t *testing.T) {
	t.Parallel()
	edit := func(old, new string) string { return strings.Replace(yamlConfig, old, new, 1) }
	for _, tt := range []struct{ name, data, err string }{
		{"sound", yamlConfig, ""},
		{"JSON", configOf("reg.lab", []string{"answer"}), ""},
		{"an older version", edit("config.k8s.io/v1", "config.k8s.io/v1alpha1"), ""},
		{"an older protocol", edit("k8s.io/v1\n  m", "k8s.io/v1beta1\n  m"), ""},
		{"empty", "", `its apiVersion is ""`},
		{"no version", edit("config.k8s.io/v1", "config.k8s.io/v2"), `its apiVersion is "kubelet.config.k8s.io/v2"`},
		{"another kind", edit("CredentialProviderConfig", "KubeletConfiguration"), `its kind is "KubeletConfiguration"`},
		{"an unknown field", edit("name: ecr", "name: ecr\n  matchImage: [a]"), `unknown field "providers[0].matchImage"`},
		{"a field in other letters", edit("matchImages", "matchimages"), `unknown field "providers[0].matchimages"`},
		{"a field twice", edit("name: ecr", "name: ecr\n  name: gcr"), "already set"},
		{"a field twice in JSON", `{"apiVersion":"kubelet.config.k8s.io/v1","kind":"CredentialProviderConfig","kind":"CredentialProviderConfig"}`, `duplicate field "kind"`},
		{"no YAML", "a: [", "yaml:"},
		{"a list", "[]", "json: cannot unmarshal array"},
		{"a number for a duration", edit(`"12h"`, "12"), "a duration is a text such as 12h"},
		{"no duration", edit(`"12h"`, "a day"), "a duration is a text such as 12h"},
		{"a token in an old version", strings.Replace(edit("config.k8s.io/v1", "config.k8s.io/v1beta1"), "name: ecr", "name: ecr\n  tokenAttributes: {}", 1), "tokenAttributes is not known in"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := parse([]byte(tt.data))
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestBadConfig(t *testing.T) {
	t.Parallel()
	edit := func(old, new string) string { return strings.Replace(yamlConfig, old, new, 1) }
	token := func(attributes string) string {
		return edit("name: ecr", "name: ecr\n  tokenAttributes: {"+attributes+"}")
	}
	for _, tt := range []struct {
		name  string
		files map[string]string // below conf
		err   string
	}{
		{"no file", nil, "/conf: no such file or directory"},
		{"an empty folder", map[string]string{"conf/README": ""}, "/conf: the folder has no .json, .yaml or .yml"},
		{"a name twice", map[string]string{"conf/1.yaml": yamlConfig, "conf/2.yml": yamlConfig}, `/conf/2.yml: two providers have the name "ecr"`},
		{"nothing in it", map[string]string{"conf/1.json": `{"apiVersion":"kubelet.config.k8s.io/v1","kind":"CredentialProviderConfig"}`}, "/conf: it has no providers"},
		{"a slash", map[string]string{"conf/1.yaml": edit("name: ecr", "name: ../ecr")}, "its name may have no slash"},
		{"no protocol", map[string]string{"conf/1.yaml": edit("k8s.io/v1\n  m", "k8s.io/v3\n  m")}, "where credentialprovider.kubelet.k8s.io/v1 belongs"},
		{"no images", map[string]string{"conf/1.yaml": edit(`["*.dkr.ecr.*.amazonaws.com"]`, "[]")}, "it has no matchImages"},
		{"no host", map[string]string{"conf/1.yaml": edit(`*.dkr`, "a b")}, "of its matchImages is no host"},
		{"no cache duration", map[string]string{"conf/1.yaml": edit(`  defaultCacheDuration: "12h"`+"\n", "")}, "it has no defaultCacheDuration"},
		{"less than no cache", map[string]string{"conf/1.yaml": edit("12h", "-1s")}, "less than none"},
		{"no audience", map[string]string{"conf/1.yaml": token("requireServiceAccount: true, cacheType: Token")}, "no serviceAccountTokenAudience"},
		{"no word on accounts", map[string]string{"conf/1.yaml": token("serviceAccountTokenAudience: a, cacheType: Token")}, "no requireServiceAccount"},
		{"no cache type", map[string]string{"conf/1.yaml": token("serviceAccountTokenAudience: a, requireServiceAccount: true")}, "neither ServiceAccount nor Token"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, true, "")
			n.start(t, nil, "--image-credential-provider-config=/conf", "--image-credential-provider-bin-dir=/bin")
			for path, text := range tt.files {
				n.write(t, path, text)
			}
			facts, _, gaps := Look(t.Context(), n.Host, "reg.lab/app")
			silent(t, facts, nil, gaps)
			if len(facts) != 1 || facts[0].Result != evidence.ProviderBadConfig || !strings.Contains(facts[0].Text, tt.err) || strings.Contains(facts[0].Text, n.dir) {
				t.Errorf("%+v %v", facts, gaps)
			}
		})
	}
}

// TestUnread: what only we cannot read is a gap.
func TestUnread(t *testing.T) {
	t.Parallel()
	n := newNode(t, true, strings.Repeat("#", maxConfig+1))
	facts, _, gaps := Look(t.Context(), n.Host, "reg.lab/app")
	if len(facts) != 0 || len(gaps) != 1 || !gaps[0].Deciding || !strings.Contains(gaps[0].Why, "/config.yaml: larger than it may be") {
		t.Errorf("%+v %+v", facts, gaps)
	}
}

// TestChanged: the kubelet reads its configuration at its start alone.
func TestChanged(t *testing.T) {
	t.Parallel()
	n := newNode(t, true, configOf("other.lab", []string{"answer"}))
	n.install(t, "p0", 0o755)
	start := time.Now().Add(-time.Hour)
	machine, stat := []byte("cpu 1\nbtime "+itoa(start.Unix())+"\n"), []byte("12 (kubelet) S"+strings.Repeat(" 0", 18)+" 100 0\n")
	if err := os.WriteFile(filepath.Join(n.Proc, "stat"), machine, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(n.Proc, "12/stat"), stat, 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, gaps := Look(t.Context(), n.Host, "reg.lab/app")
	if len(gaps) != 1 || !strings.HasPrefix(gaps[0].Why, "/config.yaml changed at ") {
		t.Errorf("%+v", gaps)
	}
	before := start.Add(-time.Minute)
	if err := os.Chtimes(filepath.Join(n.dir, "config.yaml"), before, before); err != nil {
		t.Fatal(err)
	}
	if _, _, gaps = Look(t.Context(), n.Host, "reg.lab/app"); len(gaps) != 0 {
		t.Errorf("%+v", gaps)
	}
}

func itoa(n int64) string {
	text, _ := json.Marshal(n)
	return string(text)
}

// FuzzConfig: what is read of a configuration can be matched against any image, and its errors end.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(yamlConfig), "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app")
	f.Add([]byte(configOf("https://reg.lab:443/%zz", []string{"answer"})), "reg.lab/app")
	f.Add([]byte("a: [*b"), "nginx")
	f.Fuzz(func(t *testing.T, data []byte, image string) {
		entries, err := parse(data)
		repository, ok := evidence.Repository(image)
		if err != nil || !ok {
			return
		}
		l := &looker{kubelet: &kubelet{}, repository: repository}
		for _, e := range entries {
			if e.validate() != nil {
				continue
			}
			p := &evidence.Provider{}
			if l.match(p, e); (p.Matches == evidence.Yes) != (p.Why == "") || p.Near && p.Hint == "" {
				t.Errorf("%+v", p)
			}
		}
	})
}

// FuzzResponse: what is read of an answer is a docker config, and an error holds no password.
func FuzzResponse(f *testing.F) {
	const v1 = "credentialprovider.kubelet.k8s.io/v1"
	f.Add([]byte(`{"kind":"CredentialProviderResponse","apiVersion":"`+v1+`","cacheKeyType":"Image","cacheDuration":"5m","auth":{"reg.lab":{"username":"u","password":"p"}}}`), "hunter2hunter2")
	f.Add([]byte(`{"kind":"CredentialProviderResponse","apiVersion":"`+v1+`","auth":{"reg.lab":{"password":1}}}`), "")
	f.Fuzz(func(t *testing.T, data []byte, password string) {
		auth, err := readResponse(data, v1)
		if err == nil && !json.Valid(auth) {
			t.Errorf("%s", auth)
		}
		quoted, _ := json.Marshal(password)
		if len(password) < 12 || bytes.Contains(quoted, []byte(`\`)) || strings.Contains(v1+"CredentialProviderResponse", password) {
			return
		}
		answer := []byte(`{"kind":"CredentialProviderResponse","apiVersion":"` + v1 + `","cacheKeyType":"Image","auth":{"reg.lab":{"username":"u","password":` + string(quoted) + `}}}`)
		if shown := hide("it said "+password, texts(answer)); strings.Contains(shown, password) {
			t.Errorf("%s is in %s", password, shown)
		}
		if _, err := readResponse(append(answer, '}'), v1); err == nil || strings.Contains(err.Error(), password) {
			t.Errorf("%v", err)
		}
	})
}
