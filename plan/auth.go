package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

const (
	// newSecret is the name for a pull secret that does not exist yet.
	newSecret = "refloat-pull"
	// loginFile is where the credential stands for a moment: in a file, never in an argument.
	loginFile = "./pull-secret.json"
)

const helperNote = "podman asks for the password. A docker config serves too if its auths hold the password itself: the kubelet ignores credsStore, credHelpers and identity tokens."

func (s subject) noCredentials() []Step {
	if s.nodeCredentials() {
		return s.nodeLogin("This pull uses no pod secrets: the node itself must hold the credential")
	}
	if name := s.lateSecret(); name != "" {
		return s.recreateFor(name)
	}
	if named := s.namedSecrets(); len(named) > 0 && s.owners[0].workload.Manager == "" {
		x := named[max(slices.IndexFunc(named, s.blames), 0)]
		step := s.repairSecret(x)
		step.Note += s.nearNote(x.Namespace + "/" + x.Name)
		return append([]Step{step}, s.unstick()...)
	}
	return s.grantSecret()
}

// renewCredentials writes a fresh entry into the secret in use; the other entries stay.
func (s subject) renewCredentials() []Step {
	if s.nodeCredentials() {
		return s.nodeLogin("The credential in use is the node's")
	}
	secrets := s.usedSecrets()
	if len(secrets) == 0 {
		steps := s.grantSecret()
		steps[0].Note += " No pull secret of the pod is known to match this registry; if the node's own credential is at fault, renew that instead (kubelet config.json or credential provider)." + s.loginNote("")
		return steps
	}
	var steps []Step
	for _, x := range secrets {
		step := s.rewriteSecret(x)
		step.Note = strings.TrimSpace(step.Note + s.loginNote(x.Namespace+"/"+x.Name))
		steps = append(steps, step)
	}
	return append(steps, s.unstick()...)
}

func (s subject) forbidden() []Step {
	step := manual("Give the identity the right to pull "+s.ref.host+"/"+s.ref.repo,
		"The registry knows who asks and refuses this repository. "+grantHint(s.ref.host)+s.loginNote(""), "the same credential may pull", s.inspect()...)
	return append([]Step{step}, s.unstick()...)
}

// grantHint is the permission's name where it is known for that registry.
func grantHint(host string) string {
	switch {
	case ecrHost.MatchString(host):
		return "ECR: the role needs ecr:GetAuthorizationToken, ecr:BatchGetImage, ecr:GetDownloadUrlForLayer; from another account the repository's policy must allow it too."
	case strings.HasSuffix(host, ".azurecr.io"):
		return "ACR: give the kubelet's identity AcrPull (az aks update --attach-acr)."
	case host == "gcr.io", strings.HasSuffix(host, ".gcr.io"), strings.HasSuffix(host, ".pkg.dev"):
		return "Artifact Registry: the service account needs roles/artifactregistry.reader on the repository."
	case host == "ghcr.io":
		return "GHCR: the token needs read:packages, and its owner access to the package."
	}
	return "Ask its owner for pull (read) permission."
}

func (s subject) lockedOut() []Step {
	step := manual("Stop the logins that fail, then unlock the account at "+s.ref.host,
		"Each retry of the kubelet counts as one more failed login: do not try passwords until the lock is lifted. "+strings.TrimPrefix(s.loginNote("")+" ", " ")+"First scale the workload down:", "")
	back := manual("When the login works again, scale back", "Set REPLICAS to the number that was printed.", "")
	for _, o := range s.owners {
		target := object(o.ref.Kind, o.ref.Name)
		switch o.kind() {
		case "deployment", "statefulset", "replicaset":
			step.Commands = append(step.Commands,
				kubectl(o.namespace, "get", target, `-o jsonpath='{.spec.replicas}{"\n"}'`), kubectl(o.namespace, "scale", target, "--replicas=0"))
			back.Commands = append(back.Commands, kubectl(o.namespace, "scale", target, `--replicas="$REPLICAS"`))
		case "cronjob":
			step.Commands = append(step.Commands, kubectl(o.namespace, "patch", target, `-p '{"spec":{"suspend":true}}'`))
			back.Commands = append(back.Commands, kubectl(o.namespace, "patch", target, `-p '{"spec":{"suspend":false}}'`))
		}
		if o.workload.Manager != "" {
			step.Note += " Its manager (" + o.workload.Manager + ") may scale it up again: pause that first."
		}
	}
	steps := append([]Step{step}, s.renewCredentials()...)
	if len(back.Commands) > 0 {
		steps = append(steps, back)
	}
	return steps
}

