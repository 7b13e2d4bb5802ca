package keyring

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

const (
	jsonType = string(corev1.SecretTypeDockerConfigJson)
	oldType  = string(corev1.SecretTypeDockercfg)
)

// keys are spellings that the kubelet reads in a way worth holding to.
var keys = []string{
	// Docker Hub and what people take for it.
	"https://index.docker.io/v1/", "https://index.docker.io/v2/", "https://index.docker.io/v1", "https://index.docker.io", "index.docker.io", "index.docker.io/v1/", "index.docker.io/",
	"docker.io", "https://docker.io", "docker.io/library", "docker.io/library/", "docker.io/library/nginx", "docker.io/team", "index.docker.io/library", "index.docker.io:443", "index.docker.io/v2/team",
	"registry-1.docker.io", "hub.docker.com", "registry.hub.docker.com", "*.docker.io", "*.docker.com", "docker.*", "*.io", "d*.io", "auth.docker.io", "library", "team", "team/app",
	// Schemes, slashes, API versions.
	"reg.io", "http://reg.io", "https://reg.io", "HTTPS://reg.io", "Https://reg.io/v2/", "oci://reg.io", "docker://reg.io", "//reg.io", "https:reg.io", "https:/reg.io", "https://https://reg.io", "http://https://reg.io",
	"https://reg.io/", "https://reg.io//", "https://reg.io/v1/", "https://reg.io/v2/", "https://reg.io/v1", "https://reg.io/v2", "https://reg.io/v3/", "https://reg.io/v2/team", "https://reg.io/v1/v2/", "https://reg.io/v2//team", "reg.io/api/v2/",
	// Paths.
	"reg.io/team", "reg.io/team/", "reg.io/team/app", "reg.io/team/app/", "reg.io/team/app:1", "reg.io/te", "reg.io/t", "reg.io/team/app@sha256:abc", "reg.io/TEAM", "reg.io/other", "reg.io/team/../other", "reg.io/./team",
	"reg.io/*", "reg.io/*/app", "reg.io/team/*", "reg.io/?", "reg.io/team?", "reg.io?x=y", "reg.io/team?x=y", "reg.io#f", "reg.io/team#f", "reg.io;a/b", "reg.io/%74eam", "reg.io/%2574eam", "reg.io/%3Fteam", "reg.io/%23team", "reg.io/%2Fteam", "reg.io/%0Ateam", "reg.io/%zz", "reg.io/%25zz", "reg.io/a b", "reg.io%2Fteam",
	// Ports.
	"reg.io:443", "reg.io:80", "reg.io:5000", "reg.io:", "reg.io:/team", "reg.io:05000", "reg.io:port", "reg.io:5000:6000", "reg.io:5000/team", "*.io:5000", "*:5000", "http://reg.io:80", ":5000", ":", "reg.io:99999999",
	// Globs.
	"*", "**", "*.*", "*.reg.io", "?eg.io", "r?g.io", "[r]eg.io", "[a-z]eg.io", "[!r]eg.io", "[^r]eg.io", "[reg.io", "reg].io", "re\\g.io", "r*.i*", "*eg.io", "reg.*", "*.a.reg.io", "a.*.io", "*.*.io", "a.b.reg.io", ".reg.io", "reg.io.", "reg..io", ".", "..",
	// Case, blanks, users, no host at all.
	"REG.IO", "Reg.io", "reg.io ", " reg.io", "\treg.io", "reg.io\n", "reg. io", "reg.io\x00", "reg.io\x7f", "u@reg.io", "u:p@reg.io", "https://u:p@reg.io/v2/", "u:p@x@reg.io", "@reg.io", "", "/", "https://", "http://", "/team", "auths", "räg.io", "r%C3%A4g.io", "reg%2eio", "reg%41.io", "\xffreg.io",
	// Clouds and other hosts.
	"123456789012.dkr.ecr.eu-west-1.amazonaws.com", "*.dkr.ecr.*.amazonaws.com", "*.dkr.ecr.eu-west-1.amazonaws.com", "210987654321.dkr.ecr.eu-west-1.amazonaws.com", "123456789012.dkr.ecr.us-east-1.amazonaws.com", "*.amazonaws.com",
	"gcr.io", "eu.gcr.io", "*.gcr.io", "europe-docker.pkg.dev", "*-docker.pkg.dev", "*.azurecr.io", "shop.azurecr.io", "ghcr.io", "ghcr.io/team", "quay.io", "gitlab.com", "registry.gitlab.com", "localhost", "localhost:5000", "127.0.0.1", "127.0.0.1:5000", "127.*.*.1",
	"[::1]", "[::1]:5000", "[::1%25eth0]:5000", "[::1", "::1", "1", ":1", "REG", "reg", "*:", "a_b.c", "reg.io|x", "reg.io\"", "<reg.io>", "reg.io'", "{reg.io}", "$(reg.io)", "^reg.io",
}

