package plan_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/plan"
)

// TestShellReadsEveryCommand lets a shell parse all that For prints, also where names are hostile.
func TestShellReadsEveryCommand(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash to parse commands with")
	}
	seen := map[string]bool{}
	var script strings.Builder
	for _, f := range append(everything(), hostileSights()...) {
		for _, s := range plan.For(f).Steps {
			for _, c := range s.Commands {
				if !seen[c] {
					seen[c] = true
					script.WriteString(c + "\n")
				}
			}
			if strings.HasPrefix(s.Undo, "kubectl ") {
				script.WriteString(s.Undo + "\n")
			}
		}
	}
	cmd := exec.Command(bash, "-n")
	cmd.Stdin = strings.NewReader(script.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("of %d commands: %v\n%s", len(seen), err, out)
	}
	if len(seen) < 300 {
		t.Errorf("only %d different commands", len(seen))
	}
}

// everything is each cause with each home, kind of owner and part of a pod, by itself and with hostile names.
func everything() []diagnose.Finding {
	var all []diagnose.Finding
	hosts := []string{"", "docker.io/shop/web", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:v1", "shop.azurecr.io/web", "europe-docker.pkg.dev/p/r/web:v1", "ghcr.io/shop/web:v1"}
	for _, cause := range codes {
		for _, home := range []evidence.Home{"", evidence.HomeK3s, evidence.HomeRKE2, evidence.HomeBottlerocket, evidence.HomeTalos, evidence.HomeGKE, evidence.HomeEKS, evidence.HomeAKS, evidence.HomeOpenShift} {
			for _, runtime := range []string{"containerd", "cri-o", "docker"} {
				all = append(all, world{cause: cause, node: evidence.NodeState{Home: home, Runtime: runtime}}.finding())
			}
		}
		for _, kind := range []string{"StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod", "Widget"} {
			for _, part := range []evidence.ContainerKind{evidence.App, evidence.Ephemeral, evidence.VolumeImage, evidence.Refused, evidence.Planned} {
				all = append(all, world{cause: cause, kind: kind, part: part, owners: 5, chain: []evidence.Ref{{Kind: "Job", Name: "web-1"}}}.finding())
			}
		}
		for _, kind := range []string{"Deployment", "StatefulSet", "Job", "CronJob", "Pod", "Widget"} {
			for _, part := range []evidence.ContainerKind{evidence.App, evidence.Ephemeral, evidence.VolumeImage, evidence.Refused, evidence.Planned, evidence.Sandbox} {
				all = append(all, world{cause: cause, kind: kind, part: part, seen: near}.finding(), world{cause: cause, kind: kind, part: part, seen: sure, owners: 5}.finding())
			}
		}
		for _, manager := range []string{"argocd", "flux", "helm", "olm"} {
			all = append(all, world{cause: cause, manager: manager, by: "HelmRelease shop/web", seen: near}.finding())
			all = append(all, world{cause: cause, manager: manager, by: "HelmRelease shop/web"}.finding())
		}
		for _, host := range hosts {
			all = append(all, world{cause: cause, image: host, reading: diagnose.Reading{Host: "mirror.example.com:5000", Detail: "lookup x on 10.0.0.10:53: no such host"}}.finding())
		}
		planned := hostile(cause)
		planned.Cases[0].Pull.Kind = evidence.Planned
		all = append(all, hostile(cause), planned)
	}
	return all
}

func hostile(cause diagnose.Code) diagnose.Finding {
	const evil = "-x'\"`$(reboot);\\ \x1b[2J\n|&>\u202e!{"
	w := world{cause: cause, image: evil, manager: "helm", by: evil, reading: diagnose.Reading{Host: evil, Registry: evil, Detail: evil},
		node: evidence.NodeState{Home: evidence.Home(evil), Runtime: evil, Arch: evil, OS: evil}, prev: evil,
		account: &evidence.ServiceAccount{Namespace: evil, Name: evil, PullSecrets: []string{evil}},
		seen:    []evidence.Alternative{{Image: evil, Why: evil, Source: evil, Certain: true}, {Image: "quay.io/shop/web:v1", Why: evil, Source: evil, Certain: true}},
		ring:    &evidence.Keyring{Broken: evil, BrokenBy: evil, Entries: []evidence.KeyringEntry{{Login: evidence.Login{Secret: evil, Key: evil, User: evil}, Near: true, Why: evil, Hint: evil}}},
		probe:   &evidence.Probe{Attempts: []evidence.Attempt{{Login: &evidence.Login{Secret: "file " + evil, Key: evil, User: evil, Kind: evil, Problem: evil}, Steps: []evidence.Step{{Status: 401, Name: evil}}}, {Login: &evidence.Login{}}, {}}},
		secrets: []*evidence.Secret{{Namespace: evil, Name: evil, Exists: evidence.Yes, Owner: "ExternalSecret " + evil, Registries: []string{evil}}, {Namespace: "shop", Name: evil, Exists: evidence.No}},
	}
	f := w.finding()
	f.Cases[0].Pull.Namespace, f.Cases[0].Pull.Node, f.Cases[0].Pull.Container = evil, evil, evil
	f.Cases[0].Pull.Workload.Name, f.Cases[0].Pull.Pod = evil, evil
	f.Cases[0].Places = []evidence.Place{{File: evil, Line: 1}, {File: "-"}}
	return f
}

// TestHostileNames runs every command with no program in reach: a name that became a command of its own would call reboot.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash to run commands with")
	}
	script := "PATH=/nonexistent\nreboot() { echo INJECTED >&2; }\ncommand_not_found_handle() { return 0; }\n"
	for _, cause := range codes {
		for _, part := range []evidence.ContainerKind{evidence.App, evidence.Planned} {
			f := hostile(cause)
			f.Cases[0].Pull.Kind = part
			p := plan.For(f)
			holds(t, p)
			script += commands(p) + "\n"
		}
	}
	cmd := exec.Command(bash)
	cmd.Dir, cmd.Stdin = t.TempDir(), strings.NewReader(script+"echo END >&2\n")
	out, _ := cmd.CombinedOutput() // files that are not there make some fail
	if got := string(out); strings.Contains(got, "INJECTED") || !strings.Contains(got, "END") {
		t.Errorf("%s", got)
	}
}
