package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
)

// planned are the steps for an image that nothing runs yet: manifests, secrets, registries and nodes can be changed;
// there is no pod to look at, to make anew or to wait for.
func (s subject) planned() []Step {
	switch s.Cause {
	case diagnose.NoCredentials, diagnose.SecretMissing, diagnose.SecretMalformed, diagnose.InvalidCredentials, diagnose.ExpiredCredentials:
		return s.plannedLogin()
	case diagnose.Forbidden:
		return s.forbidden()
	case diagnose.DeniedOrMissing:
		return s.plannedDenied()
	case diagnose.InvalidReference:
		return s.plannedImage("write it as HOST/PATH:TAG, in lower case, without a scheme or spaces")
	case diagnose.RepositoryNotFound, diagnose.TagNotFound, diagnose.DigestNotFound:
		return s.plannedNotFound()
	case diagnose.PlatformMismatch:
		return s.plannedPlatform()
	case diagnose.UnsupportedFormat:
		look := s.lookAt("See what it is", "A Docker schema 1 manifest, a Helm chart or another artifact is no image that a runtime runs.")
		return append(look, s.plannedImage("name the image that was meant")...)
	case diagnose.ContentMissing, diagnose.CacheCorrupt:
		return append(s.lookAt("See what the registry holds", "The manifest is there, and something that it names is not, or is not what it says: a push that broke off, or a clean-up that took too much."),
			manual("Push the image again from where it was built, under the same reference", "If the reference is a mirror or a proxy cache, drop its copy instead.", "all blobs answer"))
	case diagnose.ContentPolicy:
		look := s.lookAt("Read why the registry withholds the image", "Its scanner or signing rule refuses it. Rebuild it without the finding and push that, or have the rule's owner make an exception.")
		return append(look, s.plannedImage("name the rebuilt image")...)
	case diagnose.AccountRestricted:
		return s.accountRestricted()
	case diagnose.RateLimited:
		return []Step{manual("Wait for the limit to pass, raise the account's plan, or put a pull-through mirror in front",
			"The limit counts the account, so pods that pull with it meet the same."+s.loginNote(""), "")}
	case diagnose.Unavailable:
		return []Step{manual("Ask the registry again", "A 5xx is the registry's own failure: its status page or its owner knows more.", s.reachAfter(), s.reach())}
	case diagnose.NotARegistry:
		look := manual("See what answers at "+s.host(), "A login page, a proxy's block page or a web server: the host, the port or the path is wrong, or something stands in between.", "",
			"curl -sS -i "+quote("https://"+s.host()+"/v2/")+" | head -n 20")
		return append([]Step{look}, s.plannedImage("if host or path is wrong, name the right one")...)
	case diagnose.DiskFull:
		return s.diskFull()
	}
	return s.plannedUnknown()
}

// plannedUnknown is for what could not be told: what was not seen is named with the way to see it.
func (s subject) plannedUnknown() []Step {
	if s.Cause != diagnose.Unknown {
		return []Step{manual("Read what is known of this cause", "", "", "kubectl refloat explain "+quote(string(s.Cause)))}
	}
	step := manual("Settle what could not be seen, for it decides", "", "")
	for _, g := range s.Gaps {
		if g.Deciding {
			how := g.How
			if how == "" {
				how = g.Why
			}
			step.Note = join(step.Note, g.What+": "+strings.TrimSuffix(how, ".")+".")
			if g.Vantage == evidence.Registry && printableReference(s.pull.Image) {
				step.Commands = []string{s.reach()}
			}
		}
	}
	return []Step{step}
}

// lookAt asks the registry for the manifest; a reference that does not parse cannot be asked for.
func (s subject) lookAt(title, note string) []Step {
	if !printableReference(s.pull.Image) {
		return nil
	}
	return []Step{manual(title, note, "", s.inspect()...)}
}

// plannedImage corrects the image where it stands.
func (s subject) plannedImage(why string) []Step {
	title := "Name another image: "
	if at := s.at(); at != "" {
		title = "Correct the image at " + at + ": "
	}
	all := s.alternatives()
	if one, ok := certain(all); ok {
		why = "to " + one.Image + ", " + one.Why
	}
	step := manual(title+why, "", "the registry answers for the corrected name")
	if len(all) > 0 {
		step.Note = "The registry serves: " + list(all) + "."
		for _, a := range all {
			if a.Source != "" {
				step.Note = join(step.Note, "See "+a.Source+".")
			}
		}
	}
	return []Step{step}
}

// alternatives are what the registry was seen to serve instead, each once.
func (s subject) alternatives() []evidence.Alternative {
	var out []evidence.Alternative
	for _, o := range s.owners {
		for _, a := range o.alternatives() {
			if !slices.ContainsFunc(out, func(b evidence.Alternative) bool { return a.Image == b.Image }) {
				out = append(out, a)
			}
		}
	}
	return out
}

