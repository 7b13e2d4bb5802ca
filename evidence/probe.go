package evidence

import "time"

// Keyring is what the kubelet would find for one image in a pod's pull secrets, or, on a fact of the node, in the docker
// config file that the kubelet reads there. No secret's content is in it.
type Keyring struct {
	// Repository is what credentials are looked up by: docker.io/library/nginx, without tag and digest.
	Repository string `json:"repository"`
	// Entries are those that match, in the order in which the kubelet tries them, and then the others, near misses first.
	Entries []KeyringEntry `json:"entries,omitempty"`
	// Broken is the error that fails the whole lookup, and with it every pull of the pod; BrokenBy is the secret, empty where
	// it is the image's own name that does not parse.
	Broken   string `json:"broken,omitempty"`
	BrokenBy string `json:"brokenBy,omitempty"`
	// Unread are secrets (namespace/name) that could not be read: one of them may match.
	Unread []string `json:"unread,omitempty"`
	// NodeMay says why the node may have credentials of its own, such as `an EKS node's credential provider`; empty where nothing says so.
	NodeMay string `json:"nodeMay,omitempty"`
}

// KeyringEntry is one registry's entry in one secret.
type KeyringEntry struct {
	Login
	Matches bool `json:"matches"`
	// Why it matches, or does not: one clause.
	Why string `json:"why"`
	// Near is set where it was plainly meant for this image; Hint says what to write instead.
	Near bool   `json:"near,omitempty"`
	Hint string `json:"hint,omitempty"`
}

// Login names a credential without giving it away.
type Login struct {
	// Secret is namespace/name, `file PATH` for one given by hand; Key is the registry as the secret writes it.
	Secret string `json:"secret"`
	Key    string `json:"key"`
	User   string `json:"user,omitempty"`
	// Kind is what it plainly is, such as `ECR token` or `GitLab CI job token`; empty where nothing tells.
	Kind string `json:"kind,omitempty"`
	// Expires is when it ends by its own words; zero where it does not tell.
	Expires time.Time `json:"expires,omitzero"`
	// Problem is what keeps it from working whatever the registry thinks, such as `the password ends in a line break`.
	Problem string `json:"problem,omitempty"`
}

// Probe is what a registry answered to one image, asked for as the kubelet's runtime would ask.
type Probe struct {
	// Image is the whole reference that was asked for: docker.io/library/nginx:1.25.
	Image string `json:"image"`
	// Host is the registry's own address, such as registry-1.docker.io.
	Host string `json:"host"`
	// Platform is what a child manifest was looked for: linux/arm64, windows/amd64:10.0.20348.1; empty where no node tells.
	Platform string `json:"platform,omitempty"`
	// Attempts are one for each login in the kubelet's order, up to the first that is served; then, where none was, what is asked for comparison.
	Attempts []Attempt `json:"attempts,omitempty"`
	// Withheld is why some or all credentials were kept back, such as `the registry has locked this login out`.
	Withheld string `json:"withheld,omitempty"`
	// Tags is what the repository's tag list says, asked where a tag is missing; nil where it was not asked.
	Tags *Step `json:"tags,omitempty"`
	// Size is the compressed size of the platform's image in bytes and Layers their number; 0 where the manifest was not seen.
	Size   int64 `json:"size,omitempty"`
	Layers int   `json:"layers,omitempty"`
}

// Attempt is one walk through what a pull needs, with one login.
type Attempt struct {
	// Login is nil where nothing is offered.
	Login *Login `json:"login,omitempty"`
	// Compared is set where the kubelet would not ask so: without credentials although one matches.
	Compared bool `json:"compared,omitempty"`
	// Skipped is why no request was made, such as `the registry refused it 3 minutes ago`.
	Skipped string `json:"skipped,omitempty"`
	// Steps are the requests in order; the last one is where it stopped, unless Served.
	Steps []Step `json:"steps,omitempty"`
	// Served is set where everything that was asked for is there.
	Served bool `json:"served,omitempty"`
	// Found is the manifest as far as it was read; nil where none was.
	Found *Manifest `json:"found,omitempty"`
}

// StepName says what a request asks for.
type StepName string

// The steps of a walk, in their order.
const (
	StepPing     StepName = "ping"     // /v2/
	StepToken    StepName = "token"    // the token realm
	StepManifest StepName = "manifest" // manifest or index, by tag or digest
	StepChild    StepName = "child"    // the platform's manifest in an index
	StepConfig   StepName = "config"
	StepLayer    StepName = "layer"
	StepTags     StepName = "tags"
)

