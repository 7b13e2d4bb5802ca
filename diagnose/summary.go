package diagnose

import (
	"strings"

	"github.com/refloat-dev/refloat/evidence"
)

// maxSummary bounds the verdict's one sentence.
const maxSummary = 200

// sentences say each cause with the names that matter: {image}, {registry}, {host}, {node}, {secret}.
var sentences = map[Code]string{
	NoCredentials:      "{registry} wants credentials and none were offered",
	InvalidCredentials: "{registry} refused the credentials it was offered{secret}",
	ExpiredCredentials: "the credentials for {registry} have expired{secret}",
	Forbidden:          "{registry} does not let this identity pull {image}",
	LockedOut:          "{registry} has locked the account after too many failed logins{secret}",
	SecretMissing:      "the pull secret{secret} does not exist",
	SecretMalformed:    "the pull secret{secret} cannot be used for {registry}",
	ProviderFailed:     "the node's credential provider handed out nothing for {registry}",
	DeniedOrMissing:    "{registry} does not tell whether {image} is private or missing",
	InvalidReference:   "{image} is not a valid image reference",
	ShortName:          "{image} names no registry and {node} does not resolve short names",
	RepositoryNotFound: "{registry} has no repository for {image}",
	TagNotFound:        "{registry} does not have {image}",
	DigestNotFound:     "{registry} does not have the digest of {image}",
	PlatformMismatch:   "{image} has no variant for the platform of {node}",
	UnsupportedFormat:  "{image} is not an image that {node} can run",
	ContentMissing:     "{registry} has the manifest of {image} but not all that it lists",
	DNS:                "{node} cannot resolve {host}",
	Refused:            "{host} refuses connections from {node}",
	Timeout:            "{host} does not answer {node}",
	Interrupted:        "the connection from {node} to {host} breaks",
	Stalled:            "the pull of {image} on {node} has stopped moving",
	TLSUntrusted:       "{node} does not trust the certificate of {host}",
	TLSInvalid:         "the certificate or TLS of {host} does not hold on {node}",
	HTTPMismatch:       "{node} and {host} do not agree on HTTP or HTTPS",
	Proxy:              "the proxy between {node} and {host} refuses or fails",
	Unavailable:        "{host} is failing",
	RateLimited:        "{host} limits how much may be pulled",
	AccountRestricted:  "{registry} has restricted the account that owns or pulls {image}",
	ClientBlocked:      "{host} blocks this client by its address or country",
	ContentPolicy:      "{registry} refuses to serve {image} by its own content policy",
	NotARegistry:       "{host} does not answer as a registry",
	DiskFull:           "{node} has no room for {image}",
	FilesystemFailed:   "the filesystem of {node} fails while {image} is stored or unpacked",
	CacheCorrupt:       "what {node} stores or received of {image} is damaged",
	RegistryConfig:     "the registry configuration of {node} is at fault",
	RuntimeUnavailable: "the container runtime of {node} does not answer",
	PullThrottled:      "the kubelet of {node} limits its own pulls",
	PullDeadline:       "the pull of {image} was cancelled before it was done",
	NeverPull:          "{image} is not on {node} and the pull policy is Never",
	Signature:          "the signature of {image} was not accepted",
	RegistryBlocked:    "a policy of the cluster or node blocks {image}",
	Unknown:            "why {image} cannot be pulled is not known",
}

// sentence is the cause's own, or a humbler one where the text allows less.
func (v *view) sentence(d *Diagnosis) string {
	planned := v.c.Pull.Kind == evidence.Planned
	switch {
	case d.ServedNow:
		return "{image} is served now"
	case v.moving:
		return "the pull of {image} on {node} is slow, not stalled"
	case v.onNode && d.Cause == InvalidCredentials:
		return "{registry} refused {node}'s own credentials"
	case v.onNode && d.Cause == ExpiredCredentials:
		return "{node}'s own credentials for {registry} have expired"
	case d.Served:
		return "{image} would be pulled"
	case d.Cause == Unknown && planned:
		return "whether {image} can be pulled is not known"
	case d.Cause == CacheCorrupt && planned:
		return "{registry} sends bytes of {image} that do not have their digest"
	case d.Cause == PlatformMismatch && v.platform() != "" && planned:
		return "{image} has no variant for {platform}"
	case d.Cause == LockedOut && d.Confidence == Possible && d.allows(RateLimited):
		return "{host} answers the login with 429: locked out after failed logins, or rate-limited{secret}"
	case d.Cause == Stalled && d.Confidence == Possible:
		return "the pull of {image} on {node} is stalled, or slow"
	case d.Cause == UnsupportedFormat && strings.Contains(d.Reading.Detail, "o command specified"):
		return "{image} was pulled, but neither it nor the pod says what to run: an artifact such as a chart, or an image without an entrypoint"
	case d.Cause == UnsupportedFormat && strings.Contains(d.Reading.Detail, "parent snapshot"):
		return "{image} was pulled, but {node} has no unpacked layers of it: not an image that can run, or its snapshots were lost"
	}
	return sentences[d.Cause]
}