// images are references of every shape, good and bad.
var images = []string{
	"nginx", "nginx:1.25", "library/nginx", "team/app", "team/app:1", "docker.io/nginx", "docker.io/library/nginx", "docker.io/team/app:v1", "index.docker.io/nginx", "index.docker.io/team/app", "registry-1.docker.io/library/nginx", "hub.docker.com/team/app",
	"reg.io/app", "reg.io/team/app", "reg.io/team/app:1", "reg.io/teams/app", "reg.io/team/app/sub", "reg.io/other/app", "reg.io/v1/app", "reg.io/v2/team/app", "reg.io:443/team/app", "reg.io:80/app", "reg.io:5000/team/app:1", "a.reg.io/app", "a.b.reg.io/x/y", "a.b.reg.io:5000/x/y",
	"reg.io/team/app@sha256:" + hex64, "reg.io/team/app:1@sha256:" + hex64, "app@sha256:" + hex64, "app@sha512:" + hex64 + hex64, "app@sha384:" + hex64 + "0123456789abcdef0123456789abcdef",
	"localhost/app", "localhost:5000/app", "localhost", "127.0.0.1/app", "127.0.0.1:5000/app", "[::1]/app", "[::1]:5000/app", "[fe80::1]/app", "REG/app", "REG.IO/app", "Reg.io/team/app", "reg/app", "reg:5000/app", "reg:5000", "1/app", "a_b.c/app", "reg.io./app", "räg.io/app",
	"123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:1", "gcr.io/project/app", "eu.gcr.io/project/app", "europe-docker.pkg.dev/project/repo/app", "shop.azurecr.io/web", "ghcr.io/team/app", "quay.io/team/app", "registry.gitlab.com/team/app",
	// Bad ones.
	"", " ", "Nginx", "reg.io/App", "reg.io/", "/app", "reg.io//app", "app:", "app:1:2", "app@", "app@sha256:abc", "app@sha256:" + hex64 + "0", "app@md5:" + hex64, "app@SHA256:" + hex64, "app@sha256:" + upper64, "https://reg.io/app", "docker://nginx", "oci://reg.io/app",
	"reg.io/team/app ", " nginx", "nginx\n", "reg.io/team\x00", "user:pw@reg.io/app", "reg.io/a__b", "reg.io/a___b", "reg.io/a..b", "reg.io/a--b", "reg.io/a._b", "-app", "app-", "reg.io/-app", "-reg.io/app", "reg-.io/app", "reg.io:x/app", "reg.io:/app", "${IMAGE}", "reg.io/${APP}:1", hex64, hex64 + ":1", "reg.io/" + hex64, "\xff", "reg.io/\xff", "nginx:" + tag129, "nginx:-1", "nginx:_1",
	"reg.io/" + long255, "reg.io/" + long255 + "a", long255, "..", ".", "./app", "../app", "a.b", "[::1", "[::1]", "[]/app", "[zz]/app", "::1/app", ":/app", ":5000/app",
}

const hex64, upper64 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF"

var long255, tag129 = strings.Repeat("a", 255), strings.Repeat("b", 129)

// entries are the values under a key, as JSON.
var entries = []string{
	`{}`, `null`, `{"auth":""}`, `{"username":"u"}`, `{"password":"p"}`, `{"username":"u","password":"p"}`, `{"username":"u","password":"p","auth":""}`, `{"username":"x","password":"y","auth":"dTpw"}`,
	`{"auth":"dTpw"}`, `{"auth":"dTpw\n"}`, `{"auth":"dTp\nw"}`, `{"auth":"dTpwcA"}`, `{"auth":"dTpwcA=="}`, `{"auth":"dTpwcA==\n"}`, `{"auth":"dTpwcA==\r\n"}`, `{"auth":"dTpwcA\r\n"}`,
	`{"auth":"dTpwOnE="}`, `{"auth":"Og=="}`, `{"auth":"OnA="}`, `{"auth":"dTo="}`, `{"auth":"dTpwCg=="}`, `{"AUTH":"dTpw"}`, `{"Username":"u","PASSWORD":"p"}`, `{"auth":"dTpw","auth":"djpx"}`, `{"auth":"dTpw","Auth":""}`, `{"email":"e@x","auth":"dTpw"}`,
	`{"identitytoken":"t"}`, `{"auth":"dTpw","identitytoken":"t"}`, `{"registrytoken":"t"}`, `{"username":"\u0000","password":"\ud800"}`, `{"auth":"wyg6KA=="}`, `{"extra":{"deep":[1,2]},"auth":"dTpw"}`,
	`{"auth":null}`,
	// Broken ones.
	`{"auth":" dTpw"}`, `{"auth":"dTpw "}`, `{"auth":"dTpwcA="}`, `{"auth":"dTpwcA== "}`, `{"auth":"!!!"}`, `{"auth":"dXNlcg=="}`, `{"auth":"dXNlcg"}`, `{"auth":"dTpw="}`, `{"auth":"d"}`, `{"auth":"="}`, `{"auth":"\n"}`, `{"auth":" "}`, `{"auth":"dTp-_w=="}`, `{"auth":1}`, `{"auth":{}}`, `{"auth":[]}`, `{"auth":true}`, `{"username":1}`, `{"password":12345}`, `{"password":1.5e400}`, `{"password":{"a":"b"}}`, `{"email":[]}`, `{"username":null,"password":false}`,
	`"x"`, `"dTpw"`, `1`, `[]`, `[{}]`, `true`, `false`, `-1.0e+5`, `""`,
}

