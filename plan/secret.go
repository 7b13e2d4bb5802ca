package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

const secretType = "--type=kubernetes.io/dockerconfigjson --from-file=.dockerconfigjson=" + loginFile

// createSecret makes a pull secret from a login file; withLogin is set where the file is not there yet.
func (s subject) createSecret(namespace, name string, withLogin bool) Step {
	step := manual("Create the pull secret "+namespace+"/"+name, helperNote+lifeNote(s.ref.host),
		"the secret exists in the pod's own namespace, with an entry for "+s.ref.host)
	step.Target = evidence.Ref{APIVersion: "v1", Kind: "Secret", Namespace: namespace, Name: name}
	step.Undo = kubectl(namespace, "delete", object("secret", name))
	if withLogin {
		step.Commands = []string{"umask 077", login(s.ref.host)}
	}
	step.Commands = append(step.Commands, kubectl(namespace, "create secret generic", operand(name), secretType))
	return step
}

// grantSecret makes one secret in each namespace and attaches it to each workload.
func (s subject) grantSecret() []Step {
	var steps []Step
	var namespaces []string
	for _, o := range s.owners {
		if !slices.Contains(namespaces, o.namespace) {
			namespaces = append(namespaces, o.namespace)
			steps = append(steps, s.createSecret(o.namespace, newSecret, len(steps) == 0))
		}
	}
	if len(steps) == 0 {
		steps = append(steps, s.createSecret(s.pull.Namespace, newSecret, true))
	}
	last := &steps[len(steps)-1]
	last.Commands = append(last.Commands, "rm "+loginFile)
	for _, o := range s.owners {
		steps = append(steps, s.attach(o, newSecret))
	}
	if s.more > 0 {
		steps[len(steps)-1].Note += fmt.Sprintf(" The same for %d more workloads.", s.more)
	}
	return steps
}

// attach names the secret where the owner's pods take theirs from.
func (s subject) attach(o owner, name string) Step {
	if o.workload.Manager != "" {
		step := o.atSource("imagePullSecrets (add " + name + ")")
		return step
	}
	step := Step{Title: "Attach it to " + o.name(), Risk: Manual, Target: o.ref, After: "new pods list the secret and pull"}
	list := `{"imagePullSecrets":[{"name":` + jsonString(name) + `}]}`
	template := `{"spec":{"template":{"spec":` + list + `}}}`
	target := object(o.ref.Kind, o.ref.Name)
	switch o.kind() {
	case "deployment", "daemonset":
		step.Commands = []string{kubectl(o.namespace, "patch", target, "-p", quote(template))}
	case "statefulset", "replicaset", "replicationcontroller":
		step.Commands = append([]string{kubectl(o.namespace, "patch", target, "-p", quote(template))}, o.deletePods()...)
		step.Note = "Pods that exist keep what they were made with; an OrderedReady StatefulSet waits for the broken one for ever: delete it."
	case "cronjob":
		step.Commands = append([]string{kubectl(o.namespace, "patch", target, "-p", quote(`{"spec":{"jobTemplate":`+template+`}}`))}, o.deleteJobs()...)
		step.Note = "Jobs already made stay without it; with concurrencyPolicy Forbid they block every later run."
	case "pod":
		if o.ref.Name == "" {
			return s.attachAccount(o, name)
		}
		step.Title = "Make the pod " + o.ref.Name + " anew with it"
		step.Note = "The pull secrets of a pod that exists cannot change, and nothing recreates a bare pod: it is saved first. Under spec in the file: imagePullSecrets: [{name: " + name + "}]"
		step.Commands = o.recreate()
		return step
	default:
		return s.attachAccount(o, name)
	}
	step.Undo = "take the name out of imagePullSecrets again"
	return step
}

// attachAccount is for pods whose template cannot change, such as a Job's, and for planned images.
func (s subject) attachAccount(o owner, name string) Step {
	account := o.pod.ServiceAccount
	if account == "" {
		account = "default"
	}
	step := Step{
		Title: "Attach it to the service account " + o.namespace + "/" + account + " and make the pods anew", Risk: Manual, Target: o.ref,
		Note: "Only pods made afterwards get it, and only where they name no imagePullSecrets of their own. All pods of this account get it.",
		Undo: "take the name out of the service account's imagePullSecrets again", After: "new pods list the secret and pull",
	}
	step.Commands = []string{kubectl(o.namespace, "patch", object("serviceaccount", account), "-p", quote(`{"imagePullSecrets":[{"name":`+jsonString(name)+`}]}`))}
	switch o.kind() {
	case "pod", "": // a planned image: no pod yet
		step.Title = "Attach it to the service account " + o.namespace + "/" + account
	default:
		step.Commands = append(step.Commands, o.deletePods()...)
	}
	return step
}

// recreateFor is for a secret that came to the service account after the pod.
func (s subject) recreateFor(name string) []Step {
	var steps []Step
	for _, o := range s.owners {
		step := manual("Make the pods of "+o.name()+" anew: the service account has the secret "+name+", these pods do not",
			"imagePullSecrets are copied from the service account when a pod is made, and never later.", "the new pod lists the secret "+name)
		step.Target = o.ref
		if step.Commands = o.deletePods(); step.Commands == nil {
			step.Commands = o.recreate()
		}
		steps = append(steps, step)
	}
	return steps
}