func (s subject) plannedNotFound() []Step {
	note := "The registry was reached and does not have it: pushed to another place, not pushed yet, removed, or mistyped."
	if moved := relocated(s.pull.Image); moved != "" {
		note += " Known: " + moved
	}
	look := s.lookAt("See what the registry holds", note)
	if len(look) > 0 && s.Cause != diagnose.RepositoryNotFound {
		look[0].Commands = append(look[0].Commands, "skopeo list-tags "+quote("docker://"+s.ref.host+"/"+s.ref.repo))
	}
	correct := s.plannedImage("name one that the registry holds, or push this one first")
	if s.anySeen() {
		return append(correct, look...)
	}
	return append(look, correct...)
}

// plannedPlatform: the image is to be made for the platform, or the pods are to be kept off it.
func (s subject) plannedPlatform() []Step {
	want := orText(s.pull.Platform, "the platform that is asked for")
	steps := s.lookAt("See for which platforms the image was made", "It must list "+want+".")
	if s.anySeen() {
		steps = append(s.plannedImage("name one for "+want), steps...)
	}
	build := manual("Build and push it for "+want+" too", "", "the index lists "+want)
	if platform, _, _ := strings.Cut(s.pull.Platform, ":"); platform != "" && printableReference(s.pull.Image) && s.ref.digest == "" {
		build.Commands = []string{"docker buildx build --platform " + quote(withPlatform(platform)) + " --tag " + quote(s.ref.String()) + " --push ."}
	}
	keep := manual("Or keep the pods on nodes that the image is made for", "In the pod template: nodeSelector: {kubernetes.io/arch: ARCHITECTURE}.", "no node that the pods can land on has "+want)
	if at := s.at(); at != "" {
		keep.Title += ", at " + at
	}
	return append(steps, build, keep)
}

// withPlatform keeps both common platforms of an image for Linux: to push one alone would take the other away from the tag.
func withPlatform(platform string) string {
	const both = "linux/amd64,linux/arm64"
	switch {
	case !strings.HasPrefix(platform, "linux/"):
		return platform
	case platform == "linux/amd64", platform == "linux/arm64":
		return both
	}
	return both + "," + platform
}

// at names the lines that ask for the images; empty where they were given by hand.
func (s subject) at() string {
	var names []string
	for _, p := range s.places {
		name := p.File
		if name == "-" {
			name = "standard input"
		}
		if p.Line > 0 {
			name += fmt.Sprintf(":%d", p.Line)
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	text := strings.Join(names[:min(len(names), maxOwners)], ", ")
	if more := len(names) - maxOwners; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// checkAgain is what proves a plan for images that nothing runs: the same question, asked again.
func (s subject) checkAgain() Step {
	step := manual("Check again", "Give it the flags that it had before.", "the image is found for every platform that it may run on")
	command := "kubectl refloat check"
	own := len(s.places) > 0 && !slices.ContainsFunc(s.places, func(p evidence.Place) bool { return p.Object.Namespace == "" })
	if s.pull.Namespace != "" && !own { // manifests that name a namespace need none
		command += " -n " + quote(s.pull.Namespace)
	}
	for _, file := range s.loginFiles() {
		command += " --docker-config " + quote(file)
	}
	if words := s.manifestWords(); len(words) > 0 {
		command += " " + strings.Join(words, " ")
		if slices.Contains(words, stdinWord) {
			step.Note += " The manifests came on standard input: set MANIFESTS to a file that holds them, or pipe them in again."
		}
	} else {
		words, note := s.imageWords()
		command += " " + strings.Join(words, " ")
		step.Note = join(step.Note, note)
	}
	step.Commands = []string{command}
	return step
}

// stdinWord gives manifests on standard input.
const stdinWord = `-f - < "$MANIFESTS"`

// maxAgain bounds the files and images of one command.
const maxAgain = 10

func (s subject) manifestWords() []string {
	var out []string
	for _, p := range s.places {
		word := "-f " + quote(p.File)
		if p.File == "-" {
			word = stdinWord
		}
		if p.File != "" && !slices.Contains(out, word) && len(out) < maxAgain {
			out = append(out, word)
		}
	}
	return out
}

// imageWords are images given by hand; one that is to be corrected is for a person to name, unless it is certain.
func (s subject) imageWords() (words []string, note string) {
	switch s.Cause {
	case diagnose.InvalidReference, diagnose.RepositoryNotFound, diagnose.TagNotFound, diagnose.DigestNotFound, diagnose.NotARegistry, diagnose.UnsupportedFormat:
		if a, ok := certain(s.alternatives()); ok {
			return []string{quote(a.Image)}, ""
		}
		return []string{`"$IMAGE"`}, "Set IMAGE to the corrected name."
	}
	for _, o := range s.owners {
		for _, image := range o.images() {
			if word := quote(image); printableReference(image) && !slices.Contains(words, word) && len(words) < maxAgain {
				words = append(words, word)
			}
		}
	}
	if len(words) == 0 {
		return []string{`"$IMAGE"`}, "Set IMAGE to the corrected name."
	}
	return words, ""
}

func orText(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