// readable is how many of them parse.
const readable = 33

// data are whole values of a secret.
var data = []string{
	``, ` `, `{}`, `null`, `[]`, `"x"`, `1`, `true`, `{`, `{"auths"`, `{"auths":}`, `auths:`, `{"auths":{}}`, `{"auths":null}`, `{"auths":[]}`, `{"auths":"x"}`, `{"auths":1}`, `{"Auths":{"reg.io":{"auth":"dTpw"}}}`, `{"AUTHS":{"reg.io":{"auth":"dTpw"}},"auths":{"reg.io/team":{"auth":"djpx"}}}`,
	`{"auths":{"reg.io":{"auth":"dTpw"}},"auths":{"reg.io":{"username":"second"}}}`, `{"auths":{"reg.io":{"auth":"dTpw"},"reg.io":{}}}`, `{"auths":{"reg.io":{"auth":"dTpw"},"reg.io":null}}`, `{"auths":{"reg.io":{"auth":"dTpw"}},"auths":null}`, `{"auths":{"reg.io":{"auth":"!"},"reg.io":{"auth":"dTpw"}}}`,
	`{"auths":{"reg.io":{}},"credsStore":"desktop"}`, `{"credHelpers":{"reg.io":"ecr-login"}}`, `{"auths":{},"credHelpers":{"reg.io":"ecr-login"}}`, `{"auths":{"reg.io":{"auth":"dTpw"}},"HttpHeaders":{"User-Agent":"x"}}`, `{"auths":{"reg.io":{"auth":"dTpw"}},"HttpHeaders":{"User-Agent":1}}`, `{"auths":{"reg.io":{"auth":"dTpw"}},"HttpHeaders":[]}`, `{"httpheaders":null,"auths":{"reg.io":{"auth":"dTpw"}}}`,
	`{"reg.io":{"auth":"dTpw"}}`, `{"reg.io":{"auth":"!"}}`, `{"reg.io":"x"}`, `{"auths":{"reg.io":{"auth":"dTpw"}}} `, `{"auths":{"reg.io":{"auth":"dTpw"}}}x`, "\ufeff{}", "{\"auths\":{\"\xff\":{\"auth\":\"dTpw\"}}}", `{"auths":{"a":{"auth":"!"},"b":{"auth":1}}}`, `{"auths":{"a":{"auth":1},"b":{"auth":"!"}}}`, `{"auths":{"dockerconfig.lab of type dockerconfig.x":{"auth":1}}}`, `{"auths":{"a":1,"b":"of type dockerconfig."}}`, `{"auths":{"":{"auth":"dTpw"}}}`, `{"auths":{"reg.io":{"auth":"dTpw"}},"auths":[]}`,
	`{"HttpHeaders":{"a":1},"auths":{"a":{"auth":"!"}}}`, `{"auths":{"a":{"auth":"!"}},"HttpHeaders":{"a":1}}`, `{"` + "a\\u0075ths" + `":{"reg.io":{"auth":"dTpw"}}}`, `{"auth\u017f":{"reg.io":{"auth":"dTpw"}}}`, `{"auths":{"auths":{"auth":"dTpw"}}}`, `{"auths":{"reg.io":{"auth":"dTpw"}},"currentContext":"x","plugins":{}}`,
}

func secret(name, kind string, value []byte) corev1.Secret {
	s := corev1.Secret{Type: corev1.SecretType(kind)}
	s.Namespace, s.Name = "shop", name
	key := corev1.DockerConfigJsonKey
	if kind == oldType {
		key = corev1.DockerConfigKey
	}
	s.Data = map[string][]byte{key: value}
	return s
}

func good(user, password string) string {
	return `{"auth":"` + base64.StdEncoding.EncodeToString([]byte(user+":"+password)) + `"}`
}

func entry(key, value string) string {
	quoted, err := json.Marshal(key)
	if err != nil {
		panic(err) // a text always has JSON
	}
	return string(quoted) + ":" + value
}

func config(entries ...string) []byte {
	return fmt.Appendf(nil, `{"auths":{%s}}`, strings.Join(entries, ","))
}

func older(entries ...string) []byte { return fmt.Appendf(nil, `{%s}`, strings.Join(entries, ",")) }

func show(in []corev1.Secret) string {
	var b strings.Builder
	for _, s := range in {
		fmt.Fprintf(&b, "%s, %s: %q\n", s.Name, s.Type, s.Data)
	}
	return b.String()
}