// rewriteSecret renews one registry's entry and keeps the others.
func (s subject) rewriteSecret(x *evidence.Secret) Step {
	if x.Owner != "" {
		return sourceSecret(x)
	}
	if x.Type != "" && x.Type != "kubernetes.io/dockerconfigjson" {
		return s.replaceSecret(x)
	}
	step := manual("Renew the entry for "+s.ref.host+" in the secret "+x.Namespace+"/"+x.Name, helperNote+lifeNote(s.ref.host),
		"pods that name the secret pull at their next try; they need no change",
		"umask 077",
		kubectl(x.Namespace, "get", object("secret", x.Name), `-o jsonpath='{.data.\.dockerconfigjson}' | base64 --decode >`, loginFile),
		login(s.ref.host),
		writeBack(x),
		"rm "+loginFile)
	step.Target = secretRef(x)
	step.Undo = "write the file that was there before back in the same way: keep a copy until it works"
	return step
}

// writeBack goes by server-side apply: client-side apply would leave a copy of the password in an annotation.
func writeBack(x *evidence.Secret) string {
	return kubectl(x.Namespace, "create secret generic", operand(x.Name), secretType, "--dry-run=client -o yaml |",
		kubectl(x.Namespace, "apply --server-side --force-conflicts --field-manager=refloat -f -"))
}

// repairSecret starts from an empty file: what is there cannot be read, or has no entry that matches.
func (s subject) repairSecret(x *evidence.Secret) Step {
	if x.Owner != "" {
		return sourceSecret(x)
	}
	if x.Type == "kubernetes.io/dockerconfigjson" && x.Problem == "" {
		step := s.rewriteSecret(x)
		step.Title = fmt.Sprintf("Add an entry for %s to the secret %s/%s", s.ref.host, x.Namespace, x.Name)
		return step
	}
	return s.replaceSecret(x)
}

func (s subject) replaceSecret(x *evidence.Secret) Step {
	step := manual("Replace the secret "+x.Namespace+"/"+x.Name, "A secret's type cannot change, so it is deleted and made again. "+helperNote, "the secret reads well; pods that name it pull at their next try")
	if x.Problem != "" {
		step.Note = "It is " + strings.TrimSuffix(x.Problem, ".") + ". " + step.Note
	}
	step.Target = secretRef(x)
	step.Commands = []string{"umask 077", login(s.ref.host)}
	for _, r := range x.Registries {
		if host := registryHost(r); host != "" && host != s.ref.host {
			step.Commands = append(step.Commands, login(host))
		}
	}
	step.Commands = append(unique(step.Commands),
		kubectl(x.Namespace, "delete", object("secret", x.Name)),
		kubectl(x.Namespace, "create secret generic", operand(x.Name), secretType),
		"rm "+loginFile)
	return step
}

func registryHost(key string) string {
	key = strings.TrimPrefix(strings.TrimPrefix(key, "https://"), "http://")
	host, _, _ := strings.Cut(key, "/")
	if host == "index.docker.io" {
		return "docker.io"
	}
	return host
}

// sourceSecret is for a secret that a controller writes: it would write over any repair.
func sourceSecret(x *evidence.Secret) Step {
	kind, name, _ := strings.Cut(x.Owner, " ")
	if _, last, ok := strings.Cut(name, "/"); ok {
		name = last
	}
	step := manual("Renew the credential at its source: "+x.Owner+" writes the secret "+x.Namespace+"/"+x.Name,
		"Do not edit the secret: its controller writes over it.", "the secret's contents change, and pods pull at their next try")
	step.Target = secretRef(x)
	if kind != "" && name != "" {
		step.Commands = []string{kubectl(x.Namespace, "describe", object(kind, name))}
	}
	if strings.EqualFold(kind, "ExternalSecret") {
		step.Commands = append(step.Commands, kubectl(x.Namespace, "annotate", object(kind, name), `force-sync="$(date +%s)" --overwrite`))
	}
	return step
}

func secretRef(x *evidence.Secret) evidence.Ref {
	return evidence.Ref{APIVersion: "v1", Kind: "Secret", Namespace: x.Namespace, Name: x.Name}
}

// nodeLogin is for pulls that use the node's own credential: static pods and the pause image.
func (s subject) nodeLogin(title string) []Step {
	title += " (" + s.where() + ")"
	switch {
	case s.pull.Kind == evidence.Sandbox:
		return []Step{s.sandboxImage()}
	case s.node.Home == evidence.HomeTalos:
		return []Step{manual(title, "It stands in machine.registries.config, under "+s.ref.host+", as auth.", "", s.talosAll("edit machineconfig"))}
	case s.node.Home == evidence.HomeBottlerocket:
		return []Step{s.onNode(title, "The file holds [[settings.container-registry.credentials]] with registry, username and password.", "", "apiclient apply < ./registry-credentials.toml")}
	}
	step := s.onNode(title, "The kubelet reads config.json of its root directory within 5 minutes.", "",
		"umask 077", login(s.ref.host), "sudo install -m 600 "+loginFile+" /var/lib/kubelet/config.json", "rm "+loginFile)
	step.Note += " If config.json exists, log in into a copy of it: the kubelet reads one file, and merges none."
	return []Step{step}
}
