package diagnose

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refloat-dev/refloat/evidence"
)

func TestFindingsGroupByRootCause(t *testing.T) {
	t.Parallel()
	c := &evidence.Collection{ObservedAt: noon}
	gone := secretFact(evidence.Secret{Name: "regcred", Exists: evidence.No})
	for i := range 300 {
		one := caseOf(waiting(anonymous401), podWith("regcred"), gone)
		one.Pull.Pod, one.Pull.UID = fmt.Sprintf("api-%d", i), fmt.Sprintf("uid-%d", i)
		one.Pull.Image = fmt.Sprintf("shop.example/web/api:%d", i%7)
		c.Cases = append(c.Cases, one, one) // the same pull seen twice
	}
	for i := range 3 {
		one := caseOf(waiting(noHost))
		one.Pull.UID = fmt.Sprintf("dns-%d", i)
		c.Cases = append(c.Cases, one)
	}
	got := map[string]int{}
	var order []Code
	for _, f := range Findings(c) {
		got[f.Key] = len(f.Cases)
		order = append(order, f.Cause)
	}
	want := map[string]int{"auth.secret-missing|shop/regcred": 300, "network.dns|shop.example": 3}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Code{SecretMissing, DNS}, order); diff != "" {
		t.Error(diff)
	}
}

func TestKeysMatch(t *testing.T) {
	t.Parallel()
	// What the kubelet's own code answers (K36 pkg/credentialprovider/keyring.go).
	tests := []struct {
		key, image string
		want       bool
	}{
		{"https://index.docker.io/v1/", "nginx:1.25", true}, {"docker.io", "nginx", true}, {"docker.io/library", "nginx:1", true}, {"registry-1.docker.io", "nginx", false}, {"*.docker.io", "nginx", false},
		{"https://index.docker.io/v1", "nginx", false}, {"reg.io", "reg.io/a/b", true}, {"http://reg.io/v2/", "reg.io/a/b:v1", true}, {"https://reg.io/v2", "reg.io/a/b", false}, {"reg.io:443", "reg.io/a/b", false},
		{"REG.IO", "reg.io/a", false}, {"oci://reg.io", "reg.io/a", false}, {"reg.io/*", "reg.io/a/b", false}, {" reg.io", "reg.io/a", false}, {"*.io", "reg.io/a", true}, {"*.reg.io", "a.b.reg.io/x", false},
		{"https://docker.io", "nginx", true}, {"index.docker.io", "nginx", true}, {"index.docker.io/v1/", "index.docker.io/x/y:1", true}, {"https://index.docker.io/v2/", "docker.io/x/y", true},
		{"hub.docker.com", "nginx", false}, {"registry.hub.docker.com", "nginx", false}, {"*.io", "nginx", true}, {"docker.*", "x/y", true}, {"*", "nginx", false}, {"index.docker.io/v2/x", "x/y", false},
		{"https://reg.io/v2/team", "reg.io/team/a", true}, {"https://reg.io/v1/team", "reg.io/team/a:1", true}, {"https://reg.io/v2/team", "reg.io/other/a", false}, {"https://reg.io/", "reg.io/a", true},
		{"reg.io/a/b:v1", "reg.io/a/b:v1", false}, {"reg.io/a/b/", "reg.io/a/b", false}, {"reg.io ", "reg.io/a", false}, {"r*.io", "reg.io/a", true}, {"index.docker.io", "localhost/a", true}, {"docker.io", "localhost/a", false},
		{"*.dkr.ecr.*.amazonaws.com", "1.dkr.ecr.eu-west-1.amazonaws.com/a", true}, {"reg.io:5000", "reg.io:5000/a:1", true}, {"reg.io", "bad image", false},
		{"reg.io/foo", "reg.io/foobar/x", true}, {"reg.io", "reg.io:5000/a", false}, {"*.reg.io:5000", "a.reg.io:5000/x@" + d1, true},
	}
	for _, tt := range tests {
		if got := KeysMatch([]string{tt.key}, tt.image); got != tt.want {
			t.Errorf("key %q, image %q: %v, want %v", tt.key, tt.image, got, tt.want)
		}
	}
}
