package evidence_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/refloat-dev/refloat/evidence"
)

func TestCleanKeeps(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"",
		`failed to fetch oauth token: unexpected status: 401 Unauthorized`,
		`pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`,
		`no basic auth credentials`,
		`basic authentication required`,
		`Www-Authenticate: Bearer realm="https://auth.docker.io/token",service="registry.docker.io"`,
		`GET request to https://auth.lab/token?scope=repository%3Aa%2Fb%3Apull&service=reg.lab: 401 Unauthorized`,
		`Back-off pulling image "docker://nginx@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"`,
		`reg.lab:5000/Team/app:v1.2.3@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08`,
		`write /var/lib/containerd/io.containerd.content.v1.content/ingest/0123456789abcdef0123456789abcdef/data: no space left on device`,
		`Head "https://mirror:1/v2/x/manifests/1?ns=docker.io": dial tcp 10.0.0.1:1: connect: connection refused`,
		`unable to parse auth field, must be formatted as base64(username:password)`,
		`container pull policy=Never, token: expired`,
		`/subscriptions/0f1e2d3c-0000-1111-2222-333344445555/resourceGroups/MyGroup/providers/Microsoft.ContainerRegistry`,
	} {
		if got := evidence.Clean(s); got != s {
			t.Errorf("Clean(%q) = %q", s, got)
		}
	}
}

func TestCleanRedacts(t *testing.T) {
	t.Parallel()
	const key = "hunTer2secret9"
	tests := []struct{ name, in, want string }{
		{"userinfo", "Get https://bob:" + key + "@reg.lab/v2/: EOF", "Get https://REDACTED@reg.lab/v2/: EOF"},
		{"userinfo with an at sign", "http://bob:p@" + key + "@proxy:3128", "http://REDACTED@proxy:3128"},
		{"userinfo without a scheme", `tag "bob:` + key + `@reg.lab/app:1": bad`, `tag "REDACTED@reg.lab/app:1": bad`},
		{"a token alone before a quoted registry", `image "` + key + `@reg.lab/app:1": bad`, `image "REDACTED@reg.lab/app:1": bad`},
		{"userinfo without a scheme at the start", "bob:" + key + "@reg.lab:5000/app", "REDACTED@reg.lab:5000/app"},
		{"token as user", "https://" + key + "@reg.lab/v2/", "https://REDACTED@reg.lab/v2/"},
		{"bearer", "sent Bearer " + key, "sent Bearer REDACTED"},
		{"basic", "Authorization: Basic " + key + "==", "Authorization: Basic REDACTED"},
		{"header map", `map[Authorization:[Bearer ` + key + `]]`, `map[Authorization:[Bearer REDACTED]]`},
		{"amz", "https://s3/x?X-Amz-Credential=" + key + "&X-Amz-Date=1&X-Amz-Signature=" + key, "https://s3/x?X-Amz-Credential=REDACTED&X-Amz-Date=1&X-Amz-Signature=REDACTED"},
		{"azure", "https://b.blob.core.windows.net/x?se=2026&sig=" + key + ": 403", "https://b.blob.core.windows.net/x?se=2026&sig=REDACTED: 403"},
		{"access token", "https://a/?access_token=" + key + "&a=b", "https://a/?access_token=REDACTED&a=b"},
		{"json", `{"username":"bob","password":"` + key + `"}`, `{"username":"bob","password":"REDACTED"}`},
		{"json in json", `{\"auth\":\"` + key + `\"}`, `{\"auth\":\"REDACTED\"}`},
		{"option", "docker login --password " + key + " reg", "docker login --password REDACTED reg"},
		{"jwt", "got eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJib2IifQ." + key, "got REDACTED"},
		{"personal token", "user ghp_" + key, "user REDACTED"},
		{"key block", "a -----BEGIN RSA PRIVATE KEY-----\n" + key + "\n-----END RSA PRIVATE KEY----- b", "a REDACTED b"},
		{"open key block", "-----BEGIN PRIVATE KEY-----\n" + key, "REDACTED"},
		{"base64", "k Zk9ra1NRb2xhS2pYb1B3ZGx3TzN0ZkxjUW9yWmE5TjBhWHh0 x", "k REDACTED x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := evidence.Clean(tt.in)
			if got != tt.want {
				t.Errorf("Clean(%q) =\n%q, want\n%q", tt.in, got, tt.want)
			}
			if again := evidence.Clean(got); again != got {
				t.Errorf("not stable: %q", again)
			}
		})
	}
}

func TestCleanBounds(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in string }{
		{"ten megabytes", "head " + strings.Repeat("x y ", 10<<18) + "tail"},
		{"no blanks", "head" + strings.Repeat("x", 1<<20)},
		{"a little too long", strings.Repeat("ä", evidence.MaxText/2+1)},
		{"binary", strings.Repeat("\xff\x00\xfe", 20000)},
		{"grows", strings.Repeat("a://@ ", 1300)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := evidence.Clean(tt.in)
			if len(got) > evidence.MaxText || !utf8.ValidString(got) {
				t.Errorf("%d bytes, valid %v", len(got), utf8.ValidString(got))
			}
			if !strings.Contains(got, "bytes cut]") {
				t.Errorf("does not say that it was cut: %.60q", got)
			}
		})
	}
	long := evidence.Clean("head " + strings.Repeat("x y ", 10<<18) + "tail")
	if !strings.HasPrefix(long, "head ") || !strings.HasSuffix(long, " tail") && !strings.HasSuffix(long, "tail") {
		t.Errorf("lost its head or tail: %.20q … %q", long, long[len(long)-20:])
	}
}

func FuzzClean(f *testing.F) {
	f.Add("Get https://bob:x@reg.lab/v2/: EOF", uint16(0))
	f.Add("Authorization: Bearer abc", uint16(9000))
	f.Fuzz(func(t *testing.T, s string, pad uint16) {
		const key = "S3cr3tS3cr3tS3cr3t"
		got := evidence.Clean(strings.Repeat("é", int(pad)) + " https://u:" + key + "@reg.lab/ " + s)
		if len(got) > evidence.MaxText {
			t.Fatalf("%d bytes", len(got))
		}
		if !utf8.ValidString(got) {
			t.Fatal("not UTF-8")
		}
		if strings.Contains(got, key) && !strings.Contains(s, key) {
			t.Fatalf("credential left in %q", got)
		}
	})
}

func BenchmarkClean(b *testing.B) {
	const s = `Back-off pulling image "reg.lab:5000/team/app:v1": ErrImagePull: failed to pull and unpack image "reg.lab:5000/team/app:v1": failed to resolve image: failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://auth.lab/token?scope=repository%3Ateam%2Fapp%3Apull&service=reg.lab: 401 Unauthorized`
	b.SetBytes(int64(len(s)))
	for b.Loop() {
		evidence.Clean(s)
	}
}
