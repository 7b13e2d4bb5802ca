package diagnose

import "github.com/refloat-dev/refloat/evidence"

// Code names a cause. A code never changes its meaning once released.
type Code string

// The causes; docs/causes has a page for each.
const (
	NoCredentials      Code = "auth.no-credentials"
	InvalidCredentials Code = "auth.invalid-credentials"
	ExpiredCredentials Code = "auth.expired-credentials"
	Forbidden          Code = "auth.forbidden"
	LockedOut          Code = "auth.locked-out"
	SecretMissing      Code = "auth.secret-missing"
	SecretMalformed    Code = "auth.secret-malformed"
	ProviderFailed     Code = "auth.provider-failed"
	DeniedOrMissing    Code = "auth.denied-or-missing"

	InvalidReference   Code = "name.invalid-reference"
	ShortName          Code = "name.short-name"
	RepositoryNotFound Code = "name.repository-not-found"
	TagNotFound        Code = "name.tag-not-found"
	DigestNotFound     Code = "name.digest-not-found"

	PlatformMismatch  Code = "image.platform-mismatch"
	UnsupportedFormat Code = "image.unsupported-format"
	ContentMissing    Code = "image.content-missing"

	DNS          Code = "network.dns"
	Refused      Code = "network.refused"
	Timeout      Code = "network.timeout"
	Interrupted  Code = "network.interrupted"
	Stalled      Code = "network.stalled"
	TLSUntrusted Code = "network.tls-untrusted"
	TLSInvalid   Code = "network.tls-invalid"
	HTTPMismatch Code = "network.http-mismatch"
	Proxy        Code = "network.proxy"

	Unavailable       Code = "registry.unavailable"
	RateLimited       Code = "registry.rate-limited"
	AccountRestricted Code = "registry.account-restricted"
	ClientBlocked     Code = "registry.client-blocked"
	ContentPolicy     Code = "registry.content-policy"
	NotARegistry      Code = "registry.not-a-registry"

	DiskFull           Code = "node.disk-full"
	FilesystemFailed   Code = "node.filesystem"
	CacheCorrupt       Code = "node.cache-corrupt"
	RegistryConfig     Code = "node.registry-config"
	RuntimeUnavailable Code = "node.runtime-unavailable"
	PullThrottled      Code = "node.pull-throttled"
	PullDeadline       Code = "node.pull-deadline"

	NeverPull       Code = "policy.never-pull"
	Signature       Code = "policy.signature"
	RegistryBlocked Code = "policy.registry-blocked"

	Unknown Code = "unknown"
)

// Confidence says how sure a diagnosis is.
type Confidence string

// The confidences, the surest first.
const (
	Confirmed    Confidence = "confirmed" // two vantage points agree
	Likely       Confidence = "likely"    // one, unambiguous
	Possible     Confidence = "possible"  // several candidates stay
	NoConfidence Confidence = "unknown"
)

// Candidate is a cause that the evidence allows.
type Candidate struct {
	Cause      Code       `json:"cause"`
	Confidence Confidence `json:"confidence"`
}

// Reading is what one message says by itself.
type Reading struct {
	Cause      Code
	Confidence Confidence
	// Candidates are ranked; the first is Cause.
	Candidates []Candidate
	// Image is the reference that the text names, Registry its host as the text or the reference tells.
	Image, Registry string
	// Runtime is containerd, cri-o, docker, podman, or empty where the text does not tell.
	Runtime string
	// Host is the host that the failing request went to: a mirror, a token server or a storage host may differ from Registry.
	Host string
	// Detail is the part of the text that decided, for a person; bounded and without wrappers.
	Detail string
}

// Diagnosis is the verdict on one case.
type Diagnosis struct {
	Cause      Code
	Confidence Confidence
	// Candidates are ranked; the first is Cause.
	Candidates []Candidate
	// Summary is the verdict in one sentence, with the names that matter.
	Summary string
	Reading Reading
	// Because are the facts that the verdict rests on, the deciding one first.
	Because  []*evidence.Fact
	RuledOut []RuledOut
	Gaps     []evidence.Gap
	// Masks are causes that show only because this one is there.
	Masks []Code
	// Served is set where a planned image would be pulled: there is no cause then.
	Served bool
	// ServedNow is set where the registry serves what it refused the node: the cause was there, and may be gone.
	ServedNow bool
	// Key is equal for cases with one root cause: a secret, a host and node, an image.
	Key string
}

// RuledOut is a cause that was looked at and dismissed.
type RuledOut struct {
	Cause Code   `json:"cause"`
	Why   string `json:"why"`
}

// Finding is one root cause with all the cases that it explains.
type Finding struct {
	Diagnosis
	Cases []*evidence.Case
}