// secretMissing creates the secret under the name that the pod already asks for: then the pod itself stays as it is.
func (s subject) secretMissing() []Step {
	var steps []Step
	for i, x := range s.missingSecrets() {
		step := s.createSecret(x.Namespace, x.Name, i == 0)
		step.Note += " The pod names it already, so nothing else changes. If the name is a typing error, correct that instead."
		steps = append(steps, step)
	}
	if len(steps) == 0 {
		return s.noCredentials()
	}
	return append(steps, s.unstick()...)
}

func (s subject) missingSecrets() []*evidence.Secret {
	var out []*evidence.Secret
	for _, x := range s.secrets {
		if x.Exists == evidence.No && s.names(x) {
			out = append(out, x)
		}
	}
	return out
}

// names tells whether a pod of the finding names the secret; one of the service account's may have come too late for it.
func (s subject) names(x *evidence.Secret) bool {
	known := false
	for _, o := range s.owners {
		known = known || !o.pod.Created.IsZero()
		if o.namespace == x.Namespace && slices.Contains(o.pod.PullSecrets, x.Name) {
			return true
		}
	}
	return !known
}

func (s subject) secretMalformed() []Step {
	var steps []Step
	for _, x := range s.secrets {
		if s.names(x) && (x.Problem != "" || s.blames(x) || x.Exists == evidence.Yes && !s.covers(x)) {
			step := s.repairSecret(x)
			step.Note = strings.TrimSpace(step.Note + s.nearNote(x.Namespace+"/"+x.Name))
			steps = append(steps, step)
		}
	}
	if len(steps) == 0 {
		steps = append(steps, manual("Find the secret that cannot be read: one bad entry in any pull secret of the pod breaks all its pulls", strings.TrimSpace(s.nearNote("")), "", s.showSecrets()...))
	}
	return append(steps, s.unstick()...)
}

func (s subject) showSecrets() []string {
	var out []string
	for _, o := range s.owners {
		for _, name := range o.pod.PullSecrets {
			out = append(out, kubectl(o.namespace, "get", object("secret", name), `-o jsonpath='{.type}{"\n"}'`))
		}
	}
	return unique(out)
}

// nodeCredentials tells pulls that no secret of the pod can help.
func (s subject) nodeCredentials() bool {
	if s.pull.Kind == evidence.Sandbox {
		return true
	}
	return len(s.owners) > 0 && s.owners[0].pod.Mirror
}

// lateSecret is a secret that the service account got after the pod was made: the pod never hears of it.
func (s subject) lateSecret() string {
	if s.account == nil || len(s.owners) == 0 || len(s.owners[0].pod.PullSecrets) > 0 {
		return ""
	}
	for _, name := range s.account.PullSecrets {
		x := s.secret(s.pull.Namespace, name)
		if x == nil || x.Exists == evidence.Unknown || x.Exists == evidence.Yes && x.Problem == "" && s.covers(x) {
			return name
		}
	}
	return ""
}

// usedSecrets are those with an entry for this registry, of these the ones that it was seen to refuse; where none is seen to have one, those that could not be read.
func (s subject) usedSecrets() []*evidence.Secret {
	var match, unread []*evidence.Secret
	for _, x := range s.secrets {
		switch {
		case !s.names(x):
		case x.Exists == evidence.Unknown:
			unread = append(unread, x)
		case x.Exists == evidence.Yes && s.covers(x):
			match = append(match, x)
		}
	}
	refused := slices.DeleteFunc(slices.Clone(match), func(x *evidence.Secret) bool {
		return !slices.ContainsFunc(s.logins, func(u used) bool { return u.refused && u.Secret == x.Namespace+"/"+x.Name })
	})
	switch {
	case len(refused) > 0:
		return refused
	case len(match) > 0:
		return match
	}
	return unread
}

