package diagnose

import (
	"slices"
	"strings"
)

var codes = []Code{
	NoCredentials, InvalidCredentials, ExpiredCredentials, Forbidden, LockedOut, SecretMissing, SecretMalformed,
	ProviderFailed, DeniedOrMissing,
	InvalidReference, ShortName, RepositoryNotFound, TagNotFound, DigestNotFound,
	PlatformMismatch, UnsupportedFormat, ContentMissing,
	DNS, Refused, Timeout, Interrupted, Stalled, TLSUntrusted, TLSInvalid, HTTPMismatch, Proxy,
	Unavailable, RateLimited, AccountRestricted, ClientBlocked, ContentPolicy, NotARegistry,
	DiskFull, FilesystemFailed, CacheCorrupt, RegistryConfig, RuntimeUnavailable, PullThrottled, PullDeadline,
	NeverPull, Signature, RegistryBlocked,
	Unknown,
}

// Codes returns every code, family by family, Unknown last.
func Codes() []Code { return slices.Clone(codes) }

// Family is the part of the code before the dot; Unknown is its own family.
func (c Code) Family() string {
	family, _, _ := strings.Cut(string(c), ".")
	return family
}

// ParseCode returns the code that s spells, and whether there is one.
func ParseCode(s string) (Code, bool) {
	if slices.Contains(codes, Code(s)) {
		return Code(s), true
	}
	return "", false
}
