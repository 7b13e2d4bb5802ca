package plan

import (
	"github.com/refloat-dev/refloat/diagnose"
	"github.com/refloat-dev/refloat/evidence"
)

// For says what to do about one finding: steps with exact commands for the objects, nodes and hosts that it names,
// in the manner of the node's home, its runtime, and the owner and manager of the pods. The last step proves it.
func For(f diagnose.Finding) Plan {
	s := newSubject(f)
	if s.pull.Kind == evidence.Planned {
		return Plan{Steps: append(s.planned(), s.checkAgain())}
	}
	var steps []Step
	if family, ok := families[f.Cause]; ok {
		steps = family(s)
	} else {
		steps = s.unknown()
	}
	if exact, instead := s.atNode(); len(exact) > 0 {
		steps = append(exact, steps[min(instead, len(steps)):]...)
	}
	if s.ServedNow {
		steps = s.nextTry(steps)
	}
	return Plan{Steps: append(steps, s.verify())}
}

var families = map[diagnose.Code]func(subject) []Step{
	diagnose.NoCredentials:      subject.noCredentials,
	diagnose.InvalidCredentials: subject.renewCredentials,
	diagnose.ExpiredCredentials: subject.renewCredentials,
	diagnose.Forbidden:          subject.forbidden,
	diagnose.LockedOut:          subject.lockedOut,
	diagnose.SecretMissing:      subject.secretMissing,
	diagnose.SecretMalformed:    subject.secretMalformed,
	diagnose.ProviderFailed:     subject.providerFailed,
	diagnose.DeniedOrMissing:    subject.deniedOrMissing,

	diagnose.InvalidReference:   subject.invalidReference,
	diagnose.ShortName:          subject.shortName,
	diagnose.RepositoryNotFound: subject.notFound,
	diagnose.TagNotFound:        subject.notFound,
	diagnose.DigestNotFound:     subject.notFound,

	diagnose.PlatformMismatch:  subject.platform,
	diagnose.UnsupportedFormat: subject.format,
	diagnose.ContentMissing:    subject.contentMissing,

	diagnose.DNS:          subject.dns,
	diagnose.Refused:      subject.connect,
	diagnose.Timeout:      subject.connect,
	diagnose.Interrupted:  subject.interrupted,
	diagnose.Stalled:      subject.stalled,
	diagnose.TLSUntrusted: subject.tlsUntrusted,
	diagnose.TLSInvalid:   subject.tlsInvalid,
	diagnose.HTTPMismatch: subject.httpMismatch,
	diagnose.Proxy:        subject.proxy,

	diagnose.Unavailable:       subject.unavailable,
	diagnose.RateLimited:       subject.rateLimited,
	diagnose.AccountRestricted: subject.accountRestricted,
	diagnose.ClientBlocked:     subject.clientBlocked,
	diagnose.ContentPolicy:     subject.contentPolicy,
	diagnose.NotARegistry:      subject.notARegistry,

	diagnose.DiskFull:           subject.diskFull,
	diagnose.FilesystemFailed:   subject.filesystem,
	diagnose.CacheCorrupt:       subject.cacheCorrupt,
	diagnose.RegistryConfig:     subject.registryConfig,
	diagnose.RuntimeUnavailable: subject.runtimeDown,
	diagnose.PullThrottled:      subject.throttled,
	diagnose.PullDeadline:       subject.deadline,

	diagnose.NeverPull:       subject.neverPull,
	diagnose.Signature:       subject.signature,
	diagnose.RegistryBlocked: subject.registryBlocked,
}

// unknown collects what a person needs to go on.
func (s subject) unknown() []Step {
	step := manual("Read what the kubelet and the runtime said", "refloat could not tell the cause; these hold the texts that it had to go by.", "")
	for _, o := range s.owners {
		for _, p := range o.podNames()[:min(len(o.podNames()), 1)] {
			step.Commands = append(step.Commands,
				kubectl(o.namespace, "describe", object("pod", p)),
				kubectl(o.namespace, "get events --sort-by=.lastTimestamp --field-selector", quote("involvedObject.name="+p)))
		}
	}
	steps := []Step{step}
	if len(s.nodes) > 0 {
		steps = append(steps, s.onNode("Read the log of the runtime on "+s.where(), "", "", s.log(`tail -n 100`)))
	}
	return steps
}