// namedSecrets are those that the pod has and that could take an entry for this registry.
func (s subject) namedSecrets() []*evidence.Secret {
	var out []*evidence.Secret
	for _, x := range s.secrets {
		if x.Exists == evidence.Yes && s.names(x) && len(s.owners) > 0 && len(s.owners[0].pod.PullSecrets) > 0 {
			out = append(out, x)
		}
	}
	return out
}

// covers tells whether the kubelet would use a secret for the image, by the rule that the diagnosis goes by.
func (s subject) covers(x *evidence.Secret) bool {
	return evidence.KeysMatch(x.Registries, s.pull.Image)
}

func (s subject) providerFailed() []Step {
	steps := []Step{s.onNode("See why the credential provider gave nothing on "+s.where(),
		"The kubelet only logs it and goes on anonymously. The usual reasons: no provider since an upgrade, metadata service out of reach, no role.", "",
		s.kubeletLog(`grep -i 'credential'`))}
	switch {
	case s.node.Home == evidence.HomeAKS || strings.HasSuffix(s.ref.host, ".azurecr.io"):
		name, _, _ := strings.Cut(s.ref.host, ".")
		steps = append(steps, manual("Let the cluster's identity pull from the registry", "Set RESOURCE_GROUP and CLUSTER.", "",
			fmt.Sprintf(`az aks check-acr --resource-group "$RESOURCE_GROUP" --name "$CLUSTER" --acr %s`, quote(s.ref.host)),
			fmt.Sprintf(`az aks update --resource-group "$RESOURCE_GROUP" --name "$CLUSTER" --attach-acr %s`, quote(name))))
	case s.node.Home == evidence.HomeEKS || ecrHost.MatchString(s.ref.host):
		steps = append(steps, manual("Give the node's role the right to pull from ECR", "Set NODE_ROLE to the role of the node group.", "",
			`aws iam attach-role-policy --role-name "$NODE_ROLE" --policy-arn arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly`))
	case s.node.Home == evidence.HomeGKE || strings.HasSuffix(s.ref.host, ".pkg.dev"):
		steps = append(steps, manual("Give the nodes' service account the right to read the registry", "Set PROJECT and NODE_SERVICE_ACCOUNT.", "",
			`gcloud projects add-iam-policy-binding "$PROJECT" --member="serviceAccount:$NODE_SERVICE_ACCOUNT" --role=roles/artifactregistry.reader`))
	}
	return append(steps, s.unstick()...)
}

// deniedOrMissing first settles what the registry will not say.
func (s subject) deniedOrMissing() []Step {
	next, first := "2", slices.ContainsFunc(s.owners, func(o owner) bool { _, ok := certain(o.alternatives()); return ok })
	if first || s.ServedNow { // other steps come before this one
		next = "the step after this"
	}
	look := manual("Find out whether it exists, with an account that should see it",
		"The registry answers the same for private and for missing. Found: the pod lacks credentials, go on with "+next+". Not found: the name is wrong or it was removed or moved, correct the image instead.",
		"", append([]string{login(s.ref.host)}, s.inspectWith("--authfile "+loginFile)...)...)
	steps := []Step{look}
	if len(s.usedSecrets()) > 0 && !s.nodeCredentials() {
		steps = append(steps, s.renewCredentials()...)
	} else {
		steps = append(steps, s.noCredentials()...)
	}
	if moved := relocated(s.pull.Image); moved != "" {
		steps[0].Note += " Known: " + moved
	}
	switch {
	case first:
		return append(s.changeToSeen("name one that the registry holds"), steps...)
	case s.anySeen():
		steps = append(steps, s.changeToSeen("name one that the registry holds")...)
	}
	return steps
}
