package registrytest

// The tag of every profile's images, and a digest that nothing has.
const (
	tag      = ":1.4"
	noTag    = ":9.9"
	noDigest = "@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
)

// The causes that profiles lead to, as DESIGN.md spells them: this package knows nothing of the diagnosis.
const (
	noCredentials      = "auth.no-credentials"
	invalidCredentials = "auth.invalid-credentials"
	expiredCredentials = "auth.expired-credentials"
	notAllowed         = "auth.forbidden"
	lockedOut          = "auth.locked-out"
	deniedOrMissing    = "auth.denied-or-missing"
	repositoryNotFound = "name.repository-not-found"
	tagNotFound        = "name.tag-not-found"
	digestNotFound     = "name.digest-not-found"
	contentMissing     = "image.content-missing"
	unavailable        = "registry.unavailable"
	rateLimited        = "registry.rate-limited"
	accountRestricted  = "registry.account-restricted"
	clientBlocked      = "registry.client-blocked"
	contentPolicy      = "registry.content-policy"
	notARegistry       = "registry.not-a-registry"
	cannotTell         = "unknown"
)

// nobody offers nothing.
var nobody = Account{}

// at is a situation of the registry's own making.
func at(name, image string, who Account, want ...string) Situation {
	return Situation{Name: name, Image: image, Account: who, Want: want}
}

// of sets what goes wrong in it.
func (s Situation) of(where Where, answer Answer) Situation {
	s.Faults = append(s.Faults, Fault{ID: s.Name, Where: where, Answer: answer})
	return s
}

// inLayers marks that manifests are served.
func (s Situation) inLayers() Situation {
	s.Layers = true
	return s
}

// Where profiles go wrong.
var (
	atManifest = Where{Step: StepManifest}
	atFetch    = Where{Step: StepManifest, Method: "GET"} // where HEAD is free
	atToken    = Where{Step: StepToken}
	atLayer    = Where{Object: "layer"}
	atStorage  = Where{Step: StepStorage}
	anywhere   = Where{Early: true}
)

// early acts before credentials are asked for.
func early(w Where) Where {
	w.Early = true
	return w
}

func preset(name string) Answer { return Answer{Preset: name} }

func says(status int, code, text string) Answer {
	return Answer{Status: status, Body: errorBody(code, text)}
}

// missing are the situations of names that are not there, for who may know. The registry is sure of each.
func missing(image string, who Account) []Situation {
	name := image[:len(image)-len(tag)]
	return []Situation{
		at("missing tag", name+noTag, who, tagNotFound),
		at("missing digest", name+noDigest, who, digestNotFound),
	}
}

// storage are the situations of a registry that redirects its layers.
func storage(image string, who Account) []Situation {
	return []Situation{
		// An object store without permission to list says the same of what is denied and of what is missing.
		at("storage refuses", image, who, clientBlocked, contentMissing, unavailable, cannotTell).of(atStorage, preset("storage-denied")).inLayers(),
		at("storage has lost a layer", image, who, contentMissing).of(Where{Step: StepStorage}, Answer{Status: notFound, Body: noSuchKeyBody}).inLayers(),
	}
}