func (v *view) summary(d *Diagnosis) string {
	p := v.c.Pull
	secret := ""
	if v.subject != "" && d.Cause.Family() == "auth" {
		secret = " " + v.subject
		if d.Cause == InvalidCredentials || d.Cause == ExpiredCredentials || d.Cause == LockedOut {
			secret = " (secret " + v.subject + ")"
		}
	}
	node := orElse(p.Node, "the node")
	host := orElse(orElse(orElse(v.host, d.Reading.Host), d.Reading.Registry), "the registry")
	s := strings.NewReplacer(
		"{image}", short(orElse(p.Image, d.Reading.Image), 90), "{registry}", short(orElse(d.Reading.Registry, "the registry"), 70),
		"{host}", short(host, 70), "{platform}", short(v.platform(), 60), "{node}", short(node, 60), "{secret}", short(secret, 90)).Replace(v.sentence(d))
	if v.reason != "" {
		s += ": " + v.reason
	}
	if also := v.also(); also != "" && len(s)+len(also) < maxSummary {
		s += also
	}
	if better := v.better(); better != "" && len(s)+len(better) < maxSummary {
		s += better
	}
	return short(s, maxSummary)
}

// better names the reference to use instead, where there is no doubt about it.
func (v *view) better() string {
	if v.alternatives == nil || len(v.alternatives.Alternatives.Items) == 0 {
		return ""
	}
	a := v.alternatives.Alternatives.Items[0]
	if !a.Certain {
		return ""
	}
	return "; use " + short(a.Image, 90) + ": " + short(a.Why, 60)
}

// platform is what the image is wanted for, where that is known apart from a node.
func (v *view) platform() string {
	if v.c.Pull.Platform == "" && v.probe != nil {
		return v.probe.Probe.Platform
	}
	return v.c.Pull.Platform
}

// also names what is special about the part of the pod that pulls.
func (v *view) also() string {
	p := v.c.Pull
	switch {
	case p.Kind == evidence.Sandbox:
		return " (the pause image, before any container)"
	case p.Kind == evidence.VolumeImage && p.Volume != "":
		return " (image volume " + short(p.Volume, 63) + ")"
	case p.Kind == evidence.Ephemeral:
		return " (ephemeral container " + short(p.Container, 63) + ")"
	case p.Kind == evidence.Refused:
		return " (admission refused the pod)"
	case v.pod != nil && v.pod.Pod.Mirror:
		return " (static pod: no pull secrets there)"
	}
	return ""
}

// short cuts from the middle, where a reference says least.
func short(s string, limit int) string {
	s = clean(s, 4*maxRef)
	r := []rune(s)
	if len(r) <= limit {
		return s
	}
	half := (limit - 1) / 2
	return string(r[:half]) + "…" + string(r[len(r)-half:])
}

// key is equal for cases with one root cause.
func (v *view) key(d *Diagnosis) string {
	p := v.c.Pull
	parts := []string{string(d.Cause)}
	image := orElse(p.Image, d.Reading.Image)
	host := orElse(orElse(orElse(v.host, d.Reading.Host), d.Reading.Registry), image)
	switch d.Cause {
	case SecretMissing, SecretMalformed, ExpiredCredentials, InvalidCredentials, LockedOut:
		if v.subject != "" {
			parts = append(parts, v.subject)
		} else {
			parts = append(parts, p.Namespace, d.Reading.Registry)
		}
		if v.onNode {
			parts = append(parts, p.Node)
		}
	case NoCredentials, ProviderFailed:
		if v.provider != "" { // one provider of one node strands all its namespaces
			parts = append(parts, p.Node, v.provider, d.Reading.Registry)
			break
		}
		parts = append(parts, p.Namespace, d.Reading.Registry)
	case DNS, Refused, Timeout, Interrupted, TLSUntrusted, TLSInvalid, HTTPMismatch, Proxy, Unavailable, RateLimited, ClientBlocked, NotARegistry:
		parts = append(parts, host)
		if v.oneNode {
			parts = append(parts, p.Node)
		} else if v.hop != "" { // nodes that fail alike have one cause, and others another
			parts = append(parts, v.hop)
		}
	case RegistryConfig:
		parts = append(parts, p.Node)
		if !v.stopped { // one node may have one fault for each registry
			parts = append(parts, orElse(d.Reading.Registry, host))
		}
		if p.Kind == evidence.Planned {
			parts = append(parts, image, p.Platform)
		}
	case DiskFull, RuntimeUnavailable, PullThrottled:
		parts = append(parts, p.Node)
		if p.Kind == evidence.Planned {
			parts = append(parts, image, p.Platform)
		}
	case PlatformMismatch, ContentMissing, UnsupportedFormat:
		parts = append(parts, image)
		if p.Kind == evidence.Planned {
			parts = append(parts, p.Platform)
		}
	case CacheCorrupt, FilesystemFailed, Stalled, PullDeadline, NeverPull:
		parts = append(parts, p.Node, image)
	case Unknown:
		if p.Kind == evidence.Planned { // one registry that cannot be reached is one thing, whatever was wanted from it
			parts = append(parts, p.Namespace, d.Reading.Registry)
			if v.asked != nil {
				parts = append(parts, string(v.asked.cause))
			}
			break
		}
		parts = append(parts, p.Namespace, p.Pod, p.Container, image)
	default:
		parts = append(parts, image)
	}
	return strings.Join(parts, "|")
}