// Step is one request and what came back, its redirects included.
type Step struct {
	Name   StepName `json:"name"`
	Method string   `json:"method"`
	// URL is without query and user.
	URL string `json:"url"`
	// Status is the last answer's; 0 where there was none, and Failure says why.
	Status  int     `json:"status,omitempty"`
	Failure Failure `json:"failure,omitempty"`
	// Text is the failure's or the answer's own words, redacted and bounded.
	Text string `json:"text,omitempty"`
	// Codes are the registry's error codes, upper case, such as MANIFEST_UNKNOWN.
	Codes []string `json:"codes,omitempty"`
	// MediaType is the answer's Content-Type without parameters.
	MediaType string `json:"mediaType,omitempty"`
	Digest    string `json:"digest,omitempty"`
	Size      int64  `json:"size,omitempty"`
	// Challenge is the WWW-Authenticate scheme, and the error where it names one: `Basic`, `Bearer insufficient_scope`.
	Challenge string `json:"challenge,omitempty"`
	// Realm is the token realm that the challenge names, or where the token was asked for.
	Realm string `json:"realm,omitempty"`
	// RetryAfter is when the registry wants to be asked again; zero where it does not tell.
	RetryAfter time.Time  `json:"retryAfter,omitzero"`
	Limit      *RateLimit `json:"limit,omitempty"`
	// Redirects are the hosts that the request was sent on to, in order.
	Redirects []string `json:"redirects,omitempty"`
	// Tags are tags of the list, for StepTags, bounded; More tells that there are others.
	Tags []string `json:"tags,omitempty"`
	More bool     `json:"more,omitempty"`
	Took Timing   `json:"took,omitzero"`
}

// Failure says how a request failed that got no answer, or not a whole one.
type Failure string

// The failures.
const (
	FailedDNS         Failure = "dns"
	FailedRefused     Failure = "refused"
	FailedTimeout     Failure = "timeout"
	FailedInterrupted Failure = "interrupted"
	FailedUntrusted   Failure = "tls-untrusted"
	FailedTLS         Failure = "tls-invalid"
	FailedPlain       Failure = "plain-http" // the server does not speak TLS
	FailedProxy       Failure = "proxy"      // the proxy of this machine refused or failed
	FailedBody        Failure = "body"       // too long, or not what its headers say
	FailedRedirect    Failure = "redirect"   // too many, or to where none may go
	FailedUnsafe      Failure = "unsafe"     // not asked: the address or realm is one that no credential may go to
	FailedDigest      Failure = "digest"     // the bytes do not have the digest
)

// RateLimit is what the registry tells of its pull limit.
type RateLimit struct {
	Limit     string `json:"limit,omitempty"`     // such as 100;w=21600
	Remaining string `json:"remaining,omitempty"` // such as 0;w=21600
	// Source is whom the limit counts: an address or an account.
	Source string `json:"source,omitempty"`
}

// Timing is where a request's time went, in milliseconds; 0 where a connection was used again.
type Timing struct {
	Resolve   int64 `json:"resolve,omitempty"`
	Connect   int64 `json:"connect,omitempty"`
	TLS       int64 `json:"tls,omitempty"`
	FirstByte int64 `json:"firstByte,omitempty"`
	Total     int64 `json:"total,omitempty"`
}

// Manifest is what was found under the reference.
type Manifest struct {
	MediaType string `json:"mediaType"`
	Digest    string `json:"digest,omitempty"`
	// Platforms are those of an index, or the one that the config names; at most 40.
	Platforms []string `json:"platforms,omitempty"`
	// Child is the digest of the platform's manifest; empty where the index has none.
	Child string `json:"child,omitempty"`
	// Artifact is the config's media type or artifactType where it is not an image's.
	Artifact string `json:"artifact,omitempty"`
}

// Alternatives are references that the registry was seen to serve for the case's platform, the best first.
type Alternatives struct {
	Items []Alternative `json:"items"`
}

// Alternative is one reference and why it may be the one that was meant.
type Alternative struct {
	Image string `json:"image"`
	// Why, such as `the last tag that this workload ran`, `one letter differs`, `moved there in 2025`.
	Why string `json:"why"`
	// Source is where a relocation is announced.
	Source string `json:"source,omitempty"`
	// Certain is set for the rollout's own last good image and for a relocation of the same content.
	Certain bool `json:"certain,omitempty"`
}
