package plan

import (
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
)

const (
	// filePrefix begins the name of a credential that was given as a file.
	filePrefix = "file "
	// madeHere is for a secret that may come with what is to be deployed.
	madeHere = "If the manifests make this secret, correct it there instead."
)

// loginFiles are the docker configs that were given in place of the cluster's secrets.
func (s subject) loginFiles() []string {
	var out []string
	for _, u := range s.logins {
		if file, ok := strings.CutPrefix(u.Secret, filePrefix); ok && !slices.Contains(out, file) {
			out = append(out, file)
		}
	}
	for _, e := range s.near {
		if file, ok := strings.CutPrefix(e.Secret, filePrefix); ok && !slices.Contains(out, file) {
			out = append(out, file)
		}
	}
	return out
}

// plannedLogin gives the pods to come a credential that the registry takes: in the secrets that they name, else in a new one.
func (s subject) plannedLogin() []Step {
	if files := s.loginFiles(); len(files) > 0 {
		var steps []Step
		for _, file := range files {
			steps = append(steps, manual("Log in again into "+file, "Pods pull with a secret of their namespace: its contents must be renewed as well."+s.nearNote("")+s.loginNote(filePrefix+file), "",
				strings.Replace(login(s.ref.host), "--authfile "+loginFile, "--authfile "+quote(file), 1)))
		}
		return steps
	}
	var steps []Step
	switch s.Cause {
	case diagnose.SecretMissing:
		steps = s.plannedMissing()
	case diagnose.InvalidCredentials, diagnose.ExpiredCredentials:
		for _, x := range s.usedSecrets() {
			steps = append(steps, s.plannedRepair(x, s.rewriteSecret(x), s.loginNote(x.Namespace+"/"+x.Name)))
		}
	default:
		for _, x := range s.secrets {
			useless := x.Problem != "" || s.blames(x) || s.Cause == diagnose.NoCredentials && !s.covers(x)
			if x.Exists == evidence.Yes && s.names(x) && useless {
				steps = append(steps, s.plannedRepair(x, s.repairSecret(x), s.nearNote(x.Namespace+"/"+x.Name)))
			}
		}
		if s.Cause == diagnose.NoCredentials && len(steps) > 1 {
			steps = steps[:1] // one entry is enough
		}
	}
	if len(steps) == 0 {
		return s.plannedGrant()
	}
	return steps
}

// plannedRepair is a step that changes a secret, where no pod waits for it.
func (s subject) plannedRepair(x *evidence.Secret, step Step, note string) Step {
	step.After = "the secret " + x.Namespace + "/" + x.Name + " has an entry that " + s.ref.host + " takes"
	step.Note = join(step.Note, strings.TrimSpace(note+" "+madeHere))
	return step
}

// plannedMissing creates the secrets under the names that the manifests ask for.
func (s subject) plannedMissing() []Step {
	var steps []Step
	for i, x := range s.missingSecrets() {
		step := s.createSecret(x.Namespace, x.Name, i == 0)
		step.Note = join(step.Note, "The pods would name it already, so nothing else changes. If the name is a typing error, correct that instead"+s.ofPlaces()+".")
		steps = append(steps, step)
	}
	if n := len(steps); n > 0 {
		steps[n-1].Commands = append(steps[n-1].Commands, "rm "+loginFile)
	}
	return steps
}

func (s subject) ofPlaces() string {
	if at := s.at(); at != "" {
		return ": imagePullSecrets beside " + at
	}
	return ""
}

// plannedGrant makes one secret in each namespace, and has the manifests name it; where there are none, the service account.
func (s subject) plannedGrant() []Step {
	var steps []Step
	var namespaces []string
	for _, o := range s.owners {
		if slices.Contains(namespaces, o.namespace) {
			continue
		}
		namespaces = append(namespaces, o.namespace)
		steps = append(steps, s.createSecret(o.namespace, newSecret, len(steps) == 0))
	}
	if n := len(steps); n > 0 {
		steps[n-1].Commands = append(steps[n-1].Commands, "rm "+loginFile)
	}
	if at := s.at(); at != "" {
		return append(steps, manual("Name it in the pod template beside "+at, "Under spec of the template: imagePullSecrets: [{name: "+newSecret+"}]. Or name it in the service account: pods that name no secret of their own get it from there.",
			"the pods to come name the secret"))
	}
	for _, o := range s.owners {
		o.ref = evidence.Ref{}
		step := s.attachAccount(o, newSecret)
		if !slices.ContainsFunc(steps, func(x Step) bool { return x.Title == step.Title }) {
			step.After = "the pods to come list the secret"
			steps = append(steps, step)
		}
	}
	return steps
}

// plannedDenied first settles what the registry will not say.
func (s subject) plannedDenied() []Step {
	note := "The registry answers the same for private and for missing. Found: the pods would lack credentials, so give them some. Not found: the name is wrong, or it was removed or moved."
	if moved := relocated(s.pull.Image); moved != "" {
		note += " Known: " + moved
	}
	look := manual("Find out whether it exists, with an account that should see it", note, "", append([]string{login(s.ref.host)}, s.inspectWith("--authfile "+loginFile)...)...)
	found := s.plannedForDenied()
	found[0].Title = "If it exists: " + lowerFirst(found[0].Title, true)
	missing := s.plannedImage("name one that the registry holds")
	missing[0].Title = "If it does not: " + lowerFirst(missing[0].Title, true)
	if _, ok := certain(s.alternatives()); ok {
		return append(append(missing, look), found...)
	}
	return append(append([]Step{look}, found...), missing...)
}

// plannedForDenied renews what was refused where something was offered, and gives something where nothing was.
func (s subject) plannedForDenied() []Step {
	s.Cause = diagnose.NoCredentials
	if len(s.usedSecrets()) > 0 {
		s.Cause = diagnose.InvalidCredentials
	}
	if len(s.missingSecrets()) > 0 {
		s.Cause = diagnose.SecretMissing
	}
	return s.plannedLogin()
}
