package report

import "github.com/refloat-dev/refloat/diagnose"

// Title is a cause in plain words, for a heading.
func Title(c diagnose.Code) string {
	if t, ok := titles[c]; ok {
		return t
	}
	return "Unknown cause"
}

var titles = map[diagnose.Code]string{
	diagnose.NoCredentials:      "No credentials for the registry",
	diagnose.InvalidCredentials: "Wrong credentials for the registry",
	diagnose.ExpiredCredentials: "Expired credentials",
	diagnose.Forbidden:          "No permission to pull this repository",
	diagnose.LockedOut:          "Locked out after failed logins",
	diagnose.SecretMissing:      "The pull secret does not exist",
	diagnose.SecretMalformed:    "The pull secret cannot be used",
	diagnose.ProviderFailed:     "The node's credential provider gave nothing",
	diagnose.DeniedOrMissing:    "Private or missing: the registry does not say",
	diagnose.InvalidReference:   "The image name is not valid",
	diagnose.ShortName:          "The short image name cannot be resolved",
	diagnose.RepositoryNotFound: "The repository does not exist",
	diagnose.TagNotFound:        "The tag does not exist",
	diagnose.DigestNotFound:     "The digest does not exist",
	diagnose.PlatformMismatch:   "The image is not made for this node's platform",
	diagnose.UnsupportedFormat:  "Not an image that this runtime can run",
	diagnose.ContentMissing:     "The image is incomplete in the registry",
	diagnose.DNS:                "The registry's name does not resolve",
	diagnose.Refused:            "The registry refuses connections",
	diagnose.Timeout:            "The registry does not answer in time",
	diagnose.Interrupted:        "The transfer broke off",
	diagnose.Stalled:            "The pull stopped moving, without an error",
	diagnose.TLSUntrusted:       "The registry's CA is not trusted",
	diagnose.TLSInvalid:         "The registry's certificate is not valid",
	diagnose.HTTPMismatch:       "Plain HTTP meets HTTPS",
	diagnose.Proxy:              "The proxy refuses or fails",
	diagnose.Unavailable:        "The registry is failing",
	diagnose.RateLimited:        "Rate limited by the registry",
	diagnose.AccountRestricted:  "The registry account is restricted",
	diagnose.ClientBlocked:      "The registry blocks this client",
	diagnose.ContentPolicy:      "The registry's policy withholds this image",
	diagnose.NotARegistry:       "What answers is not a registry",
	diagnose.DiskFull:           "No room on the node",
	diagnose.FilesystemFailed:   "The node's filesystem fails",
	diagnose.CacheCorrupt:       "Stored image content is damaged",
	diagnose.RegistryConfig:     "The node's registry configuration is at fault",
	diagnose.RuntimeUnavailable: "The container runtime is down",
	diagnose.PullThrottled:      "The kubelet's own pull limit",
	diagnose.PullDeadline:       "The pull ran into a deadline",
	diagnose.NeverPull:          "The policy is Never and the image is absent",
	diagnose.Signature:          "The image's signature was rejected",
	diagnose.RegistryBlocked:    "A policy blocks this registry",
	diagnose.Unknown:            "Unknown cause",
}
