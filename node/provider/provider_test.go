package provider

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/host"
	"github.com/refloat-dev/refloat/registry/keyring"
)

// program is a static provider that does what its first argument says.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "provider")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "provider")
	build := exec.Command("go", "build", "-o", program, "./testdata/provider")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("%v: %s", err, out))
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))
}

const password = "hunter2hunter2"

// node is a kubelet's process and its files below a folder that stands for the node's root, or for a part of the real one.
type node struct {
	*host.Host
	dir string // the files'
	at  string // the files' folder, as the kubelet has it
}

// newNode lays out a node whose kubelet has providers; whole says that the folder is the root itself.
func newNode(t *testing.T, whole bool, config string, environ ...string) *node {
	t.Helper()
	n := &node{Host: &host.Host{Proc: t.TempDir()}, dir: t.TempDir()}
	n.at = n.dir
	if whole {
		n.Root, n.at = n.dir, "/"
	}
	n.write(t, "config.yaml", config)
	n.write(t, "bin/.keep", "")
	n.start(t, environ, "--image-credential-provider-config="+filepath.Join(n.at, "config.yaml"),
		"--image-credential-provider-bin-dir", filepath.Join(n.at, "bin"), "--root-dir="+filepath.Join(n.at, "kubelet"))
	return n
}

func (n *node) start(t *testing.T, environ []string, flags ...string) {
	t.Helper()
	dir := filepath.Join(n.Proc, "12")
	err := errors.Join(os.MkdirAll(dir, 0o755),
		os.WriteFile(filepath.Join(dir, "cmdline"), []byte(strings.Join(append([]string{"/usr/bin/kubelet"}, flags...), "\x00")+"\x00"), 0o600),
		os.WriteFile(filepath.Join(dir, "environ"), []byte(strings.Join(environ, "\x00")), 0o600))
	if err != nil {
		t.Fatal(err)
	}
}

