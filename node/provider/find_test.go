package provider

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/host"
)

func contextWith(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), d)
}

func TestNone(t *testing.T) {
	t.Parallel()
	n := newNode(t, false, "")
	n.start(t, nil, "--config=/etc/kubelet.yaml")
	facts, creds, gaps := Look(t.Context(), n.Host, "reg.lab/app")
	if len(facts) != 1 || facts[0].Result != evidence.ProviderNone || len(creds)+len(gaps) != 0 {
		t.Errorf("%+v, %+v", facts, gaps)
	}
}

// TestPart: what k3s has in its own configuration is not read.
func TestPart(t *testing.T) {
	t.Parallel()
	n := newNode(t, true, "")
	if err := os.WriteFile(filepath.Join(n.Proc, "12/cmdline"), []byte("/usr/local/bin/k3s server\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	facts, _, gaps := Look(t.Context(), n.Host, "reg.lab/app")
	if len(facts) != 0 || len(gaps) != 1 || !gaps[0].Deciding || !strings.HasPrefix(gaps[0].Why, "it is a part of k3s") {
		t.Errorf("%+v, %+v", facts, gaps)
	}
	n.write(t, "var/lib/rancher/credentialprovider/config.yaml", configOf("other.lab", []string{"answer"}))
	facts, _, gaps = Look(t.Context(), n.Host, "reg.lab/app")
	if len(facts) != 1 || facts[0].Result != evidence.ProviderNotAsked || len(gaps) != 1 || gaps[0].Deciding {
		t.Errorf("%+v, %+v", facts, gaps)
	}
}

func TestUnseen(t *testing.T) {
	t.Parallel()
	h := &host.Host{Root: t.TempDir(), Proc: t.TempDir()}
	facts, _, gaps := Look(t.Context(), h, "reg.lab/app")
	if len(facts) != 0 || len(gaps) != 1 || !gaps[0].Deciding {
		t.Errorf("%+v, %+v", facts, gaps)
	}

	// What a distribution has is taken, and said to be a guess; what fails then proves nothing.
	n := &node{Host: h, dir: h.Root, at: "/"}
	n.write(t, "etc/eks/image-credential-provider/config.json", configOf("reg.lab", []string{"fail"}))
	n.install2(t, "etc/eks/image-credential-provider/p0")
	facts, _, gaps = Look(t.Context(), h, "reg.lab/app")
	if len(gaps) != 2 || !strings.Contains(gaps[0].Why, "EKS") || len(facts) != 0 {
		t.Fatalf("%+v, %+v", facts, gaps)
	}
	if os.Geteuid() == 0 && !strings.Contains(gaps[1].Why, "without the kubelet's own environment") {
		t.Errorf("%+v", gaps[1])
	}
}

func (n *node) install2(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	n.write(t, path, string(data))
	if err := os.Chmod(filepath.Join(n.dir, path), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestNotAsked(t *testing.T) {
	t.Parallel()
	n := newNode(t, false, configOf("other.lab", []string{"answer"}))
	n.install(t, "p0", 0o755)
	facts, creds, gaps := Look(t.Context(), n.Host, "reg.lab/app")
	want := &evidence.Provider{Name: "p0", Path: n.at + "/bin/p0", Config: n.at + "/config.yaml", Matches: evidence.No, Images: []string{"other.lab"},
		Why: "none of its matchImages is for reg.lab", Result: evidence.ProviderNotAsked}
	if diff := cmp.Diff([]*evidence.Provider{want}, facts); diff != "" || len(creds)+len(gaps) != 0 {
		t.Errorf("%v %s", gaps, diff)
	}
	// Without an image nothing is run, and what cannot be is told.
	facts, _, _ = Look(t.Context(), n.Host, "")
	if len(facts) != 1 || facts[0].Result != evidence.ProviderNotAsked || facts[0].Matches != evidence.Unknown {
		t.Errorf("%+v", facts[0])
	}
	if err := os.Remove(filepath.Join(n.dir, "bin/p0")); err != nil {
		t.Fatal(err)
	}
	if facts, _, _ = Look(t.Context(), n.Host, ""); len(facts) != 1 || facts[0].Result != evidence.ProviderMissing {
		t.Errorf("%+v", facts)
	}
}

func TestNeedsToken(t *testing.T) {
	t.Parallel()
	n := newNode(t, false, strings.Replace(configOf("reg.lab", []string{"answer"}), `"args"`,
		`"tokenAttributes":{"serviceAccountTokenAudience":"reg.lab","cacheType":"Token","requireServiceAccount":true},"args"`, 1))
	n.install(t, "p0", 0o755)
	facts, creds, gaps := Look(t.Context(), n.Host, "reg.lab/app")
	if len(facts) != 1 || facts[0].Result != evidence.ProviderNeedsToken || len(creds) != 0 || len(gaps) != 1 || !gaps[0].Deciding {
		t.Errorf("%+v, %+v", facts, gaps)
	}
}

func TestMiss(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, pattern, repository, why, hint string }{
		{"a label too few", "*.amazonaws.com", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app", "a * stands for one label of the name: the key has 3, the registry 6", "write 123456789012.dkr.ecr.eu-west-1.amazonaws.com"},
		{"another region", "123456789012.dkr.ecr.us-east-1.amazonaws.com", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app", "it is for ECR in us-east-1, and the image is in eu-west-1", "write 123456789012.dkr.ecr.eu-west-1.amazonaws.com"},
		{"a scheme", "https://reg.lab", "reg.lab/app", "it has a scheme, which is taken for a host", "write reg.lab"},
		{"a port", "reg.lab", "reg.lab:443/app", "its port is not the image's", "write reg.lab:443"},
		{"a path", "reg.lab/other", "reg.lab/team/app", "its path /other does not begin /team/app", "write reg.lab/team"},
		{"Docker Hub", "index.docker.io", "docker.io/library/nginx", "Docker Hub's images are in docker.io", "write docker.io"},
		{"Docker Hub's address", "registry-1.docker.io", "docker.io/library/nginx", "the kubelet does not take registry-1.docker.io for Docker Hub", "write docker.io"},
		{"a domain", "lab.example", "reg.lab.example/app", "the key must be the registry's whole name", "write reg.lab.example"},
		{"another's", "other.example", "reg.lab/app", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			why, hint := miss(tt.pattern, tt.repository)
			if !strings.HasPrefix(why, tt.why) || (tt.why == "") != (why == "") || hint != tt.hint {
				t.Errorf("%q, %q", why, hint)
			}
		})
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	const good, broken = `{"auths":{"reg.lab":{"auth":"cm9ib3Q6aHVudGVyMmh1bnRlcjI="},"reg.lab:443":{}}}`, `{"auths":{"reg.lab":{"auth":"!!!"}}}`
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  []string // secret, key and whether it matches
		creds int
	}{
		{"none", nil, nil, 0},
		{"in the kubelet's folder", map[string]string{"kubelet/config.json": good, "home/.docker/config.json": `{"auths":{}}`},
			[]string{"kubelet/config.json reg.lab true", "kubelet/config.json reg.lab:443 false"}, 1},
		{"at home", map[string]string{"home/.docker/config.json": good, "kubelet/.dockercfg": `{"reg.lab":{"auth":"cm9ib3Q6b3RoZXI="}}`},
			[]string{"home/.docker/config.json reg.lab true", "home/.docker/config.json reg.lab:443 false"}, 1},
		{"older", map[string]string{"home/.dockercfg": `{"reg.lab":{"auth":"cm9ib3Q6aHVudGVyMmh1bnRlcjI="}}`}, []string{"home/.dockercfg reg.lab true"}, 1},
		{"broken before a good one", map[string]string{"kubelet/config.json": broken, "home/.docker/config.json": good},
			[]string{"kubelet/config.json  false", "home/.docker/config.json reg.lab true", "home/.docker/config.json reg.lab:443 false"}, 1},
		{"broken alone", map[string]string{"kubelet/config.json": broken}, []string{"kubelet/config.json  false"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, true, "", "HOME=/home")
			n.write(t, "kubelet/.keep", "")
			for path, text := range tt.files {
				n.write(t, path, text)
			}
			ring, creds, gaps := Files(n.Host, "reg.lab/app")
			silent(t, nil, creds, gaps)
			var got []string
			if ring != nil {
				for _, e := range ring.Entries {
					matches := "false"
					if e.Matches {
						matches = "true"
					}
					got = append(got, strings.TrimPrefix(e.Secret, "the node's file /")+" "+e.Key+" "+matches)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || len(creds) != tt.creds || len(gaps) != 0 {
				t.Errorf("%d credentials, %v\n%s", len(creds), gaps, diff)
			}
			for _, c := range creds {
				if c.Password != password {
					t.Error("another password")
				}
			}
		})
	}
}