func (n *node) write(t *testing.T, path, text string) {
	t.Helper()
	at := filepath.Join(n.dir, path)
	if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// install puts the program there under a name.
func (n *node) install(t *testing.T, name string, mode os.FileMode) {
	t.Helper()
	data, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(n.dir, "bin", name)
	// Written beside and moved: a child that another test starts must not have it open for writing.
	if err := errors.Join(os.WriteFile(at+".new", data, mode), os.Rename(at+".new", at)); err != nil {
		t.Fatal(err)
	}
}

// configOf is a configuration with a provider for each of the given arguments.
func configOf(image string, providers ...[]string) string {
	type any = map[string]interface{}
	var list []any
	for i, args := range providers {
		list = append(list, any{"name": fmt.Sprintf("p%d", i), "apiVersion": "credentialprovider.kubelet.k8s.io/v1", "matchImages": []string{image},
			"defaultCacheDuration": "0s", "args": args, "env": []any{{"name": "FROM_CONFIG", "value": "config"}, {"name": "CLOUD_SECRET", "value": "s3cr3t-of-the-cloud"}}})
	}
	data, err := json.Marshal(any{"apiVersion": "kubelet.config.k8s.io/v1", "kind": "CredentialProviderConfig", "providers": list})
	if err != nil {
		panic(err) // texts always have JSON
	}
	return string(data)
}

func TestResults(t *testing.T) {
	t.Parallel()
	const v1 = "credentialprovider.kubelet.k8s.io/v1"
	tests := []struct {
		name  string
		args  []string
		mode  os.FileMode // 0: not installed
		want  evidence.ProviderResult
		text  string // begins what it says
		why   string
		keys  []string
		creds int
	}{
		{name: "answers", args: []string{"answer"}, mode: 0o755, want: evidence.ProviderAnswered, keys: []string{"reg.lab/team/app"}, creds: 1},
		{name: "answers for the registry", args: []string{"key", "reg.lab"}, mode: 0o755, want: evidence.ProviderAnswered, keys: []string{"reg.lab"}, creds: 1},
		{name: "answers for another", args: []string{"key", "other.lab"}, mode: 0o755, want: evidence.ProviderEmpty, keys: []string{"other.lab"},
			why: "its answer is for other.lab: it is another registry's"},
		{name: "answers for a port", args: []string{"key", "reg.lab:443"}, mode: 0o755, want: evidence.ProviderEmpty, keys: []string{"reg.lab:443"},
			why: "its answer is for reg.lab:443: its port is not the image's"},
		{name: "answers nothing", args: []string{"empty"}, mode: 0o755, want: evidence.ProviderEmpty, why: "its answer has no entry under auth"},
		{name: "answers without user and password", args: []string{"print", `{"kind":"CredentialProviderResponse","apiVersion":"` + v1 + `","cacheKeyType":"Global","auth":{"reg.lab":{"username":"","password":""}}}`},
			mode: 0o755, want: evidence.ProviderEmpty, keys: []string{"reg.lab"}, why: "its answer has an entry for this image without user and password", creds: 1},
		{name: "is missing", want: evidence.ProviderMissing, text: "there is no such file"},
		{name: "may not be executed", args: []string{"answer"}, mode: 0o644, want: evidence.ProviderForbidden, text: "permission denied: its mode is -rw-r--r--"},
		{name: "fails", args: []string{"fail"}, mode: 0o755, want: evidence.ProviderFailed, text: "exit status 7: metadata: context deadline exceeded; the key was REDACTED and so was --token REDACTED"},
		{name: "hangs", args: []string{"hang"}, mode: 0o755, want: evidence.ProviderTimeout, text: "it did not answer within 700ms; the kubelet waits a minute: waiting for the cloud"},
		{name: "prints too much", args: []string{"flood"}, mode: 0o755, want: evidence.ProviderMalformed, text: "it printed more than a mebibyte"},
		{name: "prints a token", args: []string{"print", password}, mode: 0o755, want: evidence.ProviderMalformed, text: "what it printed is no JSON object"},
		{name: "answers in another version", args: []string{"print", `{"kind":"CredentialProviderResponse","apiVersion":"` + v1 + `beta1","cacheKeyType":"Image"}`}, mode: 0o755,
			want: evidence.ProviderMalformed, text: `its answer's apiVersion is "` + v1 + `beta1", and its configuration says ` + v1},
		{name: "answers in another kind", args: []string{"print", `{"kind":"ExecCredential","apiVersion":"` + v1 + `"}`}, mode: 0o755, want: evidence.ProviderMalformed, text: `its answer's kind is "ExecCredential"`},
		{name: "answers with an unknown field", args: []string{"print", `{"kind":"CredentialProviderResponse","apiVersion":"` + v1 + `","cacheKeyType":"Image","token":"` + password + `"}`}, mode: 0o755,
			want: evidence.ProviderMalformed, text: "its answer has a field that is not known"},
		{name: "answers with a number", args: []string{"print", `{"kind":"CredentialProviderResponse","apiVersion":"` + v1 + `","cacheKeyType":"Image","auth":{"reg.lab":{"username":"u","password":123456789}}}`}, mode: 0o755,
			want: evidence.ProviderMalformed, text: "a field of its answer is of the wrong type"},
		{name: "answers without a cache key", args: []string{"print", `{"kind":"CredentialProviderResponse","apiVersion":"` + v1 + `"}`}, mode: 0o755, want: evidence.ProviderMalformed, text: `its answer's cacheKeyType is ""`},
		{name: "fails with an answer", args: []string{"print", `{"auth":{"reg.lab":{"username":"u","password":"` + password + `"}}}`, "fail"}, mode: 0o755,
			want: evidence.ProviderFailed, text: `exit status 1: printed {"auth":{"reg.lab":{"username":"u","password":"REDACTED"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, false, configOf("reg.lab", tt.args), "CLOUD_SECRET=another-secret")
			if tt.mode != 0 {
				n.install(t, "p0", tt.mode)
			}
			wait := wait
			if tt.want == evidence.ProviderTimeout {
				wait = 700 * time.Millisecond
			}
			facts, creds, gaps := look(t.Context(), n.Host, "reg.lab/team/app:1.2", wait)
			silent(t, facts, creds, gaps)
			if len(facts) != 1 || len(gaps) != 0 || len(creds) != tt.creds {
				t.Fatalf("%d facts, %d credentials, gaps %+v", len(facts), len(creds), gaps)
			}
			p := facts[0]
			if p.Result != tt.want || !strings.HasPrefix(p.Text, tt.text) || (tt.text == "") != (p.Text == "") && tt.want != evidence.ProviderEmpty {
				t.Errorf("%s: %q", p.Result, p.Text)
			}
			if !strings.HasPrefix(p.Why, tt.why) || (tt.why == "") != (p.Why == "") {
				t.Errorf("why %q", p.Why)
			}
			if diff := cmp.Diff(tt.keys, p.Keys); diff != "" {
				t.Error(diff)
			}
			if p.Matches != evidence.Yes || p.Path != filepath.Join(n.at, "bin/p0") || p.Config != filepath.Join(n.at, "config.yaml") || p.Name != "p0" {
				t.Errorf("%+v", p)
			}
			for _, c := range creds {
				if tt.want == evidence.ProviderAnswered && (c.Username != "robot" || c.Password != password) || c.Login.Secret != "the node's credential provider p0" {
					t.Errorf("%v", c)
				}
			}
		})
	}
}

// silent fails where anything that is given away holds a secret.
func silent(t *testing.T, facts []*evidence.Provider, creds []keyring.Credential, gaps []evidence.Gap) {
	t.Helper()
	asJSON, err := json.Marshal(map[string]interface{}{"facts": facts, "creds": creds, "gaps": gaps})
	if err != nil {
		t.Fatal(err)
	}
	text := string(asJSON) + fmt.Sprintf("%v %+v %#v %s %q %x %v %+v %#v", creds, creds, creds, creds, creds, creds, gaps, gaps, gaps)
	for _, f := range facts {
		text += fmt.Sprintf("%v %+v %#v", f, *f, *f)
	}
	for _, secret := range []string{"hunter2", "68756e74657232", "s3cr3t", "another-secret", "123456789"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is in %s", secret, text)
		}
	}
}

func TestOrder(t *testing.T) {
	t.Parallel()
	n := newNode(t, false, configOf("*.lab", []string{"key", "reg.lab"}, []string{"key", "reg.lab/team"}, []string{"key", "reg.lab"}))
	for _, name := range []string{"p0", "p1", "p2"} {
		n.install(t, name, 0o755)
	}
	facts, creds, gaps := Look(t.Context(), n.Host, "reg.lab/team/app")
	var got []string
	for _, c := range creds {
		got = append(got, c.Login.Secret+" "+c.Login.Key)
	}
	want := []string{"the node's credential provider p1 reg.lab/team", "the node's credential provider p0 reg.lab", "the node's credential provider p2 reg.lab"}
	if diff := cmp.Diff(want, got); diff != "" || len(facts) != 3 || len(gaps) != 0 {
		t.Errorf("%d facts, %v\n%s", len(facts), gaps, diff)
	}
}

func TestRunAsTheKubelet(t *testing.T) {
	t.Parallel()
	n := newNode(t, false, configOf("reg.lab", []string{"environment"}), "FROM_KUBELET=kubelet", "HOME=/nowhere")
	n.install(t, "p0", 0o755)
	work := t.TempDir()
	if err := os.Symlink(work, filepath.Join(n.Proc, "12", "cwd")); err != nil {
		t.Fatal(err)
	}
	facts, _, _ := Look(t.Context(), n.Host, "reg.lab/app")
	want := "reg.lab/app/kubeletconfig/" + strings.ReplaceAll(work, "/", "_") + "/3/0" // three pipes and no file
	if len(facts) != 1 || len(facts[0].Keys) != 1 || facts[0].Keys[0] != want {
		t.Errorf("%+v\nwant %s", facts[0], want)
	}
}

func TestInRoot(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("changing the root takes root")
	}
	n := newNode(t, true, configOf("reg.lab", []string{"answer"}))
	n.install(t, "p0", 0o755)
	look := func(of string) {
		facts, creds, gaps := Look(t.Context(), n.Host, "reg.lab/app")
		if len(creds) != 1 || len(facts) != 1 || facts[0].Path != "/bin/p0" || facts[0].Result != evidence.ProviderAnswered {
			t.Errorf("in %s: %+v, %v", of, facts, gaps)
		}
	}
	look("the folder where the node's root is mounted")
	n.Root = t.TempDir() // nothing of the node is mounted
	if err := os.Symlink(n.dir, filepath.Join(n.Proc, "12/root")); err != nil {
		t.Fatal(err)
	}
	look("the kubelet's own root")
}

// TestNothingStays: what a provider leaves behind is killed, in its own group at once and elsewhere when nothing reads it any more.
func TestNothingStays(t *testing.T) {
	t.Parallel()
	for _, session := range []string{"group", "setsid"} {
		t.Run(session, func(t *testing.T) {
			t.Parallel()
			note := filepath.Join(t.TempDir(), "pid")
			n := newNode(t, false, configOf("reg.lab", []string{"leave", session, note}))
			n.install(t, "p0", 0o755)
			facts, _, gaps := look(t.Context(), n.Host, "reg.lab/app", 700*time.Millisecond)
			if len(facts) != 1 || facts[0].Result != evidence.ProviderTimeout || !strings.HasPrefix(facts[0].Text, "it ended and left a process behind") {
				t.Errorf("%+v, %v", facts[0], gaps)
			}
			if session == "setsid" {
				return // it ends by itself
			}
			var pid int
			data, err := os.ReadFile(note)
			if _, err2 := fmt.Sscan(string(data), &pid); err != nil || err2 != nil {
				t.Fatal(err, err2)
			}
			for state := "?"; !strings.Contains("ZX", state); {
				stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
				if err != nil {
					break
				}
				_, rest, _ := strings.Cut(string(stat), ") ")
				state = rest[:1]
			}
		})
	}
}

func TestEnded(t *testing.T) {
	t.Parallel()
	n := newNode(t, false, configOf("reg.lab", []string{"hang"}))
	n.install(t, "p0", 0o755)
	ctx, cancel := contextWith(t, 100*time.Millisecond)
	defer cancel()
	facts, _, gaps := Look(ctx, n.Host, "reg.lab/app")
	if len(facts) != 0 || len(gaps) != 1 || gaps[0].Why != "the look was ended while it ran" || !gaps[0].Deciding {
		t.Errorf("%+v, %+v", facts, gaps)
	}
}

func TestUnstarted(t *testing.T) {
	t.Parallel()
	k := &kubelet{files: &host.Host{}}
	mounted := &kubelet{files: &host.Host{Root: "/host"}}
	for _, tt := range []struct {
		name   string
		k      *kubelet
		err    error
		result evidence.ProviderResult
		gap    bool
	}{
		{"no right to another root", mounted, syscall.EPERM, "", true},
		{"refused by the node", k, syscall.EACCES, evidence.ProviderForbidden, false},
		{"refused to us", mounted, syscall.EACCES, "", true},
		{"no loader", k, syscall.ENOENT, evidence.ProviderFailed, false},
		{"another architecture's", k, syscall.ENOEXEC, evidence.ProviderFailed, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := tt.k.unstarted("/bin/p", &os.PathError{Op: "fork/exec", Path: "/proc/1/root/bin/p", Err: tt.err})
			if o.result != tt.result || (o.gap != "") != tt.gap || strings.Contains(o.gap+o.text, "/proc/") {
				t.Errorf("%+v", o)
			}
		})
	}
}
